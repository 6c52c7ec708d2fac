//! What benchmarks and tests on devices may call: kernels over plain slices in place of a plan's
//! views.

use core::ops::Range;

use half::f16;

pub use super::LANES;
use super::{Epilogue, InputPrecision, Isa, QuantizedRows, Queries, Residual, Scoring, Weight};
use crate::layout::{BLOCK, Encoding, GROUP_ROWS};
use crate::ops::{Activation, RopeStyle};
use crate::rows::{Rows, RowsMut};

/// A packed weight.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    /// Of the data.
    pub encoding: Encoding,
    /// Outputs.
    pub rows: usize,
    /// Inputs.
    pub cols: usize,
    /// Packed groups.
    pub data: &'a [u8],
}

impl<'a> Matrix<'a> {
    /// Groups of rows.
    pub fn groups(&self) -> usize {
        self.rows.div_ceil(GROUP_ROWS)
    }

    fn weight(&self) -> Weight<'a> {
        Weight::new(self.encoding, self.rows, self.cols, 1.0, self.data)
    }
}

/// Quantized activations, in memory that the caller lends.
#[derive(Debug)]
pub struct Quantized<'a> {
    values: &'a mut [i8],
    scales: &'a mut [f32],
    sums: &'a mut [i32],
    rows: usize,
    blocks: usize,
}

impl<'a> Quantized<'a> {
    /// `rows` rows: for each block of 32 values as many bytes, a scale and a sum.
    pub fn new(
        values: &'a mut [i8],
        scales: &'a mut [f32],
        sums: &'a mut [i32],
        rows: usize,
    ) -> Quantized<'a> {
        let blocks = scales.len() / rows;
        Quantized {
            values,
            scales,
            sums,
            rows,
            blocks,
        }
    }

    /// Quantizes rows of `x`.
    pub fn fill(&mut self, isa: Isa, x: &[f32]) {
        let values = self.values.chunks_exact_mut(self.blocks * BLOCK);
        let scales = self.scales.chunks_exact_mut(self.blocks);
        let sums = self.sums.chunks_exact_mut(self.blocks);
        let rows = x.chunks_exact(x.len() / self.rows);
        for (((x, values), scales), sums) in rows.zip(values).zip(scales).zip(sums) {
            super::quantize_row(isa, x, InputPrecision::Int8, values, scales, sums);
        }
    }

    fn rows(&self) -> QuantizedRows<'_> {
        QuantizedRows::new(self.values, self.scales, self.sums, self.rows, self.blocks)
    }
}

/// Rows of outputs that several threads write, each its own groups.
#[derive(Clone, Copy)]
pub struct Output<'a>(RowsMut<'a>);

impl<'a> Output<'a> {
    /// Rows of `width` floats.
    pub fn new(out: &'a mut [f32], width: usize) -> Output<'a> {
        // SAFETY: the slice is borrowed for as long as the rows live.
        Output(unsafe { RowsMut::new(out.as_mut_ptr(), width, width, out.len() / width) })
    }

    fn epilogue(self) -> Epilogue<'a> {
        Epilogue {
            precision: InputPrecision::Int8,
            scale: 1.0,
            bias: None,
            residual: Residual::None,
            output: self.0,
        }
    }
}

/// Some groups of an integer product.
///
/// # Safety
/// No other thread works on the same groups and output.
pub unsafe fn linear_int8(
    isa: Isa,
    matrix: Matrix<'_>,
    x: &Quantized<'_>,
    out: Output<'_>,
    groups: Range<usize>,
) {
    super::linear_int8(isa, matrix.weight(), x.rows(), &out.epilogue(), groups);
}

/// Some groups of a float product.
///
/// # Safety
/// As for [`linear_int8`].
pub unsafe fn linear_f32(
    isa: Isa,
    matrix: Matrix<'_>,
    x: &[f32],
    out: Output<'_>,
    groups: Range<usize>,
) {
    let cols = matrix.cols;
    // SAFETY: within the slice, which is only read.
    let rows = unsafe { Rows::new(x.as_ptr(), cols, cols, x.len() / cols) };
    super::linear_f32(isa, matrix.weight(), rows, &out.epilogue(), groups);
}

/// See the kernel of this name.
pub fn rms_norm(isa: Isa, x: &mut [f32], weight: &[f32]) {
    super::rms_norm(isa, x, weight, 1e-6);
}

/// See the kernel of this name.
pub fn rope(isa: Isa, head: &mut [f32], cos: &[f32], sin: &[f32]) {
    super::rope(isa, RopeStyle::Halves, head, cos, sin);
}

/// See the kernel of this name.
pub fn gate(isa: Isa, gate: &[f32], up: &[f32], out: &mut [f32]) {
    super::gate(isa, Activation::Silu, gate, up, out);
}

/// See the kernel of this name.
pub fn store_value(isa: Isa, x: &[f32], out: &mut [[f16; LANES]]) {
    super::store_value(isa, x, out);
}

/// See the kernel of this name.
pub fn store_key(isa: Isa, x: &[f32], out: &mut [[[f16; LANES]; LANES]], at: usize) {
    super::store_key::<[f16; LANES]>(isa, x, out, at);
}

/// Some queries of one key-value head, all of the last token.
pub fn attend(
    isa: Isa,
    queries: &[f32],
    (keys, values): (&[[[f16; LANES]; LANES]], &[[f16; LANES]]),
    dim: usize,
    scores: &mut [f32],
    out: &mut [f32],
) {
    assert!(queries.len() == out.len());
    let width = queries.len();
    // SAFETY: one row within each slice; the output is borrowed mutably.
    let (rows, output) = unsafe {
        (
            Rows::new(queries.as_ptr(), width, width, 1),
            RowsMut::new(out.as_mut_ptr(), width, width, 1),
        )
    };
    let heads = width / dim;
    let position = values.len() / super::kv_vectors(dim) - 1;
    let queries = Queries {
        rows,
        output,
        first_head: 0,
        heads,
        position,
        window: usize::MAX,
        #[cfg(feature = "encoders")]
        both_ways: false,
        #[cfg(feature = "sinks")]
        sinks: None,
    };
    let scoring = Scoring {
        scale: 0.125,
        softcap: None,
    };
    // SAFETY: as above.
    unsafe {
        let (keys, values) = ((keys, dim), (values, dim));
        super::attend::<[f16; LANES]>(isa, &queries, 0..heads, keys, values, scoring, scores);
    }
}
