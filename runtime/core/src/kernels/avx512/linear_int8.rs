//! Integer matrix product by `vpdpbusd`: 16 rows × 4 inputs an instruction.

use core::arch::x86_64::*;
use core::ops::Range;
use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

use super::Avx512;
use crate::kernels::{Epilogue, QuantizedRows, Weight};
use crate::layout::{BLOCK, Encoding, GROUP_ROWS};

/// Bytes of one chunk: 4 bytes of each row.
const CHUNK: usize = 4 * GROUP_ROWS;
/// Rows of int8 that a single token has at most.
const SINGLE: usize = 2;
/// Groups that a single token reads at once: Intel's processors fetch ahead within a page, and so
/// follow several streams better than one.
const STREAMS: usize = 4;
/// How far ahead of its use a single token asks for its weights, in blocks: of several streams,
/// into the second-level cache; of one, into the first, where a longer way is hidden.
const AHEAD: [usize; 2] = [8, 24];

/// [`crate::kernels::linear_int8()`] from the row `first` on; its checks have passed.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c")]
pub(super) fn linear(
    lanes: Avx512,
    weight: Weight<'_>,
    input: QuantizedRows<'_>,
    epilogue: &Epilogue<'_>,
    groups: Range<usize>,
    first: usize,
) {
    let product = Product {
        first,
        lanes,
        weight,
        input,
        epilogue,
    };
    match weight.encoding {
        Encoding::Int4 => product.run::<true, false>(groups),
        Encoding::Int4ZeroPoint => product.run::<true, true>(groups),
        Encoding::Int8 => product.run::<false, false>(groups),
        Encoding::Int8ZeroPoint => product.run::<false, true>(groups),
        Encoding::Table | Encoding::F32 | Encoding::F16 => unreachable!("checked by the caller"),
    }
}

/// Whether this processor reads [`STREAMS`] groups faster than one after the other: Intel's do,
/// while AMD's reach 0.85 of their bandwidth with one, and 0.6 with four (Zen 5).
fn follows_streams() -> bool {
    // Asking takes a virtual machine tens of microseconds.
    static ANSWER: AtomicU8 = AtomicU8::new(0);
    const YES: u8 = 1;
    const NO: u8 = 2;
    match ANSWER.load(Relaxed) {
        0 => {
            // SAFETY: every processor with AVX-512 has the instruction. Newer Rust asks no block.
            #[allow(unused_unsafe)]
            let vendor = unsafe { __cpuid(0) };
            let amd = [vendor.ebx, vendor.edx, vendor.ecx].map(u32::to_le_bytes);
            let answer = if amd.as_flattened() == b"AuthenticAMD" {
                NO
            } else {
                YES
            };
            ANSWER.store(answer, Relaxed);
            answer == YES
        }
        answer => answer == YES,
    }
}

#[derive(Clone, Copy)]
struct Product<'a> {
    /// The first row of the input.
    first: usize,
    lanes: Avx512,
    weight: Weight<'a>,
    input: QuantizedRows<'a>,
    epilogue: &'a Epilogue<'a>,
}

