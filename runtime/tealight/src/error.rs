//! Everything that can go wrong.

mod kind;

use std::io;
use std::path::PathBuf;

use tealight_core::executor::{MemoryError, StepError};
use tealight_core::plan::PlanError;

pub use kind::ErrorKind;

use crate::TokenId;
use crate::template::TemplateError;
use crate::tokenizer::TokenizerError;

/// Why something could not be done. Messages name the model and the fault.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file or folder is not there, or cannot be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The model is an ONNX model, and this build cannot compile those.
    #[error(
        "`{}` has to be compiled first: this build of Tealight opens .tea files only",
        path.display()
    )]
    ImportNotBuiltIn {
        /// The model.
        path: PathBuf,
    },
    /// The ONNX model could not be compiled, or its plan not be kept.
    #[cfg(feature = "import")]
    #[error(transparent)]
    Import(#[from] crate::cache::CacheError),
    /// Neither can the model be compiled nor does tract run its graph.
    #[cfg(feature = "tract")]
    #[error("{plan}\nnor does tract run the graph of `{model}`: {tract}")]
    NoEngine {
        /// The model's path.
        model: String,
        /// Why there is no plan of it.
        plan: Box<Error>,
        /// What tract says.
        tract: String,
    },
    /// The model runs on tract, and what was asked for takes a compiled one.
    #[cfg(feature = "tract")]
    #[error("`{model}` runs on tract, which has no {what}: only compiled models do")]
    OnlyPlans {
        /// The model's path.
        model: String,
        /// What was asked for.
        what: &'static str,
    },
    /// A step on tract failed. Nothing was changed.
    #[cfg(feature = "tract")]
    #[error("`{model}` failed on tract: {reason}")]
    Tract {
        /// The model's path.
        model: String,
        /// What tract says.
        reason: String,
    },
    /// The library was built without the model that it can carry.
    #[error("this build carries no model: name one by its path")]
    EmbeddedNotBuiltIn,
    /// The bytes are not a plan that can be executed.
    #[error("`{model}` cannot be used: {source}")]
    Plan {
        /// The model's path or name.
        model: String,
        /// What is wrong with it.
        source: PlanError,
    },
    /// A section's bytes are not those that were written.
    #[error(
        "`{model}` is damaged: the bytes of its {section} section have another SHA-256 than \
         when it was written; compile or copy it again"
    )]
    Damaged {
        /// The model's path or name.
        model: String,
        /// The section's name.
        section: &'static str,
    },
    /// A text section is malformed.
    #[error("`{model}` cannot be used: its {section} section is malformed: {reason}")]
    Malformed {
        /// The model's path or name.
        model: String,
        /// The section's name.
        section: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The tokenizer is unusable, or cannot do what was asked.
    #[error("`{model}`: {source}")]
    Tokenizer {
        /// The model's path or name.
        model: String,
        /// What is wrong.
        source: TokenizerError,
    },
    /// The model came without a tokenizer, so it takes and gives tokens only.
    #[error("`{model}` has no tokenizer: give it tokens instead of text")]
    NoTokenizer {
        /// The model's path or name.
        model: String,
    },
    /// The chat template is unusable, or refuses the conversation.
    #[error("`{model}`: {source}")]
    Template {
        /// The model's path or name.
        model: String,
        /// What is wrong.
        source: TemplateError,
    },
    /// The model makes embeddings and no text.
    #[error("`{model}` makes embeddings: it cannot continue a text or chat")]
    NoLogits {
        /// The model's path or name.
        model: String,
    },
    /// The model makes text and no embeddings.
    #[error("`{model}` makes no embeddings: it continues text")]
    NoEmbeddings {
        /// The model's path or name.
        model: String,
    },
    /// Nobody says how hidden states become one vector.
    #[error(
        "`{model}` came without modules.json and 1_Pooling/config.json, which say how its hidden \
         states are pooled: choose cls, mean or last"
    )]
    NoPooling {
        /// The model's path or name.
        model: String,
    },
    /// The model has no prompt of this name.
    #[error("`{model}` has no prompt `{name}`; it has {known}")]
    UnknownPrompt {
        /// The model's path or name.
        model: String,
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// Vectors are shorter.
    #[error("{asked} numbers cannot be kept of a vector of {most}")]
    Dimensions {
        /// How many were asked for.
        asked: usize,
        /// How many there are.
        most: usize,
    },
    /// There is nothing to embed.
    #[error("text {index} is empty")]
    EmptyText {
        /// Which of the texts, from 0.
        index: usize,
    },
    /// A text does not fit. Nothing was computed.
    #[error(
        "text {index} has {tokens} tokens, its prompt included, but there is room for {most}: \
         shorten it, or have it cut (`truncate`)"
    )]
    TextTooLong {
        /// Which of the texts, from 0.
        index: usize,
        /// Its tokens, with its prompt and those around it.
        tokens: usize,
        /// Tokens that there is room for.
        most: usize,
    },
    /// The model came without a chat template, so it only continues text.
    #[error("`{model}` has no chat template: it continues text, but cannot chat")]
    NoTemplate {
        /// The model's path or name.
        model: String,
    },
    /// There is nothing to continue.
    #[error("the prompt is empty")]
    EmptyPrompt,
    /// The prompt does not fit. Nothing was changed.
    #[error("the prompt has {prompt} tokens, but the context has room for {context}")]
    PromptTooLong {
        /// Tokens of the prompt, earlier turns included.
        prompt: usize,
        /// Tokens that the session has room for.
        context: usize,
    },
    /// The model does not know a token.
    #[error("token {token} is outside the model's vocabulary of {vocab}")]
    UnknownToken {
        /// The token.
        token: TokenId,
        /// How many token ids the model knows.
        vocab: usize,
    },
    /// The system has not enough memory.
    #[error("{bytes} bytes for the {what} cannot be had: choose a smaller context or model")]
    OutOfMemory {
        /// What it was for.
        what: &'static str,
        /// How much was wanted.
        bytes: usize,
    },
    /// The session's options do not fit the model.
    #[error("`{model}`: {source}")]
    Memory {
        /// The model's path or name.
        model: String,
        /// What does not fit.
        source: MemoryError,
    },
    /// This processor lacks the instruction set.
    #[error("this processor has no `{name}`; it has {available}")]
    MissingIsa {
        /// What was asked for.
        name: String,
        /// What there is.
        available: String,
    },
    /// No instruction set has this name.
    #[error("`{name}` is no instruction set that Tealight knows; this processor has {available}")]
    UnknownIsa {
        /// What was asked for.
        name: String,
        /// What there is.
        available: String,
    },
    /// A step was refused.
    #[error(transparent)]
    Step(#[from] StepError),
    /// The chat is answering.
    #[error("the chat is answering: wait for the end of the answer, or cancel it")]
    Busy,
    /// The model, chat or session was closed.
    #[error("{what} was closed")]
    Closed {
        /// What: `the model`, `the chat`.
        what: &'static str,
    },
    /// The caller gave up before there was a result.
    #[error("cancelled")]
    Cancelled,
    /// Tealight has a fault. What it happened in was closed.
    #[error("a fault in Tealight: {reason}")]
    Internal {
        /// What the panic said.
        reason: String,
    },
}

/// A result with [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
