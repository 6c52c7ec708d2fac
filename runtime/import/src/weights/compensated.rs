//! Weights of 4 bits that make up for each other's rounding: a group of rows at a time, block after block, every weight
//! rounded from what those before it left to be made up for (`calibration`).
//!
//! A block's scale, and its zero point where it has one, are searched as in `quantized`, but by what the whole block
//! costs the map's output when its weights are rounded so.

use half::f16;
use multiversion::multiversion;
use tealight_core::layout::{BLOCK, GROUP_ROWS};

use super::quantized::{CANDIDATE_STEP, CANDIDATES, Quantize};
use crate::calibration::Factor;

/// One value for each row of a group.
type Lanes = [f32; GROUP_ROWS];

/// Rows of `L` that are multiplied with errors at a time.
const TARGETS: usize = 8;

/// Rounds the rows of one matrix, a group after the other.
pub(super) struct Compensated<'f> {
    factor: &'f Factor,
    to: Quantize,
    /// What stored scales are divided by.
    scale_factor: f32,
    /// Weights of the group, less what became of them; of weights that wait, themselves.
    errors: Vec<Lanes>,
    /// `L` within a block, with its diagonal.
    lower: [[f32; BLOCK]; BLOCK],
}

/// How a block's integers stand for its values, row by row: `scale · (integer − zero_point)`.
#[derive(Clone, Copy)]
struct Fit {
    scale: Lanes,
    zero_point: Lanes,
}

/// A block of a group's rows.
struct Block<'a> {
    /// The weights.
    weights: &'a [Lanes],
    /// What earlier blocks ask of each in addition.
    asked: [Lanes; BLOCK],
    lower: &'a [[f32; BLOCK]; BLOCK],
    diagonal: &'a [f32],
    /// The greatest integer.
    most: f32,
}

impl<'f> Compensated<'f> {
    pub(super) fn new(factor: &'f Factor, to: Quantize, scale_factor: f32) -> Compensated<'f> {
        Compensated {
            factor,
            to,
            scale_factor,
            errors: vec![[0.0; GROUP_ROWS]; factor.inputs()],
            lower: [[0.0; BLOCK]; BLOCK],
        }
    }

    /// Appends a group's stored integers, row after row, and its blocks' scales (divided) and zero points.
    pub(super) fn group(
        &mut self,
        values: &[f32],
        integers: &mut Vec<u8>,
        scales: &mut Vec<f32>,
        zero_points: &mut Vec<u8>,
    ) {
        let cols = self.errors.len();
        let (rows, blocks) = (values.len() / cols, cols.div_ceil(BLOCK));
        self.errors.fill([0.0; GROUP_ROWS]);
        for (row, values) in values.chunks_exact(cols).enumerate() {
            for (lanes, &value) in self.errors.iter_mut().zip(values) {
                lanes[row] = value;
            }
        }
        integers.resize(rows * cols, 0);
        scales.resize(rows * blocks, 0.0);
        zero_points.resize(rows * blocks, 0);
        for block in 0..blocks {
            let start = block * BLOCK;
            let len = BLOCK.min(cols - start);
            let (rounded, fit) = self.block(start, len);
            for row in 0..rows {
                scales[row * blocks + block] = fit.scale[row] / self.scale_factor;
                zero_points[row * blocks + block] = fit.zero_point[row] as u8;
                for (at, lanes) in rounded[..len].iter().enumerate() {
                    integers[row * cols + start + at] = (lanes[row] + fit.zero_point[row]) as u8;
                }
            }
            for (error, rounded) in self.errors[start..].iter_mut().zip(&rounded[..len]) {
                for lane in 0..GROUP_ROWS {
                    error[lane] -= rounded[lane] * fit.scale[lane];
                }
            }
        }
    }

    /// Integers of a block, less their zero points.
    fn block(&mut self, start: usize, len: usize) -> ([Lanes; BLOCK], Fit) {
        for at in 0..len {
            let row = &self.factor.row(start + at)[start..];
            self.lower[at][..at].copy_from_slice(row);
            self.lower[at][at] = 1.0;
        }
        let mut asked = [[0.0; GROUP_ROWS]; BLOCK];
        for first in (0..len).step_by(TARGETS) {
            let rows = std::array::from_fn(|row| {
                let row = (first + row).min(len - 1);
                &self.factor.row(start + row)[..start]
            });
            ask(&self.errors[..start], rows, &mut asked[first..]);
        }
        let block = Block {
            weights: &self.errors[start..][..len],
            asked,
            lower: &self.lower,
            diagonal: &self.factor.diagonal[start..][..len],
            most: 2.0 * self.to.middle() - 1.0,
        };
        let mut best = (
            [f32::INFINITY; GROUP_ROWS],
            Fit {
                scale: [0.0; GROUP_ROWS],
                zero_point: [self.to.middle(); GROUP_ROWS],
            },
        );
        let mut rounded = [[0.0; GROUP_ROWS]; BLOCK];
        for fit in self.candidates(&block) {
            let costs = round(&block, &fit, &mut rounded);
            for (lane, cost) in costs.into_iter().enumerate() {
                if cost < best.0[lane] {
                    best.0[lane] = cost;
                    best.1.scale[lane] = fit.scale[lane];
                    best.1.zero_point[lane] = fit.zero_point[lane];
                }
            }
        }
        let mut fit = best.1;
        round(&block, &fit, &mut rounded);
        refit(&block, &rounded, &mut fit.scale);
        for scale in &mut fit.scale {
            let stored = (*scale / self.scale_factor).clamp(f16::MIN.to_f32(), f16::MAX.to_f32());
            *scale = f16::from_f32(stored).to_f32() * self.scale_factor;
        }
        (rounded, fit)
    }

    /// Scales around the ones that the extremes ask for, and zero points around theirs.
    fn candidates(&self, block: &Block<'_>) -> Vec<Fit> {
        let (mut least, mut most) = ([0.0f32; GROUP_ROWS], [0.0f32; GROUP_ROWS]);
        for (weight, asked) in block.weights.iter().zip(&block.asked) {
            for lane in 0..GROUP_ROWS {
                let target = weight[lane] + asked[lane];
                least[lane] = least[lane].min(target);
                most[lane] = most[lane].max(target);
            }
        }
        let asymmetric = self.to == Quantize::Int4Asymmetric;
        let middle = self.to.middle();
        let plain: Lanes = std::array::from_fn(|lane| match asymmetric {
            true => (most[lane] - least[lane]) / block.most,
            // The target of greatest magnitude, which alone may become the least integer.
            false if -least[lane] > most[lane] => least[lane] / -middle,
            false => most[lane] / -middle,
        });
        let shifts = if asymmetric { -1..=1 } else { 0..=0 };
        let mut fits = Vec::new();
        for candidate in -CANDIDATES..=CANDIDATES {
            let scale = plain.map(|plain| plain / (1.0 + candidate as f32 * CANDIDATE_STEP));
            for shift in shifts.clone() {
                let zero_point = std::array::from_fn(|lane| {
                    let zero = match asymmetric && scale[lane] > 0.0 {
                        true => (-least[lane] / scale[lane]).round_ties_even(),
                        false => middle,
                    };
                    (zero + shift as f32).clamp(0.0, block.most)
                });
                fits.push(Fit { scale, zero_point });
            }
        }
        fits
    }
}

/// Adds a multiple of some values.
#[inline(always)]
fn add(sums: &mut Lanes, factor: f32, values: &Lanes) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += factor * value;
    }
}

