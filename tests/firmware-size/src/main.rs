//! Opens a plan, runs steps and samples tokens for ever, of memory that the compiler knows
//! nothing about: so the linker keeps all of the core that a firmware uses, and only that.

#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use panic_halt as _;
use tealight_core::executor::{Activations, Arena, Config, Executor, KvCache, Line, Logits};
use tealight_core::kernels::Isa;
use tealight_core::plan::Plan;
use tealight_core::pool::Single;
use tealight_core::sampling::{Candidate, Sampler, SamplingParams};

#[entry]
fn main() -> ! {
    let mut history = [0; 16];
    loop {
        if let Some(token) = turn(black_box(&[]), black_box(&history)) {
            history.rotate_left(1);
            history[15] = token;
        }
    }
}

/// One token after `history`, with a model that lies in flash.
fn turn(flash: &[u8], history: &[u32]) -> Option<u32> {
    let plan = Plan::open(flash).ok()?;
    let config = Config::new(black_box(64));
    let (mut cache, mut arena) = ([Line::ZERO; 64], [Line::ZERO; 64]);
    let cache = cache.get_mut(..KvCache::lines(&plan, &config).ok()?)?;
    let arena = arena.get_mut(..Arena::lines(&plan, &config).ok()?)?;
    let mut cache = KvCache::new(&plan, &config, cache).ok()?;
    let mut arena = Arena::new(&plan, &config, arena).ok()?;
    let executor = Executor::new(&plan, &Single, Isa::best(), Activations::Int8);
    let logits = executor.step(&mut cache, &mut arena, history, Logits::Last).ok()?;
    let mut sampler = Sampler::new(black_box(SamplingParams::default()));
    let mut scratch = [Candidate::default(); 32];
    Some(sampler.sample(logits, history, &mut scratch))
}
