//! `cargo xtask bench-peers`: tokens/s of one model in Tealight and in other engines, in turn, as
//! a table in Markdown.
//!
//! Every engine runs once a round, so that a machine that slows down slows all of them; ratios
//! are taken within a round. An engine whose program or model is not named is skipped.

mod engines;
mod report;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use clap::Args;

use crate::Outcome;
use crate::command::{self, cargo, output};
use engines::{ENGINES, Engine};

#[derive(Args)]
pub(crate) struct Flags {
    /// Tealight's model: a folder with an ONNX export, or a .tea file
    #[arg(long, value_name = "PATH")]
    model: PathBuf,
    /// llama.cpp's llama-bench
    #[arg(long, value_name = "PROGRAM", env = "LLAMA_BENCH")]
    llama_bench: Option<PathBuf>,
    /// The model for llama.cpp
    #[arg(long, value_name = "FILE")]
    gguf: Option<PathBuf>,
    /// A Python that has onnxruntime-genai
    #[arg(long, value_name = "PROGRAM", env = "GENAI_PYTHON")]
    genai_python: Option<PathBuf>,
    /// The model for onnxruntime-genai, a folder
    #[arg(long, value_name = "FOLDER")]
    genai: Option<PathBuf>,
    /// A Python that has onnxruntime
    #[arg(long, value_name = "PROGRAM", env = "ORT_PYTHON")]
    ort_python: Option<PathBuf>,
    /// The model for onnxruntime: a folder with optimum's export, dynamic int8
    #[arg(long, value_name = "FOLDER")]
    ort: Option<PathBuf>,

    /// Prompts that are read, in tokens
    #[arg(
        long,
        value_name = "N,…",
        value_delimiter = ',',
        default_value = "128,512"
    )]
    prompts: Vec<usize>,
    /// Tokens that are generated
    #[arg(long, value_name = "N", default_value = "64")]
    generate: usize,
    /// Tokens that are there before those generated
    #[arg(
        long,
        value_name = "N,…",
        value_delimiter = ',',
        default_value = "128,2000"
    )]
    depths: Vec<usize>,
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "1,2")]
    threads: Vec<usize>,
    /// How often every engine is measured
    #[arg(long, value_name = "N", default_value = "3")]
    rounds: usize,
    /// A program that runs each measurement, such as one that quiets the machine
    #[arg(long, value_name = "PROGRAM")]
    through: Option<PathBuf>,
}

/// What is measured. One of `prompt` and `generate` is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Test {
    prompt: usize,
    generate: usize,
    depth: usize,
}

impl Test {
    /// As people of this field call it: `pp512`, `tg64 @ d2000`.
    fn name(self) -> String {
        match self {
            Test {
                generate: 0,
                prompt,
                ..
            } => format!("pp{prompt}"),
            Test {
                generate, depth, ..
            } => format!("tg{generate} @ d{depth}"),
        }
    }
}

/// Tokens/s of an engine's rounds, by its name, the number of threads and the test.
type Speeds = BTreeMap<(&'static str, usize, Test), Vec<f64>>;

pub(crate) fn run(flags: &Flags) -> Outcome {
    command::run(&mut cargo(&["build", "--release", "-p", "tealight-cli"]))?;
    let engines: Vec<&Engine> = ENGINES
        .iter()
        .filter(|engine| {
            let present = (engine.files)(flags).is_some();
            if !present {
                eprintln!("{}: skipped, {}", engine.name, engine.needs);
            }
            present
        })
        .collect();
    let mut speeds = Speeds::new();
    let mut versions = BTreeMap::new();
    let mut commands = Vec::new();
    for round in 0..flags.rounds {
        for &threads in &flags.threads {
            for engine in &engines {
                let Some(files) = (engine.files)(flags) else {
                    continue;
                };
                for mut command in (engine.commands)(flags, &files, threads) {
                    if round == 0 && Some(&threads) == flags.threads.first() {
                        commands.push(report::shown(&command));
                    }
                    eprintln!("round {}, {}", round + 1, report::shown(&command));
                    let printed = output(&mut through(flags, &mut command))?;
                    let found = (engine.read)(&printed)
                        .map_err(|error| format!("{}: {error}: {printed}", engine.name))?;
                    versions.insert(engine.name, found.version);
                    for (test, speed) in found.speeds {
                        speeds
                            .entry((engine.name, threads, test))
                            .or_default()
                            .push(speed);
                    }
                }
            }
        }
    }
    let names: Vec<&str> = engines.iter().map(|engine| engine.name).collect();
    print!(
        "{}",
        report::markdown(&names, &speeds, &versions, &commands, flags.rounds)?
    );
    Ok(())
}

/// The command, run by the program that quiets the machine.
fn through(flags: &Flags, command: &mut Command) -> Command {
    match &flags.through {
        None => std::mem::replace(command, Command::new("")),
        Some(program) => {
            let mut outer = command::program(program, &[]);
            outer.arg(command.get_program()).args(command.get_args());
            outer
        }
    }
}
