//! The repository's files, as the checks read them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Outcome;

/// Folders that hold nothing of the repository's own.
const NOT_OURS: &[&str] = &["target", "__pycache__", "node_modules"];

/// A text file of the repository.
pub(crate) struct Source {
    /// From the root, with forward slashes.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Source {
    /// Lines with their numbers, from 1.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line))
    }
}

/// Where the workspace's Cargo.toml lies.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask lies in the repository")
}

/// Every text file with one of the extensions, in order.
pub(crate) fn sources(extensions: &[&str]) -> Outcome<Vec<Source>> {
    let mut paths = Vec::new();
    collect(root(), &mut paths)?;
    paths.sort();
    let mut sources = Vec::new();
    for path in paths {
        let extension = path.extension().unwrap_or_default().to_string_lossy();
        if extensions.contains(&&*extension) {
            let from_root = path
                .strip_prefix(root())?
                .to_string_lossy()
                .replace('\\', "/");
            let text = fs::read_to_string(&path)
                .map_err(|error| format!("cannot read {from_root}: {error}"))?;
            sources.push(Source {
                path: from_root,
                text,
            });
        }
    }
    Ok(sources)
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) -> Outcome {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let kind = entry.file_type()?;
        if kind.is_dir() && name != ".git" && !NOT_OURS.contains(&&*name) {
            collect(&entry.path(), paths)?;
        } else if kind.is_file() {
            paths.push(entry.path());
        }
    }
    Ok(())
}
