//! Token ids through a plan.

use tealight_core::executor::{
    Activations, Arena, Config, Executor, KvCache, KvType, Line, Logits, MemoryError,
};
use tealight_core::kernels::Isa;
use tealight_core::plan::Plan;
use tealight_core::pool::{Pool, Workers};

/// How a text is run.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Instructions.
    pub isa: Isa,
    /// Threads.
    pub threads: usize,
    /// Most tokens of a step.
    pub chunk: usize,
    /// What linear maps compute in.
    pub activations: Activations,
    /// How keys and values are kept.
    pub kv: KvType,
}

impl Default for Settings {
    /// As a program would run it on this machine.
    fn default() -> Settings {
        let (isa, activations, kv) = (Isa::best(), Activations::Int8, KvType::F16);
        Settings {
            isa,
            threads: 2,
            chunk: 32,
            activations,
            kv,
        }
    }
}

impl Settings {
    /// Nothing is rounded that the file does not round.
    pub fn exact() -> Settings {
        let (activations, kv) = (Activations::F32, KvType::F32);
        Settings {
            activations,
            kv,
            ..Settings::default()
        }
    }
}

/// Runs a text and hands the logits, or the hidden state, after each position to `visit`.
pub fn each_position<B: AsRef<[u8]>>(
    plan: &Plan<B>,
    settings: Settings,
    ids: &[u32],
    mut visit: impl FnMut(usize, &[f32]),
) {
    let pool = Pool::new(settings.threads).expect("threads");
    let step = match plan.model().whole {
        0 => settings.chunk.min(ids.len()),
        _ => ids.len(),
    };
    let config = Config {
        context: ids.len(),
        step,
        logits: step,
        threads: pool.count(),
        kv: settings.kv,
    };
    let mut cache =
        KvCache::new(plan, &config, lines(KvCache::lines(plan, &config))).expect("fits");
    let mut arena = Arena::new(plan, &config, lines(Arena::lines(plan, &config))).expect("fits");
    let executor = Executor::new(plan, &pool, settings.isa, settings.activations);
    let width = plan.model().output_width() as usize;
    for (index, tokens) in ids.chunks(step).enumerate() {
        let logits = executor
            .step(&mut cache, &mut arena, tokens, Logits::All)
            .expect("runs");
        for (row, logits) in logits.chunks_exact(width).enumerate() {
            visit(index * step + row, logits);
        }
    }
}

/// Working memory of a size that a plan asked for.
pub fn lines(count: Result<usize, MemoryError>) -> Vec<Line> {
    vec![Line::ZERO; count.expect("a size that this machine has")]
}
