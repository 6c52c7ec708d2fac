//! Other languages over the library that is built here: their code is generated, compiled and
//! tested with it.

mod bindgen;
pub(crate) mod jvm;

use std::path::{Path, PathBuf};

use crate::command::{self, cargo};
use crate::{Outcome, tree};

/// What is generated and compiled lies here, below `target`.
fn folder(name: &str) -> PathBuf {
    tree::root().join("target/bindings").join(name)
}

/// A library of this machine, as `cargo build --release` leaves it.
fn library(name: &str) -> PathBuf {
    let file = format!(
        "{}{name}{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    );
    tree::root().join("target/release").join(file)
}

fn build(packages: &[&str]) -> Outcome {
    let mut command = cargo(&["build", "--release"]);
    command.args(packages.iter().flat_map(|package| ["-p", package]));
    command::run(&mut command)
}

/// Every file below `folder` with this ending, in order.
fn files(folder: &Path, ending: &str) -> Outcome<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries =
        std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path, ending)?);
        } else if path.extension().is_some_and(|own| own == ending) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
