//! Opens a plan, encodes text, runs steps, samples tokens and decodes them for ever, of memory that the compiler knows
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
use tealight_core::tokenizer::{Characters, Tokenizer};

#[entry]
fn main() -> ! {
    loop {
        turn(black_box(&[]), black_box(""));
    }
}

/// The text of one token after `text`, with a model that lies in flash.
fn turn(flash: &[u8], text: &str) -> Option<()> {
    let plan = Plan::open(flash).ok()?;
    let tokenizer = plan.tokenizer()?;
    let mut history = [0; 16];
    let mut scratch = [0; 16 * Tokenizer::SCRATCH_PER_BYTE];
    let count = tokenizer.encode(text, &mut scratch, &mut history).ok()?;
    let history = &history[..count];
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
    let token = sampler.sample(logits, history, &mut scratch);
    let bytes = tokenizer.token_bytes(token)?;
    Characters::default().push(bytes, |text| {
        black_box(text);
    });
    Some(())
}
