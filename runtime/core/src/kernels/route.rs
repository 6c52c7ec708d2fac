//! From a router's logits to the weights of the experts that it chooses.

use super::Isa;
use super::attend::exponentials;
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

/// Groups of neighbouring experts, of which a token chooses some before it chooses experts in
/// them (DeepSeek V3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteGroups {
    /// How many there are, each of the same size: two experts at least.
    pub count: u32,
    /// How many of them are kept.
    pub kept: u32,
}

/// What becomes of scores.
pub(crate) struct Routing<'a> {
    pub(crate) scoring: RouteScoring,
    pub(crate) groups: Option<RouteGroups>,
    pub(crate) chosen: usize,
    pub(crate) normalized: bool,
    pub(crate) epsilon: f32,
    pub(crate) scale: f32,
    pub(crate) bias: Option<&'a [f32]>,
}

/// Turns logits into weights, in place:
///
/// 1. scores: `exp(x − max) / total` with the sums and the exp of attention, or
///    `1 / (1 + exp(−x))`;
/// 2. with groups, those are kept in which the two greatest scores plus bias have the greatest
///    sum; of equal ones the first, and NaN is below every number;
/// 3. in them the `chosen` experts whose score plus bias is greatest, likewise;
/// 4. their scores, divided by their sum (in the order of experts) plus `epsilon` where that is asked for, times
///    `scale`; zero for all others.
///
/// # Panics
/// If there are more than [`MOST_EXPERTS`], the bias is shorter than the row, or groups are not of
/// one size.
pub(crate) fn route(isa: Isa, routing: &Routing<'_>, row: &mut [f32]) {
    isa.run(Score {
        scoring: routing.scoring,
        row,
    });
    let mut marks = [Mark::Free; MOST_EXPERTS];
    let marks = &mut marks[..row.len()];
    let choice = |i: usize| row[i] + routing.bias.map_or(0.0, |bias| bias[i]);
    if let Some(groups) = routing.groups {
        keep(groups, choice, marks);
    }
    for _ in 0..routing.chosen {
        if let Some(best) = best(row.len(), |i| marks[i] == Mark::Free, choice) {
            marks[best] = Mark::Chosen;
        }
    }
    let mut total = 0.0;
    for (score, mark) in row.iter_mut().zip(&*marks) {
        if *mark != Mark::Chosen {
            *score = 0.0;
        }
        total += *score;
    }
    let divisor = if routing.normalized {
        total + routing.epsilon
    } else {
        1.0
    };
    let marked = row.iter_mut().zip(marks);
    for (score, _) in marked.filter(|(_, mark)| **mark == Mark::Chosen) {
        *score = *score / divisor * routing.scale;
    }
}

/// What is known of an expert.
#[derive(Clone, Copy, PartialEq)]
enum Mark {
    Free,
    Chosen,
    /// Its group is not kept.
    Left,
}

/// Leaves the experts of all groups but those with the greatest pairs.
fn keep(groups: RouteGroups, choice: impl Fn(usize) -> f32, marks: &mut [Mark]) {
    let count = groups.count as usize;
    let size = marks.len() / count;
    let pair = |group: usize| {
        let choice = |i: usize| choice(group * size + i);
        let first = best(size, |_| true, choice);
        let second = best(size, |i| Some(i) != first, choice);
        first.map_or(0.0, choice) + second.map_or(0.0, choice)
    };
    marks.fill(Mark::Left);
    for _ in 0..groups.kept {
        if let Some(group) = best(count, |group| marks[group * size] == Mark::Left, pair) {
            marks[group * size..][..size].fill(Mark::Free);
        }
    }
}

