//! What a firmware takes: flash and RAM of its file, instructions a token, depth of the stack.

use std::fs;

use object::{Object, ObjectSection, SectionKind};

use super::boards::Program;
use super::qemu;
use crate::Outcome;
use crate::build_arm::report;

/// Clocks of microcontrollers, in MHz, for an estimate of time.
const CLOCKS: [f64; 3] = [64.0, 150.0, 600.0];
/// Cycles an instruction, as assumed: one, and one more for each third instruction, which loads
/// or waits. Code and weights are taken to come from memory without wait states.
const CYCLES: f64 = 1.3;

/// Prints it for a machine.
pub(crate) fn run(program: &Program) -> Outcome {
    let elf = program.build()?;
    let said = qemu::counted(program, &program.build_of("measure")?)?;
    println!("{} ({})", program.machine, program.processor);
    print!("{said}");
    for line in said.lines() {
        let (Some(isa), Some(count)) = (line.split(':').next(), answer_instructions(line)) else {
            continue;
        };
        let speeds = CLOCKS.map(|mhz| {
            let speed = mhz * 1e6 / (count as f64 * CYCLES);
            format!("{speed:.0} tokens/s at {mhz} MHz")
        });
        println!(
            "{isa}: at {CYCLES} cycles an instruction {}",
            speeds.join(", ")
        );
    }
    println!("\nthe application:");
    print!("{}", sections(&fs::read(&elf)?)?);
    Ok(())
}

/// The sections of an ELF file that a microcontroller holds, with their sizes and where they lie.
fn sections(elf: &[u8]) -> Outcome<String> {
    let file = object::File::parse(elf)?;
    let mut rows = vec![["bytes", "flash", "RAM", "section"].map(String::from)];
    let (mut flash, mut ram) = (0, 0);
    for section in file.sections().filter(|section| section.size() > 0) {
        let (in_flash, in_ram) = match section.kind() {
            SectionKind::Text | SectionKind::ReadOnlyData | SectionKind::ReadOnlyString => {
                (true, false)
            }
            SectionKind::Data => (true, true),
            SectionKind::UninitializedData => (false, true),
            _ => continue,
        };
        flash += if in_flash { section.size() } else { 0 };
        ram += if in_ram { section.size() } else { 0 };
        let mark = |there: bool| if there { "x" } else { "" }.to_owned();
        let name = section.name()?.to_owned();
        rows.push([
            report::bytes(section.size()),
            mark(in_flash),
            mark(in_ram),
            name,
        ]);
    }
    let (flash, ram) = (report::bytes(flash), report::bytes(ram));
    Ok(format!(
        "{}{flash} of flash, {ram} of RAM before the stack\n",
        report::table(&rows)
    ))
}

/// The number before "a token of an answer".
fn answer_instructions(line: &str) -> Option<u64> {
    let before = line.split(" a token of an answer").next()?;
    before.rsplit(' ').next()?.parse().ok()
}