impl Product<'_> {
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c")]
    fn run<const INT4: bool, const ZERO_POINTS: bool>(self, groups: Range<usize>) {
        let few = self.input.count() - self.first <= SINGLE;
        let streams = few && follows_streams();
        let mut group = groups.start;
        while group < groups.end {
            group += match groups.end - group {
                STREAMS.. if streams => self.tokens::<INT4, ZERO_POINTS, STREAMS>(group),
                2.. if !few => self.tokens::<INT4, ZERO_POINTS, 2>(group),
                _ => self.tokens::<INT4, ZERO_POINTS, 1>(group),
            };
        }
    }

    /// `G` groups for all tokens, so that the weights are read from memory once; returns `G`.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c")]
    fn tokens<const INT4: bool, const ZERO_POINTS: bool, const G: usize>(
        self,
        group: usize,
    ) -> usize {
        let count = self.input.count();
        let mut t = self.first;
        while t < count {
            t += match count - t {
                6.. if G < STREAMS => self.tile::<INT4, ZERO_POINTS, G, 6>(group, t),
                4.. if G < STREAMS => self.tile::<INT4, ZERO_POINTS, G, 4>(group, t),
                2.. => self.tile::<INT4, ZERO_POINTS, G, 2>(group, t),
                _ => self.tile::<INT4, ZERO_POINTS, G, 1>(group, t),
            };
        }
        G
    }

    /// `G` groups for `T` tokens from `t` on; returns `T`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c")]
    fn tile<const INT4: bool, const ZERO_POINTS: bool, const G: usize, const T: usize>(
        self,
        group: usize,
        t: usize,
    ) -> usize {
        let block_bytes = const {
            let codes = if INT4 {
                GROUP_ROWS * BLOCK / 2
            } else {
                GROUP_ROWS * BLOCK
            };
            codes + 2 * GROUP_ROWS + if ZERO_POINTS { GROUP_ROWS } else { 0 }
        };
        let blocks = self.input.blocks();
        let rows: [_; T] = core::array::from_fn(|i| self.input.row(t + i));
        let groups: [_; G] = core::array::from_fn(|i| self.weight.group(group + i));
        assert!(groups.iter().all(|g| g.len() == blocks * block_bytes));

        let nibbles = _mm512_set1_epi8(15);
        let mut sums = [[_mm512_setzero_ps(); T]; G];
        for b in 0..blocks {
            // SAFETY: every group holds `blocks` blocks of `block_bytes` (asserted), every row
            // holds `blocks` blocks of 32 inputs (see `QuantizedRows::row`), and each pointer
            // stays within block `b`. Prefetching reads nothing.
            unsafe {
                let block = groups.map(|g| g.as_ptr().add(b * block_bytes));
                let x = rows.map(|row| row.values.as_ptr().add(b).cast::<i32>());
                let zero = rows.map(|row| *row.sums.as_ptr().add(b));

                if T <= SINGLE {
                    let distance = AHEAD[usize::from(G == 1)];
                    // What the next groups begin with lies behind the last of these.
                    let skipped = if b + distance < blocks { 0 } else { G - 1 };
                    let ahead = distance * block_bytes + skipped * groups[0].len();
                    for block in block {
                        for line in 0..block_bytes.div_ceil(64) {
                            let ahead = block.wrapping_add(ahead + 64 * line).cast();
                            if G == 1 {
                                _mm_prefetch::<_MM_HINT_NTA>(ahead);
                            } else {
                                _mm_prefetch::<_MM_HINT_T1>(ahead);
                            }
                        }
                    }
                }

                let mut dots = [[_mm512_setzero_si512(); T]; G];
                for g in 0..G {
                    for i in 0..T {
                        dots[g][i] = match (INT4, ZERO_POINTS) {
                            (true, false) => _mm512_set1_epi32(zero[i]),
                            (false, false) => _mm512_set1_epi32(16 * zero[i]),
                            (_, true) => _mm512_setzero_si512(),
                        };
                    }
                }
                if INT4 {
                    for c in 0..4 {
                        let codes = block.map(|p| _mm512_loadu_si512(p.add(c * CHUNK).cast()));
                        let low = codes.map(|v| _mm512_and_si512(v, nibbles));
                        for i in 0..T {
                            let x = _mm512_set1_epi32(x[i].add(2 * c).read_unaligned());
                            for g in 0..G {
                                dots[g][i] = _mm512_dpbusd_epi32(dots[g][i], low[g], x);
                            }
                        }
                        let high =
                            codes.map(|v| _mm512_and_si512(_mm512_srli_epi16::<4>(v), nibbles));
                        for i in 0..T {
                            let x = _mm512_set1_epi32(x[i].add(2 * c + 1).read_unaligned());
                            for g in 0..G {
                                dots[g][i] = _mm512_dpbusd_epi32(dots[g][i], high[g], x);
                            }
                        }
                    }
                } else {
                    for c in 0..8 {
                        let codes = block.map(|p| _mm512_loadu_si512(p.add(c * CHUNK).cast()));
                        for i in 0..T {
                            let x = _mm512_set1_epi32(x[i].add(c).read_unaligned());
                            for g in 0..G {
                                dots[g][i] = _mm512_dpbusd_epi32(dots[g][i], codes[g], x);
                            }
                        }
                    }
                }

                for g in 0..G {
                    let scales = block[g].add(if INT4 { 4 } else { 8 } * CHUNK);
                    if ZERO_POINTS {
                        let stored = _mm_loadu_si128(scales.add(2 * GROUP_ROWS).cast());
                        let zero_points = _mm512_cvtepu8_epi32(stored);
                        for i in 0..T {
                            // The pairs' upper halves are zero points' and so zero.
                            let minus_sum = _mm512_set1_epi32(zero[i] >> 3);
                            dots[g][i] = _mm512_dpwssd_epi32(dots[g][i], zero_points, minus_sum);
                        }
                    }
                    let scales = _mm512_cvtph_ps(_mm256_loadu_si256(scales.cast()));
                    for i in 0..T {
                        let input_scale = _mm512_set1_ps(*rows[i].scales.as_ptr().add(b));
                        let scale = _mm512_mul_ps(scales, input_scale);
                        let dot = _mm512_cvtepi32_ps(dots[g][i]);
                        sums[g][i] = _mm512_fmadd_ps(scale, dot, sums[g][i]);
                    }
                }
            }
        }
        for g in 0..G {
            for i in 0..T {
                self.epilogue
                    .finish(self.lanes, t + i, group + g, sums[g][i]);
            }
        }
        T
    }
}