/// The first of the greatest that are free.
fn best(
    count: usize,
    free: impl Fn(usize) -> bool,
    choice: impl Fn(usize) -> f32,
) -> Option<usize> {
    let mut best: Option<(usize, f32)> = None;
    for i in (0..count).filter(|i| free(*i)) {
        let choice = choice(i);
        let greater = match best {
            None => true,
            Some((_, most)) => choice > most || (most.is_nan() && !choice.is_nan()),
        };
        if greater {
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
                let (_, total) = exponentials(lanes, self.row);
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
        groups: None,
        chosen: 2,
        normalized: true,
        epsilon: 0.0,
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
    fn what_is_added_to_a_sum_counts_where_scores_are_small() {
        let routing = Routing {
            scoring: RouteScoring::Sigmoid,
            epsilon: 1.0,
            ..TWO
        };
        assert_eq!(routed(&routing, &[0.0, 0.0, -9.0]), [0.25, 0.25, 0.0]);
    }

    #[test]
    fn experts_are_chosen_in_the_groups_with_the_greatest_pairs() {
        let grouped = Routing {
            scoring: RouteScoring::Sigmoid,
            groups: Some(RouteGroups { count: 3, kept: 1 }),
            normalized: false,
            ..TWO
        };
        // The greatest of all is alone in its group.
        let logits = [9.0, -30.0, -30.0, -9.0, 0.0, 0.0, -1.0, 0.0, 0.0];
        let weights = routed(&grouped, &logits);
        assert_eq!(weights, [0.0, 0.0, 0.0, 0.0, 0.5, 0.5, 0.0, 0.0, 0.0]);
        let bias = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0];
        let biased = Routing {
            bias: Some(&bias),
            ..grouped
        };
        let weights = routed(&biased, &logits);
        assert_eq!((weights[4], weights[7]), (0.0, 0.5));
        assert!(weights[6] > 0.0 && weights[8] == 0.0);
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
            let routing = Routing { scoring, groups: None, chosen, normalized, epsilon: 0.0, scale: 1.5, bias: None };
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

        #[test]
        fn groups_are_kept_by_their_two_greatest(
            logits in prop::collection::vec(-8.0f32..8.0, 24..25),
            bias in prop::collection::vec(0.0f32..0.5, 24..25),
            count in prop::sample::select(vec![1u32, 2, 3, 4, 6, 12]),
            part in 0.0f64..1.0,
        ) {
            let kept = 1 + (part * f64::from(count - 1)).round() as u32;
            let size = 24 / count as usize;
            let chosen = (kept as usize * size).min(5);
            let routing = Routing {
                scoring: RouteScoring::Sigmoid,
                groups: Some(RouteGroups { count, kept }),
                chosen,
                normalized: true,
                epsilon: 0.0,
                scale: 2.5,
                bias: Some(&bias),
            };
            let weights = routed(&routing, &logits);
            for isa in Isa::available() {
                let mut row = logits.clone();
                route(isa, &routing, &mut row);
                prop_assert_eq!(&row, &weights);
            }
            // The scores themselves, as routing computes them.
            let all = Routing { groups: None, bias: None, chosen: 24, normalized: false, scale: 1.0, ..routing };
            let scores = routed(&all, &logits);
            let choice: Vec<f32> = scores.iter().zip(&bias).map(|(score, bias)| score + bias).collect();
            let pair = |group: &usize| {
                let mut of = choice[group * size..][..size].to_vec();
                of.sort_by(|a, b| b.total_cmp(a));
                of[0] + of[1]
            };
            let mut groups: Vec<usize> = (0..count as usize).collect();
            groups.sort_by(|a, b| pair(b).total_cmp(&pair(a)));
            groups.truncate(kept as usize);
            let mut order: Vec<usize> = (0..24).filter(|i| groups.contains(&(i / size))).collect();
            order.sort_by(|a, b| choice[*b].total_cmp(&choice[*a]));
            order.truncate(chosen);
            order.sort_unstable();
            let mut total = 0.0;
            order.iter().for_each(|i| total += scores[*i]);
            let mut expected = vec![0.0; 24];
            order.iter().for_each(|i| expected[*i] = scores[*i] / total * 2.5);
            prop_assert_eq!(weights, expected);
        }
    }
}
