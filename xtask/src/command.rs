//! Runs other programs: shown before they run, and their failure is an error.

use std::ffi::OsStr;
use std::process::{Command, Stdio};

use crate::{Outcome, tree};

/// The cargo that runs this program, in the repository's root.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    program(env!("CARGO"), arguments)
}

/// What `build` compiles and the tests test: every crate but the one that runs on tract, in the
/// profile of `cargo run --release`. Cargo gives a dependency the features that all crates named
/// together ask for, so that naming fewer would compile much of it anew.
const EVERYWHERE: &[&str] = &["--release", "--workspace", "--exclude", "tealight-onnx"];

/// Cargo over the crates that are tested.
pub(crate) fn everywhere(task: &str) -> Command {
    let mut command = cargo(&[task]);
    command.args(EVERYWHERE);
    command
}

/// Programs and libraries of the crates that are tested, as the tests have compiled them: tests
/// are compiled too, because what they stand on counts among the features.
pub(crate) fn build() -> Outcome {
    run(everywhere("build").args(["--lib", "--bins", "--tests"]))
}

/// A program, in the repository's root.
pub(crate) fn program(name: impl AsRef<OsStr>, arguments: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(arguments).current_dir(tree::root());
    command
}

/// Shows the command, runs it with this program's own output, and fails where it fails.
pub(crate) fn run(command: &mut Command) -> Outcome {
    let shown = shown(command);
    eprintln!("$ {shown}");
    let status = command
        .status()
        .map_err(|error| format!("cannot run `{shown}`: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("`{shown}` failed: {status}").into())
    }
}

/// What the command prints.
pub(crate) fn output(command: &mut Command) -> Outcome<String> {
    let shown = shown(command);
    let output = command
        .output()
        .map_err(|error| format!("cannot run `{shown}`: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("`{shown}` failed: {}\n{said}", output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Shows the command and returns what it prints; its errors go where this program's go.
pub(crate) fn told(command: &mut Command) -> Outcome<String> {
    eprintln!("$ {}", shown(command));
    output(command.stderr(Stdio::inherit()))
}

/// The command as a person would type it in the repository's root.
fn shown(command: &Command) -> String {
    let mut shown = String::new();
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            // Cargo's own form separates flags by a control character.
            let (name, value) = (name.to_string_lossy(), value.to_string_lossy());
            let name = name.replace("CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS");
            shown += &format!("{name}={:?} ", value.replace('\x1f', " "));
        }
    }
    let name = command.get_program().to_string_lossy();
    shown += name.rsplit('/').next().unwrap_or_default();
    for argument in command.get_args() {
        shown += &format!(" {}", argument.to_string_lossy());
    }
    shown.replace(&format!("{}/", tree::root().display()), "")
}
