//! What gpt-oss does to the gates of its experts.

use super::Isa;
use super::lanes::Kernel;
use super::linear_int8::DotBlocks;

/// Changes a gate and what is multiplied with it before they meet: to `alpha · min(g, limit)` and
/// `(clamp(u, −limit, limit) + beta) / alpha`. Behind SiLU their product is
/// `g · sigmoid(alpha · g) · (u + beta)` within the limits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bend {
    /// Steepness of the curve; positive.
    pub alpha: f32,
    /// What is added to the other factor.
    pub beta: f32,
    /// Positive; no limit where this is left out.
    pub limit: Option<f32>,
}

/// Bends a row of gates and as many numbers that are multiplied with them, in place.
pub(crate) fn bend(isa: Isa, how: Bend, row: &mut [f32]) {
    isa.run(Bending { how, row });
}

struct Bending<'a> {
    how: Bend,
    row: &'a mut [f32],
}

impl Kernel for Bending<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: DotBlocks>(self, _: L) {
        let Bend { alpha, beta, limit } = self.how;
        let limit = limit.unwrap_or(f32::INFINITY);
        let (gate, up) = self.row.split_at_mut(self.row.len() / 2);
        for x in gate {
            *x = alpha * if *x > limit { limit } else { *x };
        }
        for x in up {
            *x = (x.clamp(-limit, limit) + beta) / alpha;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::gate;
    use crate::ops::Activation;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bent_gates_are_steeper_and_within_their_limits(
            pairs in prop::collection::vec((-9.0f32..9.0, -9.0f32..9.0), 1..40),
            alpha in 0.5f32..2.0,
            beta in 0.0f32..1.0,
            limit in prop::option::of(0.5f32..8.0),
        ) {
            let (gates, ups): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
            let run = |isa| {
                let mut row = [&gates[..], &ups].concat();
                bend(isa, Bend { alpha, beta, limit }, &mut row);
                let mut out = vec![0.0; gates.len()];
                let (bent, factors) = row.split_at(gates.len());
                gate(isa, Activation::Silu, bent, factors, &mut out);
                out
            };
            let results = run(Isa::best());
            for isa in Isa::available() {
                prop_assert_eq!(&run(isa), &results);
            }
            let limit = limit.map_or(f64::INFINITY, f64::from);
            for ((gate, up), result) in gates.iter().zip(&ups).zip(results) {
                let (gate, up) = (f64::from(*gate).min(limit), f64::from(*up).clamp(-limit, limit));
                let curved = gate / (1.0 + (-f64::from(alpha) * gate).exp());
                let expected = curved * (up + f64::from(beta));
                prop_assert!((f64::from(result) - expected).abs() < 1e-4, "{} for {}", result, expected);
            }
        }
    }
}
