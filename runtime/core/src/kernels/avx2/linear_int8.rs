//! Integer matrix product by `vpmaddubsw`: 8 rows × 4 inputs an instruction.

use core::arch::x86_64::*;
use core::ops::Range;

use super::Avx2;
use crate::kernels::{Epilogue, QuantizedRows, Weight};
use crate::layout::{BLOCK, Encoding, GROUP_ROWS};

/// Bytes of one chunk: 4 bytes of each row.
const CHUNK: usize = 4 * GROUP_ROWS;
/// How far ahead of its use a single token asks for its weights, in bytes.
const AHEAD: usize = 4096;
/// Tokens that fit the registers beside the weights.
const TILE: usize = 4;

/// [`crate::kernels::linear_int8()`], whose checks have passed.
#[target_feature(enable = "avx2,fma,f16c")]
pub(super) fn linear(
    lanes: Avx2,
    weight: Weight<'_>,
    input: QuantizedRows<'_>,
    epilogue: &Epilogue<'_>,
    groups: Range<usize>,
) {
    let product = Product {
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

#[derive(Clone, Copy)]
struct Product<'a> {
    lanes: Avx2,
    weight: Weight<'a>,
    input: QuantizedRows<'a>,
    epilogue: &'a Epilogue<'a>,
}

impl Product<'_> {
    #[target_feature(enable = "avx2,fma,f16c")]
    fn run<const INT4: bool, const ZERO_POINTS: bool>(self, groups: Range<usize>) {
        let count = self.input.count();
        for group in groups {
            let mut t = 0;
            while count - t >= TILE {
                // Eight rows at a time leave registers for the tokens.
                let low = self.tile::<INT4, ZERO_POINTS, 0, 1, TILE>(group, t);
                let high = self.tile::<INT4, ZERO_POINTS, 1, 1, TILE>(group, t);
                for i in 0..TILE {
                    self.epilogue
                        .finish(self.lanes, t + i, group, [low[0][i], high[0][i]]);
                }
                t += TILE;
            }
            while t < count {
                let [[low], [high]] = self.tile::<INT4, ZERO_POINTS, 0, 2, 1>(group, t);
                self.epilogue.finish(self.lanes, t, group, [low, high]);
                t += 1;
            }
        }
    }

    /// The sums of `H` halves of a group, from half `FIRST` on, for `T` tokens from `t` on.
    #[inline]
    #[target_feature(enable = "avx2,fma,f16c")]
    fn tile<
        const INT4: bool,
        const ZERO_POINTS: bool,
        const FIRST: usize,
        const H: usize,
        const T: usize,
    >(
        self,
        group: usize,
        t: usize,
    ) -> [[__m256; T]; H] {
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
        let group = self.weight.group(group);
        assert!(group.len() == blocks * block_bytes && FIRST + H <= 2);

        let nibbles = _mm256_set1_epi8(15);
        let ones = _mm256_set1_epi16(1);
        let mut sums = [[_mm256_setzero_ps(); T]; H];
        for b in 0..blocks {
            // SAFETY: the group holds `blocks` blocks of `block_bytes` (asserted), every row
            // holds `blocks` blocks of 32 inputs (see `QuantizedRows::row`), and each pointer
            // stays within block `b`. Prefetching reads nothing.
            unsafe {
                let block = group.as_ptr().add(b * block_bytes);
                let x = rows.map(|row| row.values.as_ptr().add(b).cast::<i32>());
                let zero = rows.map(|row| *row.sums.as_ptr().add(b));

                if T == 1 {
                    for line in 0..block_bytes.div_ceil(64) {
                        _mm_prefetch::<_MM_HINT_T0>(block.wrapping_add(AHEAD + 64 * line).cast());
                    }
                }

                let mut dots = [[_mm256_setzero_si256(); T]; H];
                if INT4 {
                    // 16-bit sums hold a block of nibbles: 8 · 2 · 15 · 127 = 30,480.
                    for c in 0..4 {
                        for h in 0..H {
                            let codes = block.add(c * CHUNK + (FIRST + h) * CHUNK / 2);
                            let codes = _mm256_loadu_si256(codes.cast());
                            let low = _mm256_and_si256(codes, nibbles);
                            let high = _mm256_and_si256(_mm256_srli_epi16::<4>(codes), nibbles);
                            for i in 0..T {
                                let x0 = _mm256_set1_epi32(x[i].add(2 * c).read_unaligned());
                                let x1 = _mm256_set1_epi32(x[i].add(2 * c + 1).read_unaligned());
                                let both = _mm256_add_epi16(
                                    _mm256_maddubs_epi16(low, x0),
                                    _mm256_maddubs_epi16(high, x1),
                                );
                                dots[h][i] = _mm256_add_epi16(dots[h][i], both);
                            }
                        }
                    }
                    for h in 0..H {
                        for i in 0..T {
                            dots[h][i] = _mm256_madd_epi16(dots[h][i], ones);
                        }
                    }
                } else {
                    // Weights around 128, their magnitudes unsigned and their signs on the
                    // inputs: 2 · 128 · 127 = 32,512 fits 16 bits.
                    let middle = _mm256_set1_epi8(-128);
                    for c in 0..8 {
                        for h in 0..H {
                            let codes = block.add(c * CHUNK + (FIRST + h) * CHUNK / 2);
                            let codes = _mm256_xor_si256(_mm256_loadu_si256(codes.cast()), middle);
                            let magnitudes = _mm256_abs_epi8(codes);
                            for i in 0..T {
                                let x = _mm256_set1_epi32(x[i].add(c).read_unaligned());
                                let x = _mm256_sign_epi8(x, codes);
                                let pairs = _mm256_maddubs_epi16(magnitudes, x);
                                let dot = _mm256_madd_epi16(pairs, ones);
                                dots[h][i] = _mm256_add_epi32(dots[h][i], dot);
                            }
                        }
                    }
                }

                let scales = block.add(if INT4 { 4 } else { 8 } * CHUNK);
                for h in 0..H {
                    let half = FIRST + h;
                    if ZERO_POINTS {
                        let stored = scales.add(2 * GROUP_ROWS + half * GROUP_ROWS / 2);
                        let stored = _mm256_cvtepu8_epi32(_mm_loadl_epi64(stored.cast()));
                        // What the products above have already taken off.
                        let taken = _mm256_set1_epi32(if INT4 { 0 } else { 128 });
                        let zero_points = _mm256_sub_epi32(stored, taken);
                        for i in 0..T {
                            let minus_sum = _mm256_set1_epi32(zero[i] >> 3);
                            let offset = _mm256_mullo_epi32(zero_points, minus_sum);
                            dots[h][i] = _mm256_add_epi32(dots[h][i], offset);
                        }
                    } else if INT4 {
                        for i in 0..T {
                            dots[h][i] = _mm256_add_epi32(dots[h][i], _mm256_set1_epi32(zero[i]));
                        }
                    }
                    let scales = scales.add(half * GROUP_ROWS);
                    let scales = _mm256_cvtph_ps(_mm_loadu_si128(scales.cast()));
                    for i in 0..T {
                        let input_scale = _mm256_set1_ps(*rows[i].scales.as_ptr().add(b));
                        let scale = _mm256_mul_ps(scales, input_scale);
                        let dot = _mm256_cvtepi32_ps(dots[h][i]);
                        sums[h][i] = _mm256_fmadd_ps(scale, dot, sums[h][i]);
                    }
                }
            }
        }
        sums
    }
}
