//! The factors of a sum of products.

use multiversion::multiversion;

use super::InputProducts;

/// What is added to the diagonal, of its mean: inputs that a text never moves would otherwise take up
/// any error.
const DAMPING: f32 = 0.01;
/// Rows that are taken out of the others together.
const PANEL: usize = 32;

/// `Lᵀ · D · L`.
#[derive(Debug)]
pub(crate) struct Factor {
    inputs: usize,
    stride: usize,
    /// `L`, of each row what lies left of the diagonal.
    lower: Vec<f32>,
    /// `D`, positive.
    pub(crate) diagonal: Vec<f32>,
}

impl Factor {
    /// The factors of some products, or none of those of inputs that are all zero, or no numbers.
    pub(crate) fn of(products: InputProducts) -> Option<Factor> {
        let (inputs, stride) = (products.inputs, products.stride);
        let mut sums = products.sums;
        let mean = (0..inputs).map(|i| sums[i * stride + i]).sum::<f32>() / inputs as f32;
        if !(mean > 0.0 && mean.is_finite()) {
            return None;
        }
        for i in 0..inputs {
            sums[i * stride + i] += DAMPING * mean;
        }
        let mut diagonal = vec![0.0; inputs];
        let mut panel = Vec::new();
        let mut end = inputs;
        while end > 0 {
            let start = end.saturating_sub(PANEL);
            for pivot in (start..end).rev() {
                let (above, row) = sums.split_at_mut(pivot * stride);
                let row = &mut row[..=pivot];
                // Rounding must not make of a small square a negative one.
                let square = row[pivot].max(DAMPING * DAMPING * mean);
                diagonal[pivot] = square;
                let row = &mut row[..pivot];
                row.iter_mut().for_each(|value| *value /= square);
                for other in start..pivot {
                    let factor = [row[other] * square];
                    subtract(&mut above[other * stride..][..=other], row, 0, &factor);
                }
            }
            let (above, rows) = sums.split_at_mut(start * stride);
            panel.clear();
            for row in rows.chunks_exact(stride).take(end - start) {
                panel.extend_from_slice(&row[..start]);
            }
            let mut factors = Vec::with_capacity(PANEL);
            for (other, row) in above.chunks_exact_mut(stride).enumerate() {
                factors.clear();
                let squares = diagonal[start..end].iter();
                let pivots = panel.chunks_exact(start.max(1)).zip(squares);
                factors.extend(pivots.map(|(pivot, square)| pivot[other] * square));
                subtract(&mut row[..=other], &panel, start, &factors);
            }
            end = start;
        }
        let finite = diagonal.iter().all(|square| square.is_finite());
        finite.then_some(Factor {
            inputs,
            stride,
            lower: sums,
            diagonal,
        })
    }

    pub(crate) fn inputs(&self) -> usize {
        self.inputs
    }

    /// Row `row` of `L` left of the diagonal.
    pub(crate) fn row(&self, row: usize) -> &[f32] {
        &self.lower[row * self.stride..][..row]
    }
}

/// Takes multiples of rows, `stride` floats apart, from another.
#[multiversion(targets("x86_64+avx2", "x86_64+avx512f"))]
fn subtract(from: &mut [f32], rows: &[f32], stride: usize, factors: &[f32]) {
    const WIDTH: usize = 64;
    for (at, chunk) in from.chunks_mut(WIDTH).enumerate() {
        let mut sums = [0.0; WIDTH];
        let sums = &mut sums[..chunk.len()];
        for (row, factor) in factors.iter().enumerate() {
            let row = &rows[row * stride + at * WIDTH..];
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += factor * value;
            }
        }
        for (value, sum) in chunk.iter_mut().zip(sums) {
            *value -= *sum;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_factors_multiplied_are_the_damped_sums() {
        for inputs in [1, 7, 31, 32, 33, 80] {
            let mut state = 7u32;
            let mut random = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / (1 << 23) as f32 - 1.0
            };
            let rows: Vec<f32> = (0..inputs * 3 * inputs).map(|_| random()).collect();
            let mut products = InputProducts::new(inputs);
            products.add(&rows, 1);
            let (sums, stride) = (products.sums.clone(), products.stride);
            let factor = Factor::of(products).unwrap();
            let lower = |row: usize, col: usize| match row == col {
                true => 1.0,
                false => factor.row(row).get(col).copied().unwrap_or(0.0),
            };
            let mean = (0..inputs).map(|i| sums[i * stride + i]).sum::<f32>() / inputs as f32;
            for i in 0..inputs {
                for j in 0..=i {
                    let terms = (i..inputs).map(|k| lower(k, i) * factor.diagonal[k] * lower(k, j));
                    let damping = if i == j { DAMPING * mean } else { 0.0 };
                    let apart = terms.sum::<f32>() - (sums[i * stride + j] + damping);
                    assert!(apart.abs() < 1e-4 * mean, "{inputs}: {i}, {j}: {apart}");
                }
            }
        }
    }

    #[test]
    fn inputs_that_are_zero_or_no_numbers_have_no_factors() {
        assert!(Factor::of(InputProducts::new(8)).is_none());
        let mut products = InputProducts::new(2);
        products.add(&[1.0, f32::NAN], 1);
        assert!(Factor::of(products).is_none());
    }
}
