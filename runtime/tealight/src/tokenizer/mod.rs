//! Text to token ids and back.
//!
//! Enters: a plan's token tables or a `tokenizer.json`. Leaves: a [`Tokenizer`] that encodes
//! text, and a [`Detokenizer`] that turns a stream of tokens into a stream of whole characters.

// With the library, only a test looks at it.
#[cfg(any(test, not(feature = "tokenizers")))]
#[cfg_attr(feature = "tokenizers", allow(dead_code))]
mod absent;
#[cfg(feature = "tokenizers")]
mod library;
#[cfg(feature = "tokenizers")]
mod pieces;
mod stream;
mod tables;

use std::borrow::Cow;
use std::sync::Arc;

use tealight_core::plan::Plan;

use crate::bytes::Bytes;
#[cfg(not(feature = "tokenizers"))]
use absent::Library;
#[cfg(feature = "tokenizers")]
use library::Library;
pub use stream::Detokenizer;
use tables::TokenTables;

/// A number that stands for a piece of text.
pub type TokenId = u32;

/// Why a tokenizer cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenizerError {
    /// The JSON is malformed, or asks for something that is not supported.
    #[error("the tokenizer cannot be read: {0}")]
    Json(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It is no byte-level BPE in tables, and this build knows no other.
    #[error(
        "the tokenizer is not one of byte-level BPE, and this build of Tealight has no other: it \
         was made without its feature `tokenizers`"
    )]
    NotBuiltIn,
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
pub struct Tokenizer(Kind);

/// Both give the same tokens; tables need no start.
#[derive(Debug)]
enum Kind {
    Tables(TokenTables),
    // It is large, and rare.
    Library(Box<Library>),
}

impl Tokenizer {
    /// Reads a `tokenizer.json`. Truncation and padding, which it may ask for, stay off.
    ///
    /// # Errors
    /// If it cannot be read, and always in a build without the feature `tokenizers`.
    pub fn from_json(json: &[u8]) -> Result<Tokenizer, TokenizerError> {
        let library = Library::from_json(json)?;
        Ok(Tokenizer(Kind::Library(Box::new(library))))
    }

    /// The tokenizer whose tables a plan has.
    pub(crate) fn of_plan(plan: &Arc<Plan<Bytes>>) -> Option<Tokenizer> {
        TokenTables::of_plan(plan).map(|tables| Tokenizer(Kind::Tables(tables)))
    }

    /// Whether each of its tokens is one of a model's first `vocab`.
    pub fn check_fits(&self, vocab: usize) -> Result<(), TokenizerError> {
        let last = match &self.0 {
            Kind::Tables(tables) => tables.last(),
            Kind::Library(library) => library.last(),
        };
        match last.filter(|last| *last as usize >= vocab) {
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
        match &self.0 {
            Kind::Tables(tables) => tables.vocab_size(),
            Kind::Library(library) => library.vocab_size(),
        }
    }

    /// The tokens of a text. Special tokens that are spelled out in it are recognised;
    /// `add_special` also puts those around it that a whole text begins and ends with.
    pub fn encode(&self, text: &str, add_special: bool) -> Result<Vec<TokenId>, TokenizerError> {
        self.encode_up_to(usize::MAX, text, add_special)
    }

    /// The first `most` tokens of a text, those around it counted but never left out. They are
    /// more than `most` only where these leave no room for one of the text's own.
    pub(crate) fn encode_up_to(
        &self,
        most: usize,
        text: &str,
        add_special: bool,
    ) -> Result<Vec<TokenId>, TokenizerError> {
        match &self.0 {
            Kind::Tables(tables) => tables
                .encode(most, text, add_special)
                .map_err(|error| TokenizerError::Encode(Box::new(error))),
            Kind::Library(library) => library.encode(most, text, add_special),
        }
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
        match &self.0 {
            Kind::Tables(tables) => tables.token_text(token),
            Kind::Library(library) => library.token_text(token),
        }
    }

    /// The id of a token, by how it is written in the vocabulary.
    pub fn token_id(&self, text: &str) -> Option<TokenId> {
        match &self.0 {
            Kind::Tables(tables) => tables.token_id(text),
            Kind::Library(library) => library.token_id(text),
        }
    }

    /// Whether a token is one that never shows in text, such as the end of a turn.
    pub fn is_special(&self, token: TokenId) -> bool {
        match &self.0 {
            Kind::Tables(tables) => tables.is_special(token),
            Kind::Library(library) => library.is_special(token),
        }
    }

    /// The bytes that a token adds to a text, of which it may be the first. `None` if there is
    /// no such token.
    fn bytes(&self, token: TokenId, first: bool) -> Option<Cow<'_, [u8]>> {
        match &self.0 {
            Kind::Tables(tables) => tables.bytes(token).map(Cow::Borrowed),
            Kind::Library(library) => library.bytes(token, first).map(Cow::Owned),
        }
    }

    /// The tokenizer whose tokens can only be decoded together, if it is one.
    fn decodes_together(&self) -> Option<&Library> {
        match &self.0 {
            Kind::Library(library) if library.decodes_together() => Some(library),
            _ => None,
        }
    }
}

#[cfg(all(test, feature = "import", feature = "tokenizers"))]
mod differential;
#[cfg(test)]
mod tests;
