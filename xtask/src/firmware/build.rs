//! Builds the examples as they are flashed, and weighs them. That they fit, the linker sees to.

use std::fs;
use std::time::Instant;

use super::boards::{BOARDS, Firmware};
use super::measure;
use crate::Outcome;
use crate::build_arm::report;

/// Builds these examples, or all if none is named.
pub(crate) fn run(names: &[String]) -> Outcome {
    let boards: Vec<&Firmware> = match names {
        [] => BOARDS.iter().collect(),
        names => names
            .iter()
            .map(|name| Firmware::of(name))
            .collect::<Outcome<_>>()?,
    };
    let mut rows = vec![["board", "flash", "RAM before stack", "file"].map(String::from)];
    for board in boards {
        let began = Instant::now();
        let elf = board.build()?;
        let seconds = began.elapsed().as_secs_f32();
        eprintln!(
            "{} ({}): built in {seconds:.0} s",
            board.example, board.triple
        );
        let (flash, ram) = measure::memory(&fs::read(&elf)?)?;
        rows.push([
            board.example.to_owned(),
            report::bytes(flash),
            report::bytes(ram),
            elf.display().to_string(),
        ]);
    }
    print!("{}", report::table(&rows));
    Ok(())
}
