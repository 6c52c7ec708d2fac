//! Whole steps over a small decoder of every operator.

mod support;

use support::{CONTEXT, VOCAB, decoder, lines};
use tealight_core::executor::{
    Activations, Arena, Config, Executor, KvCache, KvType, Line, Logits, MemoryError, StepError,
};
use tealight_core::kernels::Isa;
use tealight_core::layout::Encoding;
use tealight_core::plan::Plan;
use tealight_core::pool::{Pool, Single, Workers};

const PACKED: [Encoding; 6] = [
    Encoding::F32,
    Encoding::F16,
    Encoding::Int4,
    Encoding::Int4ZeroPoint,
    Encoding::Int8,
    Encoding::Int8ZeroPoint,
];

fn text() -> Vec<u32> {
    (0..40).map(|i| (i * 37 + 11) % VOCAB).collect()
}

fn config(threads: usize, kv: KvType) -> Config {
    Config {
        context: CONTEXT as usize,
        step: 40,
        logits: 40,
        threads,
        kv,
    }
}

/// The logits of every position, the text cut into steps of `chunk` tokens.
fn logits(
    encoding: Encoding,
    isa: Isa,
    workers: &dyn Workers,
    chunk: usize,
    activations: Activations,
    kv: KvType,
) -> Vec<u32> {
    let file = decoder(encoding);
    let plan = Plan::open(file).expect("the decoder is sound");
    let config = config(workers.count(), kv);
    let mut cache =
        KvCache::new(&plan, &config, lines(KvCache::lines(&plan, &config))).expect("fits");
    let mut arena = Arena::new(&plan, &config, lines(Arena::lines(&plan, &config))).expect("fits");
    let executor = Executor::new(&plan, workers, isa, activations);
    let mut all = Vec::new();
    for tokens in text().chunks(chunk) {
        let logits = executor
            .step(&mut cache, &mut arena, tokens, Logits::All)
            .expect("runs");
        all.extend(logits.iter().map(|x| x.to_bits()));
    }
    all
}

#[test]
fn every_isa_thread_count_and_cut_gives_the_same_bits() {
    let pool = Pool::new(2).expect("threads");
    for encoding in PACKED {
        for kv in [KvType::F16, KvType::F32, KvType::Int8] {
            for activations in [Activations::Int8, Activations::F32] {
                let whole = logits(encoding, Isa::SCALAR, &Single, 40, activations, kv);
                assert!(whole.iter().all(|bits| f32::from_bits(*bits).is_finite()));
                assert_ne!(
                    whole[..VOCAB as usize],
                    whole[VOCAB as usize..2 * VOCAB as usize]
                );
                for isa in Isa::available() {
                    for chunk in [1, 7, 32, 40] {
                        for workers in [&Single as &dyn Workers, &pool] {
                            let cut = logits(encoding, isa, workers, chunk, activations, kv);
                            assert_eq!(cut, whole, "{encoding:?} {isa:?} {chunk} {activations:?}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn int8_activations_stay_close_to_f32_activations() {
    for encoding in PACKED {
        let run = |activations| {
            logits(encoding, Isa::best(), &Single, 40, activations, KvType::F32)
                .into_iter()
                .map(f32::from_bits)
                .collect::<Vec<_>>()
        };
        let (exact, int8) = (run(Activations::F32), run(Activations::Int8));
        let spread = exact.iter().fold(0f32, |most, x| most.max(x.abs()));
        for (a, b) in exact.iter().zip(&int8) {
            assert!((a - b).abs() < 0.1 * spread, "{encoding:?}: {a} and {b}");
        }
    }
}

#[test]
fn the_last_positions_logits_are_the_last_of_all() {
    let all = logits(
        Encoding::Int4,
        Isa::best(),
        &Single,
        40,
        Activations::Int8,
        KvType::F16,
    );
    let plan = Plan::open(decoder(Encoding::Int4)).expect("sound");
    let config = config(1, KvType::F16);
    let mut cache =
        KvCache::new(&plan, &config, lines(KvCache::lines(&plan, &config))).expect("fits");
    let mut arena = Arena::new(&plan, &config, lines(Arena::lines(&plan, &config))).expect("fits");
    let executor = Executor::new(&plan, &Single, Isa::best(), Activations::Int8);
    let text = text();
    let (first, rest) = text.split_at(30);
    let none = executor
        .step(&mut cache, &mut arena, first, Logits::None)
        .expect("runs");
    assert!(none.is_empty());
    let last = executor
        .step(&mut cache, &mut arena, rest, Logits::Last)
        .expect("runs");
    let last: Vec<u32> = last.iter().map(|x| x.to_bits()).collect();
    assert_eq!(last, all[all.len() - VOCAB as usize..]);

    // Recurrent states go back further.
    let left = cache.truncate(30);
    assert!(left <= 30);
    let again = executor
        .step(&mut cache, &mut arena, &text[left..], Logits::Last)
        .expect("runs");
    assert!(again.iter().map(|x| x.to_bits()).eq(last));
}

#[test]
fn steps_that_do_not_fit_are_refused_before_anything_changes() {
    let plan = Plan::open(decoder(Encoding::Int4)).expect("sound");
    let config = Config {
        step: 8,
        ..Config::new(10)
    };
    let mut cache =
        KvCache::new(&plan, &config, lines(KvCache::lines(&plan, &config))).expect("fits");
    let mut arena = Arena::new(&plan, &config, lines(Arena::lines(&plan, &config))).expect("fits");
    let executor = Executor::new(&plan, &Single, Isa::best(), Activations::Int8);
    let mut step = |tokens: &[u32], wanted| {
        executor
            .step(&mut cache, &mut arena, tokens, wanted)
            .map(|logits| logits.len())
    };
    assert_eq!(step(&[], Logits::Last), Err(StepError::Empty));
    assert_eq!(
        step(&[1; 9], Logits::Last),
        Err(StepError::TooLong { tokens: 9, most: 8 })
    );
    assert_eq!(
        step(&[1; 3], Logits::All),
        Err(StepError::TooManyLogits { rows: 3, most: 1 })
    );
    let unknown = StepError::UnknownToken {
        token: VOCAB,
        vocab: VOCAB,
    };
    assert_eq!(step(&[1, VOCAB], Logits::Last), Err(unknown));
    assert_eq!(step(&[1; 8], Logits::Last), Ok(VOCAB as usize));
    let full = StepError::ContextFull {
        tokens: 3,
        len: 8,
        capacity: 10,
    };
    assert_eq!(step(&[1; 3], Logits::Last), Err(full));
    assert_eq!(step(&[1; 2], Logits::Last), Ok(VOCAB as usize));

    let context = Config::new(CONTEXT as usize + 1);
    let refused = MemoryError::Context {
        asked: CONTEXT as usize + 1,
        most: CONTEXT as usize,
    };
    assert_eq!(Arena::lines(&plan, &context), Err(refused));
    assert!(matches!(
        Arena::new(&plan, &config, [Line::ZERO; 3]),
        Err(MemoryError::TooSmall { .. })
    ));
}
