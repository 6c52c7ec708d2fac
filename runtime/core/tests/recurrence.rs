//! Recurrent states against sums in f64, and sessions that go back to their copies.

#[allow(dead_code, reason = "most of it is for tests of whole decoders")]
mod support;

use proptest::prelude::*;
use support::session::{CONTEXT, Session, assert_same_bits, text};
use support::{Decay, Recurrent, VOCAB};
use tealight_core::executor::{Config, KvCache, Line};
use tealight_core::kernels::Isa;
use tealight_core::ops::Update;
use tealight_core::plan::{OpFault, Plan, PlanError};
use tealight_core::pool::Single;

/// A prompt's copy is made so many tokens before its end.
const TAIL: usize = 8;
/// Positions at which a copy follows generation are so far apart.
const SPAN: usize = 64;

/// Logits of every token, in f64.
fn dense(model: &Recurrent, tokens: &[u32]) -> Vec<f64> {
    let ends = model.ends().map(|end| end as usize);
    let row = |token: u32| {
        let width = ends[4];
        let row = &model.table[token as usize * width..][..width];
        row.iter().map(|x| f64::from(*x)).collect::<Vec<f64>>()
    };
    let rows: Vec<Vec<f64>> = tokens.iter().map(|&token| row(token)).collect();
    let [states, key_dim, value_dim] =
        [model.states, model.key_dim, model.value_dim].map(|size| size as usize);
    let [queries, keys] = [model.queries, model.keys].map(|size| size as usize);
    let outputs = queries.max(states);
    let mut state = vec![0.0; states * key_dim * value_dim];
    let mut all = Vec::new();
    for t in 0..rows.len() {
        let mut seen = rows[t].clone();
        if model.convolved {
            for (channel, seen) in seen[..ends[2]].iter_mut().enumerate() {
                let terms = (0..3.min(t + 1)).map(|back| {
                    let tap = model.taps[(2 - back) * ends[2] + channel];
                    rows[t - back][channel] * f64::from(tap)
                });
                *seen = terms.sum();
            }
        }
        let mut out = vec![0.0; outputs * value_dim];
        for h in 0..states {
            let rate = f64::from(model.rate[h]);
            let decay = |i: usize| match model.decay {
                Decay::None => 1.0,
                Decay::Fixed => rate.exp(),
                Decay::PerState => (rate * seen[ends[2] + h]).exp(),
                Decay::PerValue => (rate * seen[ends[2] + h * key_dim + i]).exp(),
            };
            let beta = if model.beta { seen[ends[3] + h] } else { 1.0 };
            let key = &seen[ends[0]..][h / (states / keys) * key_dim..][..key_dim];
            let value = &seen[ends[1]..][h * value_dim..][..value_dim];
            let state = &mut state[h * key_dim * value_dim..][..key_dim * value_dim];
            for i in 0..key_dim {
                state[i * value_dim..][..value_dim]
                    .iter_mut()
                    .for_each(|s| *s *= decay(i));
            }
            for j in 0..value_dim {
                let found: f64 = (0..key_dim)
                    .map(|i| key[i] * state[i * value_dim + j])
                    .sum();
                let found = if model.update == Update::Delta {
                    found
                } else {
                    0.0
                };
                let brought = beta * (value[j] - found);
                (0..key_dim).for_each(|i| state[i * value_dim + j] += key[i] * brought);
            }
            let asked = (0..outputs).filter(|o| o / (outputs / states) == h);
            for o in asked {
                let query = &seen[o / (outputs / queries) * key_dim..][..key_dim];
                for j in 0..value_dim {
                    let sum: f64 = (0..key_dim)
                        .map(|i| query[i] * state[i * value_dim + j])
                        .sum();
                    let skip = model.skip.as_ref().map_or(0.0, |skip| f64::from(skip[h]));
                    out[o * value_dim + j] = 0.5 * sum + skip * value[j];
                }
            }
        }
        all.extend(model.head.chunks_exact(out.len()).map(|row| {
            let products = row.iter().zip(&out).map(|(w, x)| f64::from(*w) * x);
            products.sum::<f64>()
        }));
    }
    all
}

/// Heads of queries, keys and states that fit each other.
const HEADS: [[u32; 3]; 6] = [
    [1, 1, 1],
    [2, 2, 2],
    [2, 2, 4],
    [4, 2, 2],
    [1, 1, 3],
    [2, 1, 2],
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn outputs_are_those_of_the_sums(
        seed: u64, heads in 0..HEADS.len(), key_dim in 1u32..70, value_dim in 1u32..150, len in 1usize..40,
    ) {
        let model = Recurrent::random(seed, HEADS[heads], [key_dim, value_dim], CONTEXT as u32);
        let plan = Plan::open(model.file()).expect("sound");
        let tokens = text(seed, len);
        let bits = Session::new(&plan, &Single, Isa::best()).step(&tokens);
        for (at, (bits, exact)) in bits.iter().zip(dense(&model, &tokens)).enumerate() {
            let found = f64::from(f32::from_bits(*bits));
            prop_assert!((found - exact).abs() < 2e-4 * (1.0 + exact.abs()), "{at}: {found} and {exact}");
        }
    }

    #[test]
    fn every_isa_thread_count_and_cut_gives_the_same_bits(
        seed: u64,
        heads in 0..HEADS.len(),
        key_dim in 1u32..70,
        value_dim in 1u32..150,
        cuts in prop::collection::vec(1usize..40, 1..5),
    ) {
        let model = Recurrent::random(seed, HEADS[heads], [key_dim, value_dim], CONTEXT as u32);
        assert_same_bits(&Plan::open(model.file()).expect("sound"), seed, &cuts);
    }

    #[test]
    fn a_session_that_went_back_goes_on_as_if_it_had_never_been_further(
        seed: u64,
        moves in prop::collection::vec((1usize..120, any::<bool>(), 0.0f64..1.0), 1..10),
    ) {
        let model = Recurrent::random(seed, [1, 1, 2], [5, 20], CONTEXT as u32);
        let plan = Plan::open(model.file()).expect("sound");
        let mut session = Session::new(&plan, &Single, Isa::best());
        for (index, (more, at_once, back)) in moves.into_iter().enumerate() {
            let more = more.min(CONTEXT - session.tokens.len());
            let tokens = text(seed.wrapping_add(index as u64), more);
            let first = session.tokens.len();
            let steps = tokens.chunks(if at_once { more.max(1) } else { 1 });
            let bits: Vec<u32> = steps.flat_map(|step| session.step(step)).collect();
            if !tokens.is_empty() {
                let whole = Session::new(&plan, &Single, Isa::best()).step(&session.tokens);
                prop_assert_eq!(&bits[..], &whole[first * VOCAB as usize..]);
            }
            let before = session.tokens.len();
            let wanted = before - (back * back * before as f64) as usize;
            let left = session.truncate(wanted);
            prop_assert!(left <= wanted);
            prop_assert_eq!(session.cache.len(), left);
            prop_assert!(wanted < before || left == before);
        }
    }
}

