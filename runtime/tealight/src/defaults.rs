//! What the model's author says about generating with it.

use std::collections::BTreeMap;

use serde::Deserialize;
use tealight_core::sampling::SamplingParams;

use crate::TokenId;

/// The plan's generation section. Whatever its author left open is absent.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct GenerationDefaults {
    /// Any of these tokens ends the text.
    pub stop_token_ids: Vec<TokenId>,
    /// What `bos_token`, `eos_token` and the like stand for in a chat template.
    pub special_tokens: BTreeMap<String, String>,
    /// Whether a text without a template begins with `bos_token`, where the tokenizer does not
    /// add it by itself.
    pub add_bos: Option<bool>,
    /// Whether to sample at all; greedy unless it says so.
    pub do_sample: Option<bool>,
    /// Divides the logits.
    pub temperature: Option<f32>,
    /// Keeps this many of the likeliest tokens.
    pub top_k: Option<usize>,
    /// Keeps the likeliest tokens up to this probability together.
    pub top_p: Option<f32>,
    /// Keeps tokens of at least this share of the likeliest one's probability.
    pub min_p: Option<f32>,
    /// Divides the positive logits of tokens that were there before.
    pub repetition_penalty: Option<f32>,
    /// Most tokens of prompt and answer together.
    pub max_length: Option<usize>,
}

impl GenerationDefaults {
    /// The sampling that the author recommends: greedy unless `do_sample` is set, as
    /// `transformers` reads it.
    pub fn sampling(&self) -> SamplingParams {
        let neutral = if self.do_sample == Some(true) {
            SamplingParams {
                temperature: self.temperature.unwrap_or(1.0),
                top_k: self.top_k.unwrap_or(50),
                top_p: self.top_p.unwrap_or(1.0),
                min_p: self.min_p.unwrap_or(0.0),
                ..SamplingParams::default()
            }
        } else {
            SamplingParams::greedy()
        };
        SamplingParams {
            repetition_penalty: self.repetition_penalty.unwrap_or(1.0),
            ..neutral
        }
    }
}
