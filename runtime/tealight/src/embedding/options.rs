//! How embeddings are made, where that is not the model's default.

use super::Pooling;
use crate::CancelToken;

/// How embeddings are made. What is left open is the model's own default.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct EmbedOptions {
    /// Name of the model's prompt that is put before each text, such as `query`.
    pub prompt: Option<String>,
    /// What is put before each text, instead of one of the model's prompts.
    pub prompt_text: Option<String>,
    /// How hidden states become one vector.
    pub pooling: Option<Pooling>,
    /// Whether vectors are brought to length 1.
    pub normalize: Option<bool>,
    /// How many numbers of a vector are kept, the first ones, for models that were trained so
    /// that these suffice (Matryoshka).
    pub dimensions: Option<usize>,
    /// Whether texts that are too long are cut at their end, as sentence-transformers does,
    /// instead of being an error. The prompt before them and the tokens around them stay.
    pub truncate: bool,
    /// Gives up within a step of a text when it is cancelled.
    pub cancel: Option<CancelToken>,
}

impl EmbedOptions {
    /// The model's defaults.
    pub fn new() -> EmbedOptions {
        EmbedOptions::default()
    }

    /// Name of the model's prompt that is put before each text.
    pub fn prompt(mut self, name: impl Into<String>) -> EmbedOptions {
        self.prompt = Some(name.into());
        self
    }

    /// What is put before each text, instead of one of the model's prompts.
    pub fn prompt_text(mut self, text: impl Into<String>) -> EmbedOptions {
        self.prompt_text = Some(text.into());
        self
    }

    /// How hidden states become one vector.
    pub fn pooling(mut self, pooling: Pooling) -> EmbedOptions {
        self.pooling = Some(pooling);
        self
    }

    /// Whether vectors are brought to length 1.
    pub fn normalize(mut self, normalize: bool) -> EmbedOptions {
        self.normalize = Some(normalize);
        self
    }

    /// How many numbers of a vector are kept, the first ones.
    pub fn dimensions(mut self, dimensions: usize) -> EmbedOptions {
        self.dimensions = Some(dimensions);
        self
    }

    /// Whether texts that are too long are cut at their end instead of being an error.
    pub fn truncate(mut self, truncate: bool) -> EmbedOptions {
        self.truncate = truncate;
        self
    }

    /// Gives up when this is cancelled.
    pub fn cancel(mut self, cancel: &CancelToken) -> EmbedOptions {
        self.cancel = Some(cancel.clone());
        self
    }
}
