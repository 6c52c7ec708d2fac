//! `cargo xtask test`: everything that must hold before a change is handed in.

use std::time::Instant;

use clap::Args;

use crate::build_arm::budgets;
use crate::command::{self, cargo};
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

struct Step {
    name: &'static str,
    wanted: fn(&Flags) -> bool,
    run: fn(&Flags) -> Outcome,
}

/// The repository's own rules come first because they are the quickest to break and to mend.
const STEPS: &[Step] = &[
    Step {
        name: "tidy",
        wanted: |flags| !flags.quick,
        run: |_| tidy::run(&tidy::Flags::default()),
    },
    Step {
        name: "tidy",
        wanted: |flags| flags.quick,
        run: |_| tidy::run(&tidy::Flags::quick()),
    },
    Step {
        name: "tests",
        wanted: |_| true,
        run: tests,
    },
    Step {
        name: "jvm",
        wanted: |flags| !flags.quick && !flags.without_jvm,
        run: |_| bindings::jvm::test(),
    },
    Step {
        name: "python",
        wanted: |flags| !flags.quick && !flags.without_python,
        run: |_| bindings::python::test(),
    },
    Step {
        name: "instructions",
        wanted: |flags| !flags.quick,
        run: |_| instructions::run(&instructions::Flags::default()),
    },
    Step {
        name: "sizes",
        wanted: |flags| !flags.quick,
        run: |_| budgets::run(&budgets::Flags::default()),
    },
    Step {
        name: "packages",
        wanted: |flags| !flags.quick,
        run: packages,
    },
    Step {
        name: "emulate",
        wanted: |flags| !flags.quick,
        run: |flags| emulate::run(flags.may_skip_emulation),
    },
    Step {
        name: "firmware",
        wanted: |flags| !flags.quick,
        run: |_| firmware::test(),
    },
    Step {
        name: "tract",
        wanted: |flags| !flags.quick && !flags.without_tract,
        run: tract,
    },
];

pub(crate) fn run(flags: &Flags) -> Outcome {
    let start = Instant::now();
    let named = |step: &Step| flags.only.as_ref().is_none_or(|only| only == step.name);
    let wanted = |step: &&Step| (step.wanted)(flags) && named(step);
    if !STEPS.iter().any(|step| wanted(&step)) {
        return Err("there is no such step to run".into());
    }
    for step in STEPS.iter().filter(wanted) {
        let began = Instant::now();
        (step.run)(flags)?;
        eprintln!(
            "{}: passed in {:.0} s\n",
            step.name,
            began.elapsed().as_secs_f32()
        );
    }
    eprintln!("all passed in {:.0} s", start.elapsed().as_secs_f32());
    Ok(())
}

/// Unit, documentation and whole-system tests, in the profile that `cargo run --release`
/// builds, so that both share what they compile.
fn tests(flags: &Flags) -> Outcome {
    let mut command = cargo(&[
        "test",
        "--release",
        "--workspace",
        "--exclude",
        "tealight-onnx",
    ]);
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
    command::run(&mut cargo(&["test", "--release", "-p", "tealight-onnx"]))?;
    let build = ["build", "--release", "-p", "tealight-cli"];
    command::run(cargo(&build).args(["--features", "tract"]))
}
