//! Every crate follows the workspace's lints, version and licence.

use std::fs;

use crate::command::{cargo, output};
use crate::{Outcome, tree};

/// Lines that each member's Cargo.toml has.
const LINES: &[&str] = &[
    "version.workspace = true",
    "edition.workspace = true",
    "rust-version.workspace = true",
    "license.workspace = true",
];

pub(super) fn check() -> Outcome<Vec<String>> {
    let mut places = Vec::new();
    for package in super::dependencies::packages(&output(&mut cargo(super::dependencies::OURS))?)? {
        let text = fs::read_to_string(&package.manifest)?;
        let path = package
            .manifest
            .strip_prefix(tree::root())
            .unwrap_or(&package.manifest);
        let mut lines = text.lines().skip_while(|line| *line != "[lints]").skip(1);
        if lines.next() != Some("workspace = true") {
            places.push(format!(
                "{}: lacks `[lints]` with `workspace = true`",
                path.display()
            ));
        }
        for line in LINES
            .iter()
            .filter(|line| !text.lines().any(|found| found == **line))
        {
            places.push(format!("{}: lacks `{line}`", path.display()));
        }
    }
    Ok(places)
}
