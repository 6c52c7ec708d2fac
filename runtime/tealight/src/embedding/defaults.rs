//! What the model's author says about making embeddings with it.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The plan's embedding section. Whatever its author left open is absent.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct EmbeddingDefaults {
    /// How a text's hidden states become one vector.
    pub pooling: Option<Pooling>,
    /// Whether that vector is then brought to length 1.
    pub normalize: bool,
    /// Most tokens of a text, where that is fewer than the context.
    pub max_tokens: Option<usize>,
    /// What is put before a text, by the name of what the text is for, such as `query`.
    pub prompts: BTreeMap<String, String>,
    /// Which of the prompts it is unless told otherwise.
    pub default_prompt: Option<String>,
}

/// How a text's hidden states become one vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pooling {
    /// The first token's.
    Cls,
    /// The mean of all tokens'.
    Mean,
    /// The last token's.
    Last,
}
