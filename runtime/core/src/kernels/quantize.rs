//! Activations as int8: each row in blocks of 32 values that share a scale.

use super::lanes::{Kernel, Lanes};
use super::linear_int8::DotBlocks;
use super::{InputPrecision, Isa};
use crate::layout::BLOCK;

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

    /// Where the values and the scales from block `block` of row `t` on lie.
    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    pub(super) fn place(&self, t: usize, block: usize) -> (*const i8, *const f32) {
        assert!(t < self.rows && block <= self.blocks);
        let block = t * self.blocks + block;
        (
            self.values.as_ptr().wrapping_add(block * BLOCK),
            self.scales.as_ptr().wrapping_add(block),
        )
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
/// For [`InputPrecision::Int16`] the row is followed by another one: what the first rounding
/// took, `fma(-scale, value, x)`, quantized in the same way.
///
/// # Panics
/// If `values` is not `rows · blocks · 32` long, or `scales` or `sums` not `rows · blocks`, for
/// `blocks = x.len().div_ceil(32)` and one or two `rows`.
pub(crate) fn quantize_row(
    isa: Isa,
    x: &[f32],
    precision: InputPrecision,
    values: &mut [i8],
    scales: &mut [f32],
    sums: &mut [i32],
) {
    let blocks = precision.int8_rows() * x.len().div_ceil(BLOCK);
    assert_eq!(values.len(), blocks * BLOCK);
    assert_eq!(scales.len(), blocks);
    assert_eq!(sums.len(), blocks);
    isa.run(QuantizeRow {
        x,
        precision,
        values,
        scales,
        sums,
    });
}

struct QuantizeRow<'a> {
    x: &'a [f32],
    precision: InputPrecision,
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
        let mut last = [0.0; BLOCK];
        last[..tail.len()].copy_from_slice(tail);
        let blocks = whole.len() + usize::from(!tail.is_empty());
        for b in 0..blocks {
            let (x, _) = whole.get(b).unwrap_or(&last).as_chunks();
            let x = [lanes.load(&x[0]), lanes.load(&x[1])];
            let q = quantize_block(lanes, x);
            q.store(lanes, &mut values[b]);
            (self.scales[b], self.sums[b]) = (q.scale, q.sum);
            if self.precision == InputPrecision::Int16 {
                let minus_scale = lanes.splat(-q.scale);
                let rest = [
                    lanes.fma(minus_scale, q.values[0], x[0]),
                    lanes.fma(minus_scale, q.values[1], x[1]),
                ];
                let q = quantize_block(lanes, rest);
                q.store(lanes, &mut values[blocks + b]);
                (self.scales[blocks + b], self.sums[blocks + b]) = (q.scale, q.sum);
            }
        }
    }
}

/// A quantized block: whole numbers in lanes, and their sum times -8.
struct QuantizedBlock<L: Lanes> {
    values: [L::F; 2],
    scale: f32,
    sum: i32,
}

impl<L: Lanes> QuantizedBlock<L> {
    #[inline(always)]
    fn store(&self, lanes: L, values: &mut [i8; BLOCK]) {
        let (values, _) = values.as_chunks_mut();
        lanes.store_i8(self.values[0], &mut values[0]);
        lanes.store_i8(self.values[1], &mut values[1]);
    }
}

#[inline(always)]
fn quantize_block<L: Lanes>(lanes: L, x: [L::F; 2]) -> QuantizedBlock<L> {
    let (values, scale) = round_to_int8(lanes, x);
    // Whole numbers of this size add without rounding, in any order.
    let sum = lanes.sum(lanes.add(values[0], values[1]));
    QuantizedBlock {
        values,
        scale,
        sum: sum as i32 * -8,
    }
}

/// Whole numbers within ±127 and their scale, by the rule of [`quantize_row`].
#[inline(always)]
pub(super) fn round_to_int8<L: Lanes, const N: usize>(lanes: L, x: [L::F; N]) -> ([L::F; N], f32) {
    let mut most = x[0];
    for x in x {
        most = lanes.max_magnitude(most, x);
    }
    let greatest = lanes.greatest_bits(most);
    let scale = greatest / 127.0;
    if scale == 0.0 || !greatest.is_finite() {
        let scale = if scale == 0.0 { 0.0 } else { f32::NAN };
        return ([lanes.splat(0.0); N], scale);
    }
    let scales = lanes.splat(scale);
    let mut values = x;
    // A denormal scale has few digits, so quotients may exceed the limit. Firmware has no room for
    // leaving out what other scales do not need.
    if cfg!(target_os = "none") || scale < f32::MIN_POSITIVE {
        for value in &mut values {
            *value = lanes.round(lanes.clamp(lanes.div(*value, scales), -127.0, 127.0));
        }
    } else {
        for value in &mut values {
            *value = lanes.round(lanes.div(*value, scales));
        }
    }
    (values, scale)
}