/// What errors ask of the weights that `rows` of `L` belong to.
#[multiversion(targets("x86_64+avx2", "x86_64+avx512f"))]
fn ask(errors: &[Lanes], rows: [&[f32]; TARGETS], asked: &mut [Lanes]) {
    let mut sums = [[0.0f32; GROUP_ROWS]; TARGETS];
    for (at, error) in errors.iter().enumerate() {
        for (sums, row) in sums.iter_mut().zip(rows) {
            add(sums, row[at], error);
        }
    }
    for (asked, sums) in asked.iter_mut().zip(sums) {
        *asked = sums;
    }
}

/// Rounds a block's weights one after the other; what it costs.
#[multiversion(targets("x86_64+avx2", "x86_64+avx512f"))]
fn round(block: &Block<'_>, fit: &Fit, rounded: &mut [Lanes; BLOCK]) -> Lanes {
    let mut errors = [[0.0f32; GROUP_ROWS]; BLOCK];
    let mut cost = [0.0f32; GROUP_ROWS];
    let inverse = fit
        .scale
        .map(|scale| if scale == 0.0 { 0.0 } else { 1.0 / scale });
    for (at, weight) in block.weights.iter().enumerate() {
        let mut asked = block.asked[at];
        for (error, &factor) in errors.iter().zip(&block.lower[at][..at]) {
            add(&mut asked, factor, error);
        }
        for lane in 0..GROUP_ROWS {
            let target = weight[lane] + asked[lane];
            let zero = fit.zero_point[lane];
            let integer = (target * inverse[lane]).round_ties_even() + zero;
            let value = integer.clamp(0.0, block.most) - zero;
            rounded[at][lane] = value;
            let error = weight[lane] - value * fit.scale[lane];
            errors[at][lane] = error;
            let left = asked[lane] + error;
            cost[lane] += block.diagonal[at] * left * left;
        }
    }
    cost
}

