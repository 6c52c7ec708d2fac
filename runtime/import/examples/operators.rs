//! Prints the operators of the plan that a model compiles to: `operators MODEL [OUTPUT]`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use tealight_import::ImportOptions;

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1).map(PathBuf::from);
    let Some(model) = args.next() else {
        eprintln!("usage: operators MODEL [OUTPUT]");
        return ExitCode::from(2);
    };
    let start = Instant::now();
    let report = match args.next() {
        None => tealight_import::inspect(&model, &ImportOptions::default()),
        Some(output) => tealight_import::import(&model, &output, &mut |_| {}),
    };
    match report {
        Ok(report) => {
            for (index, op) in report.ops.iter().enumerate() {
                let head = if index == report.head { "head\n" } else { "" };
                println!("{head}{index:4} {op:?}");
            }
            println!("{report} in {:.2?}", start.elapsed());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
