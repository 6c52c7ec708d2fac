//! What `tealight compile` makes of float weights, as people say it: a word for everything, or a
//! TOML file that tells head, embedding and single layers apart.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;

use clap::ValueEnum;
use serde::Deserialize;
use tealight::import::{Quantization, Quantize};

use crate::exit::Failure;
use crate::open::text_of;

/// What float weights become.
#[derive(Clone, Copy, Debug, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// 4.5 bits a weight
    Int4,
    /// 4.75 bits a weight, a zero point for each 32 among them
    Int4Asymmetric,
    /// 8.5 bits a weight
    Int8,
    /// As they are
    Float,
}

impl Kind {
    fn quantize(self) -> Option<Quantize> {
        match self {
            Kind::Int4 => Some(Quantize::Int4),
            Kind::Int4Asymmetric => Some(Quantize::Int4Asymmetric),
            Kind::Int8 => Some(Quantize::Int8),
            Kind::Float => None,
        }
    }
}

/// A kind, or a file that has more to say.
#[derive(Clone, Debug)]
pub(crate) enum How {
    All(Kind),
    File(PathBuf),
}

impl FromStr for How {
    type Err = String;

    fn from_str(word: &str) -> Result<How, String> {
        if word.ends_with(".toml") {
            return Ok(How::File(word.into()));
        }
        let kinds = Kind::value_variants().iter();
        let names: Vec<_> = kinds.filter_map(Kind::to_possible_value).collect();
        Kind::from_str(word, false).map(How::All).map_err(|_| {
            let names: Vec<_> = names.iter().map(|name| name.get_name()).collect();
            format!("a kind ({}) or a .toml file", names.join(", "))
        })
    }
}

/// The file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recipe {
    layers: Kind,
    head: Option<Kind>,
    embedding: Option<Kind>,
    #[serde(default)]
    exceptions: Vec<Exception>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exception {
    layers: Vec<usize>,
    kind: Kind,
}

impl How {
    /// What is asked for, but for a `head` that is named beside it.
    pub(crate) fn quantization(&self, head: Option<Kind>) -> Result<Quantization, Failure> {
        let recipe = match self {
            How::All(kind) => Recipe {
                layers: *kind,
                head: None,
                embedding: None,
                exceptions: vec![],
            },
            How::File(path) => {
                let text = text_of(path)?;
                toml::from_str(&text).map_err(|error: toml::de::Error| {
                    let before = error.span().map_or("", |span| &text[..span.start]);
                    let line = before.matches('\n').count() + 1;
                    let (path, fault) = (path.display(), error.message());
                    Failure::usage(format!("{path}, line {line}: {fault}"))
                })?
            }
        };
        let mut exceptions = BTreeMap::new();
        for exception in &recipe.exceptions {
            for layer in &exception.layers {
                if exceptions
                    .insert(*layer, exception.kind.quantize())
                    .is_some()
                {
                    return Err(Failure::usage(format!("layer {layer} is named twice")));
                }
            }
        }
        let head = head.or(recipe.head).unwrap_or(recipe.layers);
        let mut quantization = Quantization::default();
        quantization.layers = recipe.layers.quantize();
        quantization.head = head.quantize();
        quantization.embedding = recipe.embedding.unwrap_or(recipe.layers).quantize();
        quantization.exceptions = exceptions;
        Ok(quantization)
    }
}