/// A session of steps of so many tokens each; a step of 1 stands for generation.
fn session<'a>(plan: &'a Plan<support::File>, steps: &[usize]) -> Session<'a> {
    let mut session = Session::new(plan, &Single, Isa::best());
    for (seed, &step) in steps.iter().enumerate() {
        session.step(&text(seed as u64, step));
    }
    session
}

fn plan() -> Plan<support::File> {
    let model = Recurrent::random(1, [1, 1, 2], [5, 20], CONTEXT as u32);
    Plan::open(model.file()).expect("sound")
}

#[test]
fn an_answer_can_be_tried_again_from_just_before_the_end_of_its_prompt() {
    let plan = plan();
    for (prompt, answer) in [(40, 5), (40, 150), (100, 63), (9, 200)] {
        let steps = [&[prompt][..], &vec![1; answer]].concat();
        // Twice, as what was gone back to is still there.
        let mut session = session(&plan, &steps);
        for _ in 0..2 {
            assert_eq!(session.truncate(prompt - 1), prompt - TAIL);
            session.step(&text(7, TAIL));
            session.step(&text(8, 1));
        }
    }
}

#[test]
fn a_generation_goes_back_by_few_tokens() {
    let plan = plan();
    let steps = [&[20][..], &[1; 130]].concat();
    assert_eq!(session(&plan, &steps).truncate(149), 2 * SPAN);
    assert_eq!(session(&plan, &steps).truncate(2 * SPAN - 1), 20 - TAIL);
    assert_eq!(session(&plan, &steps).truncate(150), 150);
}

#[test]
fn earlier_prompts_can_be_gone_back_to_and_the_sparser_the_further_back() {
    let plan = plan();
    // A prompt in portions, whose ends are 30, 60 … 240.
    let ends = |len| session(&plan, &[30; 8]).truncate(len) + TAIL;
    assert_eq!(ends(239), 240);
    assert_eq!(ends(231), 210);
    assert!((30..=180).contains(&ends(201)));
    assert_eq!(session(&plan, &[30; 8]).truncate(21), 0);
    // A short message behind a long one.
    assert_eq!(session(&plan, &[100, 3]).truncate(102), 100);
    assert_eq!(session(&plan, &[100, 3]).truncate(99), 100 - TAIL);
}

#[test]
fn a_session_keeps_its_states_and_four_copies_with_what_convolutions_need() {
    let model = Recurrent {
        convolved: true,
        ..Recurrent::random(1, [2, 2, 4], [64, 80], 8192)
    };
    let plan = Plan::open(model.file()).expect("sound");
    let lines = |context| KvCache::lines(&plan, &Config::new(context)).expect("small");
    let floats = 4 * 64 * 80 + 2 * model.ends()[2] as usize;
    assert_eq!(lines(8192), 5 * (floats * 4).div_ceil(Line::BYTES));
    assert_eq!(lines(100), lines(8192));
}

#[test]
fn a_recurrence_that_does_not_fit_its_plan_is_refused() {
    let fault = |change: fn(&mut Recurrent)| {
        let mut model = Recurrent::random(1, [2, 2, 4], [16, 32], CONTEXT as u32);
        change(&mut model);
        match Plan::open(model.file()) {
            Err(PlanError::Op { fault, .. }) => Some(fault),
            Err(other) => panic!("{other}"),
            Ok(_) => None,
        }
    };
    assert_eq!(fault(|_| ()), None);
    assert_eq!(fault(|m| m.skip = Some(vec![1.0; 4])), None);
    assert_eq!(fault(|m| m.skip = Some(vec![1.0; 3])), Some(OpFault::Shape));
    assert_eq!(fault(|m| m.rate.push(1.0)), Some(OpFault::Shape));
    let heads = |heads: [u32; 3], dims| {
        let model = Recurrent::random(1, heads, dims, CONTEXT as u32);
        matches!(Plan::open(model.file()), Err(PlanError::Op { .. }))
    };
    assert!(!heads([1, 1, 4], [16, 32]));
    assert!(heads([1, 3, 4], [16, 32]));
    assert!(heads([1, 8, 4], [16, 32]));
    assert!(heads([3, 1, 4], [16, 32]));
    assert!(heads([1, 1, 1], [257, 32]));
}
