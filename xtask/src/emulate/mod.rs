//! `cargo xtask emulate`: the core's tests and the whole models' logits on emulated ARM
//! processors. `cargo xtask count-instructions` counts there what a token costs.

pub(crate) mod count;
mod program;

use std::path::Path;
use std::process::Command;

use serde_json::json;

use self::program::{Emulator, emulators};
use crate::build_arm::machine::Machine;
use crate::command::{self, everywhere};
use crate::{Outcome, tree};

/// A processor that qemu emulates.
struct Processor {
    /// As qemu calls it.
    name: &'static str,
    triple: &'static str,
    /// The instruction sets that Tealight finds there, from the plainest on.
    isas: &'static [&'static str],
}

const ARM64: &str = "aarch64-unknown-linux-gnu";
const ARMV7: &str = "armv7-unknown-linux-gnueabihf";

const PROCESSORS: &[Processor] = &[
    Processor {
        name: "cortex-a53",
        triple: ARM64,
        isas: &["neon"],
    },
    Processor {
        name: "neoverse-n1",
        triple: ARM64,
        isas: &["neon", "dotprod"],
    },
    Processor {
        name: "max",
        triple: ARM64,
        isas: &["scalar", "dotprod", "i8mm"],
    },
    Processor {
        name: "cortex-a7",
        triple: ARMV7,
        isas: &["neon"],
    },
];

/// What a target's programs are run with.
struct Runner {
    triple: &'static str,
    emulator: &'static str,
    /// The C library's dynamic linker, from which its folder follows.
    loader: &'static str,
}

const RUNNERS: &[Runner] = &[
    Runner {
        triple: ARM64,
        emulator: "qemu-aarch64",
        loader: "ld-linux-aarch64.so.1",
    },
    Runner {
        triple: ARMV7,
        emulator: "qemu-arm",
        loader: "ld-linux-armhf.so.3",
    },
];

/// Tests everything that can be emulated; what cannot is an error, or is left out with a notice.
pub(crate) fn run(may_skip: bool) -> Outcome {
    let machine = Machine::this();
    let (emulators, missing) = emulators(&machine);
    if !missing.is_empty() {
        let missing = missing.join("\n");
        if !may_skip {
            return Err(missing.into());
        }
        eprintln!("{missing}\nskipped: tests on processors that cannot be emulated here");
    }
    let mut told = Vec::new();
    for emulator in &emulators {
        let logits = emulator.logits()?;
        let processors = PROCESSORS.iter();
        let mut processors = processors.filter(|one| one.triple == emulator.runner.triple);
        while let Some(processor) = processors.next() {
            // Whole steps take long: the last processor has every instruction set.
            let last = processors.clone().next().is_none();
            let tests: &[&str] = if last {
                &["--lib", "--test=executor"]
            } else {
                &["--lib"]
            };
            for test in &emulator.tests(tests)? {
                let mut command = emulator.command(processor.name, &[], test);
                command::run(command.arg("--quiet"))?;
            }
            told.push(json!({
                "name": processor.name,
                "command": arguments(&emulator.command(processor.name, &[], &logits)),
                "isas": processor.isas,
            }));
        }
    }
    if told.is_empty() {
        return Ok(());
    }
    let mut compare = everywhere("test");
    compare.args(["--test", "emulated"]);
    compare.env("TEALIGHT_EMULATED", json!(told).to_string());
    command::run(&mut compare)
}

/// A command's program and arguments.
fn arguments(command: &Command) -> Vec<String> {
    let program = [command.get_program()].into_iter();
    let all = program.chain(command.get_args());
    all.map(|word| word.to_string_lossy().into_owned())
        .collect()
}

impl Emulator<'_> {
    /// Runs a program of the target on a processor, with more of qemu's options.
    fn command(&self, processor: &str, options: &[&str], program: &Path) -> Command {
        let mut command = command::program(&self.qemu, &["-cpu", processor, "-L"]);
        command.arg(&self.libraries).args(options).arg(program);
        command.current_dir(tree::root());
        command
    }
}
