//! A path that a document names is there.

use std::path::Path;

use crate::Outcome;
use crate::tree::{self, Source};

pub(super) fn check() -> Outcome<Vec<String>> {
    let mut places = Vec::new();
    for document in tree::sources(&["md"])? {
        let folder = Path::new(&document.path).parent().unwrap_or(Path::new(""));
        for (number, path) in paths(&document) {
            let places_to_look = [
                tree::root().join(&path),
                tree::root().join(folder).join(&path),
            ];
            if !places_to_look.iter().any(|place| place.exists()) {
                places.push(format!("{}:{number}: {path} is not there", document.path));
            }
        }
    }
    Ok(places)
}

/// What stands in backticks, has a slash and begins with a folder of the root.
fn paths(document: &Source) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in document.lines() {
        for word in line.split('`').skip(1).step_by(2) {
            let plain = word
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "./_-".contains(c));
            let first = word.split_once('/').map_or("", |(first, _)| first);
            let ours =
                !["", ".", "..", "target"].contains(&first) && tree::root().join(first).is_dir();
            if plain && ours {
                found.push((number, word.to_owned()));
            }
        }
    }
    found
}
