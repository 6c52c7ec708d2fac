//! The licence, as README's front matter or the first lines of LICENSE name it.

use super::{Folder, README_LIMIT, TextError};

/// How well-known licences begin, and their SPDX identifiers.
const TITLES: [(&str, &str); 8] = [
    ("apache license", "Apache-2.0"),
    ("mit license", "MIT"),
    ("the mit license", "MIT"),
    ("bsd 3-clause license", "BSD-3-Clause"),
    ("bsd 2-clause license", "BSD-2-Clause"),
    ("gnu general public license", "GPL"),
    ("creative commons attribution 4.0", "CC-BY-4.0"),
    ("mozilla public license", "MPL-2.0"),
];

/// Longest name of a licence, in characters.
const LONGEST: usize = 80;

/// What the folder says or, where it is called `onnx` and says nothing, the one above.
pub(super) fn find(folder: &Folder) -> Result<Option<String>, TextError> {
    let own = find_in(folder)?;
    match folder.0.parent() {
        Some(above) if own.is_none() && folder.0.ends_with("onnx") => {
            find_in(&Folder(above.to_owned()))
        }
        _ => Ok(own),
    }
}

fn find_in(folder: &Folder) -> Result<Option<String>, TextError> {
    if let Some(readme) = folder.read("README.md", README_LIMIT)?
        && let Some(licence) = front_matter(&String::from_utf8_lossy(&readme))
    {
        return Ok(Some(licence));
    }
    for name in ["LICENSE", "LICENSE.txt"] {
        if let Some(text) = folder.read(name, README_LIMIT)? {
            return Ok(title(&String::from_utf8_lossy(&text)));
        }
    }
    Ok(None)
}

/// `license:` between the two `---` lines that a model card begins with; `license_name:` where
/// that says `other`.
fn front_matter(readme: &str) -> Option<String> {
    let mut lines = readme.lines();
    if lines.next()?.trim_end() != "---" {
        return None;
    }
    let card: Vec<&str> = lines.take_while(|line| line.trim_end() != "---").collect();
    let value = |key: &str| {
        let line = card
            .iter()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
        let value = line.trim().trim_matches(['"', '\'']);
        (!value.is_empty()).then(|| shorten(value))
    };
    match value("license") {
        Some(other) if other == "other" => value("license_name").or(Some(other)),
        licence => licence,
    }
}

fn title(licence: &str) -> Option<String> {
    let first = licence
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty())?;
    let lower = first.to_lowercase();
    let known = TITLES.iter().find(|(title, _)| lower.starts_with(title));
    Some(known.map_or_else(|| shorten(first), |(_, spdx)| (*spdx).into()))
}

fn shorten(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}
