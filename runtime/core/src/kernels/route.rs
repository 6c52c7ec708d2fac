//! From a router's logits to the weights of the experts that it chooses.

use super::Isa;
use super::attend::softmax;
use super::lanes::{Kernel, LANES, Lanes};
use super::linear_int8::DotBlocks;

/// Most experts of a mixture.
pub(crate) const MOST_EXPERTS: usize = 1024;

/// How a router's logits become scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum RouteScoring {
    /// `exp(x) / Σ exp(x)` over all experts (Mixtral, Qwen, OLMoE).
    Softmax = 0,
    /// `1 / (1 + exp(−x))` (DeepSeek V3, GLM 4.5).
    Sigmoid = 1,
}

/// What becomes of scores.
pub(crate) struct Routing<'a> {
    pub(crate) scoring: RouteScoring,
    pub(crate) chosen: usize,
    pub(crate) normalized: bool,
    pub(crate) scale: f32,
    pub(crate) bias: Option<&'a [f32]>,
}

/// Turns logits into weights, in place:
///
/// 1. scores: `exp(x − max) / total` with the sums and the exp of attention, or
///    `1 / (1 + exp(−x))`;
/// 2. the `chosen` experts whose score plus bias is greatest; of equal ones the first, and NaN
///    is below every number;
/// 3. their scores, divided by their sum (in the order of experts) where that is asked for, times
///    `scale`; zero for all others.
///
/// # Panics
/// If there are more than [`MOST_EXPERTS`], or the bias is shorter than the row.
pub(crate) fn route(isa: Isa, routing: &Routing<'_>, row: &mut [f32]) {
    isa.run(Score {
        scoring: routing.scoring,
        row,
    });
    let mut marks = [false; MOST_EXPERTS];
    let marks = &mut marks[..row.len()];
    for _ in 0..routing.chosen {
        if let Some(best) = best(row, routing.bias, marks) {
            marks[best] = true;
        }
    }
    let mut total = 0.0;
    for (score, chosen) in row.iter_mut().zip(&*marks) {
        if !chosen {
            *score = 0.0;
        }
        total += *score;
    }
    let divisor = if routing.normalized { total } else { 1.0 };
    for (score, _) in row.iter_mut().zip(marks).filter(|(_, chosen)| **chosen) {
        *score = *score / divisor * routing.scale;
    }
}

/// The first of the greatest that are not taken yet.
fn best(scores: &[f32], bias: Option<&[f32]>, taken: &[bool]) -> Option<usize> {
    let mut best: Option<(usize, f32)> = None;
    for (i, score) in scores.iter().enumerate() {
        let choice = score + bias.map_or(0.0, |bias| bias[i]);
        let greater = match best {
            None => true,
            Some((_, most)) => choice > most || (most.is_nan() && !choice.is_nan()),
        };
        if greater && !taken[i] {
            best = Some((i, choice));
        }
    }
    best.map(|(i, _)| i)
}

struct Score<'a> {
    scoring: RouteScoring,
    row: &'a mut [f32],
}

impl Kernel for Score<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: DotBlocks>(self, lanes: L) {
        match self.scoring {
            RouteScoring::Softmax => {
                let total = softmax(lanes, self.row);
                for weight in self.row {
                    *weight /= total;
                }
            }
            RouteScoring::Sigmoid => {
                let (row, tail) = self.row.as_chunks_mut::<LANES>();
                for x in row {
                    lanes.store(sigmoid(lanes, lanes.load(x)), x);
                }
                if !tail.is_empty() {
                    lanes.store_some(sigmoid(lanes, lanes.load_some(tail)), tail);
                }
            }
        }
    }
}

#[inline(always)]
fn sigmoid<L: Lanes>(lanes: L, x: L::F) -> L::F {
    let e = lanes.exp(lanes.sub(lanes.splat(-0.0), x));
    lanes.div(lanes.splat(1.0), lanes.add(lanes.splat(1.0), e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn routed(routing: &Routing<'_>, logits: &[f32]) -> Vec<f32> {
        let mut row = logits.to_vec();
        route(Isa::best(), routing, &mut row);
        row
    }

    const TWO: Routing<'_> = Routing {
        scoring: RouteScoring::Softmax,
        chosen: 2,
        normalized: true,
        scale: 1.0,
        bias: None,
    };

    #[test]
    fn of_equal_scores_the_first_are_chosen() {
        assert_eq!(routed(&TWO, &[1.0; 5]), [0.5, 0.5, 0.0, 0.0, 0.0]);
        let weights = routed(&TWO, &[0.0, 3.0, 1.0, 3.0, 3.0]);
        assert_eq!(weights, [0.0, 0.5, 0.0, 0.5, 0.0]);
    }

    #[test]
    fn a_bias_chooses_and_weighs_nothing() {
        let sigmoid = Routing {
            scoring: RouteScoring::Sigmoid,
            normalized: false,
            scale: 2.0,
            bias: Some(&[0.0, 0.0, 9.0, 9.0]),
            ..TWO
        };
        let weights = routed(&sigmoid, &[5.0, 5.0, 0.0, 0.0]);
        assert_eq!(weights, [0.0, 0.0, 1.0, 1.0]);
    }

    #[test]
    fn what_is_no_number_stays_none() {
        let weights = routed(&TWO, &[0.0, f32::NAN, 0.0]);
        assert_eq!(weights.iter().filter(|weight| weight.is_nan()).count(), 2);
    }

    proptest! {
        #[test]
        fn routing_is_the_softmax_of_the_greatest(
            logits in prop::collection::vec(-8.0f32..8.0, 1..70),
            part in 0.0f64..1.0,
            normalized: bool,
            sigmoid: bool,
        ) {
            let chosen = 1 + (part * (logits.len() - 1) as f64).round() as usize;
            let scoring = [RouteScoring::Softmax, RouteScoring::Sigmoid][usize::from(sigmoid)];
            let routing = Routing { scoring, chosen, normalized, scale: 1.5, bias: None };
            let weights = routed(&routing, &logits);
            for isa in Isa::available() {
                let mut row = logits.clone();
                route(isa, &routing, &mut row);
                prop_assert_eq!(&row, &weights);
            }
            let total: f64 = logits.iter().map(|x| f64::from(*x).exp()).sum();
            let score = |x: f32| match scoring {
                RouteScoring::Softmax => f64::from(x).exp() / total,
                RouteScoring::Sigmoid => 1.0 / (1.0 + (-f64::from(x)).exp()),
            };
            let mut order: Vec<usize> = (0..logits.len()).collect();
            order.sort_by(|a, b| logits[*b].total_cmp(&logits[*a]));
            let sum: f64 = order[..chosen].iter().map(|i| score(logits[*i])).sum();
            prop_assert_eq!(weights.iter().filter(|w| **w != 0.0).count(), chosen);
            for i in &order[..chosen] {
                let expected = 1.5 * score(logits[*i]) / if normalized { sum } else { 1.0 };
                // Neighbours of equal score may stand for each other.
                let least = score(logits[order[chosen - 1]]);
                if score(logits[*i]) > least * 1.000_01 {
                    prop_assert!((f64::from(weights[*i]) / expected - 1.0).abs() < 1e-4);
                }
            }
        }
    }
}
