//! Integer matrix product by `smmla`, for many tokens: 2 rows × 8 inputs with 8 inputs × 2
//! tokens an instruction.
//!
//! Weights of some groups and some blocks are unpacked once to signed bytes in the order in
//! which the instruction takes them, then multiplied with all tokens, ten at a time. Sums wait
//! between one stretch of blocks and the next. All of it lies on the stack and fits a first-level
//! cache of 32 KiB.

use core::arch::aarch64::*;
use core::arch::asm;
use core::mem::MaybeUninit;
use core::ops::Range;

use super::dots::{CHUNK, nibbles, signed};
use super::{Neon, four_halves};
use crate::kernels::{Epilogue, QuantizedRows, Weight};
use crate::layout::{BLOCK, Encoding, GROUP_ROWS};

/// Groups that share a pass over the tokens.
const GROUPS: usize = 4;
/// Four rows of a group.
const QUARTERS: usize = 4 * GROUPS;
/// Most blocks of a stretch.
const STRETCH: usize = 9;
/// Pairs of tokens that fit the registers beside the weights.
const PAIRS: usize = 5;
/// Tiles of tokens whose sums there is room for.
const TILES: usize = 13;
/// Tokens that share unpacked weights.
const TOKENS: usize = 2 * PAIRS * TILES;

/// A block of a quarter: in `codes[2 · i + h]`, inputs `8 · i ..` of rows `2 · h` and `2 · h + 1`.
/// Zero points are taken off. Of each such pair of rows, `scales` have two lanes a row.
#[derive(Clone, Copy)]
struct WeightBlock {
    codes: [int8x16_t; 8],
    scales: [float32x4_t; 2],
}

/// A block of a pair of tokens: in `values[i]`, inputs `8 · i ..` of one and of the other. In
/// `scales` the tokens alternate.
#[derive(Clone, Copy)]
struct InputBlock {
    values: [int8x16_t; 4],
    scales: float32x4_t,
}

/// Sums of a quarter for a tile of tokens: rows 0–1 and rows 2–3 of each pair of tokens, as
/// `smmla` arranges them.
type Sums = [[float32x4_t; 2]; PAIRS];

/// [`crate::kernels::linear_int8()`], whose checks have passed, for all encodings but
/// [`Encoding::Int8ZeroPoint`].
#[target_feature(enable = "neon,dotprod,i8mm")]
pub(super) fn product(
    lanes: Neon,
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
    for first in groups.clone().step_by(GROUPS) {
        let groups = first..groups.end.min(first + GROUPS);
        for t in (0..input.count()).step_by(TOKENS) {
            product.panel(groups.clone(), t..input.count().min(t + TOKENS));
        }
    }
}

struct Product<'a> {
    lanes: Neon,
    weight: Weight<'a>,
    input: QuantizedRows<'a>,
    epilogue: &'a Epilogue<'a>,
}

