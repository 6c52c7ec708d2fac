//! What can go wrong while a plan is written.

use std::io;
use std::path::{Path, PathBuf};

use tealight_core::plan::PlanError;
use thiserror::Error;

/// Why a plan could not be written. Nothing is left of it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The disk is full, or would be.
    #[error(
        "no space for `{}`: it takes {needed} bytes{}", path.display(), left(*.available)
    )]
    OutOfSpace {
        /// The plan that was to be written.
        path: PathBuf,
        /// Its size in bytes.
        needed: u64,
        /// Bytes free when the writing began, where the system tells.
        available: Option<u64>,
    },
    /// The folder or the file is not ours to write.
    #[error("not allowed to write `{}`: {source}", path.display())]
    Denied {
        /// The plan that was to be written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Any other failure of the file system.
    #[error("cannot write `{}`: {source}", path.display())]
    Io {
        /// The plan that was to be written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A number does not fit the file's format.
    #[error("the model is too large for a plan: {count} is too much {what}")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much.
        count: u64,
    },
    /// An operator names a buffer that was never declared.
    #[error("operator {op} ({name}) uses buffer {buffer}, which does not exist")]
    UnknownBuffer {
        /// Index of the operator.
        op: usize,
        /// Its kind.
        name: &'static str,
        /// The buffer's index.
        buffer: usize,
    },
    /// A tensor's source gave more or fewer bytes than its shape needs.
    #[error("tensor `{name}` came as {found} bytes, its shape needs {expected}")]
    TensorLength {
        /// The tensor.
        name: String,
        /// Bytes that its shape needs.
        expected: u64,
        /// Bytes that came, at least.
        found: u64,
    },
    /// A tensor's factor is not a finite number.
    #[error("tensor `{name}` is scaled by {scale}")]
    TensorScale {
        /// The tensor.
        name: String,
        /// The factor.
        scale: f32,
    },
    /// The reader refuses what was written, so it was thrown away.
    #[error("the compiled plan is not sound, which is a bug in Tealight: {0}")]
    Unsound(#[source] PlanError),
}

fn left(available: Option<u64>) -> String {
    available.map_or(String::new(), |bytes| format!(", and {bytes} are free"))
}

impl WriteError {
    /// The error that a failed call on the plan `path` of `needed` bytes stands for.
    pub(super) fn io(path: &Path, needed: u64, source: io::Error) -> WriteError {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::FileTooLarge => WriteError::OutOfSpace {
                path,
                needed,
                available: None,
            },
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                WriteError::Denied { path, source }
            }
            _ => WriteError::Io { path, source },
        }
    }
}