/// The scales that cost least with the integers that there are.
#[multiversion(targets("x86_64+avx2", "x86_64+avx512f"))]
fn refit(block: &Block<'_>, rounded: &[Lanes; BLOCK], scale: &mut Lanes) {
    let (mut products, mut squares) = ([0.0f32; GROUP_ROWS], [0.0f32; GROUP_ROWS]);
    for at in 0..block.weights.len() {
        let (mut wanted, mut unit) = (block.asked[at], [0.0f32; GROUP_ROWS]);
        for (before, &factor) in block.lower[at][..=at].iter().enumerate() {
            add(&mut wanted, factor, &block.weights[before]);
            add(&mut unit, factor, &rounded[before]);
        }
        for lane in 0..GROUP_ROWS {
            products[lane] += block.diagonal[at] * wanted[lane] * unit[lane];
            squares[lane] += block.diagonal[at] * unit[lane] * unit[lane];
        }
    }
    for lane in 0..GROUP_ROWS {
        if squares[lane] > 0.0 {
            scale[lane] = products[lane] / squares[lane];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::quantized::quantize;
    use super::*;
    use crate::calibration::InputProducts;

    /// Floats between −1 and 1.
    fn random(count: usize, mut state: u32) -> Vec<f32> {
        let mut draw = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..count).map(|_| draw()).collect()
    }

    /// Inputs of which each is a mixture of a few others.
    fn inputs(count: usize, cols: usize) -> Vec<f32> {
        let (causes, mixture) = (random(count * 8, 3), random(8 * cols, 4));
        let input = |causes: &[f32], col: usize| -> f32 {
            causes
                .iter()
                .zip(mixture[col..].iter().step_by(cols))
                .map(|(a, b)| a * b)
                .sum()
        };
        let rows = causes.chunks_exact(8);
        let mut inputs: Vec<f32> = rows
            .flat_map(|causes| (0..cols).map(move |col| input(causes, col)))
            .collect();
        inputs
            .iter_mut()
            .zip(random(count * cols, 5))
            .for_each(|(x, noise)| *x += 0.1 * noise);
        inputs
    }

    /// Mean square of what the rows' rounding changes of the map's outputs.
    fn harm(
        to: Quantize,
        inputs: &[f32],
        weights: &[f32],
        cols: usize,
        with: Option<&Factor>,
    ) -> f64 {
        let (mut integers, mut scales, mut zero_points) = (vec![], vec![], vec![]);
        match with {
            Some(factor) => Compensated::new(factor, to, 0.25).group(
                weights,
                &mut integers,
                &mut scales,
                &mut zero_points,
            ),
            None => {
                for block in weights.chunks_exact(cols).flat_map(|row| row.chunks(BLOCK)) {
                    let fit = quantize(to, block, &mut integers);
                    scales.push(fit.scale / 0.25);
                    zero_points.push(fit.zero_point as u8);
                }
            }
        }
        assert!(integers.iter().all(|&integer| integer < 16));
        let blocks = cols.div_ceil(BLOCK);
        let error = |row: usize, col: usize| {
            let block = row * blocks + col / BLOCK;
            let scale = f16::from_f32(scales[block]).to_f32() * 0.25;
            let at = row * cols + col;
            weights[at] - scale * (f32::from(integers[at]) - f32::from(zero_points[block]))
        };
        let rows = weights.len() / cols;
        let outputs = inputs.chunks_exact(cols).flat_map(|input| {
            let error = &error;
            (0..rows).map(move |row| {
                let terms = input.iter().enumerate().map(|(col, x)| x * error(row, col));
                f64::from(terms.sum::<f32>()).powi(2)
            })
        });
        outputs.sum::<f64>()
    }

    #[test]
    fn outputs_of_rows_that_make_up_for_their_rounding_change_less() {
        for (cols, rows) in [(160, 16), (72, 5)] {
            let weights = random(rows * cols, 6);
            let inputs = inputs(300, cols);
            let mut products = InputProducts::new(cols);
            products.add(&inputs, 2);
            let factor = Factor::of(products).unwrap();
            for to in [Quantize::Int4, Quantize::Int4Asymmetric] {
                let plain = harm(to, &inputs, &weights, cols, None);
                let made_up = harm(to, &inputs, &weights, cols, Some(&factor));
                assert!(
                    made_up < 0.3 * plain,
                    "{to:?}, {cols}: {made_up} against {plain}"
                );
            }
        }
    }

    #[test]
    fn weights_of_nothing_stay_nothing() {
        let mut products = InputProducts::new(40);
        products.add(&inputs(50, 40), 1);
        let factor = Factor::of(products).unwrap();
        let zeros = [0.0; 3 * 40];
        for to in [Quantize::Int4, Quantize::Int4Asymmetric] {
            assert_eq!(harm(to, &inputs(50, 40), &zeros, 40, Some(&factor)), 0.0);
        }
    }
}
