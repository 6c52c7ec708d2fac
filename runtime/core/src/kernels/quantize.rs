//! Activations as int8: each row in blocks of 32 values that share a scale.

use super::Isa;
use super::lanes::{Kernel, LANES, Lanes};
use super::linear_int8::DotBlocks;
use crate::layout::BLOCK;
use crate::math;

/// Quantized rows, one a token.
#[derive(Clone, Copy)]
pub(crate) struct QuantizedRows<'a> {
    values: &'a [i8],
    scales: &'a [f32],
    sums: &'a [i32],
    rows: usize,
    blocks: usize,
}

impl<'a> QuantizedRows<'a> {
    /// Rows as [`quantize_row`] wrote them, one after the other: `rows · blocks · 32` values,
    /// `rows · blocks` scales and sums.
    ///
    /// # Panics
    /// If a slice has another length.
    pub(crate) fn new(
        values: &'a [i8],
        scales: &'a [f32],
        sums: &'a [i32],
        rows: usize,
        blocks: usize,
    ) -> QuantizedRows<'a> {
        assert_eq!(values.len(), rows * blocks * BLOCK);
        assert_eq!(scales.len(), rows * blocks);
        assert_eq!(sums.len(), rows * blocks);
        QuantizedRows {
            values,
            scales,
            sums,
            rows,
            blocks,
        }
    }

    /// Rows (tokens).
    pub(crate) fn count(&self) -> usize {
        self.rows
    }

    /// Blocks in a row.
    pub(crate) fn blocks(&self) -> usize {
        self.blocks
    }

    /// The row of token `t`.
    #[inline(always)]
    pub(super) fn row(&self, t: usize) -> QuantizedRow<'a> {
        let blocks = t * self.blocks..(t + 1) * self.blocks;
        QuantizedRow {
            values: self.values[blocks.start * BLOCK..blocks.end * BLOCK]
                .as_chunks()
                .0,
            scales: &self.scales[blocks.clone()],
            sums: &self.sums[blocks],
        }
    }
}

/// One quantized row: as many values' blocks as scales and sums.
#[derive(Clone, Copy)]
pub(super) struct QuantizedRow<'a> {
    pub(super) values: &'a [[i8; BLOCK]],
    pub(super) scales: &'a [f32],
    /// -8 times the sum of each block: what the zero point of int4 adds to a dot product.
    pub(super) sums: &'a [i32],
}

/// Quantizes a row to int8, symmetric, 32 values a scale.
///
/// `scale = max|x| / 127`, `value = round_ties_even(x / scale)` within ±127; the last block is
/// filled up with zeros. `sums` receives -8 times the sum of a block's values. A block whose
/// scale rounds to zero has zero values. A block with a value that is not finite has zero values
/// and a scale of NaN, so that what it touches is NaN and not a plausible number.
///
/// # Panics
/// If `values` is not `blocks · 32` long, or `scales` or `sums` not `blocks`, for
/// `blocks = x.len().div_ceil(32)`.
pub(crate) fn quantize_row(
    isa: Isa,
    x: &[f32],
    values: &mut [i8],
    scales: &mut [f32],
    sums: &mut [i32],
) {
    let blocks = x.len().div_ceil(BLOCK);
    assert_eq!(values.len(), blocks * BLOCK);
    assert_eq!(scales.len(), blocks);
    assert_eq!(sums.len(), blocks);
    isa.run(QuantizeRow {
        x,
        values,
        scales,
        sums,
    });
}

struct QuantizeRow<'a> {
    x: &'a [f32],
    values: &'a mut [i8],
    scales: &'a mut [f32],
    sums: &'a mut [i32],
}

impl Kernel for QuantizeRow<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: DotBlocks>(self, lanes: L) {
        let values = self.values.as_chunks_mut::<BLOCK>().0;
        let (whole, tail) = self.x.as_chunks::<BLOCK>();
        let outputs = values.iter_mut().zip(self.scales).zip(self.sums);
        let mut last = [0.0; BLOCK];
        last[..tail.len()].copy_from_slice(tail);
        for (x, ((values, scale), sum)) in whole.iter().chain([&last]).zip(outputs) {
            (*scale, *sum) = quantize_block(lanes, x, values);
        }
    }
}

/// Returns the scale, and the sum times -8.
#[inline(always)]
fn quantize_block<L: Lanes>(lanes: L, x: &[f32; BLOCK], values: &mut [i8; BLOCK]) -> (f32, i32) {
    let (x, _) = x.as_chunks();
    let [a, b] = [lanes.load(&x[0]), lanes.load(&x[1])];
    let mut magnitudes = [0.0; LANES];
    lanes.store(lanes.max_magnitude(a, b), &mut magnitudes);
    // As bit patterns, magnitudes order like integers, with infinity and NaN above the rest.
    let greatest = magnitudes.iter().fold(0, |max, m| max.max(m.to_bits()));
    let greatest = f32::from_bits(greatest);
    let scale = greatest / 127.0;
    if scale == 0.0 || !greatest.is_finite() {
        *values = [0; BLOCK];
        return (if scale == 0.0 { 0.0 } else { f32::NAN }, 0);
    }
    let scales = lanes.splat(scale);
    let a = round_within_127(lanes, lanes.div(a, scales));
    let b = round_within_127(lanes, lanes.div(b, scales));
    let (values, _) = values.as_chunks_mut();
    lanes.store_i8(a, &mut values[0]);
    lanes.store_i8(b, &mut values[1]);
    // Whole numbers of this size add without rounding, in any order.
    let sum = lanes.sum(lanes.add(a, b));
    (scale, sum as i32 * -8)
}

/// A denormal scale has few digits, so quotients may exceed the limit.
#[inline(always)]
fn round_within_127<L: Lanes>(lanes: L, x: L::F) -> L::F {
    let x = lanes.min(x, lanes.splat(127.0));
    lanes.round(lanes.max(x, lanes.splat(-127.0)))
}

/// Quantizes what [`quantize_row`] took from `x`: `x − q · s`, one rounding, block by block.
///
/// # Panics
/// If a slice's length does not fit.
pub(crate) fn quantize_rest(
    isa: Isa,
    x: &[f32],
    coarse: (&[i8], &[f32]),
    values: &mut [i8],
    scales: &mut [f32],
    sums: &mut [i32],
) {
    for (b, x) in x.chunks(BLOCK).enumerate() {
        let block = b * BLOCK..(b + 1) * BLOCK;
        let mut rest = [0.0; BLOCK];
        for ((rest, x), q) in rest.iter_mut().zip(x).zip(&coarse.0[block.clone()]) {
            *rest = math::fma(-coarse.1[b], f32::from(*q), *x);
        }
        let (scales, sums) = (&mut scales[b..=b], &mut sums[b..=b]);
        quantize_row(isa, &rest, &mut values[block], scales, sums);
    }
}
