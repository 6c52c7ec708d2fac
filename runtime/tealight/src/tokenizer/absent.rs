//! What stands in place of `library.rs` in a build without `tokenizers`: a tokenizer that cannot be.

use super::{TokenId, TokenizerError};

#[derive(Debug)]
pub(super) enum Library {}

impl Library {
    pub(super) fn from_json(_: &[u8]) -> Result<Library, TokenizerError> {
        Err(TokenizerError::NotBuiltIn)
    }

    pub(super) fn last(&self) -> Option<TokenId> {
        match *self {}
    }

    pub(super) fn vocab_size(&self) -> usize {
        match *self {}
    }

    pub(super) fn encode(
        &self,
        _: usize,
        _: &str,
        _: bool,
    ) -> Result<Vec<TokenId>, TokenizerError> {
        match *self {}
    }

    pub(super) fn token_text(&self, _: TokenId) -> Option<String> {
        match *self {}
    }

    pub(super) fn token_id(&self, _: &str) -> Option<TokenId> {
        match *self {}
    }

    pub(super) fn is_special(&self, _: TokenId) -> bool {
        match *self {}
    }

    pub(super) fn bytes(&self, _: TokenId, _: bool) -> Option<Vec<u8>> {
        match *self {}
    }

    pub(super) fn decodes_together(&self) -> bool {
        match *self {}
    }

    pub(super) fn decode(&self, _: &[TokenId]) -> String {
        match *self {}
    }
}
