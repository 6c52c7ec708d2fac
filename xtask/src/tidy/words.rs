//! Words that no file of the repository contains.

use crate::{Outcome, tree};

/// What must not be written, and what to do instead. Split, so that this file passes.
const FORBIDDEN: &[(&str, &str)] = &[
    (
        concat!("to", "do!("),
        "finish it, or refuse with a typed error",
    ),
    (
        concat!("unimpl", "emented!("),
        "finish it, or refuse with a typed error",
    ),
    (
        concat!("FIX", "ME"),
        "finish it, or write it down in an issue",
    ),
    (
        concat!("TO", "DO"),
        "finish it, or write it down in an issue",
    ),
    (
        concat!("X", "XX"),
        "finish it, or write it down in an issue",
    ),
    (
        concat!("/wo", "rk/"),
        "a path of one machine means nothing to the next reader",
    ),
    (
        concat!("/ro", "ot/"),
        "a path of one machine means nothing to the next reader",
    ),
    (
        concat!("/tm", "p/"),
        "ask the system for its folder of temporary files",
    ),
    (concat!("dbg", "!("), "log it, or leave it out"),
];

const READ: &[&str] = &[
    "rs", "py", "kt", "kts", "java", "swift", "toml", "md", "sh", "yml", "yaml",
];

pub(super) fn check() -> Outcome<Vec<String>> {
    let mut places = Vec::new();
    for source in tree::sources(READ)? {
        for (number, line) in source.lines() {
            for (word, instead) in FORBIDDEN.iter().filter(|(word, _)| line.contains(word)) {
                places.push(format!("{}:{number}: {word:?}: {instead}", source.path));
            }
        }
    }
    Ok(places)
}
