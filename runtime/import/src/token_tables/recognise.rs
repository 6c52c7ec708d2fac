//! From the parts of a `tokenizer.json` to what token tables hold, if they can stand for it all.

use std::collections::{HashMap, HashSet};

use tealight_core::tokenizer::alphabet::{byte_of_char, char_of_byte};
use tealight_core::tokenizer::tables::{SPECIAL, STRIP_LEFT, STRIP_RIGHT};
use tealight_core::tokenizer::{MAX_RULES, NormalForm, Rule, Words};

use super::Unfit;
use super::json::{
    Added, Decoder, File, Model, Normalizer, Pattern, PostProcessor, PreTokenizer, TemplatePiece,
    TemplateToken,
};
use super::splits;

/// Most token ids, as many as a plan may have.
const MAX_TOKENS: u32 = 1 << 20;

/// A tokenizer as tables hold it.
#[derive(Default)]
pub(super) struct Recognised {
    /// Each token's bytes, none for an id without a token.
    pub(super) tokens: Vec<Vec<u8>>,
    /// The token of each byte.
    pub(super) bytes: Vec<Option<u32>>,
    /// The token of bytes without one, and whether neighbours share it.
    pub(super) unknown: Option<(u32, bool)>,
    /// Left, right and merged token, in the order of their ranks.
    pub(super) merges: Vec<[u32; 3]>,
    /// Tokens that stand for whole words whatever the merges say.
    pub(super) words: Vec<u32>,
    /// Added tokens with their flags: those for text as it is, those for normalized text.
    pub(super) added: [Vec<(u32, u32)>; 2],
    /// Tokens that a whole text begins and ends with.
    pub(super) around: [Vec<u32>; 2],
    pub(super) rules: Vec<Rule>,
    pub(super) normal_form: Option<NormalForm>,
}

pub(super) fn recognise(file: &File) -> Result<Recognised, Unfit> {
    let model = &file.model;
    plain(model)?;
    let mut found = Recognised {
        normal_form: Some(normal_form(file.normalizer.as_ref())),
        rules: rules(&file.pre_tokenizer)?,
        around: around(file.post_processor.as_ref())?,
        ..Recognised::default()
    };
    add_tokens(&mut found, file)?;
    decoder_adds_nothing(&file.decoder, model)?;
    add_bytes(&mut found, model)?;
    add_merges(&mut found, model)?;
    let around = found.around.iter().flatten();
    require(
        around.copied().all(|id| (id as usize) < found.tokens.len()),
        "its template names tokens that it has not",
    )?;
    Ok(found)
}

fn require(fine: bool, fault: &'static str) -> Result<(), Unfit> {
    if fine {
        Ok(())
    } else {
        Err(Unfit::Other(fault))
    }
}

/// Nothing is added to words, and nothing is left to chance.
fn plain(model: &Model) -> Result<(), Unfit> {
    let absent = |text: &Option<String>| text.as_deref().is_none_or(str::is_empty);
    require(
        model.kind.as_deref().is_none_or(|kind| kind == "BPE"),
        "its model is not BPE",
    )?;
    require(
        absent(&model.continuing_subword_prefix) && absent(&model.end_of_word_suffix),
        "its model marks the parts of words",
    )?;
    require(model.dropout.is_none(), "its model drops merges by chance")
}

fn normal_form(normalizer: Option<&Normalizer>) -> NormalForm {
    match normalizer {
        None => NormalForm::AsIs,
        Some(Normalizer::Nfc) => NormalForm::Nfc,
        Some(Normalizer::Sequence { normalizers }) => {
            let forms = normalizers.iter().map(|inner| normal_form(Some(inner)));
            // What is in NFC stays so.
            forms
                .max_by_key(|form| *form as u32)
                .unwrap_or(NormalForm::AsIs)
        }
    }
}

