//! Float weights that are quantized on their way into the plan: blocks of 32 inputs, symmetric or
//! with zero points.
//!
//! A block's scale is not just what its extremes ask for: of a few candidates around that one, and
//! zero points around theirs, those are taken that leave the least squared error, and the scale is
//! then fitted to the integers it gave. Errors of great values count more, by the value's magnitude and the
//! block's mean one: what a model does hangs on them (SmolLM2 in int4: perplexity 26.4, not 26.9).

use tealight_core::layout::{self, BLOCK, Encoding};

use super::compensated::Compensated;
use super::{FloatMatrix, Sink, fault};
use crate::ImportError;
use crate::calibration::Factor;

/// What float weights become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Quantize {
    /// 4.5 bits a weight.
    Int4,
    /// 4.75 bits a weight, a zero point for each block among them.
    Int4Asymmetric,
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
            Quantize::Int4Asymmetric => Encoding::Int4ZeroPoint,
            Quantize::Int8 => Encoding::Int8,
        }
    }

    /// The zero point of symmetric blocks. Stored integers are below twice as many.
    pub(super) fn middle(self) -> f32 {
        match self {
            Quantize::Int4 | Quantize::Int4Asymmetric => 8.0,
            Quantize::Int8 => 128.0,
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
        self.matrix.for_values(|values| {
            greatest = values
                .iter()
                .fold(greatest, |max, value| max.max(value.abs()));
            Ok(())
        })?;
        Ok(2.0 * greatest / self.to.middle())
    }

    /// `inputs` are the factors of what the matrix is given, where that is known and it has 4 bits.
    pub(super) fn pack(
        &self,
        factor: f32,
        inputs: Option<&Factor>,
        sink: Sink<'_>,
    ) -> Result<(), ImportError> {
        let (encoding, (_, cols)) = (self.encoding(), self.matrix.shape());
        let len = encoding.group_bytes(cols);
        let mut group =
            vec![0; len.ok_or_else(|| fault(self.matrix.tensor(), "is too large to pack"))?];
        let (mut integers, mut scales, mut zero_points) = (Vec::new(), Vec::new(), Vec::new());
        let inputs = inputs.filter(|inputs| inputs.inputs() == cols);
        let mut compensated = inputs.map(|inputs| Compensated::new(inputs, self.to, factor));
        self.matrix.for_values(|values| {
            integers.clear();
            scales.clear();
            zero_points.clear();
            let each = match &mut compensated {
                Some(compensated) => {
                    compensated.group(values, &mut integers, &mut scales, &mut zero_points);
                    &[][..]
                }
                None => values,
            };
            for row in each.chunks_exact(cols) {
                for block in row.chunks(BLOCK) {
                    let fit = quantize(self.to, block, &mut integers);
                    scales.push(fit.scale / factor);
                    zero_points.push(fit.zero_point as u8);
                }
            }
            if !encoding.has_zero_points() {
                zero_points.clear();
            }
            layout::pack_quantized(encoding, cols, &integers, &scales, &zero_points, &mut group);
            sink(&group)
        })
    }
}

/// Candidates on either side of the scale that the extremes ask for.
pub(super) const CANDIDATES: i32 = 12;
/// How far they are apart, of that one.
pub(super) const CANDIDATE_STEP: f32 = 1.0 / 80.0;

/// How a block's integers stand for its values: `scale · (integer − zero_point)`.
#[derive(Clone, Copy)]
pub(super) struct Fit {
    pub(super) scale: f32,
    pub(super) zero_point: f32,
    /// What the integers are made with; near `1 / scale`.
    inverse: f32,
    /// What the integers save of the squares of all values, each weighed.
    gain: f64,
}

impl Fit {
    /// The scale that fits the integers which `inverse` gives.
    /// `mean` is that of the block's magnitudes.
    fn of(to: Quantize, block: &[f32], mean: f64, inverse: f32, zero_point: f32) -> Fit {
        let (mut products, mut squares) = (0.0f64, 0.0f64);
        for &x in block {
            let q = f64::from(integer(to, x, inverse, zero_point) - zero_point);
            let weight = mean + f64::from(x.abs());
            products += weight * f64::from(x) * q;
            squares += weight * q * q;
        }
        let scale = if squares > 0.0 {
            products / squares
        } else {
            0.0
        };
        Fit {
            scale: scale as f32,
            zero_point,
            inverse,
            gain: scale * products,
        }
    }
}

fn integer(to: Quantize, x: f32, inverse: f32, zero_point: f32) -> f32 {
    ((x * inverse).round_ties_even() + zero_point).clamp(0.0, 2.0 * to.middle() - 1.0)
}

/// Appends a block's stored integers.
pub(super) fn quantize(to: Quantize, block: &[f32], integers: &mut Vec<u8>) -> Fit {
    let (mut least, mut most) = (0.0f32, 0.0f32);
    for &x in block {
        (least, most) = (least.min(x), most.max(x));
    }
    // The value of greatest magnitude, which alone may become the least integer.
    let extreme = if -least > most { least } else { most };
    let plain = match to {
        Quantize::Int4 | Quantize::Int8 => -to.middle() / extreme,
        Quantize::Int4Asymmetric => (2.0 * to.middle() - 1.0) / (most - least),
    };
    let mean = block.iter().map(|x| f64::from(x.abs())).sum::<f64>() / block.len() as f64;
    let mut best = Fit::of(to, block, mean, 0.0, to.middle());
    if plain.is_finite() {
        for candidate in -CANDIDATES..=CANDIDATES {
            let inverse = plain * (1.0 + candidate as f32 * CANDIDATE_STEP);
            let zero_points = match to {
                Quantize::Int4 | Quantize::Int8 => to.middle()..=to.middle(),
                Quantize::Int4Asymmetric => {
                    let zero = (-least * inverse).round_ties_even();
                    (zero - 1.0).max(0.0)..=(zero + 1.0).min(2.0 * to.middle() - 1.0)
                }
            };
            let mut zero_point = *zero_points.start();
            while zero_points.contains(&zero_point) {
                let fit = Fit::of(to, block, mean, inverse, zero_point);
                if fit.gain > best.gain {
                    best = fit;
                }
                zero_point += 1.0;
            }
        }
    }
    let fitted = block.iter();
    integers.extend(fitted.map(|&x| integer(to, x, best.inverse, best.zero_point) as u8));
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(to: Quantize, block: &[f32]) -> f64 {
        let mut integers = Vec::new();
        let fit = quantize(to, block, &mut integers);
        let pairs = block.iter().zip(&integers);
        let apart = |(x, q): (&f32, &u8)| {
            f64::from(*x) - f64::from(fit.scale) * f64::from(f32::from(*q) - fit.zero_point)
        };
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
            for to in [Quantize::Int4, Quantize::Int4Asymmetric, Quantize::Int8] {
                integers.clear();
                let fit = quantize(to, &[value, -value, 0.0], &mut integers);
                assert!(
                    fit.scale.is_finite() && integers.len() == 3,
                    "{to:?}: {value}"
                );
            }
        }
    }

    #[test]
    fn zero_points_fit_blocks_that_lean_to_one_side() {
        // Exactly sixteen steps from −0.25 up, as other formats with zero points have them.
        let block: Vec<f32> = (0..32).map(|i| -0.25 + 0.125 * (i % 16) as f32).collect();
        assert!(error(Quantize::Int4Asymmetric, &block) < 1e-12);
        assert!(error(Quantize::Int4, &block) > 0.01);
    }
}
