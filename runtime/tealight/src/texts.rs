//! The parts of a model that deal with text: tokenizer, chat template, defaults.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use tealight_core::plan::Plan;
use tealight_core::plan::format::Section;

use crate::answers::Answers;
use crate::bytes::{Bytes, check_sha256};
use crate::defaults::GenerationDefaults;
use crate::embedding::EmbeddingDefaults;
use crate::template::{ChatTemplate, Message, Variables};
use crate::tokenizer::Tokenizer;
use crate::{Error, Result, TokenId};

/// What sessions need to turn text into tokens and back.
#[derive(Debug)]
pub(crate) struct Texts {
    /// The model's path or name, for messages.
    pub(crate) model: String,
    pub(crate) tokenizer: Option<Arc<Tokenizer>>,
    pub(crate) template: Option<ChatTemplate>,
    pub(crate) defaults: GenerationDefaults,
    pub(crate) embedding: EmbeddingDefaults,
    /// What answers may look like, where the model says so.
    pub(crate) answers: Option<Answers>,
}

impl Texts {
    /// Reads and checks a plan's text sections; the tokenizer, which takes longest, on a
    /// thread of its own while `meanwhile` runs.
    pub(crate) fn read<T>(
        model: &str,
        plan: &Arc<Plan<Bytes>>,
        meanwhile: impl FnOnce() -> T,
    ) -> Result<(Texts, T)> {
        std::thread::scope(|scope| {
            let tokenizer = scope.spawn(|| read_tokenizer(model, plan));
            let result = meanwhile();
            let others = read_others(model, plan);
            // Whatever a file makes the tokenizer's library do must not take the program down.
            let tokenizer = tokenizer.join().unwrap_or_else(|_| {
                Err(Error::Malformed {
                    model: model.to_owned(),
                    section: Section::Tokenizer.name(),
                    reason: "reading it panicked".to_owned(),
                })
            })?;
            let (template, defaults, embedding) = others?;
            let texts = Texts {
                model: model.to_owned(),
                tokenizer,
                template,
                defaults,
                embedding,
                answers: Answers::of_plan(plan),
            };
            Ok((texts, result))
        })
    }

    pub(crate) fn tokenizer(&self) -> Result<&Arc<Tokenizer>> {
        self.tokenizer.as_ref().ok_or_else(|| Error::NoTokenizer {
            model: self.model.clone(),
        })
    }

    /// The tokens of a text that stands by itself.
    pub(crate) fn encode_text(&self, text: &str) -> Result<Vec<TokenId>> {
        self.encode_text_up_to(usize::MAX, text)
    }

    /// The first `most` tokens of a text that stands by itself, those around it counted but never
    /// left out.
    pub(crate) fn encode_text_up_to(&self, most: usize, text: &str) -> Result<Vec<TokenId>> {
        let tokenizer = self.tokenizer()?;
        let mut tokens = self.encode_up_to(most, text, true)?;
        if self.defaults.add_bos == Some(true)
            && let Some(bos) = self.defaults.special_tokens.get("bos_token")
            && let Some(bos) = tokenizer.token_id(bos)
            && tokens.first() != Some(&bos)
        {
            if tokens.len() >= most {
                tokens = self.encode_up_to(most.saturating_sub(1), text, true)?;
            }
            tokens.insert(0, bos);
        }
        Ok(tokens)
    }

    /// The tokens of a conversation; with `add_generation_prompt`, up to where the model's next
    /// message begins. The template itself writes the special tokens.
    pub(crate) fn encode_chat(
        &self,
        messages: &[Message],
        add_generation_prompt: bool,
        variables: &Variables,
    ) -> Result<Vec<TokenId>> {
        let template = self.template.as_ref().ok_or_else(|| Error::NoTemplate {
            model: self.model.clone(),
        })?;
        let text = template
            .render(messages, add_generation_prompt, variables)
            .map_err(|source| Error::Template {
                model: self.model.clone(),
                source,
            })?;
        self.encode(&text, false)
    }

    pub(crate) fn encode(&self, text: &str, add_special: bool) -> Result<Vec<TokenId>> {
        self.encode_up_to(usize::MAX, text, add_special)
    }

    fn encode_up_to(&self, most: usize, text: &str, add_special: bool) -> Result<Vec<TokenId>> {
        self.tokenizer()?
            .encode_up_to(most, text, add_special)
            .map_err(|source| Error::Tokenizer {
                model: self.model.clone(),
                source,
            })
    }
}

fn read_tokenizer(model: &str, plan: &Arc<Plan<Bytes>>) -> Result<Option<Arc<Tokenizer>>> {
    check_sha256(model, plan, Section::TokenTables)?;
    if let Some(tokenizer) = Tokenizer::of_plan(plan) {
        return Ok(Some(Arc::new(tokenizer)));
    }
    check_sha256(model, plan, Section::Tokenizer)?;
    let Some(json) = plan.section(Section::Tokenizer) else {
        return Ok(None);
    };
    let read = || {
        let tokenizer = Tokenizer::from_json(json)?;
        tokenizer.check_fits(plan.model().vocab as usize)?;
        Ok(Some(Arc::new(tokenizer)))
    };
    read().map_err(|source| Error::Tokenizer {
        model: model.to_owned(),
        source,
    })
}

/// The chat template, and what the model's author says about generating and embedding.
fn read_others(
    model: &str,
    plan: &Plan<Bytes>,
) -> Result<(Option<ChatTemplate>, GenerationDefaults, EmbeddingDefaults)> {
    check_sha256(model, plan, Section::ChatTemplate)?;
    check_sha256(model, plan, Section::Constraint)?;
    let defaults: GenerationDefaults = read_json(model, plan, Section::Generation)?;
    let embedding = read_json(model, plan, Section::Embedding)?;
    let Some(source) = plan.section(Section::ChatTemplate) else {
        return Ok((None, defaults, embedding));
    };
    let source = std::str::from_utf8(source)
        .map_err(|error| malformed(model, Section::ChatTemplate, &error))?;
    let template = match ChatTemplate::new(source, defaults.special_tokens.clone()) {
        Ok(template) => Some(template),
        Err(source) => {
            return Err(Error::Template {
                model: model.to_owned(),
                source,
            });
        }
    };
    Ok((template, defaults, embedding))
}

/// A section of JSON; its default where it is not there.
fn read_json<T: DeserializeOwned + Default>(
    model: &str,
    plan: &Plan<Bytes>,
    section: Section,
) -> Result<T> {
    check_sha256(model, plan, section)?;
    match plan.section(section) {
        None => Ok(T::default()),
        Some(json) => {
            serde_json::from_slice(json).map_err(|error| malformed(model, section, &error))
        }
    }
}

fn malformed(model: &str, section: Section, reason: &dyn std::error::Error) -> Error {
    Error::Malformed {
        model: model.to_owned(),
        section: section.name(),
        reason: reason.to_string(),
    }
}
