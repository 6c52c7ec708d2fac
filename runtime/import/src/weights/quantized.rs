//! Float weights that are quantized on their way into the plan: blocks of 32 inputs, symmetric.
//!
//! A block's scale is not just its greatest value's: of a few candidates around that one, the scale
//! is taken that leaves the least squared error, and is then fitted to the integers it gave.

use tealight_core::layout::{self, BLOCK, Encoding};

use super::float::for_row_groups;
use super::{FloatMatrix, Sink, fault};
use crate::ImportError;

/// What float weights become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Quantize {
    /// 4.5 bits a weight.
    Int4,
    /// 8.5 bits a weight.
    Int8,
}

/// Floats that the plan stores as integers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct QuantizedMatrix {
    pub(crate) matrix: FloatMatrix,
    pub(crate) to: Quantize,
}

impl Quantize {
    fn encoding(self) -> Encoding {
        match self {
            Quantize::Int4 => Encoding::Int4,
            Quantize::Int8 => Encoding::Int8,
        }
    }

    /// The least integer; the greatest is one less than its opposite.
    fn least(self) -> f32 {
        match self {
            Quantize::Int4 => -8.0,
            Quantize::Int8 => -128.0,
        }
    }
}

impl QuantizedMatrix {
    pub(super) fn encoding(&self) -> Encoding {
        self.to.encoding()
    }

    /// No block's scale is greater: fitted scales stay below twice what the greatest value asks for.
    pub(super) fn greatest_scale(&self) -> Result<f32, ImportError> {
        let mut greatest = 0.0f32;
        self.for_groups(|values| {
            greatest = values
                .iter()
                .fold(greatest, |max, value| max.max(value.abs()));
            Ok(())
        })?;
        Ok(2.0 * greatest / -self.to.least())
    }

    pub(super) fn pack(&self, factor: f32, sink: Sink<'_>) -> Result<(), ImportError> {
        let (encoding, cols) = (self.encoding(), self.matrix.cols);
        let len = encoding.group_bytes(cols);
        let mut group =
            vec![0; len.ok_or_else(|| fault(&self.matrix.tensor, "is too large to pack"))?];
        let (mut integers, mut scales) = (Vec::new(), Vec::new());
        self.for_groups(|values| {
            integers.clear();
            scales.clear();
            for row in values.chunks_exact(cols) {
                for block in row.chunks(BLOCK) {
                    scales.push(quantize(self.to, block, &mut integers) / factor);
                }
            }
            layout::pack_quantized(encoding, cols, &integers, &scales, &[], &mut group);
            sink(&group)
        })
    }

    /// Calls `each` with the values of every group of rows.
    fn for_groups(
        &self,
        mut each: impl FnMut(&[f32]) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        let FloatMatrix {
            tensor,
            rows,
            cols,
            transposed,
        } = &self.matrix;
        for_row_groups(tensor, *rows, *cols, *transposed, |bytes, values| {
            values.clear();
            tensor.to_f32(bytes, values);
            if values.iter().any(|value| !value.is_finite()) {
                return Err(fault(tensor, "holds values that are no numbers"));
            }
            each(values)
        })
    }
}

/// Candidates on either side of the scale that the greatest value asks for, 1/80 of it apart.
const CANDIDATES: i32 = 12;

/// Appends a block's stored integers; its scale.
fn quantize(to: Quantize, block: &[f32], integers: &mut Vec<u8>) -> f32 {
    let least = to.least();
    // The value of greatest magnitude, which alone may become the least integer.
    let greatest = block
        .iter()
        .fold(0.0f32, |max, &x| if x.abs() > max.abs() { x } else { max });
    let integer = |x: f32, inverse: f32| (x * inverse).round_ties_even().clamp(least, -least - 1.0);
    // The error that a fitted scale leaves is `Σx² − gain`.
    let fitted = |inverse: f32| {
        let (mut products, mut squares) = (0.0f64, 0.0f64);
        for &x in block {
            let q = f64::from(integer(x, inverse));
            products += f64::from(x) * q;
            squares += q * q;
        }
        let scale = if squares > 0.0 {
            products / squares
        } else {
            0.0
        };
        (scale * products, scale as f32)
    };
    let plain = least / greatest;
    let (mut best, mut scale, mut inverse) = (0.0, 0.0, 0.0);
    if plain.is_finite() {
        for candidate in -CANDIDATES..=CANDIDATES {
            let tried = plain * (1.0 + candidate as f32 / 80.0);
            let (gain, fit) = fitted(tried);
            if gain > best {
                (best, scale, inverse) = (gain, fit, tried);
            }
        }
    }
    integers.extend(block.iter().map(|&x| (integer(x, inverse) - least) as u8));
    scale
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(to: Quantize, block: &[f32]) -> f64 {
        let mut integers = Vec::new();
        let scale = f64::from(quantize(to, block, &mut integers));
        let pairs = block.iter().zip(&integers);
        let apart =
            |(x, q): (&f32, &u8)| f64::from(*x) - scale * (f64::from(*q) + f64::from(to.least()));
        pairs.map(|pair| apart(pair).powi(2)).sum()
    }

    /// What rounding to sevenths of the greatest magnitude leaves.
    fn plain_error(block: &[f32]) -> f64 {
        let scale = block.iter().fold(0.0f32, |max, x| max.max(x.abs())) / 7.0;
        let apart = |x: &f32| f64::from(x - (x / scale).round_ties_even() * scale);
        block.iter().map(|x| apart(x).powi(2)).sum()
    }

    #[test]
    fn the_search_leaves_less_error_than_the_greatest_value_alone() {
        let mut state = 1u64;
        let mut random = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 40) as f32 / (1 << 24) as f32 - 0.5
        };
        let (mut searched, mut plain) = (0.0, 0.0);
        for _ in 0..200 {
            // Sums of a few are near what weights look like.
            let block: Vec<f32> = (0..32).map(|_| (0..4).map(|_| random()).sum()).collect();
            searched += error(Quantize::Int4, &block);
            plain += plain_error(&block);
            assert!(error(Quantize::Int8, &block) < 2e-2 * error(Quantize::Int4, &block));
        }
        assert!(searched < 0.85 * plain, "{searched} against {plain}");
    }

    #[test]
    fn blocks_of_nothing_and_of_the_least_floats_are_finite() {
        for value in [0.0, f32::MIN_POSITIVE, 1e-45, f32::MAX] {
            let mut integers = Vec::new();
            let scale = quantize(Quantize::Int4, &[value, -value, 0.0], &mut integers);
            assert!(scale.is_finite() && integers.len() == 3, "{value}");
        }
    }
}
