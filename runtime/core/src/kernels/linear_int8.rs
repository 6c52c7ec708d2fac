//! Matrix product of integer weights with int8 activations.

use core::ops::Range;

use super::lanes::{Kernel, Lanes, Scalar};
use super::quantize::QuantizedRow;
use super::{Epilogue, Isa, QuantizedRows, Weight};
use crate::layout::{BLOCK, Encoding, GROUP_ROWS};

/// Computes the outputs of `groups` for every row of `input`.
///
/// Dot products of a block, `Σ (stored − zero_point) · x`, are exact integers. Each output is
/// one chain over the blocks in index order, from zero:
/// `sum = fma(weight_scale · input_scale, dot, sum)`.
///
/// # Panics
/// If the shapes do not fit each other or the weight is not quantized.
pub(crate) fn linear_int8(
    isa: Isa,
    weight: Weight<'_>,
    input: QuantizedRows<'_>,
    epilogue: &Epilogue<'_>,
    groups: Range<usize>,
) {
    assert!(weight.encoding.is_quantized() && input.blocks() == weight.cols.div_ceil(BLOCK));
    assert!(input.count() == epilogue.output.count() * epilogue.precision.int8_rows());
    assert!(epilogue.output.width() == weight.rows);
    assert!(groups.end <= weight.groups());
    isa.run(LinearInt8 {
        weight,
        input,
        epilogue,
        groups,
    });
}

struct LinearInt8<'a> {
    weight: Weight<'a>,
    input: QuantizedRows<'a>,
    epilogue: &'a Epilogue<'a>,
    groups: Range<usize>,
}

impl Kernel for LinearInt8<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: DotBlocks>(self, lanes: L) {
        lanes.linear(self.weight, self.input, self.epilogue, self.groups);
    }
}

/// Lanes that multiply blocks of integers.
pub(super) trait DotBlocks: Lanes {
    /// [`linear_int8`], whose checks have passed.
    fn linear(
        self,
        weight: Weight<'_>,
        input: QuantizedRows<'_>,
        epilogue: &Epilogue<'_>,
        groups: Range<usize>,
    );
}

impl DotBlocks for Scalar {
    fn linear(
        self,
        weight: Weight<'_>,
        input: QuantizedRows<'_>,
        epilogue: &Epilogue<'_>,
        groups: Range<usize>,
    ) {
        let dots = [dot_int4, dot_int8].map(|product| Dot { taken: 0, product });
        linear_by_rows(self, weight, input, epilogue, groups, dots);
    }
}

/// How a block is multiplied.
#[derive(Clone, Copy)]
pub(super) struct Dot {
    /// `Σ (stored − taken) · x` of each row.
    pub(super) product: fn(&[u8], &[i8; BLOCK]) -> [i32; GROUP_ROWS],
    pub(super) taken: i32,
}

/// Group by group, token by token, block by block, given what multiplies blocks of int4 and of
/// int8.
#[inline(always)]
pub(super) fn linear_by_rows<L: Lanes<F = [f32; GROUP_ROWS]>>(
    lanes: L,
    weight: Weight<'_>,
    input: QuantizedRows<'_>,
    epilogue: &Epilogue<'_>,
    groups: Range<usize>,
    [int4, int8]: [Dot; 2],
) {
    let dot = if weight.encoding.is_int4() {
        int4
    } else {
        int8
    };
    for group in groups {
        for t in 0..input.count() {
            let data = weight.group(group);
            let sums = group_sums(lanes, weight.encoding, data, input.row(t), dot);
            epilogue.finish(lanes, t, group, sums);
        }
    }
}

/// The sums of one group's rows with one row of input.
#[inline(always)]
fn group_sums<L: Lanes<F = [f32; GROUP_ROWS]>>(
    lanes: L,
    encoding: Encoding,
    group: &[u8],
    input: QuantizedRow<'_>,
    dot: Dot,
) -> [f32; GROUP_ROWS] {
    let block_bytes = encoding.block_bytes().expect("a quantized encoding");
    let middle = if encoding.is_int4() { 8 } else { 128 };
    let mut sums = [0.0; GROUP_ROWS];
    for (b, block) in group.chunks_exact(block_bytes).enumerate() {
        let (codes, rest) = block.split_at(encoding.code_bytes());
        let (scales, zero_points) = rest.split_at(2 * GROUP_ROWS);
        let mut dots = (dot.product)(codes, &input.values[b]);
        let sum_of_inputs = input.sums[b] / -8;
        for (row, dot_of_row) in dots.iter_mut().enumerate() {
            let zero_point = zero_points.get(row).map_or(middle, |z| i32::from(*z));
            *dot_of_row -= (zero_point - dot.taken) * sum_of_inputs;
        }
        let scales = lanes.load_f16(scales.try_into().expect("a scale a row"));
        let scales = lanes.mul(scales, lanes.splat(input.scales[b]));
        sums = lanes.fma(scales, dots.map(|dot| dot as f32), sums);
    }
    sums
}

/// `Σ stored · x` of each row, stored nibbles.
fn dot_int4(codes: &[u8], x: &[i8; BLOCK]) -> [i32; GROUP_ROWS] {
    let mut dots = [0; GROUP_ROWS];
    for (chunk, x) in codes.chunks_exact(4 * GROUP_ROWS).zip(x.chunks_exact(8)) {
        for (dot, codes) in dots.iter_mut().zip(chunk.chunks_exact(4)) {
            for i in 0..4 {
                *dot += i32::from(codes[i] & 15) * i32::from(x[i]);
                *dot += i32::from(codes[i] >> 4) * i32::from(x[4 + i]);
            }
        }
    }
    dots
}

/// `Σ stored · x` of each row, stored bytes.
fn dot_int8(codes: &[u8], x: &[i8; BLOCK]) -> [i32; GROUP_ROWS] {
    let mut dots = [0; GROUP_ROWS];
    for (chunk, x) in codes.chunks_exact(4 * GROUP_ROWS).zip(x.chunks_exact(4)) {
        for (dot, codes) in dots.iter_mut().zip(chunk.chunks_exact(4)) {
            for i in 0..4 {
                *dot += i32::from(codes[i]) * i32::from(x[i]);
            }
        }
    }
    dots
}
