//! What can be wrong with the texts beside a graph.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why a model's texts cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TextError {
    /// The file is there but cannot be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is longer than any of its kind.
    #[error("`{}` is longer than {limit} bytes", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The longest that is accepted, in bytes.
        limit: u64,
    },
    /// The file is not JSON, or a value in it is of the wrong kind.
    #[error("`{}` is malformed: {source}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        source: serde_json::Error,
    },
    /// The file is not text.
    #[error("`{}` is not UTF-8 from byte {offset} on", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// The first byte that is not.
        offset: usize,
    },
    /// Answers cannot be held to what the file says.
    #[error("`{}` cannot constrain answers: {fault}", path.display())]
    Answers {
        /// The file.
        path: PathBuf,
        /// Why, and where in it.
        fault: String,
    },
    /// Hidden states cannot be made embeddings as the file says.
    #[error("`{}` says how to make embeddings in a way that is not supported: {fault}", path.display())]
    Embedding {
        /// The file.
        path: PathBuf,
        /// What it says.
        fault: String,
    },
    /// The tokenizer knows tokens that the graph does not.
    #[error(
        "`{}` does not belong to this graph: its token {id} (`{token}`) is beyond the graph's \
         vocabulary of {vocab}", path.display()
    )]
    Vocabulary {
        /// The tokenizer.
        path: PathBuf,
        /// Its token with the largest id.
        token: String,
        /// That id.
        id: u64,
        /// Token ids that the graph knows.
        vocab: u64,
    },
}
