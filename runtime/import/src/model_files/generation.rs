//! The generation section: when to stop, how to sample unless told otherwise, and the special
//! tokens that a chat template names.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::tokenizer::{Tokenizer, TokenizerConfig};

/// Tokens that end a turn. A template that writes one of them has taught the model to say it,
/// even where no configuration lists it among the ends.
const TURN_ENDS: [&str; 8] = [
    "<|im_end|>",
    "<|eot_id|>",
    "<|end|>",
    "<|eot|>",
    "<end_of_turn>",
    "<|end_of_turn|>",
    "<|return|>",
    "<|endofassistant|>",
];

/// Tokens that stand between documents in training: nothing sensible follows them.
const TEXT_ENDS: [&str; 5] = [
    "<|endoftext|>",
    "<|end_of_text|>",
    "<｜end▁of▁sentence｜>",
    "</s>",
    "<eos>",
];

/// The generation section of a plan, as JSON. Whatever the model's author left open is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GenerationDefaults {
    /// Any of these ends the text, in growing order: all that `generation_config.json`,
    /// `genai_config.json` and `config.json` call `eos_token_id`, the tokenizer's `eos_token`,
    /// its well-known ends of a text, and the ends of a turn that the chat template writes.
    pub stop_token_ids: Vec<u32>,
    /// What `bos_token`, `eos_token`, `pad_token`, `unk_token` and the like stand for in a chat
    /// template.
    pub special_tokens: BTreeMap<String, String>,
    /// Whether a text without a template begins with `bos_token`, where the tokenizer does not
    /// add it by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub add_bos: Option<bool>,
    /// Whether to sample at all; false is greedy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub do_sample: Option<bool>,
    /// Divides the logits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f32>,
    /// Keeps this many of the likeliest tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_k: Option<u32>,
    /// Keeps the likeliest tokens up to this probability together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f32>,
    /// Keeps tokens of at least this share of the likeliest one's probability.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_p: Option<f32>,
    /// Divides the positive logits of tokens that were there before, multiplies negative ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repetition_penalty: Option<f32>,
    /// Most tokens of prompt and answer together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u32>,
}

impl GenerationDefaults {
    /// Puts together what the files say; `generation_config.json` before `genai_config.json`.
    pub(super) fn merge(
        config: &Config,
        genai: &GenaiConfig,
        defaults: &GenerationConfig,
        tokens: &TokenizerConfig,
        tokenizer: Option<&Tokenizer>,
        chat_template: Option<&str>,
    ) -> GenerationDefaults {
        let listed = [
            &defaults.eos_token_id,
            &genai.model.eos_token_id,
            &config.eos_token_id,
        ];
        let mut stops: BTreeSet<u64> = listed.into_iter().flat_map(Ids::known).collect();
        if let Some(tokenizer) = tokenizer {
            let eos = tokens.special.get("eos_token").map(String::as_str);
            let written = |end: &&str| chat_template.is_some_and(|source| source.contains(*end));
            let turn_ends = TURN_ENDS.into_iter().filter(written);
            let texts = eos.into_iter().chain(TEXT_ENDS).chain(turn_ends);
            stops.extend(texts.filter_map(|text| tokenizer.id(text)));
        }
        let (first, second) = (defaults, &genai.search);
        let number = |get: fn(&GenerationConfig) -> Option<f64>| get(first).or(get(second));
        GenerationDefaults {
            stop_token_ids: stops
                .into_iter()
                .filter_map(|id| u32::try_from(id).ok())
                .collect(),
            special_tokens: tokens.special.clone(),
            add_bos: tokens.add_bos,
            do_sample: first.do_sample.or(second.do_sample),
            temperature: number(|s| s.temperature).map(|t| t.max(0.0) as f32),
            top_k: number(|s| s.top_k).and_then(count),
            top_p: number(|s| s.top_p).map(|p| p.clamp(0.0, 1.0) as f32),
            min_p: number(|s| s.min_p).map(|p| p.clamp(0.0, 1.0) as f32),
            repetition_penalty: number(|s| s.repetition_penalty)
                .filter(|penalty| *penalty > 0.0)
                .map(|penalty| penalty as f32),
            max_length: number(|s| s.max_length).and_then(count),
        }
    }

    /// Without the stop tokens that a graph of `vocab` tokens can never say.
    pub(crate) fn within(&self, vocab: usize) -> GenerationDefaults {
        let mut within = self.clone();
        within.stop_token_ids.retain(|&id| (id as usize) < vocab);
        within
    }
}

/// A number of things; -1 and 0 are how configurations say "no limit".
fn count(number: f64) -> Option<u32> {
    (1.0..=f64::from(u32::MAX))
        .contains(&number)
        .then_some(number as u32)
}

/// One id or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Ids {
    One(i64),
    Many(Vec<i64>),
}

impl Ids {
    /// The ids that are one; -1 is how configurations say "none".
    fn known(ids: &Option<Ids>) -> impl Iterator<Item = u64> {
        let ids = match ids {
            None => &[],
            Some(Ids::One(id)) => std::slice::from_ref(id),
            Some(Ids::Many(ids)) => ids.as_slice(),
        };
        ids.iter().filter_map(|&id| u64::try_from(id).ok())
    }
}

/// `config.json`.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Config {
    pub(super) model_type: Option<String>,
    pub(super) architectures: Option<Vec<String>>,
    eos_token_id: Option<Ids>,
}

/// `genai_config.json`.
#[derive(Debug, Default, Deserialize)]
pub(super) struct GenaiConfig {
    #[serde(default)]
    pub(super) model: GenaiModel,
    #[serde(default)]
    search: GenerationConfig,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct GenaiModel {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    eos_token_id: Option<Ids>,
}

/// `generation_config.json`, and the part `search` of `genai_config.json`.
#[derive(Debug, Default, Deserialize)]
pub(super) struct GenerationConfig {
    eos_token_id: Option<Ids>,
    do_sample: Option<bool>,
    temperature: Option<f64>,
    top_k: Option<f64>,
    top_p: Option<f64>,
    min_p: Option<f64>,
    repetition_penalty: Option<f64>,
    max_length: Option<f64>,
}
