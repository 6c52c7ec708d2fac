//! Any tokenizer that `tokenizers` knows, built from its JSON.

use tokenizers::models::bpe::BPE;
use tokenizers::{
    DecoderWrapper, NormalizerWrapper, PostProcessor, PostProcessorWrapper, PreTokenizerWrapper,
    TruncationDirection,
};

use super::pieces::Pieces;
use super::{TokenId, TokenizerError};

#[derive(Debug)]
pub(super) struct Library {
    pub(super) inner: tokenizers::Tokenizer,
    pieces: Pieces,
}

impl Library {
    pub(super) fn from_json(json: &[u8]) -> Result<Library, TokenizerError> {
        let mut inner = read(json).map_err(TokenizerError::Json)?;
        inner.with_truncation(None).map_err(TokenizerError::Json)?;
        inner.with_padding(None);
        let pieces = Pieces::of(&inner);
        Ok(Library { inner, pieces })
    }

    /// The largest token id.
    pub(super) fn last(&self) -> Option<TokenId> {
        let added = self.inner.get_added_tokens_decoder().into_keys().max();
        let own = (self.inner.get_vocab_size(false) as TokenId).checked_sub(1);
        added.max(own)
    }

    pub(super) fn vocab_size(&self) -> usize {
        self.inner.get_vocab_size(true)
    }

    pub(super) fn encode(
        &self,
        most: usize,
        text: &str,
        add_special: bool,
    ) -> Result<Vec<TokenId>, TokenizerError> {
        let encode = || {
            let encoding = self.inner.encode_fast(text, add_special)?;
            if encoding.len() <= most {
                return Ok(encoding);
            }
            // As its own truncation does, which is set for all texts or none.
            let mut encoding = self.inner.encode_fast(text, false)?;
            let around = self.inner.get_post_processor().filter(|_| add_special);
            let around = around.map_or(0, |processor| processor.added_tokens(false));
            let own = most.saturating_sub(around).max(1);
            encoding.truncate(own, 0, TruncationDirection::Right);
            self.inner.post_process(encoding, None, add_special)
        };
        let encoding = encode().map_err(TokenizerError::Encode)?;
        Ok(encoding.get_ids().to_vec())
    }

    pub(super) fn token_text(&self, token: TokenId) -> Option<String> {
        self.inner.id_to_token(token)
    }

    pub(super) fn token_id(&self, text: &str) -> Option<TokenId> {
        self.inner.token_to_id(text)
    }

    pub(super) fn is_special(&self, token: TokenId) -> bool {
        self.pieces.is_special(token)
    }

    /// The bytes that a token adds to a text, of which it may be the first.
    pub(super) fn bytes(&self, token: TokenId, first: bool) -> Option<Vec<u8>> {
        let written = self.inner.id_to_token(token)?;
        Some(self.pieces.bytes(&written, first))
    }

    /// Whether what a token stands for depends on its neighbours.
    pub(super) fn decodes_together(&self) -> bool {
        !self.pieces.are_independent()
    }

    /// The text of tokens, without special ones; nothing if they have none.
    pub(super) fn decode(&self, tokens: &[TokenId]) -> String {
        self.inner.decode(tokens, true).unwrap_or_default()
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
