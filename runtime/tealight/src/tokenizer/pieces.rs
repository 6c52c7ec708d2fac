//! The bytes that a token adds to a text.
//!
//! Byte-level BPE and SentencePiece-style tokenizers decode token by token: each stands for
//! some bytes, whatever its neighbours are, but for a space at the start of the text.
//! [`Pieces`] reads the tokenizer's own decoder as such a recipe. Where it is none
//! (WordPiece joins and cleans up words), [`Pieces::bytes`] says so and the stream falls back
//! to decoding stretches of text.

use std::collections::HashSet;

use serde::Deserialize;
use tealight_core::tokenizer::alphabet::byte_of_char;

use super::TokenId;

/// How a tokenizer's tokens turn into bytes.
#[derive(Debug)]
pub(super) struct Pieces {
    /// In this order; `None` if tokens cannot be decoded one by one.
    steps: Option<Vec<Step>>,
    special: HashSet<TokenId>,
}

/// One part of a decoder.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    /// Each character stands for a byte, as GPT-2 has it.
    ByteLevel,
    /// `<0x0A>` stands for a byte.
    ByteFallback,
    /// One string becomes another.
    Replace { from: String, to: String },
    /// The text's first token loses this character altogether.
    DropInFirst(char),
    /// The text loses up to so many of a character at its start.
    StripStart { what: char, most: usize },
}

impl Pieces {
    pub(super) fn of(tokenizer: &tokenizers::Tokenizer) -> Pieces {
        let special = tokenizer.get_added_tokens_decoder();
        let special = special.into_iter().filter(|(_, token)| token.special);
        let json = tokenizer.get_decoder().map(serde_json::to_value);
        let decoder = match json {
            Some(Ok(json)) => serde_json::from_value::<Decoder>(json).ok(),
            _ => None,
        };
        Pieces {
            steps: decoder.and_then(|decoder| steps(&decoder)),
            special: special.map(|(id, _)| id).collect(),
        }
    }

    pub(super) fn is_special(&self, token: TokenId) -> bool {
        self.special.contains(&token)
    }

    /// Whether tokens can be decoded one by one.
    pub(super) fn are_independent(&self) -> bool {
        self.steps.is_some()
    }

    /// The bytes of a token as it is written in the vocabulary.
    pub(super) fn bytes(&self, written: &str, first: bool) -> Vec<u8> {
        let steps = self.steps.as_deref().unwrap_or_default();
        let mut text = written.to_owned();
        for step in steps {
            match step {
                Step::ByteLevel => {
                    let bytes: Option<Vec<u8>> = text.chars().map(byte_of_char).collect();
                    return bytes.unwrap_or_else(|| text.into_bytes());
                }
                Step::ByteFallback => {
                    if let Some(byte) = fallback_byte(&text) {
                        return vec![byte];
                    }
                }
                Step::Replace { from, to } => text = text.replace(from, to),
                Step::DropInFirst(what) if first => text.retain(|c| c != *what),
                Step::StripStart { what, most } if first => {
                    let strip = text.chars().take(*most).take_while(|c| c == what);
                    let len: usize = strip.map(char::len_utf8).sum();
                    text.drain(..len);
                }
                Step::DropInFirst(_) | Step::StripStart { .. } => {}
            }
        }
        text.into_bytes()
    }
}

/// A decoder as `tokenizer.json` writes it.
#[derive(Debug, Deserialize)]
#[serde(tag = "type")]
enum Decoder {
    Sequence {
        decoders: Vec<Decoder>,
    },
    ByteLevel,
    ByteFallback,
    Fuse,
    Replace {
        pattern: Pattern,
        content: String,
    },
    Metaspace {
        replacement: char,
        #[serde(default)]
        prepend_scheme: PrependScheme,
    },
    Strip {
        content: char,
        start: usize,
        stop: usize,
    },
}

#[derive(Debug, Deserialize)]
enum Pattern {
    String(String),
    Regex(#[allow(dead_code)] String),
}

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum PrependScheme {
    Never,
    First,
    #[default]
    Always,
}

/// The decoder as a recipe for single tokens, if it is one.
fn steps(decoder: &Decoder) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut fused = false;
    add_steps(decoder, &mut fused, &mut steps)?;
    Some(steps)
}

fn add_steps(decoder: &Decoder, fused: &mut bool, steps: &mut Vec<Step>) -> Option<()> {
    match decoder {
        Decoder::Sequence { decoders } => {
            return decoders
                .iter()
                .try_for_each(|decoder| add_steps(decoder, fused, steps));
        }
        Decoder::Fuse => *fused = true,
        Decoder::ByteFallback => steps.push(Step::ByteFallback),
        Decoder::ByteLevel => {
            *fused = true;
            steps.push(Step::ByteLevel);
        }
        Decoder::Replace {
            pattern: Pattern::String(from),
            content,
        } => {
            // Once tokens are one text, a longer string may lie across two of them.
            if from.is_empty() || (*fused && from.chars().nth(1).is_some()) {
                return None;
            }
            steps.push(Step::Replace {
                from: from.clone(),
                to: content.clone(),
            });
        }
        Decoder::Metaspace {
            replacement,
            prepend_scheme,
        } => {
            if *prepend_scheme != PrependScheme::Never {
                steps.push(Step::DropInFirst(*replacement));
            }
            steps.push(Step::Replace {
                from: replacement.to_string(),
                to: " ".into(),
            });
        }
        Decoder::Strip {
            content,
            start,
            stop: 0,
        } if *fused => {
            steps.push(Step::StripStart {
                what: *content,
                most: *start,
            });
        }
        Decoder::Strip { .. } | Decoder::Replace { .. } => return None,
    }
    Some(())
}

fn fallback_byte(token: &str) -> Option<u8> {
    let digits = token.strip_prefix("<0x")?.strip_suffix('>')?;
    if digits.len() == 2 {
        u8::from_str_radix(digits, 16).ok()
    } else {
        None
    }
}
