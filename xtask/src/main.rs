//! The repository's own tasks: `cargo xtask <command>`.

mod command;
mod no_std;
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
    /// Build tealight-core for machines without an operating system
    NoStd,
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().task {
        Task::Tidy(flags) => tidy::run(&flags),
        Task::Test(flags) => test::run(&flags),
        Task::NoStd => no_std::run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
