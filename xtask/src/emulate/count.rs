//! `cargo xtask count-instructions`: what a token costs on emulated ARM processors. Emulation
//! says nothing of time, but executed instructions are exact and the same on every machine.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use clap::Args;

use super::program::{Emulator, emulators};
use super::{ARM64, ARMV7};
use crate::build_arm::machine::Machine;
use crate::command::{self, program};
use crate::{Outcome, tree};

#[derive(Args)]
pub(crate) struct Flags {
    /// A compiled model, as `tealight compile` writes it
    #[arg(value_name = "MODEL.tea")]
    plan: PathBuf,
    /// Count with these instruction sets only
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    isa: Vec<String>,
    /// Tokens of the prompt, and of the context that a later token is decoded in
    #[arg(long, value_name = "N", default_value_t = 128, value_parser = clap::value_parser!(u32).range(2..))]
    prompt: u32,
}

/// Instruction sets, and processors that have them.
const SETS: &[(&str, &str, &str)] = &[
    ("i8mm", ARM64, "max"),
    ("dotprod", ARM64, "neoverse-n1"),
    ("neon", ARM64, "cortex-a53"),
    ("scalar", ARM64, "cortex-a53"),
    ("neon", ARMV7, "cortex-a7"),
];

/// Prints a row for each instruction set: millions of instructions a prefilled token, and a
/// decoded one after one token and after the prompt. All on one thread.
pub(crate) fn run(flags: &Flags) -> Outcome {
    let machine = Machine::this();
    let (emulators, missing) = emulators(&machine);
    for missing in &missing {
        eprintln!("{missing}");
    }
    let plugin = plugin()?;
    let n = flags.prompt;
    println!("| isa | processor | prefill, of {n} | decode, after 1 | decode, after {n} |");
    println!("| --- | --- | ---: | ---: | ---: |");
    for (isa, triple, processor) in SETS {
        let wanted = flags.isa.is_empty() || flags.isa.iter().any(|name| name == isa);
        let emulator = emulators.iter().find(|one| one.runner.triple == *triple);
        let Some(emulator) = emulator.filter(|_| wanted) else {
            continue;
        };
        let logits = emulator.logits()?;
        let count = |sizes: &str| {
            let run = Run {
                emulator,
                plugin: &plugin,
                logits: &logits,
                plan: &flags.plan,
            };
            run.count(processor, isa, sizes)
        };
        let one = count("1")?;
        let two = count("1,1")?;
        let prompt = count(&n.to_string())?;
        let after = count(&format!("{n},1"))?;
        // The differences leave out start and end of the program, and of a prompt the head,
        // which is computed for its last token alone.
        println!(
            "| {isa} | {processor} | {:.1} M | {:.1} M | {:.1} M |",
            millions(prompt - one) / f64::from(n - 1),
            millions(two - one),
            millions(after - prompt)
        );
    }
    Ok(())
}

fn millions(count: u64) -> f64 {
    count as f64 / 1e6
}

/// The counting plugin, compiled now.
fn plugin() -> Outcome<PathBuf> {
    let source = tree::root().join("xtask/plugins/instructions.c");
    let folder = tree::root().join("target/arm");
    fs::create_dir_all(&folder)?;
    let plugin = folder.join("instructions.so");
    let mut compile = program("cc", &["-O2", "-shared", "-fPIC", "-o"]);
    command::run(compile.arg(&plugin).arg(source))?;
    Ok(plugin)
}

struct Run<'a> {
    emulator: &'a Emulator<'a>,
    plugin: &'a Path,
    logits: &'a Path,
    plan: &'a Path,
}

impl Run<'_> {
    /// Instructions of the whole program, for steps of these sizes.
    fn count(&self, processor: &str, isa: &str, sizes: &str) -> Outcome<u64> {
        let plugin = self.plugin.to_string_lossy();
        let options = ["-plugin", &plugin];
        let mut command = self.emulator.command(processor, &options, self.logits);
        command.arg(std::path::absolute(self.plan)?);
        command.args([isa, "int8", "last", sizes]);
        command.stdin(Stdio::piped()).stdout(Stdio::null());
        let mut child = command.stderr(Stdio::piped()).spawn()?;
        if let Some(mut input) = child.stdin.take() {
            // Which tokens these are hardly matters; every vocabulary has the first thousand.
            let ids = (0..1024u32).flat_map(|i| ((i * 7 + 17) % 1000).to_le_bytes());
            input.write_all(&ids.collect::<Vec<u8>>())?;
        }
        let output = child.wait_with_output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        let count = said
            .lines()
            .find_map(|line| line.strip_prefix("INSTRUCTIONS "));
        match count {
            Some(count) if output.status.success() => Ok(count.parse()?),
            _ => Err(format!("{isa} on {processor} failed: {said}").into()),
        }
    }
}
