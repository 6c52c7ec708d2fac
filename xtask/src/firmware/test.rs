//! Holds the firmware on every emulated machine to the answers of the command on this one.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use object::{Object, ObjectSection};

use super::boards::{MACHINES, Program};
use super::qemu::{self, Session};
use crate::command::{self, output, program};
use crate::{Outcome, tree};

/// The board that bad input is tried on.
const BAD_INPUT: &str = "mps2-an386";

/// The boards that have all the instructions there are kernels for.
const KERNELS: [&str; 2] = ["mps2-an386", "mps3-an547"];

/// What is asked, one a line.
const REQUESTS: &str = include_str!("../../data/requests.txt");

/// Tests one machine or all; bad input always on the same.
pub(crate) fn run(only: Option<&str>) -> Outcome {
    let expected = expected()?;
    let wanted = |program: &&Program| only.is_none_or(|only| only == program.machine);
    let programs: Vec<&Program> = MACHINES.iter().filter(wanted).collect();
    let bad_input = Program::of(BAD_INPUT)?;
    // QEMU keeps one core busy, so that one machine is tested while the next one's is compiled.
    thread::scope(|scope| {
        let mut running = Vec::new();
        let mut run = |test: Box<dyn FnOnce() -> Outcome + Send>| {
            running.push(scope.spawn(move || test().map_err(|error| error.to_string())));
        };
        for (number, &program) in programs.iter().enumerate() {
            let elf = keep(&program.firmware.build()?, number)?;
            let expected = &expected;
            run(Box::new(move || answers(program, &elf, expected)));
            if KERNELS.contains(&program.machine) {
                let elf = keep(&program.firmware.build_of("kernels")?, number)?;
                run(Box::new(move || kernels(program, &elf)));
            }
        }
        let elf = keep(&bad_input.firmware.build()?, programs.len())?;
        run(Box::new(move || {
            bad_lines(bad_input, &elf)?;
            reset(bad_input, &elf)?;
            bad_models(bad_input, &elf)
        }));
        for test in running {
            test.join().map_err(|_| "a test of firmware panicked")??;
        }
        Ok(())
    })
}

/// A copy that the next build, of the same name, leaves alone.
fn keep(elf: &Path, number: usize) -> Outcome<PathBuf> {
    let kept = elf.with_extension(format!("{number}.elf"));
    fs::copy(elf, &kept)?;
    Ok(kept)
}

/// The integer products of the processor's instructions are the scalar ones.
fn kernels(program: &Program, elf: &Path) -> Outcome {
    let said = qemu::counted(program, elf)?;
    eprintln!("{}: {}", program.machine, said.trim_end());
    Ok(())
}

/// Each request with the command's answer, from a cache of keys and values like the firmware's.
fn expected() -> Outcome<Vec<(&'static str, String)>> {
    command::build()?;
    let tealight = tree::root().join("target/release/tealight");
    let answer = |request: &'static str| {
        let options = ["run", "--kv", "int8", "--greedy", "--", request];
        let said = output(&mut program(&tealight, &options))?;
        Ok((request, said.trim_end_matches('\n').to_owned()))
    };
    REQUESTS.lines().map(answer).collect()
}

/// An error at the first answer that differs.
fn answers(program: &Program, elf: &Path, expected: &[(&str, String)]) -> Outcome {
    let began = Instant::now();
    let mut session = Session::start(program, elf)?;
    session.hear("tealight: ready")?;
    session.hear("> ")?;
    for (request, answer) in expected {
        session.say(format!("{request}\r"))?;
        session.hear(&format!("{request}\r\n"))?;
        let found = session.hear("\r\n")?;
        if found != *answer {
            return Err(format!(
                "{} answers {request:?} with\n  {found}\nand this machine with\n  {answer}",
                program.machine
            )
            .into());
        }
        session.hear("\r\n> ")?;
    }
    eprintln!(
        "{} ({}, {}): {} answers as here, in {:.0} s",
        program.machine,
        program.processor,
        program.firmware.triple,
        expected.len(),
        began.elapsed().as_secs_f32()
    );
    ended_well(session, program)
}

/// After lines that nobody can follow, the prompt works.
fn bad_lines(program: &Program, elf: &Path) -> Outcome {
    let mut session = Session::start(program, elf)?;
    session.hear("\n> ")?;
    let lines: [(Vec<u8>, &str); 3] = [
        (
            vec![0xff, 0xc0, 0x01, 0x1b, b'[', b'A'],
            "the line is no text",
        ),
        (vec![b'x'; 5000], "the line is longer than 240 bytes"),
        ("é".repeat(110).into_bytes(), "no room in a context of 128"),
    ];
    for (mut line, said) in lines {
        line.push(b'\r');
        session.say(line)?;
        session.hear(said)?;
        session.hear("\n> ")?;
        works(&mut session)?;
    }
    eprintln!("{}: a working prompt after bad lines", program.machine);
    ended_well(session, program)
}

/// A reset in the middle of an answer begins anew.
fn reset(program: &Program, elf: &Path) -> Outcome {
    let mut session = Session::start(program, elf)?;
    session.hear("\n> ")?;
    session.say("turn on the kitchen light\r")?;
    session.hear("{\"device\":")?;
    session.reset()?;
    session.hear("tealight: ready")?;
    session.hear("\n> ")?;
    works(&mut session)?;
    eprintln!("{}: a working prompt after a reset", program.machine);
    ended_well(session, program)
}

/// With a model that is damaged or of another version, the firmware says so and goes on.
fn bad_models(program: &Program, elf: &Path) -> Outcome {
    let whole = fs::read(elf)?;
    let file = object::File::parse(&*whole)?;
    let plan = file.section_by_name(".model");
    let place = plan.and_then(|section| section.file_range());
    let at = place.ok_or("there is no plan in the firmware")?.0 as usize;
    let bad: [(usize, &str); 4] = [
        (0, "this is not a Tealight plan"),
        (8, "compile the model again"),
        (16, "it was cut off or changed"),
        (700_000, "the plan's weights section is damaged"),
    ];
    for (byte, said) in bad {
        let mut changed = whole.clone();
        changed[at + byte] ^= 0x40;
        let path: PathBuf = elf.with_extension("changed");
        fs::write(&path, changed)?;
        let mut session = Session::start(program, &path)?;
        session.hear("tealight: no model")?;
        session.hear(said)?;
        session.hear("\n> ")?;
        session.say("turn on the kitchen light\r")?;
        session.hear(said)?;
        session.hear("\n> ")?;
        ended_well(session, program)?;
    }
    eprintln!("{}: a working prompt without a model", program.machine);
    Ok(())
}

/// An error unless a request is answered.
fn works(session: &mut Session) -> Outcome {
    session.say("turn on the kitchen light\r")?;
    session.hear("= light 100 %\r\n> ")?;
    Ok(())
}

/// Ends the firmware, which is an error unless it was still in order.
fn ended_well(session: Session, program: &Program) -> Outcome {
    let (status, said) = session.finish()?;
    if !status.success() {
        return Err(format!("{} ended with {status}: {said}", program.machine).into());
    }
    Ok(())
}