/// The rules of a pre-tokenizer that ends with the step to bytes.
fn rules(pre_tokenizer: &PreTokenizer) -> Result<Vec<Rule>, Unfit> {
    let steps = match pre_tokenizer {
        PreTokenizer::Sequence { pretokenizers } => pretokenizers.as_slice(),
        single => std::slice::from_ref(single),
    };
    let fault = "its pre-tokenizer does not end with bytes as GPT-2 has them";
    let Some((
        PreTokenizer::ByteLevel {
            add_prefix_space: false,
            use_regex,
            ..
        },
        splits,
    )) = steps.split_last()
    else {
        return Err(Unfit::Other(fault));
    };
    let mut rules = splits.iter().map(rule).collect::<Result<Vec<_>, _>>()?;
    if *use_regex {
        rules.push(Rule::Words(Words::GPT2));
    }
    require(
        rules.len() <= MAX_RULES,
        "its pre-tokenizer has more steps than there is room for",
    )?;
    Ok(rules)
}

fn rule(step: &PreTokenizer) -> Result<Rule, Unfit> {
    match step {
        PreTokenizer::Digits {
            individual_digits: true,
        } => Ok(Rule::Numbers(1)),
        PreTokenizer::Split {
            pattern: Pattern::Regex(expression),
            behavior,
            invert: false,
        } if behavior == "Isolated" => splits::rule(expression)
            .ok_or_else(|| Unfit::Unknown(format!("its pre-tokenizer has `{expression}`"))),
        _ => Err(Unfit::Other("its pre-tokenizer has an unknown step")),
    }
}

/// What a template puts before and after a text.
fn around(post_processor: Option<&PostProcessor>) -> Result<[Vec<u32>; 2], Unfit> {
    let steps = match post_processor {
        None => return Ok(Default::default()),
        Some(PostProcessor::Sequence { processors }) => processors.as_slice(),
        Some(single) => std::slice::from_ref(single),
    };
    let mut around = None;
    for step in steps {
        match step {
            PostProcessor::ByteLevel => {}
            PostProcessor::TemplateProcessing {
                single,
                special_tokens,
            } if around.is_none() => {
                let found = template(single, special_tokens);
                around = Some(found.ok_or(Unfit::Other("its template is not understood"))?);
            }
            _ => return Err(Unfit::Other("it has more than one template")),
        }
    }
    Ok(around.unwrap_or_default())
}

fn template(
    pieces: &[TemplatePiece],
    tokens: &std::collections::BTreeMap<String, TemplateToken>,
) -> Option<[Vec<u32>; 2]> {
    let mut around = [Vec::new(), Vec::new()];
    let mut texts = 0;
    for piece in pieces {
        match piece {
            TemplatePiece::Sequence { id } if id == "A" => texts += 1,
            TemplatePiece::Sequence { .. } => return None,
            TemplatePiece::SpecialToken { id } => {
                around.get_mut(texts)?.extend(&tokens.get(id)?.ids);
            }
        }
    }
    (texts == 1).then_some(around)
}

/// The bytes of a token that is written in GPT-2's alphabet.
fn bytes_of(token: &str) -> Option<Vec<u8>> {
    token.chars().map(byte_of_char).collect()
}

fn add_tokens(found: &mut Recognised, file: &File) -> Result<(), Unfit> {
    let vocab = &file.model.vocab;
    let ids = vocab
        .values()
        .chain(file.added_tokens.iter().map(|t| &t.id));
    let last = ids.copied().max().unwrap_or(MAX_TOKENS);
    require(last < MAX_TOKENS, "it has no tokens, or too many")?;
    found.tokens = vec![Vec::new(); last as usize + 1];
    let added: HashMap<&str, u32> = file
        .added_tokens
        .iter()
        .map(|token| (token.content.as_str(), token.id))
        .collect();
    let mut words = Vec::new();
    for (text, id) in vocab {
        let bytes = match bytes_of(text) {
            Some(bytes) => {
                words.push(*id);
                bytes
            }
            // No word is written like this, so only its place is taken.
            None if added.get(text.as_str()) == Some(id) => text.clone().into_bytes(),
            None => return Err(Unfit::Other("it has tokens that are not bytes")),
        };
        put(found, *id, bytes)?;
    }
    if file.model.ignore_merges {
        found.words = words;
    }
    let mut seen = HashSet::new();
    let mut next = vocab.len() as u32;
    for token in &file.added_tokens {
        require(seen.insert(&token.content), "it adds a token twice")?;
        let known = vocab.get(&token.content).copied();
        let expected = known.unwrap_or(next);
        next += u32::from(known.is_none());
        require(
            token.id == expected,
            "its added tokens do not follow the others",
        )?;
        add_added(found, token, known.is_some())?;
    }
    Ok(())
}