impl Product<'_> {
    /// Up to [`GROUPS`] groups for up to [`TOKENS`] tokens.
    #[target_feature(enable = "neon,dotprod,i8mm")]
    fn panel(&self, groups: Range<usize>, tokens: Range<usize>) {
        let blocks = self.input.blocks();
        let stretch = blocks.div_ceil(blocks.div_ceil(STRETCH).max(1));
        let quarters = 4 * groups.len();
        let mut weights = [[const { MaybeUninit::uninit() }; STRETCH]; QUARTERS];
        let mut inputs = [[const { MaybeUninit::uninit() }; PAIRS]; STRETCH];
        let mut sums = [[[[vdupq_n_f32(0.0); 2]; PAIRS]; QUARTERS]; TILES];
        for start in (0..blocks).step_by(stretch.max(1)) {
            let range = start..blocks.min(start + stretch);
            for (quarter, out) in weights.iter_mut().enumerate().take(quarters) {
                let (group, quarter) = (groups.start + quarter / 4, quarter % 4);
                self.unpack(group, quarter, range.clone(), out);
            }
            for (tile, sums) in tokens.clone().step_by(2 * PAIRS).zip(&mut sums) {
                let tokens = tile..tokens.end.min(tile + 2 * PAIRS);
                let pairs = tokens.len().div_ceil(2);
                self.pair_up(tokens, range.clone(), &mut inputs);
                for (weights, sums) in weights.iter().zip(sums).take(quarters) {
                    let (weights, inputs) = (&weights[..range.len()], &inputs[..range.len()]);
                    // SAFETY: `unpack` and `pair_up` have just written these blocks and pairs.
                    unsafe {
                        match pairs {
                            1 => multiply::<1>(weights, inputs, sums),
                            2 => multiply::<2>(weights, inputs, sums),
                            3 => multiply::<3>(weights, inputs, sums),
                            4 => multiply::<4>(weights, inputs, sums),
                            _ => multiply::<PAIRS>(weights, inputs, sums),
                        }
                    }
                }
            }
        }
        for (i, group) in groups.enumerate() {
            for (at, t) in tokens.clone().enumerate() {
                let (tile, pair) = (at / (2 * PAIRS), at / 2 % PAIRS);
                let mut rows = [vdupq_n_f32(0.0); 4];
                for q in 0..4 {
                    let [low, high] = sums[tile][4 * i + q][pair];
                    rows[q] = match at % 2 {
                        0 => vuzp1q_f32(low, high),
                        _ => vuzp2q_f32(low, high),
                    };
                }
                self.epilogue.finish(self.lanes, t, group, rows);
            }
        }
    }

    /// Unpacks some blocks of a quarter of a group.
    #[target_feature(enable = "neon,dotprod,i8mm")]
    fn unpack(
        &self,
        group: usize,
        quarter: usize,
        blocks: Range<usize>,
        out: &mut [MaybeUninit<WeightBlock>; STRETCH],
    ) {
        let encoding = self.weight.encoding;
        let block_bytes = encoding.block_bytes().expect("a quantized encoding");
        let group = &self.weight.group(group)[blocks.start * block_bytes..];
        let group = &group[..blocks.len() * block_bytes];
        for (block, out) in group.chunks_exact(block_bytes).zip(out) {
            // SAFETY: a block holds codes, scales and zero points of 16 rows, of which these
            // are the quarter's.
            out.write(unsafe {
                let codes = block.as_ptr().add(16 * quarter);
                let rest = block.as_ptr().add(encoding.code_bytes());
                let scales = four_halves(rest.add(8 * quarter));
                WeightBlock {
                    codes: match encoding {
                        Encoding::Int4 => int4_codes(codes, vdupq_n_s8(8)),
                        Encoding::Int4ZeroPoint => {
                            let zero_points = rest.add(2 * GROUP_ROWS + 4 * quarter).cast();
                            int4_codes(codes, each_four_times(vld1q_dup_u32(zero_points)))
                        }
                        _ => int8_codes(codes),
                    },
                    scales: [vzip1q_f32(scales, scales), vzip2q_f32(scales, scales)],
                }
            });
        }
    }

    /// Pairs up some blocks of up to ten tokens. The last of an odd number stands for both.
    #[target_feature(enable = "neon,dotprod,i8mm")]
    fn pair_up(
        &self,
        tokens: Range<usize>,
        blocks: Range<usize>,
        out: &mut [[MaybeUninit<InputBlock>; PAIRS]; STRETCH],
    ) {
        for (pair, t) in tokens.clone().step_by(2).enumerate() {
            let (x, y) = (
                self.input.row(t),
                self.input.row((t + 1).min(tokens.end - 1)),
            );
            let values = x.values[blocks.clone()]
                .iter()
                .zip(&y.values[blocks.clone()]);
            let scales = x.scales[blocks.clone()]
                .iter()
                .zip(&y.scales[blocks.clone()]);
            for ((values, scales), out) in values.zip(scales).zip(&mut *out) {
                let (x, y) = (sixteens(values.0), sixteens(values.1));
                out[pair].write(InputBlock {
                    values: [
                        vreinterpretq_s8_s64(vzip1q_s64(x[0], y[0])),
                        vreinterpretq_s8_s64(vzip2q_s64(x[0], y[0])),
                        vreinterpretq_s8_s64(vzip1q_s64(x[1], y[1])),
                        vreinterpretq_s8_s64(vzip2q_s64(x[1], y[1])),
                    ],
                    scales: vzip1q_f32(vdupq_n_f32(*scales.0), vdupq_n_f32(*scales.1)),
                });
            }
        }
    }
}

