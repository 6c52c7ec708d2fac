//! Integer matrix product for many tokens: weights of some groups and some blocks are unpacked
//! once to signed bytes in the order in which the products take them, then multiplied with all
//! tokens, a tile of them at a time. Sums wait between one stretch of blocks and the next. All of
//! it lies on the stack and fits a first-level cache of 32 KiB.

use core::arch::aarch64::*;
use core::mem::MaybeUninit;
use core::ops::Range;

use super::dots::{CHUNK, nibbles, signed};
use super::{Neon, four_halves};
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
const STRETCH: usize = 10;
/// Most tokens of a tile: their sums and what is added to them fill the registers.
const TILE: usize = 10;
/// Tiles of tokens whose sums there is room for.
const TILES: usize = 16;

/// How panels are multiplied. All of it must be inlined, so that it is compiled for the
/// instructions of the caller.
trait Product: Copy {
    /// Tokens of a tile, at most [`TILE`].
    const TOKENS: usize;
    /// Blocks of the tokens of a tile with their scales, as the product arranges them.
    type Inputs;

    /// Codes `2 · i` and `2 · i + 1` of a block of a quarter, from inputs `8 · i ..` and
    /// `8 · i + 4 ..` of its four rows.
    fn codes(self, inputs: [int8x16_t; 2]) -> [int8x16_t; 2];

    /// The scales of a block of a quarter, from those of its four rows.
    fn scales(self, scales: float32x4_t) -> [float32x4_t; 2];

    /// Packs blocks of up to [`Product::TOKENS`] tokens. Where a product takes several at once,
    /// the last one may stand for others too.
    fn inputs(self, rows: Rows<'_>, out: &mut MaybeUninit<Self::Inputs>);

    /// Adds the blocks of quarters, block after block, for the tokens of `rows`.
    ///
    /// # Safety
    /// The processor has the instructions. `inputs` has been packed from these rows, and of each
    /// quarter's `weights` as many blocks have been written.
    unsafe fn multiply(
        self,
        rows: Rows<'_>,
        weights: &[Stretch],
        inputs: &MaybeUninit<Self::Inputs>,
        sums: &mut [Sums],
    );

    /// Brings sums into the order of tokens: one lane a row.
    fn by_token(self, sums: &mut Sums);
}

/// A block of a quarter, zero points taken off, in the order of its product.
#[derive(Clone, Copy)]
#[repr(C)]
struct WeightBlock {
    codes: [[int8x16_t; 2]; 4],
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

impl Rows<'_> {
    /// Where the blocks of `N` tokens from `t` on, the last one for those that are not there, lie:
    /// values and scales.
    #[inline(always)]
    fn places<const N: usize>(&self, t: usize) -> [(*const i8, *const f32); N] {
        let (values, scales) = self.input.place(self.start + t, self.first_block);
        let blocks = self.input.blocks();
        let last = self.count - 1 - t;
        assert!(self.start + t + last < self.input.count());
        let mut places = [(values, scales); N];
        for (i, place) in places.iter_mut().enumerate() {
            let blocks = i.min(last) * blocks;
            place.0 = values.wrapping_add(blocks * BLOCK);
            place.1 = scales.wrapping_add(blocks);
        }
        places
    }

    /// How many blocks, which all rows have and a stretch has room for.
    #[inline(always)]
    fn blocks(&self) -> usize {
        assert!(self.blocks <= STRETCH.min(self.input.blocks() - self.first_block));
        self.blocks
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
        // Whole pairs of blocks, which a turn of the loop of `sdot` takes.
        let stretch = blocks.div_ceil(blocks.div_ceil(STRETCH).max(1));
        let stretch = stretch.next_multiple_of(2);
        let quarters = 4 * groups.len();
        let mut weights = [[const { MaybeUninit::uninit() }; STRETCH]; QUARTERS];
        let mut inputs = MaybeUninit::uninit();
        // SAFETY: a baseline instruction.
        let mut sums = unsafe { [[[vdupq_n_f32(0.0); TILE]; QUARTERS]; TILES] };
        for start in (0..blocks).step_by(stretch.max(1)) {
            let range = start..blocks.min(start + stretch);
            for (group, out) in groups.clone().zip(weights.as_chunks_mut().0) {
                self.unpack(group, range.clone(), out);
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
                // SAFETY: `unpack` and `inputs` have just written these blocks for these tokens;
                // whoever made the panels has the instructions.
                unsafe {
                    let (weights, sums) = (&weights[..quarters], &mut sums[..quarters]);
                    self.product.multiply(rows, weights, &inputs, sums);
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

    /// Unpacks some blocks of a group.
    #[inline(always)]
    fn unpack(self, group: usize, blocks: Range<usize>, out: &mut [Stretch; 4]) {
        let encoding = self.weight.encoding;
        let block_bytes = encoding.block_bytes().expect("a quantized encoding");
        let first = group * self.input.blocks() + blocks.start;
        let data = &self.weight.data[first * block_bytes..][..blocks.len() * block_bytes];
        for (b, block) in data.chunks_exact(block_bytes).enumerate() {
            let (block, [first, second, third, fourth]) = (block.as_ptr(), &mut *out);
            let out = [first, second, third, fourth].map(|out| out[b].as_mut_ptr());
            // SAFETY: a block holds codes, scales and zero points of 16 rows, four of them a
            // quarter; `out` is four blocks of it.
            unsafe {
                let rest = block.add(encoding.code_bytes());
                match encoding {
                    Encoding::Int4 => self.int4(block, [vdupq_n_s8(8); 4], out),
                    Encoding::Int4ZeroPoint => {
                        let zero_points = [0, 1, 2, 3].map(|quarter| {
                            let stored = rest.add(2 * GROUP_ROWS + 4 * quarter).cast();
                            each_four_times(vld1q_dup_u32(stored))
                        });
                        self.int4(block, zero_points, out);
                    }
                    _ => self.int8(block, out),
                }
                for (quarter, out) in out.into_iter().enumerate() {
                    let scales = four_halves(rest.add(8 * quarter));
                    (&raw mut (*out).scales).write(self.product.scales(scales));
                }
            }
        }
    }

    /// The codes of a block of int4, less zero points.
    ///
    /// # Safety
    /// `block` points to the codes, and each of `out` can be written.
    #[inline(always)]
    unsafe fn int4(
        self,
        block: *const u8,
        zero_points: [int8x16_t; 4],
        out: [*mut WeightBlock; 4],
    ) {
        for chunk in 0..4 {
            // SAFETY: the caller's promise.
            unsafe {
                let codes = vld1q_u8_x4(block.add(chunk * CHUNK));
                let codes = [codes.0, codes.1, codes.2, codes.3];
                for quarter in 0..4 {
                    let inputs =
                        nibbles(codes[quarter]).map(|input| vsubq_s8(input, zero_points[quarter]));
                    let codes = self.product.codes(inputs);
                    (&raw mut (*out[quarter]).codes[chunk]).write(codes);
                }
            }
        }
    }

    /// The codes of a block of int8, less 128.
    ///
    /// # Safety
    /// As for [`Panels::int4`].
    #[inline(always)]
    unsafe fn int8(self, block: *const u8, out: [*mut WeightBlock; 4]) {
        for chunk in 0..4 {
            for quarter in 0..4 {
                // SAFETY: the caller's promise.
                unsafe {
                    let codes = block.add(2 * chunk * CHUNK + 16 * quarter);
                    let codes = self
                        .product
                        .codes([signed(codes), signed(codes.add(CHUNK))]);
                    (&raw mut (*out[quarter]).codes[chunk]).write(codes);
                }
            }
        }
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
