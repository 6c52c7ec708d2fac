//! Errors by what a caller can do about them, for programs that cannot match on them all.

#[cfg(feature = "import")]
use tealight_import::{ImportError, WriteError};

use tealight_core::plan::PlanError;

use super::Error;
#[cfg(feature = "import")]
use crate::cache::CacheError;
use crate::template::TemplateError;

/// What a caller can do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// There is no such file or folder, or it cannot be read: choose another.
    NotFound,
    /// This version cannot run the model, or not in this way: choose another.
    Unsupported,
    /// The model's bytes are not what they should be: copy or compile it again.
    Damaged,
    /// There is not enough memory: choose a smaller context or model.
    OutOfMemory,
    /// The conversation does not fit the context: shorten it, or begin a new one.
    ContextFull,
    /// An argument cannot be used: mend the call.
    InvalidInput,
    /// The compiled model cannot be kept: make room, or name another folder.
    Storage,
    /// The chat is answering: wait, or cancel.
    Busy,
    /// What was called was closed before.
    Closed,
    /// The caller gave up before there was a result.
    Cancelled,
    /// Tealight has a fault: report it.
    Internal,
}

impl Error {
    /// What can be done about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::Read { .. } => ErrorKind::NotFound,
            #[cfg(feature = "import")]
            Error::Import(error) => of_cache(error),
            Error::Plan { source, .. } => of_plan(source),
            Error::Damaged { .. } | Error::Malformed { .. } => ErrorKind::Damaged,
            Error::ImportNotBuiltIn { .. }
            | Error::EmbeddedNotBuiltIn
            | Error::Tokenizer { .. }
            | Error::NoTokenizer { .. }
            | Error::NoTemplate { .. }
            | Error::NoLogits { .. }
            | Error::NoEmbeddings { .. } => ErrorKind::Unsupported,
            #[cfg(feature = "tract")]
            Error::NoEngine { .. } | Error::OnlyPlans { .. } | Error::Tract { .. } => {
                ErrorKind::Unsupported
            }
            Error::Template { source, .. } => match source {
                TemplateError::Refused(_) => ErrorKind::InvalidInput,
                TemplateError::Syntax(_) | TemplateError::Failed(_) => ErrorKind::Unsupported,
            },
            Error::PromptTooLong { .. } | Error::TextTooLong { .. } => ErrorKind::ContextFull,
            Error::OutOfMemory { .. } => ErrorKind::OutOfMemory,
            Error::EmptyPrompt
            | Error::EmptyText { .. }
            | Error::NoPooling { .. }
            | Error::UnknownPrompt { .. }
            | Error::Dimensions { .. }
            | Error::UnknownToken { .. }
            | Error::Memory { .. }
            | Error::MissingIsa { .. }
            | Error::UnknownIsa { .. } => ErrorKind::InvalidInput,
            Error::Busy => ErrorKind::Busy,
            Error::Closed { .. } => ErrorKind::Closed,
            Error::Cancelled => ErrorKind::Cancelled,
            Error::Step(_) | Error::Internal { .. } => ErrorKind::Internal,
        }
    }
}

fn of_plan(error: &PlanError) -> ErrorKind {
    match error {
        PlanError::Version { .. } | PlanError::Layout { .. } | PlanError::UnknownOp { .. } => {
            ErrorKind::Unsupported
        }
        _ => ErrorKind::Damaged,
    }
}

#[cfg(feature = "import")]
fn of_cache(error: &CacheError) -> ErrorKind {
    match error {
        CacheError::Model { .. } | CacheError::Read { .. } => ErrorKind::NotFound,
        CacheError::Changed { .. } => ErrorKind::Damaged,
        CacheError::NoPlace { .. } => ErrorKind::Storage,
        CacheError::Import(error) => of_import(error),
    }
}

#[cfg(feature = "import")]
fn of_import(error: &ImportError) -> ErrorKind {
    match error {
        ImportError::NoGraph { .. }
        | ImportError::SeveralGraphs { .. }
        | ImportError::Read { .. } => ErrorKind::NotFound,
        ImportError::Malformed { .. }
        | ImportError::Tensor { .. }
        | ImportError::ExternalPath { .. }
        | ImportError::Text(_) => ErrorKind::Damaged,
        ImportError::NoSuchLayer { .. } => ErrorKind::InvalidInput,
        ImportError::Write(
            WriteError::OutOfSpace { .. } | WriteError::Denied { .. } | WriteError::Io { .. },
        ) => ErrorKind::Storage,
        _ => ErrorKind::Unsupported,
    }
}
