//! Mixtures of experts, against every expert computed for every token.

#[allow(dead_code, reason = "most of it is for tests of whole decoders")]
mod support;

use proptest::prelude::*;
use support::{Mixture, VOCAB, lines};
use tealight_core::executor::{Activations, Arena, Config, Executor, KvCache, Logits};
use tealight_core::kernels::Isa;
use tealight_core::ops::{RouteGroups, RouteScoring};
use tealight_core::plan::{OpFault, Plan, PlanError};
use tealight_core::pool::Single;

/// What the mixture makes of each token.
fn sums(mixture: &Mixture, tokens: &[u32]) -> Vec<Vec<f32>> {
    let plan = Plan::open(mixture.file()).expect("the mixture is sound");
    let config = Config {
        step: tokens.len(),
        logits: tokens.len(),
        ..Config::new(tokens.len())
    };
    let mut cache =
        KvCache::new(&plan, &config, lines(KvCache::lines(&plan, &config))).expect("fits");
    let mut arena = Arena::new(&plan, &config, lines(Arena::lines(&plan, &config))).expect("fits");
    let executor = Executor::new(&plan, &Single, Isa::best(), Activations::F32);
    let logits = executor
        .step(&mut cache, &mut arena, tokens, Logits::All)
        .expect("runs");
    let rows = logits.chunks_exact(VOCAB as usize);
    rows.map(<[f32]>::to_vec).collect()
}

/// The same in f64, all experts for every token, each times a weight that may be zero.
fn dense(mixture: &Mixture, token: u32) -> Vec<f64> {
    let row = |matrix: &[f32], row: usize, x: &[f64]| -> f64 {
        let weights = matrix[row * x.len()..][..x.len()].iter();
        weights.zip(x).map(|(w, x)| f64::from(*w) * x).sum()
    };
    let (experts, width) = (mixture.experts as usize, mixture.width as usize);
    let hidden = mixture.hidden as usize;
    let x = &mixture.table[token as usize * hidden..][..hidden];
    let x: Vec<f64> = x.iter().map(|x| f64::from(*x)).collect();
    let logits: Vec<f64> = (0..experts).map(|e| row(&mixture.router, e, &x)).collect();
    let total: f64 = logits.iter().map(|x| x.exp()).sum();
    let score = |x: &f64| match mixture.scoring {
        RouteScoring::Softmax => x.exp() / total,
        RouteScoring::Sigmoid => 1.0 / (1.0 + (-x).exp()),
    };
    let mut order: Vec<usize> = (0..experts).collect();
    order.sort_by(|a, b| logits[*b].total_cmp(&logits[*a]));
    let chosen = &order[..mixture.chosen as usize];
    let sum: f64 = chosen.iter().map(|e| score(&logits[*e])).sum();
    let mut out = vec![0.0; VOCAB as usize];
    for (expert, logit) in logits.iter().enumerate() {
        let weight = match chosen.contains(&expert) {
            true => score(logit) / if mixture.normalized { sum } else { 1.0 },
            false => 0.0,
        };
        let first = |at: usize| row(&mixture.gate_up, expert * 2 * width + at, &x);
        let gated: Vec<f64> = (0..width)
            .map(|at| first(at) / (1.0 + (-first(at)).exp()) * first(width + at))
            .collect();
        for (at, out) in out.iter_mut().enumerate() {
            *out += weight * row(&mixture.down, expert * VOCAB as usize + at, &gated);
        }
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_routed_sum_is_the_dense_sum(
        seed in 1u64..,
        experts in 1u32..20,
        part in 0.0f64..=1.0,
        groups in 1u32..4,
        normalized: bool,
        sigmoid: bool,
        tokens in prop::collection::vec(0..VOCAB, 1..12),
    ) {
        // From one expert to all of them.
        let chosen = 1 + (part * f64::from(experts - 1)).round() as u32;
        let scoring = [RouteScoring::Softmax, RouteScoring::Sigmoid][usize::from(sigmoid)];
        let mixture = Mixture::random(seed, experts, chosen, 8 * groups, scoring, normalized);
        for (sum, token) in sums(&mixture, &tokens).iter().zip(&tokens) {
            let expected = dense(&mixture, *token);
            let most = expected.iter().fold(0f64, |most, x| most.max(x.abs()));
            for (x, y) in sum.iter().zip(&expected) {
                prop_assert!((f64::from(*x) - y).abs() <= 2e-5 * most, "{x} and {y}");
            }
        }
    }
}

#[test]
fn of_equal_logits_the_first_experts_are_run() {
    let mut mixture = Mixture::random(7, 6, 2, 16, RouteScoring::Softmax, true);
    mixture.router.fill(0.0);
    let whole = sums(&mixture, &[3, 4]);
    // Sorting is stable, so the reference takes the first as well.
    for (sum, token) in whole.iter().zip([3, 4]) {
        let expected = dense(&mixture, token);
        assert!((sum.iter().zip(&expected)).all(|(x, y)| (f64::from(*x) - y).abs() < 1e-5));
    }
}

#[test]
fn weights_of_experts_that_no_token_goes_to_are_not_read() {
    let mut mixture = Mixture::random(7, 6, 2, 16, RouteScoring::Softmax, true);
    mixture.router.fill(0.0);
    let expected = sums(&mixture, &[3, 4, 5]);
    let (first, last) = (mixture.gate_up.len() / 3, mixture.down.len() / 3);
    mixture.gate_up[first..].fill(f32::NAN);
    mixture.down[last..].fill(f32::NAN);
    assert_eq!(sums(&mixture, &[3, 4, 5]), expected);
    assert!(expected.iter().flatten().all(|x| x.is_finite()));
}

#[test]
fn groups_that_do_not_divide_the_experts_are_refused() {
    let opened = |count, kept, chosen| {
        let mut mixture = Mixture::random(7, 6, chosen, 16, RouteScoring::Sigmoid, true);
        mixture.groups = Some(RouteGroups { count, kept });
        Plan::open(mixture.file()).map(|_| ())
    };
    assert_eq!(opened(3, 2, 4), Ok(()));
    assert_eq!(opened(1, 1, 6), Ok(()));
    let refused = [
        (0, 1, 2),
        (4, 1, 1),
        (6, 3, 2),
        (12, 1, 1),
        (3, 0, 2),
        (3, 4, 2),
        (3, 2, 5),
        (u32::MAX, u32::MAX, 1),
    ];
    for (count, kept, chosen) in refused {
        let fault = match opened(count, kept, chosen) {
            Err(PlanError::Op { name, fault, .. }) => (name, fault),
            other => panic!("{count} groups, {kept} kept, {chosen} chosen: {other:?}"),
        };
        assert_eq!(fault, ("Route", OpFault::Shape));
    }
}
