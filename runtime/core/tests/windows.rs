//! Caches that keep what windows still see, against caches that keep all.

#[allow(dead_code, reason = "most of it is for tests of whole decoders")]
mod support;

use proptest::prelude::*;
use support::session::{Session, text};
use support::{Beside, File, VOCAB, Windowed};
use tealight_core::executor::{
    Activations, Arena, Config, Executor, KvCache, KvType, Line, Logits, MemoryError, StepError,
};
use tealight_core::kernels::Isa;
use tealight_core::plan::{OpFault, Plan, PlanError};
use tealight_core::pool::{Pool, Single, Workers};

const CONTEXT: usize = 700;
const STEP: usize = 40;
/// How far a session can always go back.
const BACK: usize = 256;
const KINDS: [KvType; 3] = [KvType::F16, KvType::F32, KvType::Int8];

fn config(kv: KvType, threads: usize) -> Config {
    Config {
        step: STEP,
        logits: STEP,
        threads,
        kv,
        ..Config::new(CONTEXT)
    }
}

fn plan(model: &Windowed) -> Plan<File> {
    Plan::open(model.file()).expect("sound")
}

/// The bits of all logits of a text in these steps, over and over.
fn bits(
    plan: &Plan<File>,
    workers: &dyn Workers,
    isa: Isa,
    kv: KvType,
    cuts: &[usize],
) -> Vec<u32> {
    let tokens = text(5, CONTEXT);
    let mut session = Session::with(plan, workers, isa, config(kv, workers.count()));
    let mut bits = Vec::new();
    for cut in cuts.iter().cycle() {
        let rest = &tokens[session.tokens.len()..];
        if rest.is_empty() {
            return bits;
        }
        bits.extend(session.step(&rest[..rest.len().min(*cut)]));
    }
    bits
}

#[test]
fn a_cache_that_let_positions_go_gives_the_bits_of_one_that_keeps_all() {
    let pool = Pool::new(3).expect("threads");
    // Each with one that sees all; of one window, and of several.
    for windows in [[0, 30, 30], [20, 65, 0], [1, 17, 33]] {
        let model = Windowed::new(CONTEXT, &windows);
        let (few, all) = (plan(&model), plan(&model.keeping_all()));
        for kv in KINDS {
            assert!(lines(&few, kv) < lines(&all, kv));
            let expected = bits(&all, &Single, Isa::SCALAR, kv, &[STEP]);
            for isa in Isa::available() {
                let ways: [(&dyn Workers, &[usize]); 3] = [
                    (&Single, &[1]),
                    (&pool, &[STEP]),
                    (&pool, &[3, 16, 1, 1, 29]),
                ];
                for (workers, cuts) in ways {
                    let found = bits(&few, workers, isa, kv, cuts);
                    assert!(found == expected, "{windows:?} {kv:?} {isa:?} {cuts:?}");
                }
            }
        }
    }
}

fn lines(plan: &Plan<File>, kv: KvType) -> usize {
    KvCache::lines(plan, &config(kv, 1)).expect("small")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_session_that_went_back_goes_on_as_if_it_had_never_been_further(
        seed: u64,
        windows in prop::array::uniform3(0u32..90),
        // Records may keep more than is seen.
        more in prop::array::uniform3(prop::sample::select(vec![0, 0, 1, 50, 500, 1 << 24, u32::MAX])),
        kv in 0..KINDS.len(),
        beside in prop::sample::select(vec![Beside::Nothing, Beside::Convolution, Beside::Recurrence]),
        moves in prop::collection::vec((1usize..400, any::<bool>(), 2usize..=STEP, 0.0f64..1.0), 1..8),
    ) {
        let mut model = Windowed { beside, ..Windowed::new(CONTEXT, &windows) };
        for (kept, more) in model.kept.iter_mut().zip(more).filter(|(kept, _)| **kept > 0) {
            *kept = kept.saturating_add(more);
        }
        let (few, all) = (plan(&model), plan(&model.keeping_all()));
        let session = |plan| Session::with(plan, &Single, Isa::best(), config(KINDS[kv], 1));
        let mut moving = session(&few);
        // From here on all are kept.
        let mut sure = 0;
        for (index, (more, prompt, cut, back)) in moves.into_iter().enumerate() {
            let more = more.min(CONTEXT - moving.tokens.len());
            let first = moving.tokens.len();
            let tokens = text(seed.wrapping_add(index as u64), more);
            let bits: Vec<u32> = tokens.chunks(if prompt { cut } else { 1 }).flat_map(|step| moving.step(step)).collect();
            let (mut whole, mut expected) = (session(&all), Vec::new());
            for step in moving.tokens.chunks(STEP) {
                expected.extend(whole.step(step));
            }
            prop_assert!(bits == expected[first * VOCAB as usize..]);
            let before = moving.tokens.len();
            sure = sure.max(before.saturating_sub(BACK));
            let wanted = before - (back * back * before as f64) as usize;
            let left = moving.truncate(wanted);
            prop_assert!(left <= wanted);
            prop_assert_eq!(moving.cache.len(), left);
            prop_assert!(left == wanted || wanted < sure || beside != Beside::Nothing);
            sure = sure.min(left);
        }
    }
}

