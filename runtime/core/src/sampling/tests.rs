extern crate std;

use std::collections::{HashMap, HashSet};
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::rng::Rng as OwnRng;
use super::*;

fn scratch(len: usize) -> Vec<Candidate> {
    vec![Candidate::default(); len]
}

fn sample(params: SamplingParams, logits: &[f32], history: &[u32]) -> u32 {
    let mut logits = logits.to_vec();
    let mut scratch = scratch(logits.len());
    Sampler::new(params).sample(&mut logits, history, &mut scratch)
}

/// Every token that `params` can draw, found by trying many seeds.
fn reachable(params: SamplingParams, logits: &[f32]) -> HashSet<u32> {
    (0..500)
        .map(|seed| sample(SamplingParams { seed, ..params }, logits, &[]))
        .collect()
}

#[test]
fn greedy_takes_the_first_of_the_highest() {
    assert_eq!(greedy(&[1.0, 3.0, 3.0, 2.0]), 1);
    assert_eq!(greedy(&[-0.0, 0.0]), 0);
}

#[test]
fn greedy_survives_nan_and_infinity() {
    assert_eq!(greedy(&[f32::NAN, -5.0, f32::NAN]), 1);
    assert_eq!(greedy(&[0.0, f32::INFINITY]), 1);
    assert_eq!(greedy(&[f32::NEG_INFINITY, f32::NAN]), 0);
    assert_eq!(greedy(&[]), 0);
}

#[test]
fn zero_temperature_is_greedy() {
    let params = SamplingParams {
        temperature: 0.0,
        ..Default::default()
    };
    assert_eq!(reachable(params, &[1.0, 1.1, 1.05]), HashSet::from([1]));
}

#[test]
fn top_k_keeps_k_tokens() {
    let params = SamplingParams {
        top_k: 2,
        temperature: 100.0,
        ..Default::default()
    };
    assert_eq!(
        reachable(params, &[1.0, 5.0, 3.0, 4.0]),
        HashSet::from([1, 3])
    );
}

#[test]
fn top_p_keeps_the_nucleus() {
    // Probabilities 0.5, 0.25, 0.125, 0.125.
    let logits = [0.0, 0.5f32.ln(), 0.25f32.ln(), 0.25f32.ln()];
    let with = |top_p| {
        reachable(
            SamplingParams {
                top_p,
                ..Default::default()
            },
            &logits,
        )
    };
    assert_eq!(with(0.4), HashSet::from([0]));
    assert_eq!(with(0.7), HashSet::from([0, 1]));
    assert_eq!(with(0.8), HashSet::from([0, 1, 2]));
    assert_eq!(with(0.0), HashSet::from([0]));
    assert_eq!(with(1.0), HashSet::from([0, 1, 2, 3]));
}

#[test]
fn min_p_keeps_what_is_near_the_likeliest() {
    let logits = [0.0, 0.5f32.ln(), 0.1f32.ln()];
    let with = |min_p| {
        reachable(
            SamplingParams {
                min_p,
                ..Default::default()
            },
            &logits,
        )
    };
    assert_eq!(with(0.45), HashSet::from([0, 1]));
    assert_eq!(with(0.05), HashSet::from([0, 1, 2]));
    assert_eq!(with(7.0), HashSet::from([0]));
}

#[test]
fn draws_follow_the_distribution() {
    let logits = [0.5f32.ln(), 0.3f32.ln(), 0.2f32.ln()];
    let mut sampler = Sampler::new(SamplingParams {
        seed: 1,
        ..Default::default()
    });
    let mut counts = HashMap::new();
    for _ in 0..100_000 {
        let token = sampler.sample(&mut logits.clone(), &[], &mut scratch(3));
        *counts.entry(token).or_insert(0) += 1;
    }
    for (token, share) in [(0, 0.5), (1, 0.3), (2, 0.2)] {
        let seen = f64::from(counts[&token]) / 100_000.0;
        assert!(
            (seen - share).abs() < 0.01,
            "token {token}: {seen} instead of {share}"
        );
    }
}

#[test]
fn repetition_penalty_divides_positive_and_multiplies_negative_logits() {
    let params = SamplingParams {
        repetition_penalty: 2.0,
        ..Default::default()
    };
    let mut logits = [4.0, -4.0, 4.0];
    penalties::apply(&params, &mut logits, &[0, 1, 1, 9], &mut scratch(4));
    assert_eq!(logits, [2.0, -8.0, 4.0]);
}

#[test]
fn frequency_and_presence_penalties_subtract() {
    let params = SamplingParams {
        frequency_penalty: 0.5,
        presence_penalty: 0.25,
        ..Default::default()
    };
    let mut logits = [1.0, 1.0, 1.0];
    penalties::apply(&params, &mut logits, &[2, 1, 2], &mut scratch(3));
    assert_eq!(logits, [1.0, 0.25, -0.25]);
}

#[test]
fn penalties_look_no_further_back_than_the_window() {
    let params = SamplingParams {
        presence_penalty: 1.0,
        penalty_window: 2,
        ..Default::default()
    };
    let mut logits = [0.0; 3];
    penalties::apply(&params, &mut logits, &[0, 1, 2], &mut scratch(3));
    assert_eq!(logits, [0.0, -1.0, -1.0]);
}

