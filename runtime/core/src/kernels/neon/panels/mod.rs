//! Integer matrix product for many tokens: weights of some groups and some blocks are unpacked
//! once to signed bytes in the order in which the products take them, then multiplied with all
//! tokens, a tile of them at a time. Sums wait between one stretch of blocks and the next. All of
//! it lies on the stack and fits a first-level cache of 32 KiB.

use core::arch::aarch64::*;
use core::mem::MaybeUninit;
use core::ops::Range;

use super::dots::{CHUNK, nibbles, signed};
use super::{Neon, four_halves};
use crate::kernels::quantize::QuantizedRow;
use crate::kernels::{Epilogue, QuantizedRows, Weight};
use crate::layout::{BLOCK, Encoding, GROUP_ROWS};

mod sdot;
mod smmla;

use sdot::Sdot;
use smmla::Smmla;

/// Groups that share a pass over the tokens.
const GROUPS: usize = 4;
/// Four rows of a group.
const QUARTERS: usize = 4 * GROUPS;
/// Most blocks of a stretch.
const STRETCH: usize = 9;
/// Most tokens of a tile: their sums and what is added to them fill the registers.
const TILE: usize = 10;
/// Tiles of tokens whose sums there is room for.
const TILES: usize = 16;

/// How panels are multiplied. All of it must be inlined, so that it is compiled for the
/// instructions of the caller.
trait Product: Copy {
    /// Tokens of a tile, at most [`TILE`].
    const TOKENS: usize;
    /// A block of the tokens of a tile with its scales, as the product arranges them.
    type InputBlock: Copy;

    /// Weights of a block of a quarter from `chunks[i]`: inputs `8 · i ..` and `8 · i + 4 ..` of
    /// its four rows, whose scales are `scales`.
    fn weights(self, chunks: [[int8x16_t; 2]; 4], scales: float32x4_t) -> WeightBlock;

    /// Packs blocks of up to [`Product::TOKENS`] tokens. Where a product takes several at once,
    /// the last one may stand for others too.
    fn inputs(self, rows: Rows<'_>, out: &mut [MaybeUninit<Self::InputBlock>; STRETCH]);

    /// Adds the blocks of quarters, block after block, for `tokens` tokens.
    ///
    /// # Safety
    /// The processor has the instructions. Of each quarter's `weights` as many blocks as there are
    /// `inputs` have been written, and those for so many tokens.
    unsafe fn multiply(
        self,
        tokens: usize,
        weights: &[Stretch],
        inputs: &[MaybeUninit<Self::InputBlock>],
        sums: &mut [Sums],
    );

    /// Brings sums into the order of tokens: one lane a row.
    fn by_token(self, sums: &mut Sums);
}

/// A block of a quarter, zero points taken off, in the order of its product.
#[derive(Clone, Copy)]
#[repr(C)]
struct WeightBlock {
    codes: [int8x16_t; 8],
    scales: [float32x4_t; 2],
}

/// Blocks of a quarter that tokens share a pass over.
type Stretch = [MaybeUninit<WeightBlock>; STRETCH];

/// Sums of a quarter for a tile of tokens, as their product arranges them.
type Sums = [float32x4_t; TILE];

/// Some blocks of some tokens of the input.
#[derive(Clone, Copy)]
struct Rows<'a> {
    input: QuantizedRows<'a>,
    start: usize,
    count: usize,
    first_block: usize,
    blocks: usize,
}

impl<'a> Rows<'a> {
    /// The blocks of token `t` of these, or of the last one.
    #[inline(always)]
    fn row(&self, t: usize) -> QuantizedRow<'a> {
        let row = self.input.row(self.start + t.min(self.count - 1));
        let blocks = self.first_block..self.first_block + self.blocks;
        QuantizedRow {
            values: &row.values[blocks.clone()],
            scales: &row.scales[blocks.clone()],
            sums: &row.sums[blocks],
        }
    }
}

/// [`crate::kernels::linear_int8()`], whose checks have passed, by `sdot`, for all encodings but
/// [`Encoding::Int8ZeroPoint`].
#[target_feature(enable = "neon,dotprod")]
pub(super) fn dotprod(
    lanes: Neon,
    weight: Weight<'_>,
    input: QuantizedRows<'_>,
    epilogue: &Epilogue<'_>,
    groups: Range<usize>,
) {
    let panels = Panels {
        product: Sdot,
        lanes,
        weight,
        input,
        epilogue,
    };
    panels.run(groups);
}

/// As [`dotprod`], by `smmla`.
#[target_feature(enable = "neon,dotprod,i8mm")]
pub(super) fn i8mm(
    lanes: Neon,
    weight: Weight<'_>,
    input: QuantizedRows<'_>,
    epilogue: &Epilogue<'_>,
    groups: Range<usize>,
) {
    let panels = Panels {
        product: Smmla,
        lanes,
        weight,
        input,
        epilogue,
    };
    panels.run(groups);
}

/// Whoever makes them has the instructions of `P`.
#[derive(Clone, Copy)]
struct Panels<'a, P> {
    product: P,
    lanes: Neon,
    weight: Weight<'a>,
    input: QuantizedRows<'a>,
    epilogue: &'a Epilogue<'a>,
}