fn put(found: &mut Recognised, id: u32, bytes: Vec<u8>) -> Result<(), Unfit> {
    require(!bytes.is_empty(), "it has an empty token")?;
    let place = &mut found.tokens[id as usize];
    require(place.is_empty(), "it has two tokens of one id")?;
    *place = bytes;
    Ok(())
}

fn add_added(found: &mut Recognised, token: &Added, in_vocab: bool) -> Result<(), Unfit> {
    require(!token.single_word, "it has added tokens that are words")?;
    let content = token.content.as_bytes();
    require(
        bytes_of(&token.content).is_none_or(|bytes| bytes == content),
        "it has added tokens that decode to other bytes",
    )?;
    require(
        !token.normalized
            || token.content.is_ascii()
            || found.normal_form == Some(NormalForm::AsIs),
        "it has added tokens that may have to be normalized",
    )?;
    if !in_vocab {
        put(found, token.id, content.to_vec())?;
    }
    let flags = [
        (token.special, SPECIAL),
        (token.lstrip, STRIP_LEFT),
        (token.rstrip, STRIP_RIGHT),
    ];
    let flags = flags
        .iter()
        .filter(|(is, _)| *is)
        .map(|(_, flag)| flag)
        .sum();
    found.added[usize::from(token.normalized)].push((token.id, flags));
    Ok(())
}

/// The decoder turns each token to its bytes, and its other steps find nothing to do.
fn decoder_adds_nothing(decoder: &Decoder, model: &Model) -> Result<(), Unfit> {
    let steps = match decoder {
        Decoder::Sequence { decoders } => decoders.as_slice(),
        single => std::slice::from_ref(single),
    };
    let Some((Decoder::ByteLevel, others)) = steps.split_last() else {
        return Err(Unfit::Other("its decoder is not of bytes"));
    };
    let is_fallback =
        |token: &str| token.len() == 6 && token.starts_with("<0x") && token.ends_with('>');
    let idle = others.iter().all(|step| match step {
        Decoder::Fuse => true,
        Decoder::ByteFallback => !model.vocab.keys().any(|token| is_fallback(token)),
        Decoder::Replace {
            pattern: Pattern::String(text),
        } => {
            let mut chars = text.chars();
            let outside = chars.next().is_some_and(|c| byte_of_char(c).is_none());
            outside && chars.next().is_none()
        }
        _ => false,
    });
    require(idle, "its decoder is not of bytes alone")
}

fn add_bytes(found: &mut Recognised, model: &Model) -> Result<(), Unfit> {
    let mut missing = false;
    for byte in 0..=255 {
        let written = char_of_byte(byte).to_string();
        let id = model.vocab.get(&written).copied();
        missing |= id.is_none();
        if id.is_none() && model.byte_fallback {
            let falls_back = written
                .bytes()
                .all(|part| model.vocab.contains_key(&format!("<{part:#04X}>")));
            require(!falls_back, "it has other tokens for bytes")?;
        }
        found.bytes.push(id);
    }
    if let Some(text) = model.unk_token.as_deref().filter(|_| missing) {
        let id = model.vocab.get(text);
        let id = *id.ok_or(Unfit::Other("its token for unknown bytes is not there"))?;
        found.unknown = Some((id, model.fuse_unk));
    }
    Ok(())
}

fn add_merges(found: &mut Recognised, model: &Model) -> Result<(), Unfit> {
    let fault = Unfit::Other("it has merges of tokens that are not there");
    let mut seen = HashSet::new();
    for merge in &model.merges {
        let (left, right) = merge.pair().ok_or_else(|| fault.clone())?;
        let id = |text: &str| model.vocab.get(text).copied().ok_or_else(|| fault.clone());
        let ids = [id(left)?, id(right)?, id(&format!("{left}{right}"))?];
        let unknown = found.unknown.map(|(id, _)| id);
        require(
            unknown.is_none_or(|unknown| !ids[..2].contains(&unknown)),
            "it merges the token for unknown bytes",
        )?;
        let again = !seen.insert([ids[0], ids[1]]);
        require(!again, "it has a merge twice")?;
        found.merges.push(ids);
    }
    Ok(())
}
