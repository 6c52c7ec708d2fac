//! Sums of products of inputs, taken in while a model runs.

use multiversion::multiversion;

/// Rows and columns of sums that are kept in registers.
const TILE: (usize, usize) = (8, 16);

/// `Σ x · xᵀ` over inputs `x` of one linear map.
#[derive(Clone, Debug, PartialEq)]
pub struct InputProducts {
    /// Floats of a row of sums: `inputs`, rounded up to whole tiles.
    pub(super) stride: usize,
    pub(super) inputs: usize,
    /// Of a row only what is left of the diagonal, and in its tile, is kept up.
    pub(super) sums: Vec<f32>,
}

impl InputProducts {
    /// Of no inputs yet; `inputs` is their width.
    pub fn new(inputs: usize) -> InputProducts {
        let stride = inputs.next_multiple_of(TILE.1);
        InputProducts {
            stride,
            inputs,
            sums: vec![0.0; inputs.next_multiple_of(TILE.0) * stride],
        }
    }

    /// Bytes that those of `inputs` take.
    pub fn bytes(inputs: usize) -> usize {
        inputs.next_multiple_of(TILE.0) * inputs.next_multiple_of(TILE.1) * size_of::<f32>()
    }

    /// Width of an input.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Adds some inputs, one after the other, on up to `threads` threads. The sums do not depend on how many.
    pub fn add(&mut self, inputs: &[f32], threads: usize) {
        let stride = self.stride;
        let mut rows = vec![0.0; inputs.len() / self.inputs * stride];
        for (row, input) in rows
            .chunks_exact_mut(stride)
            .zip(inputs.chunks_exact(self.inputs))
        {
            row[..self.inputs].copy_from_slice(input);
        }
        let mut bands: Vec<_> = self
            .sums
            .chunks_exact_mut(TILE.0 * stride)
            .enumerate()
            .collect();
        std::thread::scope(|scope| {
            // Bands grow from the first to the last, so they are dealt out in turn.
            let mut shares: Vec<Vec<_>> = (0..threads.max(1)).map(|_| Vec::new()).collect();
            let count = shares.len();
            for (at, band) in bands.drain(..) {
                shares[at % count].push((at * TILE.0, band));
            }
            for share in shares {
                let rows = &rows;
                scope.spawn(move || {
                    for (first, band) in share {
                        add_band(rows, stride, first, band);
                    }
                });
            }
        });
    }
}

/// Adds to the sums of rows `first..first + 8`, up to the diagonal.
#[multiversion(targets("x86_64+avx2", "x86_64+avx512f"))]
fn add_band(inputs: &[f32], stride: usize, first: usize, band: &mut [f32]) {
    for start in (0..first + TILE.0).step_by(TILE.1) {
        let mut sums = [[0.0f32; TILE.1]; TILE.0];
        for input in inputs.chunks_exact(stride) {
            let (Some(left), Some(right)) = (
                input[first..].first_chunk::<{ TILE.0 }>(),
                input[start..].first_chunk::<{ TILE.1 }>(),
            ) else {
                return;
            };
            for (sums, &a) in sums.iter_mut().zip(left) {
                for (sum, &b) in sums.iter_mut().zip(right) {
                    *sum += a * b;
                }
            }
        }
        for (sums, row) in sums.iter().zip(band.chunks_exact_mut(stride)) {
            for (kept, sum) in row[start..].iter_mut().zip(sums) {
                *kept += sum;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn sums_are_those_of_products_on_any_number_of_threads(
            inputs in 1..40usize, count in 1..20usize, threads in 1..4usize, seed in any::<u32>()
        ) {
            let mut state = seed;
            let mut random = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 28) as f32 - 8.0
            };
            let rows: Vec<f32> = (0..inputs * count).map(|_| random()).collect();
            let mut products = InputProducts::new(inputs);
            let half = count / 2 * inputs;
            products.add(&rows[..half], threads);
            products.add(&rows[half..], threads);
            for i in 0..inputs {
                for j in 0..=i {
                    let sum: f32 = rows.chunks(inputs).map(|row| row[i] * row[j]).sum();
                    // Small integers, so sums are exact in any order.
                    prop_assert_eq!(products.sums[i * products.stride + j], sum);
                }
            }
        }
    }
}
