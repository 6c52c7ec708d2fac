//! `cargo xtask firmware`: builds the examples for microcontrollers, runs the one that QEMU
//! emulates, and tests it against the command on this machine.

mod boards;
mod measure;
mod qemu;
mod test;

use clap::{Args, Subcommand};

use self::boards::{MACHINES, Program};
use crate::Outcome;

#[derive(Args)]
pub(crate) struct Flags {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build an example and run it in QEMU: type requests, Ctrl-D ends it
    Run {
        /// The example: qemu-mps2
        #[arg(value_parser = ["qemu-mps2"])]
        board: String,
        /// The machine that QEMU emulates
        #[arg(long, default_value = "mps2-an386", value_parser = machine_names())]
        machine: String,
    },
    /// Count instructions a token in QEMU, and weigh flash, RAM and stack
    Measure {
        /// The machine that QEMU emulates
        #[arg(long, default_value = "mps2-an386", value_parser = machine_names())]
        machine: String,
    },
    /// Hold the example on QEMU's machines to the tokens of the command here
    Test {
        /// The machine that QEMU emulates; all if left out
        #[arg(long, value_parser = machine_names())]
        machine: Option<String>,
    },
}

pub(crate) fn run(flags: &Flags) -> Outcome {
    match &flags.task {
        Task::Run { machine, .. } => {
            let program = Program::of(machine)?;
            qemu::interactive(program, &program.build()?)
        }
        Task::Measure { machine } => measure::run(Program::of(machine)?),
        Task::Test { machine } => test::run(machine.as_deref()),
    }
}

/// The steps of `cargo xtask test`.
pub(crate) fn test() -> Outcome {
    test::run(None)
}

fn machine_names() -> Vec<&'static str> {
    MACHINES.iter().map(|program| program.machine).collect()
}