#[test]
fn a_seed_gives_the_promised_numbers() {
    let mut rng = OwnRng::new(1234567);
    let first = [rng.bits(), rng.bits(), rng.bits()];
    assert_eq!(
        first,
        [
            6457827717110365317,
            3203168211198807973,
            9817491932198370423
        ]
    );
}

#[test]
fn a_seed_gives_the_promised_tokens() {
    let logits: Vec<f32> = (0..50).map(|i| ((i * 37) % 50) as f32 * 0.1).collect();
    let params = SamplingParams {
        temperature: 0.8,
        top_k: 40,
        top_p: 0.95,
        min_p: 0.02,
        seed: 42,
        ..Default::default()
    };
    let mut sampler = Sampler::new(params);
    let tokens: Vec<u32> = (0..8)
        .map(|_| sampler.sample(&mut logits.clone(), &[], &mut scratch(50)))
        .collect();
    assert_eq!(tokens, PROMISED);
}

const PROMISED: [u32; 8] = [20, 4, 31, 8, 27, 28, 4, 24];

fn any_logit() -> impl Strategy<Value = f32> {
    prop_oneof![
        8 => -30f32..30.0,
        1 => any::<f32>(),
        1 => prop::sample::select(vec![f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, -0.0]),
    ]
}

fn any_params() -> impl Strategy<Value = SamplingParams> {
    let number = || prop_oneof![8 => 0f32..2.0, 1 => any::<f32>(), 1 => Just(f32::NAN)];
    (
        number(),
        0usize..80,
        number(),
        number(),
        number(),
        number(),
        number(),
        0usize..10,
        any::<u64>(),
    )
        .prop_map(
            |(temperature, top_k, top_p, min_p, repetition, frequency, presence, window, seed)| {
                SamplingParams {
                    temperature,
                    top_k,
                    top_p,
                    min_p,
                    repetition_penalty: repetition,
                    frequency_penalty: frequency,
                    presence_penalty: presence,
                    penalty_window: window,
                    seed,
                }
            },
        )
}

proptest! {
    #[test]
    fn whatever_comes_in_a_token_of_the_vocabulary_comes_out(
        params in any_params(),
        logits in prop::collection::vec(any_logit(), 1..200),
        history in prop::collection::vec(0u32..250, 0..40),
        room in 0usize..220,
    ) {
        let mut changed = logits.clone();
        let token = Sampler::new(params).sample(&mut changed, &history, &mut scratch(room));
        prop_assert!((token as usize) < logits.len());
    }

    #[test]
    fn an_impossible_token_is_never_drawn(
        logits in prop::collection::vec(-10f32..10.0, 2..100),
        allowed in any::<prop::sample::Index>(),
        seed in any::<u64>(),
    ) {
        let allowed = allowed.index(logits.len());
        let mut masked = vec![f32::NEG_INFINITY; logits.len()];
        masked[allowed] = logits[allowed];
        let params = SamplingParams { seed, temperature: 1.5, ..Default::default() };
        prop_assert_eq!(sample(params, &masked, &[]), allowed as u32);
    }

    #[test]
    fn top_k_of_everything_keeps_what_a_full_sort_keeps(
        logits in prop::collection::vec(-10f32..10.0, 1..200),
        k in 1usize..210,
    ) {
        let mut room = scratch(logits.len());
        let mut kept: Vec<u32> = top_k::select(&logits, k, &mut room).iter().map(|c| c.token).collect();
        let mut order: Vec<u32> = (0..logits.len() as u32).collect();
        order.sort_by(|a, b| logits[*b as usize].total_cmp(&logits[*a as usize]));
        order.truncate(k);
        kept.sort();
        order.sort();
        prop_assert_eq!(kept, order);
    }

    #[test]
    fn a_short_scratch_acts_as_top_k(
        logits in prop::collection::vec(-10f32..10.0, 1..200),
        room in 1usize..200,
        seed in any::<u64>(),
    ) {
        let whole = SamplingParams { seed, top_p: 0.9, ..Default::default() };
        let short = Sampler::new(whole).sample(&mut logits.clone(), &[], &mut scratch(room));
        let limited = SamplingParams { top_k: room, ..whole };
        prop_assert_eq!(short, sample(limited, &logits, &[]));
    }

    #[test]
    fn the_nucleus_is_what_a_full_sort_finds(
        logits in prop::collection::vec(-12f32..12.0, 1..300),
        p in 0f32..1.0,
    ) {
        let mut room = scratch(logits.len());
        let all = top_k::select(&logits, 0, &mut room);
        let total = candidates::weigh(all, 1.0);
        let mut sorted = all.to_vec();
        sorted.sort_by(Candidate::by_rank);
        let mut sum = 0.0;
        let enough = sorted.iter().position(|c| {
            sum += f64::from(c.value);
            sum >= total * f64::from(p)
        });
        sorted.truncate(enough.map_or(sorted.len(), |at| at + 1));
        prop_assert_eq!(top_p::keep(all, total, p), &sorted[..]);
    }

    #[test]
    fn counting_is_the_same_with_and_without_scratch(
        history in prop::collection::vec(0u32..12, 0..60),
        params in any_params(),
        logits in prop::collection::vec(-10f32..10.0, 12),
    ) {
        let (mut a, mut b) = (logits.clone(), logits);
        penalties::apply(&params, &mut a, &history, &mut scratch(60));
        penalties::apply(&params, &mut b, &history, &mut []);
        prop_assert!(a.iter().zip(&b).all(|(a, b)| a.to_bits() == b.to_bits()));
    }
}
