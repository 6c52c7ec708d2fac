//! Programs for emulated processors, built with what `cargo xtask build-arm` would build with.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{RUNNERS, Runner};
use crate::build_arm::machine::{Machine, System};
use crate::build_arm::preflight::{Link, Recipe, Wishes};
use crate::build_arm::{build, check, report, targets::Target};
use crate::{Outcome, command};

/// How to build for a target, and to run what was built.
pub(super) struct Emulator<'m> {
    pub(super) runner: &'static Runner,
    pub(super) qemu: PathBuf,
    /// The folder that holds the target's `lib`.
    pub(super) libraries: PathBuf,
    recipe: Recipe<'m>,
}

/// What this machine can build and emulate, and in words what it lacks for the rest.
pub(super) fn emulators(machine: &Machine) -> (Vec<Emulator<'_>>, Vec<String>) {
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for runner in RUNNERS {
        match emulator(runner, machine) {
            Ok(emulator) => found.push(emulator),
            Err(error) => missing.push(format!("{}: {error}", runner.triple)),
        }
    }
    (found, missing)
}

fn emulator<'m>(runner: &'static Runner, machine: &'m Machine) -> Outcome<Emulator<'m>> {
    let target = Target::find(runner.triple).ok_or("no such target")?;
    let checked = check([target].into_iter(), machine, &Wishes::default());
    let [one] = &checked[..] else {
        return Err("no such target".into());
    };
    let Ok(recipe) = &one.outcome else {
        return Err(report::mending(&checked, machine.system).into());
    };
    let Some(qemu) = machine.program(runner.emulator) else {
        let install = match machine.system {
            System::Debian => "sudo apt-get install qemu-user",
            System::Fedora => "sudo dnf install qemu-user",
            System::Arch => "sudo pacman -S qemu-user",
            System::MacOs | System::Other => "it runs on Linux",
        };
        return Err(format!("no {} here: {install}", runner.emulator).into());
    };
    let Link::Compiler(compiler) = &recipe.link else {
        return Err("no C compiler links for it".into());
    };
    let asked = format!("-print-file-name={}", runner.loader);
    let loader = command::output(&mut command::program(compiler, &[&asked]))?;
    let loader = Path::new(loader.trim()).canonicalize();
    // As in `/usr/aarch64-linux-gnu/lib/ld-linux-aarch64.so.1`.
    let libraries = loader?.ancestors().nth(2).map(Path::to_owned);
    Ok(Emulator {
        runner,
        qemu,
        libraries: libraries.ok_or("a C library in an odd place")?,
        recipe: recipe.clone(),
    })
}

impl Emulator<'_> {
    /// Tests of the core, named as cargo names them.
    pub(super) fn tests(&self, which: &[&str]) -> Outcome<Vec<PathBuf>> {
        self.build("test", &[&["--no-run"], which].concat())
    }

    /// The example of this name.
    pub(super) fn logits(&self) -> Outcome<PathBuf> {
        let built = self.build("build", &["--example", "logits"])?;
        Ok(built.into_iter().next().ok_or("cargo made no example")?)
    }

    /// Builds parts of the core and returns the programs that this makes.
    fn build(&self, task: &str, parts: &[&str]) -> Outcome<Vec<PathBuf>> {
        let mut cargo = build::cargo(&self.recipe, task)?;
        cargo.args(["--release", "-p", "tealight-core"]).args(parts);
        cargo.arg("--message-format=json-render-diagnostics");
        let messages = command::told(&mut cargo)?;
        let messages = messages.lines().map(serde_json::from_str::<Value>);
        let mut programs = Vec::new();
        for message in messages {
            let message = message?;
            programs.extend(message["executable"].as_str().map(PathBuf::from));
        }
        Ok(programs)
    }
}
