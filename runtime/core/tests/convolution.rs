//! Convolutions against sums over all that was seen, and sessions that go back.

#[allow(dead_code, reason = "most of it is for tests of whole decoders")]
mod support;

use proptest::prelude::*;
use support::session::{CONTEXT, Session, assert_same_bits, text};
use support::{Convolved, VOCAB};
use tealight_core::executor::{Config, KvCache, Line};
use tealight_core::kernels::Isa;
use tealight_core::plan::{OpFault, Plan, PlanError};
use tealight_core::pool::Single;

/// Positions that can always be continued are so far apart.
const SPAN: usize = 64;

/// Logits of every token, in f64 and one after the other.
fn dense(model: &Convolved, tokens: &[u32]) -> Vec<f64> {
    let (channels, taps) = (model.channels as usize, model.taps as usize);
    let part = |token: u32, part: usize, channel: usize| {
        f64::from(model.table[(token as usize * 3 + part) * channels + channel])
    };
    let gate = |on: bool, value: f64| if on { value } else { 1.0 };
    let mut all = Vec::new();
    for (t, &token) in tokens.iter().enumerate() {
        let sums: Vec<f64> = (0..channels)
            .map(|c| {
                let bias = model.bias.as_ref().map_or(0.0, |bias| f64::from(bias[c]));
                let terms = (0..taps).filter_map(|back| {
                    let token = tokens[t.checked_sub(back)?];
                    let seen = gate(model.gates[0], part(token, 0, c)) * part(token, 1, c);
                    Some(seen * f64::from(model.weight[(taps - 1 - back) * channels + c]))
                });
                (bias + terms.sum::<f64>()) * gate(model.gates[1], part(token, 2, c))
            })
            .collect();
        let head = model.head.chunks_exact(channels);
        all.extend(head.map(|row| {
            let products = row.iter().zip(&sums).map(|(w, x)| f64::from(*w) * x);
            products.sum::<f64>()
        }));
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_sums_are_those_of_all_that_was_seen(
        seed: u64, channels in 1u32..70, taps in 2u32..=4, len in 1usize..200,
    ) {
        let model = Convolved::random(seed, channels, taps, CONTEXT as u32);
        let plan = Plan::open(model.file()).expect("sound");
        let tokens = text(seed, len);
        let bits = Session::new(&plan, &Single, Isa::best()).step(&tokens);
        for (at, (bits, exact)) in bits.iter().zip(dense(&model, &tokens)).enumerate() {
            let found = f64::from(f32::from_bits(*bits));
            prop_assert!((found - exact).abs() < 1e-4 * (1.0 + exact.abs()), "{at}: {found} and {exact}");
        }
    }

    #[test]
    fn every_isa_thread_count_and_cut_gives_the_same_bits(
        seed: u64, channels in 1u32..200, taps in 2u32..=4, cuts in prop::collection::vec(1usize..90, 1..6),
    ) {
        let model = Convolved::random(seed, channels, taps, CONTEXT as u32);
        assert_same_bits(&Plan::open(model.file()).expect("sound"), seed, &cuts);
    }

    #[test]
    fn a_session_that_went_back_goes_on_as_if_it_had_never_been_further(
        seed: u64,
        taps in 2u32..=4,
        moves in prop::collection::vec((1usize..150, 0.0f64..1.0), 1..8),
    ) {
        let model = Convolved::random(seed, 20, taps, CONTEXT as u32);
        let plan = Plan::open(model.file()).expect("sound");
        let mut session = Session::new(&plan, &Single, Isa::best());
        for (index, (more, back)) in moves.into_iter().enumerate() {
            let more = more.min(CONTEXT - session.tokens.len());
            let tokens = text(seed.wrapping_add(index as u64), more);
            if !tokens.is_empty() {
                let first = session.tokens.len();
                let bits = session.step(&tokens);
                let whole = Session::new(&plan, &Single, Isa::best()).step(&session.tokens);
                prop_assert_eq!(&bits[..], &whole[first * VOCAB as usize..]);
            }
            let before = session.tokens.len();
            // Squared, as most go back by little.
            let wanted = before - (back * back * before as f64) as usize;
            let left = session.truncate(wanted);
            prop_assert!(left <= wanted && wanted - left < SPAN);
            prop_assert_eq!(session.cache.len(), left);
            prop_assert!(left == wanted || left.is_multiple_of(SPAN));
        }
    }
}

#[test]
fn a_step_back_of_a_sentence_is_exact() {
    let model = Convolved::random(1, 20, 3, CONTEXT as u32);
    let plan = Plan::open(model.file()).expect("sound");
    for len in [62, 63, 64, 65, 127, 128, 129, 200] {
        for back in 0..=61 {
            let mut session = Session::new(&plan, &Single, Isa::best());
            session.step(&text(3, len));
            assert_eq!(session.truncate(len - back), len - back);
        }
    }
}

#[test]
fn what_is_kept_is_a_fraction_of_all_that_was_seen() {
    let channels = 2048;
    let model = Convolved::random(1, channels, 3, 8192);
    let plan = Plan::open(model.file()).expect("sound");
    let lines = |context| KvCache::lines(&plan, &Config::new(context)).expect("small");
    let row = channels as usize * 4 / Line::BYTES;
    assert_eq!(lines(8192), (SPAN + 8192 / SPAN * 2) * row);
}

#[test]
fn a_convolution_that_does_not_fit_its_plan_is_refused() {
    let fault = |taps: u32, bias: usize| {
        let model = Convolved {
            taps,
            weight: vec![0.5; 20 * taps as usize],
            bias: Some(vec![0.5; bias]),
            ..Convolved::random(1, 20, 3, CONTEXT as u32)
        };
        match Plan::open(model.file()) {
            Err(PlanError::Op { fault, .. }) => Some(fault),
            Err(other) => panic!("{other}"),
            Ok(_) => None,
        }
    };
    assert_eq!(fault(3, 20), None);
    assert_eq!(fault(1, 20), Some(OpFault::Shape));
    assert_eq!(fault(5, 20), Some(OpFault::Shape));
    assert_eq!(fault(3, 19), Some(OpFault::Shape));
}