impl<P: Product> Panels<'_, P> {
    #[inline(always)]
    fn run(self, groups: Range<usize>) {
        let count = self.input.count();
        for first in groups.clone().step_by(GROUPS) {
            let groups = first..groups.end.min(first + GROUPS);
            for t in (0..count).step_by(TILES * P::TOKENS) {
                self.panel(groups.clone(), t..count.min(t + TILES * P::TOKENS));
            }
        }
    }

    /// Up to [`GROUPS`] groups for the tokens of up to [`TILES`] tiles.
    #[inline(always)]
    fn panel(self, groups: Range<usize>, tokens: Range<usize>) {
        let blocks = self.input.blocks();
        let stretch = blocks.div_ceil(blocks.div_ceil(STRETCH).max(1));
        let quarters = 4 * groups.len();
        let mut weights = [[const { MaybeUninit::uninit() }; STRETCH]; QUARTERS];
        let mut inputs = [const { MaybeUninit::uninit() }; STRETCH];
        // SAFETY: a baseline instruction.
        let mut sums = unsafe { [[[vdupq_n_f32(0.0); TILE]; QUARTERS]; TILES] };
        for start in (0..blocks).step_by(stretch.max(1)) {
            let range = start..blocks.min(start + stretch);
            for (quarter, out) in weights.iter_mut().enumerate().take(quarters) {
                let (group, quarter) = (groups.start + quarter / 4, quarter % 4);
                self.unpack(group, quarter, range.clone(), out);
            }
            for (tile, sums) in tokens.clone().step_by(P::TOKENS).zip(&mut sums) {
                let rows = Rows {
                    input: self.input,
                    start: tile,
                    count: P::TOKENS.min(tokens.end - tile),
                    first_block: range.start,
                    blocks: range.len(),
                };
                self.product.inputs(rows, &mut inputs);
                let (inputs, sums) = (&inputs[..range.len()], &mut sums[..quarters]);
                // SAFETY: `unpack` and `inputs` have just written these blocks for these tokens;
                // whoever made the panels has the instructions.
                unsafe {
                    self.product
                        .multiply(rows.count, &weights[..quarters], inputs, sums);
                }
            }
        }
        for (tile, sums) in tokens.clone().step_by(P::TOKENS).zip(&mut sums) {
            let tile = tile..tokens.end.min(tile + P::TOKENS);
            for (group, quarters) in groups.clone().zip(sums.as_chunks_mut::<4>().0) {
                for sums in &mut *quarters {
                    self.product.by_token(sums);
                }
                let [a, b, c, d] = quarters;
                self.epilogue
                    .finish_rows(self.lanes, tile.clone(), group, |i| {
                        [a[i], b[i], c[i], d[i]]
                    });
            }
        }
    }

    /// Unpacks some blocks of a quarter of a group.
    #[inline(always)]
    fn unpack(self, group: usize, quarter: usize, blocks: Range<usize>, out: &mut Stretch) {
        let encoding = self.weight.encoding;
        let block_bytes = encoding.block_bytes().expect("a quantized encoding");
        let group = &self.weight.group(group)[blocks.start * block_bytes..];
        let group = &group[..blocks.len() * block_bytes];
        for (block, out) in group.chunks_exact(block_bytes).zip(out) {
            // SAFETY: a block holds codes, scales and zero points of 16 rows, of which these
            // are the quarter's.
            let (chunks, scales) = unsafe {
                let codes = block.as_ptr().add(16 * quarter);
                let rest = block.as_ptr().add(encoding.code_bytes());
                let chunks = match encoding {
                    Encoding::Int4 => int4_chunks(codes, vdupq_n_s8(8)),
                    Encoding::Int4ZeroPoint => {
                        let zero_points = rest.add(2 * GROUP_ROWS + 4 * quarter).cast();
                        int4_chunks(codes, each_four_times(vld1q_dup_u32(zero_points)))
                    }
                    _ => int8_chunks(codes),
                };
                (chunks, four_halves(rest.add(8 * quarter)))
            };
            out.write(self.product.weights(chunks, scales));
        }
    }
}

/// A block of inputs.
#[inline(always)]
fn sixteens(x: &[i8; BLOCK]) -> [int8x16_t; 2] {
    // SAFETY: baseline instructions within the array.
    unsafe { [vld1q_s8(x.as_ptr()), vld1q_s8(x.as_ptr().add(16))] }
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

/// A quarter's nibbles less `zero_points`.
///
/// # Safety
/// `codes` points to the quarter's bytes of an int4 block.
#[inline(always)]
unsafe fn int4_chunks(codes: *const u8, zero_points: int8x16_t) -> [[int8x16_t; 2]; 4] {
    // SAFETY: the caller's promise.
    unsafe {
        let mut out = [[vdupq_n_s8(0); 2]; 4];
        for c in 0..4 {
            let [low, high] = nibbles(codes.add(c * CHUNK));
            out[c] = [vsubq_s8(low, zero_points), vsubq_s8(high, zero_points)];
        }
        out
    }
}

/// A quarter's bytes less 128.
///
/// # Safety
/// `codes` points to the quarter's bytes of an int8 block.
#[inline(always)]
unsafe fn int8_chunks(codes: *const u8) -> [[int8x16_t; 2]; 4] {
    // SAFETY: the caller's promise.
    unsafe {
        let mut out = [[vdupq_n_s8(0); 2]; 4];
        for c in 0..4 {
            let codes = codes.add(2 * c * CHUNK);
            out[c] = [signed(codes), signed(codes.add(CHUNK))];
        }
        out
    }
}
