//! Tokens through a plan: ids enter on standard input as little-endian u32, logits leave on
//! standard output as little-endian f32.
//!
//! `logits PLAN ISA int8|f32 all|last SIZE,…` runs one step after the other, of so many tokens
//! each, on one thread, with linear maps in int8 or everything in f32, and gives the logits of all
//! positions or of each step's last. It needs nothing but the core, so it is what emulated
//! processors run: their logits are compared with this machine's, and the instructions of a step
//! are counted as the difference of two runs.

use std::error::Error;
use std::io::{Read, Write};

use tealight_core::executor::{
    Activations, Arena, Config, Executor, KvCache, KvType, Line, Logits,
};
use tealight_core::kernels::Isa;
use tealight_core::plan::Plan;
use tealight_core::pool::Single;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, isa, kind, wanted, sizes] = &arguments[..] else {
        return Err("wanted: PLAN ISA int8|f32 all|last SIZE,…".into());
    };
    let isa = Isa::by_name(isa).ok_or_else(|| format!("this processor has no {isa}"))?;
    let (activations, kv) = match &**kind {
        "int8" => (Activations::Int8, KvType::F16),
        "f32" => (Activations::F32, KvType::F32),
        other => return Err(format!("int8 or f32, not {other}").into()),
    };
    let wanted = match &**wanted {
        "all" => Logits::All,
        "last" => Logits::Last,
        other => return Err(format!("all or last, not {other}").into()),
    };
    let sizes = sizes
        .split(',')
        .map(str::parse)
        .collect::<Result<Vec<usize>, _>>()?;

    let file = std::fs::read(path)?;
    let mut bytes = vec![Line::ZERO; file.len().div_ceil(Line::BYTES)];
    bytemuck::cast_slice_mut(&mut bytes)[..file.len()].copy_from_slice(&file);
    let plan = Plan::open(&bytemuck::cast_slice::<_, u8>(&bytes)[..file.len()])?;

    let mut ids = Vec::new();
    std::io::stdin().read_to_end(&mut ids)?;
    let ids: Vec<u32> = ids
        .as_chunks()
        .0
        .iter()
        .map(|id| u32::from_le_bytes(*id))
        .collect();
    let total = sizes.iter().sum::<usize>();
    if total > ids.len() {
        return Err(format!("{total} tokens wanted, {} given", ids.len()).into());
    }
    let step = sizes.iter().copied().max().unwrap_or(1);
    let config = Config {
        step,
        logits: if wanted == Logits::All { step } else { 1 },
        kv,
        ..Config::new(total)
    };
    let lines = |count| vec![Line::ZERO; count];
    let mut cache = KvCache::new(&plan, &config, lines(KvCache::lines(&plan, &config)?))?;
    let mut arena = Arena::new(&plan, &config, lines(Arena::lines(&plan, &config)?))?;
    let executor = Executor::new(&plan, &Single, isa, activations);
    let mut out = std::io::stdout().lock();
    let mut rest = &ids[..];
    for size in sizes {
        let (tokens, after) = rest.split_at(size);
        let logits = executor.step(&mut cache, &mut arena, tokens, wanted)?;
        out.write_all(bytemuck::cast_slice(logits))?;
        rest = after;
    }
    Ok(())
}
