//! Tokens to text, as they come.

use std::sync::Arc;

use super::{TokenId, Tokenizer};

/// Turns a stream of tokens into text, in whole characters only.
///
/// What [`push`](Detokenizer::push) and [`finish`](Detokenizer::finish) return, put together,
/// is the text of all tokens. Special tokens add nothing to it.
#[derive(Debug)]
pub struct Detokenizer {
    tokenizer: Arc<Tokenizer>,
    /// Bytes of a character that is not complete yet.
    partial: Vec<u8>,
    started: bool,
    window: Window,
}

impl Detokenizer {
    /// At the start of a text.
    pub fn new(tokenizer: Arc<Tokenizer>) -> Detokenizer {
        Detokenizer {
            tokenizer,
            partial: Vec::new(),
            started: false,
            window: Window::default(),
        }
    }

    /// The text that can be told after one more token; often a word, sometimes nothing.
    pub fn push(&mut self, token: TokenId) -> String {
        if self.tokenizer.is_special(token) {
            return String::new();
        }
        if !self.tokenizer.pieces.are_independent() {
            return self.window.push(&self.tokenizer, token);
        }
        let Some(written) = self.tokenizer.token_text(token) else {
            return String::new();
        };
        let bytes = self.tokenizer.pieces.bytes(&written, !self.started);
        self.started = true;
        self.partial.extend(bytes);
        take_whole_characters(&mut self.partial)
    }

    /// What is left at the end: U+FFFD if a character stayed incomplete.
    pub fn finish(&mut self) -> String {
        if !self.tokenizer.pieces.are_independent() {
            return self.window.finish(&self.tokenizer);
        }
        let rest = std::mem::take(&mut self.partial);
        String::from_utf8_lossy(&rest).into_owned()
    }
}

/// Removes and returns all that is decided: whole characters, and U+FFFD for bytes that can
/// no longer become one. What stays is the beginning of a character.
fn take_whole_characters(bytes: &mut Vec<u8>) -> String {
    let mut text = String::new();
    let mut decided = 0;
    loop {
        match std::str::from_utf8(&bytes[decided..]) {
            Ok(valid) => {
                text.push_str(valid);
                decided = bytes.len();
                break;
            }
            Err(error) => {
                let valid = decided + error.valid_up_to();
                text.push_str(&String::from_utf8_lossy(&bytes[decided..valid]));
                decided = valid;
                let Some(invalid) = error.error_len() else {
                    break;
                };
                text.push(char::REPLACEMENT_CHARACTER);
                decided += invalid;
            }
        }
    }
    bytes.drain(..decided);
    text
}

/// Decodes a growing stretch of tokens together, for tokenizers whose tokens depend on their
/// neighbours.
#[derive(Debug, Default)]
struct Window {
    /// Tokens whose text was told, kept as context, then tokens whose text was not.
    tokens: Vec<TokenId>,
    /// How many of them were told.
    told: usize,
}

impl Window {
    fn push(&mut self, tokenizer: &Tokenizer, token: TokenId) -> String {
        self.tokens.push(token);
        let text = self.new_text(tokenizer);
        if text.is_empty() || text.ends_with(char::REPLACEMENT_CHARACTER) {
            return String::new();
        }
        self.tokens.drain(..self.told);
        self.told = self.tokens.len();
        text
    }

    fn finish(&mut self, tokenizer: &Tokenizer) -> String {
        let text = self.new_text(tokenizer);
        *self = Window::default();
        text
    }

    fn new_text(&self, tokenizer: &Tokenizer) -> String {
        let decode = |tokens| tokenizer.inner.decode(tokens, true).unwrap_or_default();
        let before = decode(&self.tokens[..self.told]);
        let after = decode(&self.tokens);
        after.strip_prefix(&before).unwrap_or_default().to_owned()
    }
}
