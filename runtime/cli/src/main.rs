//! The `tealight` command.
//!
//! Arguments come in here, each command is a file in `commands`, and every failure leaves through
//! [`exit`] as one line and an exit code.

mod args;
mod commands;
mod exit;
mod generate;
mod interrupt;
mod lines;
mod open;
mod quantization;
mod resolve;
mod table;
mod terminal;
mod units;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use commands::{bench, chat, compile, embed, inspect, onnx, perplexity, run, verify};
use exit::{EXIT_CODES, Exit, Failure};

/// Small language models on small devices.
///
/// Without a command: a chat with the model that is built in, which turns household requests
/// ("make it a bit warmer in the bedroom") into JSON.
#[derive(Parser, Debug)]
#[command(version, after_help = EXIT_CODES, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    chat: chat::ChatArgs,
}

#[derive(Subcommand, Debug)]
enum Command {
    Chat(chat::ChatArgs),
    Run(run::RunArgs),
    Embed(embed::EmbedArgs),
    Compile(compile::CompileArgs),
    Inspect(inspect::InspectArgs),
    Bench(bench::BenchArgs),
    Perplexity(perplexity::PerplexityArgs),
    Verify(verify::VerifyArgs),
    Onnx(onnx::OnnxArgs),
}

fn main() -> ExitCode {
    interrupt::install();
    let cli = Cli::parse();
    let exit = match execute(cli) {
        Ok(()) => Exit::Success,
        Err(failure) => failure.report(),
    };
    ExitCode::from(exit as u8)
}

fn execute(cli: Cli) -> Result<(), Failure> {
    match cli.command.unwrap_or(Command::Chat(cli.chat)) {
        Command::Chat(args) => chat::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Embed(args) => embed::run(&args),
        Command::Compile(args) => compile::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Perplexity(args) => perplexity::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Onnx(args) => onnx::run(&args),
    }
}
