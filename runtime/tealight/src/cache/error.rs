//! Why a model has no plan in the cache.

use std::io;
use std::path::PathBuf;

use tealight_import::ImportError;
use thiserror::Error;

/// Why the cache cannot come up with a plan.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CacheError {
    /// There is no model where one was named.
    #[error("cannot open the model `{}`: {source}", path.display())]
    Model {
        /// The path that was given.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// One of the model's files cannot be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The model's files were written to while they were imported.
    #[error("the files of `{}` changed while they were imported: try again when they are complete", path.display())]
    Changed {
        /// The model.
        path: PathBuf,
    },
    /// There is no folder to keep the plan in.
    #[error(
        "there is no place for the compiled model{}: set TEALIGHT_CACHE to a folder that can be written",
        list(tried)
    )]
    NoPlace {
        /// The folders that were tried, and what the system said.
        tried: Vec<(PathBuf, io::Error)>,
    },
    /// The import failed.
    #[error(transparent)]
    Import(#[from] ImportError),
}

fn list(tried: &[(PathBuf, io::Error)]) -> String {
    let each = tried
        .iter()
        .map(|(folder, error)| format!("`{}`: {error}", folder.display()));
    match tried.len() {
        0 => String::new(),
        _ => format!(" ({})", each.collect::<Vec<_>>().join(", ")),
    }
}
