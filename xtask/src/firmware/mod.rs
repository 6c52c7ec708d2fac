//! `cargo xtask firmware`: builds the examples for microcontrollers, runs those that QEMU
//! emulates, and tests them against the command on this machine.

mod boards;
mod build;
mod measure;
mod qemu;
mod test;

use clap::{Args, Subcommand};

use self::boards::{BOARDS, MACHINES, MPS2, Program};
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
        /// The example
        #[arg(value_parser = emulated())]
        board: String,
        /// The machine that QEMU emulates; a Cortex-M4F if left out
        #[arg(long, value_parser = machines(|_| true))]
        machine: Option<String>,
    },
    /// Build examples for the boards that they are flashed to, and weigh them
    Build {
        /// The examples
        #[arg(value_name = "BOARD", required_unless_present = "all", value_parser = flashed())]
        boards: Vec<String>,
        /// Build for every board
        #[arg(long, conflicts_with = "boards")]
        all: bool,
    },
    /// Count instructions a token in QEMU, and weigh flash, RAM and stack
    Measure {
        /// The machine that QEMU emulates
        #[arg(long, default_value = "mps2-an386", value_parser = machines(measures))]
        machine: String,
    },
    /// Hold the examples on QEMU's machines to the tokens of the command here
    Test {
        /// The machine that QEMU emulates; all if left out
        #[arg(long, value_parser = machines(|_| true))]
        machine: Option<String>,
    },
}

pub(crate) fn run(flags: &Flags) -> Outcome {
    match &flags.task {
        Task::Run { board, machine } => {
            let program = Program::of_example(board, machine.as_deref())?;
            qemu::interactive(program, &program.firmware.build()?)
        }
        Task::Build { boards, .. } => build::run(boards),
        Task::Measure { machine } => measure::run(Program::of(machine)?),
        Task::Test { machine } => test::run(machine.as_deref()),
    }
}

/// The step of `cargo xtask test`.
pub(crate) fn test() -> Outcome {
    test::run(None)?;
    build::run(&[])
}

/// Whether the program that measures is built for a machine.
fn measures(program: &Program) -> bool {
    program.firmware.example == MPS2
}

fn machines(wanted: fn(&Program) -> bool) -> Vec<&'static str> {
    let programs = MACHINES.iter().filter(|program| wanted(program));
    programs.map(|program| program.machine).collect()
}

fn emulated() -> Vec<&'static str> {
    let programs = MACHINES.iter();
    programs.map(|program| program.firmware.example).collect()
}

fn flashed() -> Vec<&'static str> {
    BOARDS.iter().map(|board| board.example).collect()
}
