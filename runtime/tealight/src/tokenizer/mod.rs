//! Text to token ids and back.
//!
//! Enters: a `tokenizer.json`. Leaves: a [`Tokenizer`] that encodes text, and a
//! [`Detokenizer`] that turns a stream of tokens into a stream of whole characters.

mod pieces;
mod stream;

use std::sync::Arc;

use tokenizers::models::bpe::BPE;
use tokenizers::{DecoderWrapper, NormalizerWrapper, PostProcessorWrapper, PreTokenizerWrapper};

use pieces::Pieces;
pub use stream::Detokenizer;

/// A number that stands for a piece of text.
pub type TokenId = u32;

/// Why a tokenizer cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenizerError {
    /// The JSON is malformed, or asks for something that is not supported.
    #[error("the tokenizer cannot be read: {0}")]
    Json(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The text could not be turned into tokens.
    #[error("the text cannot be tokenized: {0}")]
    Encode(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The tokenizer has tokens that the model does not know.
    #[error(
        "the tokenizer does not fit the model: its token {token} (`{text}`) is outside the \
         vocabulary of {vocab}"
    )]
    Vocabulary {
        /// The largest token id.
        token: TokenId,
        /// What it stands for.
        text: String,
        /// How many token ids the model knows.
        vocab: usize,
    },
}

/// A model's tokenizer.
#[derive(Debug)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    pieces: Pieces,
}

impl Tokenizer {
    /// Reads a `tokenizer.json`. Truncation and padding, which it may ask for, stay off.
    pub fn from_json(json: &[u8]) -> Result<Tokenizer, TokenizerError> {
        let mut inner = read(json).map_err(TokenizerError::Json)?;
        inner.with_truncation(None).map_err(TokenizerError::Json)?;
        inner.with_padding(None);
        let pieces = Pieces::of(&inner);
        Ok(Tokenizer { inner, pieces })
    }

    /// Whether each of its tokens is one of a model's first `vocab`.
    pub fn check_fits(&self, vocab: usize) -> Result<(), TokenizerError> {
        let added = self.inner.get_added_tokens_decoder().into_keys().max();
        let own = (self.inner.get_vocab_size(false) as TokenId).checked_sub(1);
        match added.max(own).filter(|last| *last as usize >= vocab) {
            None => Ok(()),
            Some(token) => Err(TokenizerError::Vocabulary {
                token,
                text: self.token_text(token).unwrap_or_default(),
                vocab,
            }),
        }
    }

    /// How many tokens it has, added ones included.
    pub fn vocab_size(&self) -> usize {
        self.inner.get_vocab_size(true)
    }

    /// The tokens of a text. Special tokens that are spelled out in it are recognised;
    /// `add_special` also puts those around it that a whole text begins and ends with.
    pub fn encode(&self, text: &str, add_special: bool) -> Result<Vec<TokenId>, TokenizerError> {
        let encoding = self
            .inner
            .encode_fast(text, add_special)
            .map_err(TokenizerError::Encode)?;
        Ok(encoding.get_ids().to_vec())
    }

    /// How many tokens a text has, without those around it.
    pub fn count(&self, text: &str) -> Result<usize, TokenizerError> {
        Ok(self.encode(text, false)?.len())
    }

    /// The text of tokens, without special ones. Bytes that are no characters become U+FFFD.
    pub fn decode(self: &Arc<Self>, tokens: &[TokenId]) -> String {
        let mut stream = Detokenizer::new(Arc::clone(self));
        let mut text = String::new();
        for token in tokens {
            text.push_str(&stream.push(*token));
        }
        text.push_str(&stream.finish());
        text
    }

    /// How a token is written in the vocabulary.
    pub fn token_text(&self, token: TokenId) -> Option<String> {
        self.inner.id_to_token(token)
    }

    /// The id of a token, by how it is written in the vocabulary.
    pub fn token_id(&self, text: &str) -> Option<TokenId> {
        self.inner.token_to_id(text)
    }

    /// Whether a token is one that never shows in text, such as the end of a turn.
    pub fn is_special(&self, token: TokenId) -> bool {
        self.pieces.is_special(token)
    }
}

/// A tokenizer whose model is known to be BPE.
type Bpe = tokenizers::TokenizerImpl<
    BPE,
    NormalizerWrapper,
    PreTokenizerWrapper,
    PostProcessorWrapper,
    DecoderWrapper,
>;

/// Reads BPE, which nearly all models use, straight into its tables. Where the kind of model is
/// open, the library first reads the whole vocabulary into a JSON tree, which takes twice as
/// long and several times the memory.
fn read(json: &[u8]) -> tokenizers::Result<tokenizers::Tokenizer> {
    match serde_json::from_slice::<Bpe>(json) {
        Ok(bpe) => Ok(bpe.into()),
        Err(_) => tokenizers::Tokenizer::from_bytes(json),
    }
}

#[cfg(test)]
mod tests;
