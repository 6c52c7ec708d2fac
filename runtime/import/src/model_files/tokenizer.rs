//! What an import needs to know of a tokenizer: the largest token, and the ids of special ones.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{Folder, TextError};

/// A token and its id.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Token {
    pub(super) id: u64,
    #[serde(rename = "content")]
    pub(super) text: String,
    #[serde(default)]
    special: bool,
}

/// The parts of `tokenizer.json` that matter here.
#[derive(Debug, Deserialize)]
pub(super) struct Tokenizer {
    #[serde(default)]
    pub(super) added_tokens: Vec<Token>,
    model: Model,
}

#[derive(Debug, Deserialize)]
struct Model {
    #[serde(default)]
    vocab: Vocab,
}

/// The token with the largest id, found without keeping the others.
#[derive(Debug, Default)]
struct Vocab {
    last: Option<Token>,
}

impl Tokenizer {
    /// The id of a special token.
    pub(super) fn id(&self, text: &str) -> Option<u64> {
        let mut special = self.added_tokens.iter().filter(|token| token.special);
        special
            .find(|token| token.text == text)
            .map(|token| token.id)
    }

    /// The token with the largest id.
    pub(super) fn into_last(self) -> Option<Token> {
        self.added_tokens
            .into_iter()
            .chain(self.model.vocab.last)
            .max_by_key(|token| token.id)
    }
}

impl<'de> Deserialize<'de> for Vocab {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Vocab, D::Error> {
        from.deserialize_any(VocabVisitor)
    }
}

struct VocabVisitor;

impl<'de> Visitor<'de> for VocabVisitor {
    type Value = Vocab;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a vocabulary: tokens with ids, or a list of tokens with scores")
    }

    /// `{"token": id, …}` of BPE, WordPiece and WordLevel.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vocab, A::Error> {
        let mut last: Option<(u64, Cow<'de, str>)> = None;
        while let Some((Text(text), id)) = map.next_entry::<Text<'de>, u64>()? {
            if last.as_ref().is_none_or(|(largest, _)| id > *largest) {
                last = Some((id, text));
            }
        }
        Ok(Vocab {
            last: last.map(|(id, text)| Token {
                id,
                text: text.into_owned(),
                special: false,
            }),
        })
    }

    /// `[["token", score], …]` of Unigram, where the place is the id.
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vocab, A::Error> {
        let mut last: Option<Token> = None;
        while let Some((Text(text), IgnoredAny)) = seq.next_element::<(Text<'de>, IgnoredAny)>()? {
            let id = last.map_or(0, |token| token.id + 1);
            last = Some(Token {
                id,
                text: text.into_owned(),
                special: false,
            });
        }
        Ok(Vocab { last })
    }

    fn visit_unit<E>(self) -> Result<Vocab, E> {
        Ok(Vocab::default())
    }
}

/// A string that is borrowed from the file where it can be.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// `tokenizer_config.json`, completed by `special_tokens_map.json`.
#[derive(Debug, Default)]
pub(super) struct TokenizerConfig {
    /// `bos_token`, `eos_token` and whatever else ends in `_token`.
    pub(super) special: BTreeMap<String, String>,
    pub(super) add_bos: Option<bool>,
    pub(super) chat_template: Option<Template>,
}

/// A chat template as `tokenizer_config.json` may hold it.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Template {
    One(String),
    Named(Vec<NamedTemplate>),
}

#[derive(Debug, Deserialize)]
pub(super) struct NamedTemplate {
    pub(super) name: String,
    pub(super) template: String,
}

#[derive(Default, Deserialize)]
struct TokenizerConfigFile {
    add_bos_token: Option<bool>,
    chat_template: Option<Template>,
    #[serde(flatten)]
    others: BTreeMap<String, serde_json::Value>,
}

impl TokenizerConfig {
    pub(super) fn read(folder: &Folder) -> Result<TokenizerConfig, TextError> {
        let file: TokenizerConfigFile = folder.json("tokenizer_config.json")?.unwrap_or_default();
        let map: BTreeMap<String, serde_json::Value> =
            folder.json("special_tokens_map.json")?.unwrap_or_default();
        // The map is the older file and often stale where both are there.
        let special = map.iter().chain(&file.others);
        Ok(TokenizerConfig {
            special: special.filter_map(special_token).collect(),
            add_bos: file.add_bos_token,
            chat_template: file.chat_template,
        })
    }
}

/// `"bos_token": "<s>"` or `"bos_token": {"content": "<s>", …}`.
fn special_token((key, value): (&String, &serde_json::Value)) -> Option<(String, String)> {
    if !key.ends_with("_token") {
        return None;
    }
    let text = value.as_str().or_else(|| value.get("content")?.as_str())?;
    Some((key.clone(), text.to_owned()))
}