/// A session of steps of so many tokens each.
fn session<'a>(plan: &'a Plan<File>, steps: &[usize]) -> Session<'a> {
    let mut session = Session::with(plan, &Single, Isa::best(), config(KvType::F16, 1));
    for (seed, &step) in steps.iter().enumerate() {
        session.step(&text(seed as u64, step));
    }
    session
}

#[test]
fn a_session_goes_back_by_256_positions() {
    let few = plan(&Windowed::new(CONTEXT, &[30, 0, 50]));
    for len in [300, 341, 342, 500, 699, 700] {
        for back in [1, 100, 255, 256] {
            assert_eq!(
                session(&few, &vec![1; len]).truncate(len - back),
                len - back
            );
        }
    }
    assert_eq!(session(&few, &[STEP; 7]).truncate(3), 3);
    assert_eq!(session(&few, &[STEP; 17]).truncate(3), 0);
    assert_eq!(session(&few, &[1; 500]).truncate(3), 0);
}

#[test]
fn a_prompt_is_given_up_or_answered_again_however_long_it_and_the_answer_are() {
    let few = plan(&Windowed::new(CONTEXT, &[30, 0, 50]));
    let turns = |prompt, answer| [&[1; 70][..], &vec![STEP; prompt], &vec![1; answer]].concat();
    for (prompt, answer) in [(2, 500), (9, 1), (8, 250), (7, 350)] {
        let steps = turns(prompt, answer);
        let end = 70 + prompt * STEP;
        // Twice, as what was gone back to is still there.
        let mut again = session(&few, &steps);
        for _ in 0..2 {
            let left = again.truncate(end - 1);
            assert!(left == end - 8 || answer <= BACK && left == end - 1);
            text(3, answer)
                .chunks(1)
                .for_each(|token| drop(again.step(token)));
        }
        assert_eq!(again.truncate(70), 70);
    }
    let steps = turns(2, 500);
    assert_eq!(session(&few, &steps).truncate(100), 70);
    assert_eq!(session(&few, &steps).truncate(69), 0);
}

#[test]
fn memory_of_windows_does_not_grow_with_the_context() {
    // Gemma 3 1B: one head of 256 in each of 26 layers, of which every sixth sees all. (Two of 128.)
    let windows: Vec<u32> = (1..=26)
        .map(|layer| if layer % 6 == 0 { 0 } else { 512 })
        .collect();
    let model = Windowed {
        head_dim: 128,
        ..Windowed::new(32768, &windows)
    };
    let bytes = |plan: &Plan<File>, context| {
        let config = Config {
            step: 64,
            ..Config::new(context)
        };
        KvCache::lines(plan, &config).expect("small") * Line::BYTES
    };
    let (few, all) = (plan(&model), plan(&model.keeping_all()));
    // 512, a step, 256, and what fills up tiles; and for each of two points 512 and a tile.
    let room = 848 + 2 * 528;
    for (context, kept) in [
        (512, 512),
        (room, room),
        (room + 16, room),
        (8192, room),
        (32768, room),
    ] {
        assert_eq!(bytes(&all, context), 26 * context * 1024);
        assert_eq!(bytes(&few, context), (4 * context + 22 * kept) * 1024);
    }
    assert_eq!(KvCache::position_bytes(&few, KvType::F16), 26 * 1024);
    assert_eq!(
        KvCache::seen_bytes(&few, KvType::F16, 8192),
        (4 * 8192 + 22 * 512) * 1024
    );
}

#[test]
fn a_step_longer_than_the_cache_was_made_for_is_refused() {
    let few = plan(&Windowed::new(CONTEXT, &[30]));
    let (short, long) = (
        config(KvType::F16, 1),
        Config {
            step: CONTEXT,
            ..config(KvType::F16, 1)
        },
    );
    let memory = |lines: Result<usize, MemoryError>| vec![Line::ZERO; lines.expect("small")];
    let mut cache = KvCache::new(&few, &short, memory(KvCache::lines(&few, &short))).expect("fits");
    let mut arena = Arena::new(&few, &long, memory(Arena::lines(&few, &long))).expect("fits");
    let executor = Executor::new(&few, &Single, Isa::best(), Activations::F32);
    let mut step = |len| {
        executor
            .step(&mut cache, &mut arena, &text(1, len), Logits::Last)
            .map(|_| ())
    };
    assert_eq!(step(600), Err(StepError::Memory(MemoryError::OtherStep)));
    for _ in 0..3 {
        assert_eq!(step(STEP + 100), Ok(()));
    }
    assert_eq!(
        step(STEP + BACK - 1),
        Err(StepError::ContextFull {
            tokens: STEP + BACK - 1,
            len: 420,
            capacity: CONTEXT
        })
    );
    assert_eq!(step(1), Ok(()));
}

#[test]
fn a_cache_that_keeps_less_than_is_seen_is_refused() {
    let fault = |windows: [u32; 2], kept: [u32; 2]| {
        let model = Windowed {
            kept: kept.to_vec(),
            ..Windowed::new(CONTEXT, &windows)
        };
        match Plan::open(model.file()) {
            Err(PlanError::Op { fault, .. }) => Some(fault),
            Err(other) => panic!("{other}"),
            Ok(_) => None,
        }
    };
    assert_eq!(fault([30, 0], [30, 0]), None);
    assert_eq!(fault([30, 40], [31, 0]), None);
    assert_eq!(fault([30, 40], [30, 39]), Some(OpFault::Window));
    assert_eq!(fault([30, 0], [30, 500]), Some(OpFault::Window));
}
