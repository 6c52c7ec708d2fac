//! Other languages over the library that is built here: their code is generated, compiled and
//! tested with it.

mod bindgen;
pub(crate) mod jvm;
pub(crate) mod python;

use std::path::{Path, PathBuf};

use uniffi_bindgen::bindings::TargetLanguage;

use crate::command::{self, cargo};
use crate::{Outcome, tree};

/// What the programs in the bindings' documentation print: the embedded model's answer.
const PRINTED: &str = r#"{"device":"light","room":"kitchen","action":"off","value":null}"#;

/// The programs in a language that a page of documentation shows, in order.
fn programs(page: &str, language: &str) -> Outcome<Vec<String>> {
    let text = std::fs::read_to_string(tree::root().join(page))?;
    let begins = format!("```{language}\n");
    let blocks = text.split(begins.as_str()).skip(1);
    let programs: Vec<String> = blocks
        .filter_map(|block| block.split("```").next().map(str::to_owned))
        .collect();
    match programs.is_empty() {
        false => Ok(programs),
        true => Err(format!("{page} has no program in {language}").into()),
    }
}

/// Cargo's profile that tests are built in.
const PROFILE: &str = "release";

/// What is generated and compiled lies here, below `target`.
fn folder(name: &str) -> PathBuf {
    tree::root().join("target/bindings").join(name)
}

/// A library of this machine, as `build` leaves it.
pub(crate) fn library(name: &str, profile: &str) -> PathBuf {
    let file = format!(
        "{}{name}{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    );
    tree::root().join("target").join(profile).join(file)
}

pub(crate) fn build(packages: &[&str], profile: &str) -> Outcome {
    if profile == PROFILE {
        return command::build();
    }
    let mut command = cargo(&["build", "--profile", profile]);
    command.args(packages.iter().flat_map(|package| ["-p", package]));
    command::run(&mut command)
}

/// The folder with the Swift code and the header that UniFFI generates from this library.
pub(crate) fn swift(library: &Path) -> Outcome<PathBuf> {
    let generated = folder("swift-generated");
    bindgen::generate(library, TargetLanguage::Swift, &generated)?;
    Ok(generated)
}

/// Every file below `folder` with this ending, in order.
pub(crate) fn files(folder: &Path, ending: &str) -> Outcome<Vec<PathBuf>> {
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
