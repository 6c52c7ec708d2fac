//! The repository's own tasks: `cargo xtask <command>`.

mod bench_peers;
mod bindings;
mod build_arm;
mod command;
mod elf;
mod emulate;
mod firmware;
mod instructions;
mod matrix;
mod package;
mod test;
mod tidy;
mod tree;

use std::error::Error;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What a task gives: nothing, or what went wrong in words for people.
type Outcome<T = ()> = Result<T, Box<dyn Error>>;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The repository's own tasks")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Check formatting, lints, documentation and the repository's own rules
    Tidy(tidy::Flags),
    /// Check and test everything
    Test(test::Flags),
    /// Measure tokens/s beside other engines
    BenchPeers(Box<bench_peers::Flags>),
    /// Count instructions a token, against what is remembered
    Instructions(instructions::Flags),
    /// Show what becomes of every family of models in every export
    Matrix(matrix::Flags),
    /// Build programs and libraries for ARM and for phones
    BuildArm(build_arm::Flags),
    /// Weigh what is shipped against its budgets
    Sizes(build_arm::budgets::Flags),
    /// Make what package managers take
    Package(package::Flags),
    /// Build, run and test the examples for microcontrollers
    Firmware(firmware::Flags),
    /// Say what this machine can build for, and what it lacks
    Doctor(build_arm::DoctorFlags),
    /// Test on emulated ARM processors
    Emulate,
    /// Count the instructions of a token on emulated ARM processors
    CountInstructions(emulate::count::Flags),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().task {
        Task::Tidy(flags) => tidy::run(&flags),
        Task::Test(flags) => test::run(&flags),
        Task::BenchPeers(flags) => bench_peers::run(&flags),
        Task::Instructions(flags) => instructions::run(&flags),
        Task::Matrix(flags) => matrix::run(&flags),
        Task::BuildArm(flags) => build_arm::run(&flags),
        Task::Sizes(flags) => build_arm::budgets::run(&flags),
        Task::Package(flags) => package::run(&flags),
        Task::Firmware(flags) => firmware::run(&flags),
        Task::Doctor(flags) => build_arm::doctor(&flags),
        Task::Emulate => emulate::run(false),
        Task::CountInstructions(flags) => emulate::count::run(&flags),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
