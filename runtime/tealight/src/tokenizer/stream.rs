//! Tokens to text, as they come.

use std::sync::Arc;

use tealight_core::tokenizer::Characters;

use super::{Library, TokenId, Tokenizer};

/// Turns a stream of tokens into text, in whole characters only.
///
/// What [`push`](Detokenizer::push) and [`finish`](Detokenizer::finish) return, put together,
/// is the text of all tokens. Special tokens add nothing to it.
#[derive(Debug)]
pub struct Detokenizer {
    tokenizer: Arc<Tokenizer>,
    characters: Characters,
    started: bool,
    window: Window,
}

impl Detokenizer {
    /// At the start of a text.
    pub fn new(tokenizer: Arc<Tokenizer>) -> Detokenizer {
        Detokenizer {
            tokenizer,
            characters: Characters::default(),
            started: false,
            window: Window::default(),
        }
    }

    /// The text that can be told after one more token; often a word, sometimes nothing.
    pub fn push(&mut self, token: TokenId) -> String {
        if self.tokenizer.is_special(token) {
            return String::new();
        }
        if let Some(library) = self.tokenizer.decodes_together() {
            return self.window.push(library, token);
        }
        let Some(bytes) = self.tokenizer.bytes(token, !self.started) else {
            return String::new();
        };
        self.started = true;
        let mut told = String::new();
        self.characters.push(&bytes, |text| told.push_str(text));
        told
    }

    /// What is left at the end: U+FFFD if a character stayed incomplete.
    pub fn finish(&mut self) -> String {
        if let Some(library) = self.tokenizer.decodes_together() {
            return self.window.finish(library);
        }
        let mut told = String::new();
        self.characters.finish(|text| told.push_str(text));
        told
    }
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
    fn push(&mut self, library: &Library, token: TokenId) -> String {
        self.tokens.push(token);
        let text = self.new_text(library);
        if text.is_empty() || text.ends_with(char::REPLACEMENT_CHARACTER) {
            return String::new();
        }
        self.tokens.drain(..self.told);
        self.told = self.tokens.len();
        text
    }

    fn finish(&mut self, library: &Library) -> String {
        let text = self.new_text(library);
        *self = Window::default();
        text
    }

    fn new_text(&self, library: &Library) -> String {
        let before = library.decode(&self.tokens[..self.told]);
        let after = library.decode(&self.tokens);
        after.strip_prefix(&before).unwrap_or_default().to_owned()
    }
}
