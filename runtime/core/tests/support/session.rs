//! Sessions with small plans, which remember their tokens and forget some.

#![allow(dead_code, reason = "only tests of what goes back have one")]

use tealight_core::executor::{Activations, Arena, Config, Executor, KvCache, Line, Logits};
use tealight_core::kernels::Isa;
use tealight_core::plan::Plan;
use tealight_core::pool::{Pool, Single, Workers};

use super::{File, VOCAB, lines};

/// Positions that there is room for.
pub const CONTEXT: usize = 300;

/// A session that remembers its tokens.
pub struct Session<'a> {
    plan: &'a Plan<File>,
    workers: &'a dyn Workers,
    isa: Isa,
    arena: Arena<Vec<Line>>,
    pub cache: KvCache<Vec<Line>>,
    pub tokens: Vec<u32>,
}

impl<'a> Session<'a> {
    pub fn new(plan: &'a Plan<File>, workers: &'a dyn Workers, isa: Isa) -> Session<'a> {
        let config = Config {
            step: CONTEXT,
            logits: CONTEXT,
            threads: workers.count(),
            ..Config::new(CONTEXT)
        };
        Session::with(plan, workers, isa, config)
    }

    pub fn with(
        plan: &'a Plan<File>,
        workers: &'a dyn Workers,
        isa: Isa,
        config: Config,
    ) -> Session<'a> {
        let cache = lines(KvCache::lines(plan, &config));
        let arena = lines(Arena::lines(plan, &config));
        Session {
            plan,
            workers,
            isa,
            cache: KvCache::new(plan, &config, cache).expect("fits"),
            arena: Arena::new(plan, &config, arena).expect("fits"),
            tokens: Vec::new(),
        }
    }

    /// The bits of the logits of every token.
    pub fn step(&mut self, tokens: &[u32]) -> Vec<u32> {
        let executor = Executor::new(self.plan, self.workers, self.isa, Activations::F32);
        let logits = executor.step(&mut self.cache, &mut self.arena, tokens, Logits::All);
        self.tokens.extend_from_slice(tokens);
        let logits = logits.expect("runs").iter();
        logits.map(|x| x.to_bits()).collect()
    }

    /// Goes back to `len` tokens or fewer.
    pub fn truncate(&mut self, len: usize) -> usize {
        let left = self.cache.truncate(len);
        self.tokens.truncate(left);
        left
    }
}

/// Tokens, which are others for another seed.
pub fn text(seed: u64, len: usize) -> Vec<u32> {
    let token = |at: u64| (at.wrapping_mul(2_654_435_761).wrapping_add(seed) >> 7) as u32 % VOCAB;
    (seed..).map(token).take(len).collect()
}

/// That every instruction set and thread count makes the same of a text in these steps, in one and
/// token by token.
pub fn assert_same_bits(plan: &Plan<File>, seed: u64, cuts: &[usize]) {
    let pool = Pool::new(3).expect("threads");
    let tokens = text(seed, cuts.iter().sum::<usize>().min(CONTEXT));
    let whole = Session::new(plan, &Single, Isa::SCALAR).step(&tokens);
    for isa in Isa::available() {
        for workers in [&Single as &dyn Workers, &pool] {
            let mut session = Session::new(plan, workers, isa);
            let mut bits = Vec::new();
            for cut in cuts {
                let rest = &tokens[session.tokens.len()..];
                if !rest.is_empty() {
                    bits.extend(session.step(&rest[..rest.len().min(*cut)]));
                }
            }
            assert_eq!(bits, whole, "{isa:?}");
        }
    }
    let mut single = Session::new(plan, &Single, Isa::best());
    let bits: Vec<u32> = tokens
        .chunks(1)
        .flat_map(|token| single.step(token))
        .collect();
    assert_eq!(bits, whole);
}
