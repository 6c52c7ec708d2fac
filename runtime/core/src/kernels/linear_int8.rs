//! Matrix product of integer weights with int8 activations.

use core::ops::Range;

use half::f16;

use super::lanes::{Kernel, Lanes, Scalar};
use super::quantize::QuantizedRow;
use super::{Epilogue, Isa, QuantizedRows, Weight};
use crate::layout::{BLOCK, Encoding, GROUP_ROWS};
use crate::math;

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
        let dot = if weight.encoding.is_int4() {
            dot_int4
        } else {
            dot_int8
        };
        for group in groups {
            for t in 0..input.count() {
                let sums = group_sums(weight.encoding, weight.group(group), input.row(t), dot);
                epilogue.finish(self, t, group, sums);
            }
        }
    }
}

type Dot = fn(&[u8], &[i8; BLOCK]) -> [i32; GROUP_ROWS];

/// The sums of one group's rows with one row of input.
fn group_sums(
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
        let dots = dot(codes, &input.values[b]);
        let sum_of_inputs = input.sums[b] / -8;
        for (row, scale) in scales.as_chunks().0.iter().enumerate() {
            let zero_point = zero_points.get(row).map_or(middle, |z| i32::from(*z));
            let scale = f16::from_le_bytes(*scale).to_f32() * input.scales[b];
            let dot = dots[row] - zero_point * sum_of_inputs;
            sums[row] = math::fma(scale, dot as f32, sums[row]);
        }
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
