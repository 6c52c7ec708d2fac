//! Tables for people, and the same as JSON for scripts.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::build::Artefact;
use super::machine::System;
use super::preflight::{Checked, Link};
use super::targets::{Kind, Platform};
use crate::tree;

/// A line a target: whether it can be built, and with what.
pub(crate) fn preflight(checked: &[Checked]) -> String {
    let mut rows = vec![["target", "runs on", "state", "library", "linker"].map(String::from)];
    rows.extend(checked.iter().map(|checked| {
        [
            checked.target.triple.to_owned(),
            checked.target.runs_on.to_owned(),
            state(checked).to_owned(),
            checked.library.clone(),
            checked.linker.clone(),
        ]
    }));
    table(&rows)
}

fn state(checked: &Checked) -> &'static str {
    if checked.outcome.is_ok() {
        "ready"
    } else {
        "missing"
    }
}

/// What is missing, for which targets, and what to type.
pub(crate) fn mending(checked: &[Checked], system: System) -> String {
    let mut missing: BTreeMap<(String, Vec<String>), Vec<&str>> = BTreeMap::new();
    for checked in checked {
        for need in checked.outcome.as_ref().err().into_iter().flatten() {
            let key = (need.what(), need.mend(system));
            missing.entry(key).or_default().push(checked.target.triple);
        }
    }
    let mut text = String::new();
    for ((what, mend), targets) in missing {
        text += &format!("{}: missing {what}\n", targets.join(", "));
        for line in mend {
            text += &format!("    {line}\n");
        }
    }
    text
}

/// What was made: where it lies, and how large it is.
pub(crate) fn artefacts(made: &[(&str, Vec<Artefact>)]) -> String {
    let mut rows = vec![["artefact", "built", "stripped"].map(String::from)];
    for artefact in made.iter().flat_map(|(_, artefacts)| artefacts) {
        rows.push([
            from_root(artefact),
            bytes(artefact.size),
            artefact.stripped.map_or("-".to_owned(), bytes),
        ]);
    }
    table(&rows)
}

/// The whole as one value: `targets` in the order of the table.
pub(crate) fn json(checked: &[Checked], made: &[(&str, Vec<Artefact>)], system: System) -> Value {
    let targets: Vec<Value> = checked
        .iter()
        .map(|checked| {
            let triple = checked.target.triple;
            let artefacts = made.iter().find(|(other, _)| *other == triple);
            let artefacts = artefacts.map_or(&[][..], |(_, artefacts)| artefacts);
            let needs = checked.outcome.as_ref().err().into_iter().flatten();
            let stubs = checked.outcome.as_ref().map(|recipe| &recipe.link);
            json!({
                "target": triple,
                "runs_on": checked.target.runs_on,
                "abi": match checked.target.platform {
                    Platform::Android { abi, .. } => Some(abi),
                    _ => None,
                },
                "sdk": match checked.target.platform {
                    Platform::Ios { sdk } => Some(sdk),
                    _ => None,
                },
                "ready": checked.outcome.is_ok(),
                "library": checked.library,
                "linker": checked.linker,
                "shippable": !matches!(stubs, Ok(Link::Stubs { .. })),
                "missing": needs
                    .map(|need| json!({ "what": need.what(), "mend": need.mend(system) }))
                    .collect::<Vec<_>>(),
                "artefacts": artefacts.iter().map(described).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({ "targets": targets })
}

fn described(artefact: &Artefact) -> Value {
    json!({
        "kind": match artefact.product.kind {
            Kind::Program => "program",
            Kind::SharedLibrary => "shared library",
            Kind::StaticLibrary => "static library",
            Kind::Crate => "crate",
        },
        "package": artefact.product.package,
        "path": artefact.path,
        "bytes": artefact.size,
        "stripped_bytes": artefact.stripped,
    })
}

fn from_root(artefact: &Artefact) -> String {
    let path = artefact.path.strip_prefix(tree::root());
    path.unwrap_or(&artefact.path).display().to_string()
}

/// In the unit that people compare: `1.23 MB` is 1,230,000 bytes.
pub(crate) fn bytes(count: u64) -> String {
    match count {
        1_000_000.. => format!("{:.2} MB", count as f64 / 1e6),
        1_000.. => format!("{:.1} kB", count as f64 / 1e3),
        _ => format!("{count} B"),
    }
}

/// Columns as wide as their widest cell.
pub(crate) fn table<const COLUMNS: usize>(rows: &[[String; COLUMNS]]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths: [usize; COLUMNS] = std::array::from_fn(width);
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            line += &format!("{cell:width$}  ");
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_lines_end_without_spaces() {
        let rows = [["a", "bb", "c"], ["aaa", "b", ""]].map(|row| row.map(String::from));
        assert_eq!(table(&rows), "a    bb  c\naaa  b\n");
    }

    #[test]
    fn sizes_are_said_in_thousands_of_bytes() {
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(61_440), "61.4 kB");
        assert_eq!(bytes(2_999_999), "3.00 MB");
    }
}
