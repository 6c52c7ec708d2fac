//! The licences of what is inside a package: our own, and those of the crates that are linked in.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::command::{cargo, output};
use crate::{Outcome, tree};

/// How files that hold a licence are called.
const NAMES: &[&str] = &["LICENSE", "LICENCE", "COPYING", "NOTICE", "UNLICENSE"];

/// What stands in place of a licence's text where a crate brings none.
const NO_TEXT: &str = "These bring no text of their licence; their source is at \
    https://crates.io/crates/<name>/<version>.\n";

const OWN: &[&str] = &["LICENSE-APACHE", "LICENSE-MIT"];

/// Names and texts: our own licences, and one file for those of the crates that `package` links.
pub(super) fn of(package: &str) -> Outcome<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    for name in OWN {
        files.push(((*name).to_owned(), fs::read(tree::root().join(name))?));
    }
    let text = third_parties(package)?;
    files.push(("THIRD-PARTY-LICENSES".to_owned(), text.into_bytes()));
    Ok(files)
}

/// Each text once, after the crates that it covers.
fn third_parties(package: &str) -> Outcome<String> {
    let places = manifests()?;
    let mut crates_of: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    // What runs while it is compiled is not part of what is compiled.
    let tree = ["tree", "-e", "normal,no-proc-macro", "--prefix", "none"];
    let listed = output(cargo(&tree).args(["-p", package, "--format", "{p}|{l}"]))?;
    for line in listed.lines() {
        let (name, licence) = line.split_once('|').unwrap_or((line, ""));
        let mut words = name.split_whitespace();
        let (Some(name), Some(version)) = (words.next(), words.next()) else {
            continue;
        };
        let key = (name.to_owned(), version.trim_start_matches('v').to_owned());
        let Some(folder) = places.get(&key) else {
            continue;
        };
        let licence = licence.trim_end_matches(" (*)");
        let described = format!("{} {} ({licence})", key.0, key.1);
        let texts = texts(folder)?;
        if texts.is_empty() {
            let none = NO_TEXT.to_owned();
            crates_of.entry(none).or_default().insert(described);
            continue;
        }
        for text in texts {
            crates_of.entry(text).or_default().insert(described.clone());
        }
    }
    let sections = crates_of.into_iter().map(|(text, crates)| {
        let crates: Vec<String> = crates.into_iter().collect();
        format!("{}\n\n{}\n", crates.join("\n"), text.trim_end())
    });
    let sections: Vec<String> = sections.collect();
    Ok(sections.join(&format!("\n{}\n\n", "-".repeat(80))))
}

/// Where crates that are not ours lie, by name and version.
fn manifests() -> Outcome<BTreeMap<(String, String), PathBuf>> {
    let metadata = output(&mut cargo(&["metadata", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let foreign = packages.filter(|package| !package["source"].is_null());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok(foreign
        .map(|package| {
            let manifest = PathBuf::from(text(&package["manifest_path"]));
            let folder = manifest.parent().unwrap_or(&manifest).to_owned();
            ((text(&package["name"]), text(&package["version"])), folder)
        })
        .collect())
}

fn texts(folder: &Path) -> Outcome<Vec<String>> {
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().to_uppercase();
        let licence = NAMES.iter().any(|start| name.starts_with(start));
        if licence && entry.file_type()?.is_file() {
            texts.push(String::from_utf8_lossy(&fs::read(entry.path())?).into_owned());
        }
    }
    Ok(texts)
}
