//! `cargo xtask test`: everything that must hold before a change is handed in.

use std::error::Error;
use std::io::{self, Seek};
use std::path::Path;
use std::process::Command;
use std::time::Instant;
use std::{env, thread};

use clap::Args;

use crate::build_arm::budgets;
use crate::command::{self, cargo, everywhere};
use crate::{Outcome, bindings, emulate, firmware, instructions, package, tidy};

#[derive(Args)]
pub(crate) struct Flags {
    /// For daily work: no whole-system tests, no documentation, no other targets, no tract
    #[arg(long)]
    quick: bool,
    /// Leave out the crate that runs on tract, which takes minutes to build
    #[arg(long)]
    without_tract: bool,
    /// Leave out emulated processors where there is no emulator or nothing that builds for them
    #[arg(long)]
    may_skip_emulation: bool,
    /// Leave out Java and Kotlin, which need a JDK and a Kotlin compiler
    #[arg(long)]
    without_jvm: bool,
    /// Leave out Python, which needs Python 3.9 or newer
    #[arg(long)]
    without_python: bool,
    /// Only the step of this name, such as jvm
    #[arg(long)]
    only: Option<String>,
}

/// What a step may run beside. Linking for devices and emulators keep one core busy each, where
/// there are two: the lanes run beside each other, each in its order.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lane {
    /// Nothing, because compiling keeps every core busy, and others would wait for its lock.
    Alone,
    First,
    /// Shown when it has ended.
    Second,
}

struct Step {
    name: &'static str,
    lane: Lane,
    wanted: fn(&Flags) -> bool,
    run: fn(&Flags) -> Outcome,
}

/// The repository's own rules come first because they are the quickest to break and to mend.
const STEPS: &[Step] = &[
    Step {
        name: "tidy",
        lane: Lane::Alone,
        wanted: |flags| !flags.quick,
        run: |_| tidy::run(&tidy::Flags::default()),
    },
    Step {
        name: "tidy",
        lane: Lane::Alone,
        wanted: |flags| flags.quick,
        run: |_| tidy::run(&tidy::Flags::quick()),
    },
    Step {
        name: "tests",
        lane: Lane::Alone,
        wanted: |_| true,
        run: tests,
    },
    Step {
        name: "jvm",
        lane: Lane::First,
        wanted: |flags| !flags.quick && !flags.without_jvm,
        run: |_| bindings::jvm::test(),
    },
    Step {
        name: "python",
        lane: Lane::First,
        wanted: |flags| !flags.quick && !flags.without_python,
        run: |_| bindings::python::test(),
    },
    Step {
        name: "instructions",
        lane: Lane::First,
        wanted: |flags| !flags.quick,
        run: |_| instructions::run(&instructions::Flags::default()),
    },
    Step {
        name: "sizes",
        lane: Lane::First,
        wanted: |flags| !flags.quick,
        run: |_| budgets::run(&budgets::Flags::default()),
    },
    Step {
        name: "packages",
        lane: Lane::First,
        wanted: |flags| !flags.quick,
        run: packages,
    },
    Step {
        name: "emulate",
        lane: Lane::Second,
        wanted: |flags| !flags.quick,
        run: |flags| emulate::run(flags.may_skip_emulation),
    },
    Step {
        name: "firmware",
        lane: Lane::Second,
        wanted: |flags| !flags.quick,
        run: |_| firmware::test(),
    },
    Step {
        name: "tract",
        lane: Lane::Alone,
        wanted: |flags| !flags.quick && !flags.without_tract,
        run: tract,
    },
];

pub(crate) fn run(flags: &Flags) -> Outcome {
    let start = Instant::now();
    // Asked while it is there: the tests compile this program too, and replace it.
    let this = env::current_exe()?;
    let named = |step: &Step| flags.only.as_ref().is_none_or(|only| only == step.name);
    let wanted = |step: &&Step| (step.wanted)(flags) && named(step);
    if !STEPS.iter().any(|step| wanted(&step)) {
        return Err("there is no such step to run".into());
    }
    let steps: Vec<&Step> = STEPS.iter().filter(wanted).collect();
    let alone = |step: &&Step| step.lane == Lane::Alone || flags.only.is_some();
    for group in steps.chunk_by(|a, b| alone(a) == alone(b)) {
        let (second, first): (Vec<&Step>, Vec<&Step>) = group
            .iter()
            .partition(|step| step.lane == Lane::Second && !alone(step));
        let this = &this;
        thread::scope(|scope| {
            let second =
                scope.spawn(move || second.into_iter().try_for_each(|step| told(this, step)));
            let first = first.into_iter().try_for_each(|step| step.run(flags));
            let second = second.join().map_err(|_| "a step panicked")?;
            first?;
            Ok::<(), Box<dyn Error>>(second?)
        })?;
    }
    eprintln!("all passed in {:.0} s", start.elapsed().as_secs_f32());
    Ok(())
}

impl Step {
    fn run(&self, flags: &Flags) -> Outcome {
        let began = Instant::now();
        (self.run)(flags)?;
        let seconds = began.elapsed().as_secs_f32();
        eprintln!("{}: passed in {seconds:.0} s\n", self.name);
        Ok(())
    }
}

/// Runs a step in a process of its own, and shows in one piece what it said.
fn told(this: &Path, step: &Step) -> Result<(), String> {
    let run = || -> Outcome<bool> {
        let mut said = tempfile::tempfile()?;
        let mut command = Command::new(this);
        command.args(env::args_os().skip(1));
        command.args(["--only", step.name]);
        command.stdout(said.try_clone()?).stderr(said.try_clone()?);
        let status = command.status()?;
        said.rewind()?;
        io::copy(&mut said, &mut io::stderr())?;
        Ok(status.success())
    };
    match run() {
        Ok(true) => Ok(()),
        Ok(false) => Err(format!("{} failed", step.name)),
        Err(error) => Err(format!("{}: {error}", step.name)),
    }
}

/// Unit, documentation and whole-system tests, in the profile that `cargo run --release`
/// builds, so that both share what they compile.
fn tests(flags: &Flags) -> Outcome {
    let mut command = everywhere("test");
    if flags.quick {
        command.args(["--exclude", "tealight-tests"]);
    }
    command::run(&mut command)
}

/// Packs what the steps before have compiled, and holds it to its rules.
fn packages(flags: &Flags) -> Outcome {
    if cfg!(target_os = "linux") {
        package::swift::host("release")?;
    }
    if flags.without_jvm {
        return Ok(());
    }
    package::android::test()
}

fn tract(_: &Flags) -> Outcome {
    // Named together, so that both share what they compile.
    let crates = ["-p", "tealight-onnx", "-p", "tealight-cli"];
    let mut command = cargo(&["test", "--release", "--features", "tealight-cli/tract"]);
    command::run(command.args(crates))
}