/// Adds the blocks of a quarter, block after block, for `P` pairs of tokens.
///
/// # Safety
/// All blocks of `weights`, and `P` pairs of as many blocks of `inputs`, have been written.
#[target_feature(enable = "neon,dotprod,i8mm")]
unsafe fn multiply<const P: usize>(
    weights: &[MaybeUninit<WeightBlock>],
    inputs: &[[MaybeUninit<InputBlock>; PAIRS]],
    sums: &mut Sums,
) {
    let mut acc = [[vdupq_n_f32(0.0); 2]; P];
    acc.copy_from_slice(&sums[..P]);
    for (weight, input) in weights.iter().zip(inputs) {
        // SAFETY: the caller's promise; the processor has `smmla`.
        unsafe {
            let weight = weight.assume_init_ref();
            let mut dots = [[vdupq_n_s32(0); 2]; P];
            for i in 0..4 {
                for p in 0..P {
                    let x = input[p].assume_init_ref().values[i];
                    for h in 0..2 {
                        smmla(&mut dots[p][h], weight.codes[2 * i + h], x);
                    }
                }
            }
            for p in 0..P {
                let input_scales = input[p].assume_init_ref().scales;
                for h in 0..2 {
                    let scales = vmulq_f32(weight.scales[h], input_scales);
                    acc[p][h] = vfmaq_f32(acc[p][h], scales, vcvtq_f32_s32(dots[p][h]));
                }
            }
        }
    }
    sums[..P].copy_from_slice(&acc);
}

/// Adds the products of two rows of `w` with two rows of `x`, eight inputs each.
///
/// # Safety
/// The processor has i8mm.
#[inline(always)]
unsafe fn smmla(dots: &mut int32x4_t, w: int8x16_t, x: int8x16_t) {
    // SAFETY: the caller's promise; nothing but these registers is touched.
    unsafe {
        asm!(
            "smmla {dots:v}.4s, {w:v}.16b, {x:v}.16b",
            dots = inout(vreg) *dots,
            w = in(vreg) w,
            x = in(vreg) x,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
}

/// A block of inputs, as two registers of two eights.
#[inline(always)]
fn sixteens(x: &[i8; BLOCK]) -> [int64x2_t; 2] {
    // SAFETY: baseline instructions within the array.
    unsafe {
        [
            vreinterpretq_s64_s8(vld1q_s8(x.as_ptr())),
            vreinterpretq_s64_s8(vld1q_s8(x.as_ptr().add(16))),
        ]
    }
}

/// The bytes of a word, each four times.
#[inline(always)]
fn each_four_times(word: uint32x4_t) -> int8x16_t {
    // SAFETY: baseline instructions.
    unsafe {
        let bytes = vreinterpretq_u8_u32(word);
        let twice = vzip1q_u8(bytes, bytes);
        let four_times = vreinterpretq_u16_u8(twice);
        vreinterpretq_s8_u16(vzip1q_u16(four_times, four_times))
    }
}

/// A quarter's nibbles less `zero_points`, in the order of [`WeightBlock::codes`].
///
/// # Safety
/// `codes` points to the quarter's bytes of an int4 block.
#[inline(always)]
unsafe fn int4_codes(codes: *const u8, zero_points: int8x16_t) -> [int8x16_t; 8] {
    // SAFETY: the caller's promise.
    unsafe {
        let mut out = [vdupq_n_s8(0); 8];
        for c in 0..4 {
            let [low, high] = nibbles(codes.add(c * CHUNK));
            let (low, high) = (vsubq_s8(low, zero_points), vsubq_s8(high, zero_points));
            [out[2 * c], out[2 * c + 1]] = pairs_of_rows(low, high);
        }
        out
    }
}

/// A quarter's bytes less 128, in the same order.
///
/// # Safety
/// `codes` points to the quarter's bytes of an int8 block.
#[inline(always)]
unsafe fn int8_codes(codes: *const u8) -> [int8x16_t; 8] {
    // SAFETY: the caller's promise.
    unsafe {
        let mut out = [vdupq_n_s8(0); 8];
        for c in 0..4 {
            let low = signed(codes.add(2 * c * CHUNK));
            let high = signed(codes.add((2 * c + 1) * CHUNK));
            [out[2 * c], out[2 * c + 1]] = pairs_of_rows(low, high);
        }
        out
    }
}

/// From four inputs of four rows and the next four: all eight of rows 0–1, and of rows 2–3.
#[inline(always)]
fn pairs_of_rows(low: int8x16_t, high: int8x16_t) -> [int8x16_t; 2] {
    // SAFETY: baseline instructions.
    unsafe {
        let (low, high) = (vreinterpretq_s32_s8(low), vreinterpretq_s32_s8(high));
        [
            vreinterpretq_s8_s32(vzip1q_s32(low, high)),
            vreinterpretq_s8_s32(vzip2q_s32(low, high)),
        ]
    }
}
