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
/// The same with Helium. A seventh of the instructions are its own then, at 2.1 cycles: an M55
/// computes 64 bits a cycle, so that a vector takes two, and a gathered one four. The floats
/// between them take what they take without it.
const HELIUM_CYCLES: f64 = 1.5;

/// Prints it for a machine.
pub(crate) fn run(program: &Program) -> Outcome {
    let elf = program.firmware.build()?;
    let said = qemu::counted(program, &program.firmware.build_of("measure")?)?;
    println!("{} ({})", program.machine, program.processor);
    print!("{said}");
    for line in said.lines() {
        let (Some(isa), Some(count)) = (line.split(':').next(), answer_instructions(line)) else {
            continue;
        };
        let cycles = match isa {
            "helium" => HELIUM_CYCLES,
            _ => CYCLES,
        };
        let speeds = CLOCKS.map(|mhz| {
            let speed = mhz * 1e6 / (count as f64 * cycles);
            format!("{speed:.0} tokens/s at {mhz} MHz")
        });
        println!(
            "{isa}: at {cycles} cycles an instruction {}",
            speeds.join(", ")
        );
    }
    println!("\nthe application:");
    print!("{}", sections(&fs::read(&elf)?)?);
    Ok(())
}

/// The sections of an ELF file that a microcontroller holds, with their sizes and where they lie.
fn sections(elf: &[u8]) -> Outcome<String> {
    let mut rows = vec![["bytes", "flash", "RAM", "section"].map(String::from)];
    for section in held(&object::File::parse(elf)?)? {
        let mark = |there: bool| if there { "x" } else { "" }.to_owned();
        rows.push([
            report::bytes(section.size),
            mark(section.in_flash),
            mark(section.in_ram),
            section.name,
        ]);
    }
    let (flash, ram) = memory(elf)?;
    let (flash, ram) = (report::bytes(flash), report::bytes(ram));
    Ok(format!(
        "{}{flash} of flash, {ram} of RAM before the stack\n",
        report::table(&rows)
    ))
}

/// Bytes of flash and of RAM that a firmware takes.
pub(super) fn memory(elf: &[u8]) -> Outcome<(u64, u64)> {
    let sections = held(&object::File::parse(elf)?)?;
    let sum = |wanted: fn(&Held) -> bool| {
        let wanted = sections.iter().filter(|section| wanted(section));
        wanted.map(|section| section.size).sum()
    };
    Ok((
        sum(|section| section.in_flash),
        sum(|section| section.in_ram),
    ))
}

/// A section that takes memory.
struct Held {
    name: String,
    size: u64,
    in_flash: bool,
    in_ram: bool,
}

fn held(file: &object::File) -> Outcome<Vec<Held>> {
    let mut all = Vec::new();
    for section in file.sections().filter(|section| section.size() > 0) {
        let (in_flash, in_ram) = match section.kind() {
            SectionKind::Text | SectionKind::ReadOnlyData | SectionKind::ReadOnlyString => {
                (true, false)
            }
            SectionKind::Data => (true, true),
            SectionKind::UninitializedData => (false, true),
            _ => continue,
        };
        all.push(Held {
            name: section.name()?.to_owned(),
            size: section.size(),
            in_flash,
            in_ram,
        });
    }
    Ok(all)
}

/// The number before "a token of an answer".
fn answer_instructions(line: &str) -> Option<u64> {
    let before = line.split(" a token of an answer").next()?;
    before.rsplit(' ').next()?.parse().ok()
}
