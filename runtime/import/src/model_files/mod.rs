//! The texts beside the graph: tokenizer, chat template, generation and embedding defaults,
//! licence.
//!
//! In comes the path of the graph, out go a plan's text sections. Every file may be absent.
//! What is there is read whole up to a limit, and a file that says nonsense is an error that
//! names it and the place.

mod embedding;
mod error;
mod generation;
mod licence;
mod template;
mod tokenizer;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

pub use embedding::{EmbeddingDefaults, Pooling};
pub use error::TextError;
pub use generation::GenerationDefaults;

use crate::answers;
use crate::token_tables::{self, Unfit};
use crate::write::Source;
use generation::{Config, GenaiConfig, GenerationConfig};
use tokenizer::{Tokenizer, TokenizerConfig};

const TOKENIZER_LIMIT: u64 = 128 << 20;
const JSON_LIMIT: u64 = 16 << 20;
const TEMPLATE_LIMIT: u64 = 1 << 20;
const README_LIMIT: u64 = 4 << 20;
/// A graph beyond this carries its weights inside; hashing it would cost more than it tells.
const GRAPH_HASH_LIMIT: u64 = 64 << 20;

/// Names of the files that [`ModelTexts::beside`] reads, and that a plan therefore depends on.
pub const FILES: [&str; 17] = [
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "chat_template.jinja",
    "chat_template.json",
    "generation_config.json",
    "genai_config.json",
    "config.json",
    "README.md",
    "LICENSE",
    "LICENSE.txt",
    answers::SCHEMA,
    answers::LIST,
    embedding::MODULES,
    embedding::POOLING,
    embedding::PROMPTS,
    embedding::LENGTH,
];

/// A tokenizer as a plan carries it.
#[derive(Clone, Debug)]
pub enum PlanTokenizer {
    /// Tables that core reads.
    Tables(Vec<u8>),
    /// `tokenizer.json` as its author wrote it, and why it is no tables.
    Json(Vec<u8>, Unfit),
}

impl PlanTokenizer {
    fn new(json: Vec<u8>) -> PlanTokenizer {
        match token_tables::compile(&json) {
            Ok(tables) => PlanTokenizer::Tables(tables),
            Err(reason) => PlanTokenizer::Json(json, reason),
        }
    }

    /// Why it is kept as JSON, if it is.
    pub(crate) fn why_kept(&self) -> Option<String> {
        match self {
            PlanTokenizer::Tables(_) => None,
            PlanTokenizer::Json(_, reason) => Some(reason.to_string()),
        }
    }
}

/// What a plan carries besides the decoder.
#[derive(Clone, Debug, Default)]
pub struct ModelTexts {
    /// The tokenizer.
    pub tokenizer: Option<PlanTokenizer>,
    /// The chat template's Jinja source.
    pub chat_template: Option<String>,
    /// The constraint that answers are held to, as a plan has it.
    pub answers: Option<Vec<u8>>,
    /// Stop tokens, special tokens and sampling defaults.
    pub generation: GenerationDefaults,
    /// How hidden states become embeddings, of a model that makes those.
    pub embedding: Option<EmbeddingDefaults>,
    /// Where the model came from.
    pub source: Source,
    /// `model_type` of the configuration.
    pub model_type: Option<String>,
    /// First of the configuration's `architectures`.
    pub architecture: Option<String>,
    /// The licence that README or LICENSE name.
    pub licence: Option<String>,
    /// Path of the tokenizer and its largest token, for [`ModelTexts::check_vocab`].
    last_token: Option<(PathBuf, tokenizer::Token)>,
}

impl ModelTexts {
    /// Reads the texts of the model whose graph is at `graph`, and makes hidden states if `hidden`.
    ///
    /// They lie in the graph's folder or, where that is called `onnx` and has no tokenizer, in
    /// the folder above it.
    pub fn beside(graph: &Path, hidden: bool) -> Result<ModelTexts, TextError> {
        let folder = Folder(texts_folder(graph));
        let config: Config = folder.json("config.json")?.unwrap_or_default();
        let genai: GenaiConfig = folder.json("genai_config.json")?.unwrap_or_default();
        let defaults: GenerationConfig = folder.json("generation_config.json")?.unwrap_or_default();
        let tokens = TokenizerConfig::read(&folder)?;
        let chat_template = template::read(&folder, &tokens)?;

        let tokenizer_bytes = folder.read("tokenizer.json", TOKENIZER_LIMIT)?;
        let tokenizer: Option<Tokenizer> = match &tokenizer_bytes {
            Some(bytes) => Some(parse(&folder.0.join("tokenizer.json"), bytes)?),
            None => None,
        };
        let generation = GenerationDefaults::merge(
            &config,
            &genai,
            &defaults,
            &tokens,
            tokenizer.as_ref(),
            chat_template.as_deref(),
        );
        let last_token = tokenizer
            .and_then(Tokenizer::into_last)
            .map(|token| (folder.0.join("tokenizer.json"), token));
        let tokenizer = tokenizer_bytes.map(PlanTokenizer::new);
        Ok(ModelTexts {
            answers: folder.answers(tokenizer.as_ref())?,
            tokenizer,
            chat_template,
            generation,
            embedding: match hidden {
                true => Some(EmbeddingDefaults::read(&folder)?),
                false => None,
            },
            source: Source {
                folder: folder_name(&folder.0),
                graph: name(graph.file_name()),
                graph_sha256: graph_hash(graph)?,
            },
            licence: licence::find(&folder)?,
            model_type: config.model_type.or(genai.model.kind),
            architecture: config.architectures.unwrap_or_default().into_iter().next(),
            last_token,
        })
    }

    /// Whether every token of the tokenizer is one that the graph knows.
    pub(crate) fn check_vocab(&self, vocab: usize) -> Result<(), TextError> {
        match &self.last_token {
            Some((path, token)) if token.id >= vocab as u64 => Err(TextError::Vocabulary {
                path: path.clone(),
                token: token.text.clone(),
                id: token.id,
                vocab: vocab as u64,
            }),
            _ => Ok(()),
        }
    }
}

/// The folder that holds the texts of the model whose graph is at `graph`.
pub fn texts_folder(graph: &Path) -> PathBuf {
    let folder = match graph.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let holds_texts = |folder: &Path| {
        folder.join("tokenizer.json").is_file() || folder.join("config.json").is_file()
    };
    match folder.parent() {
        Some(above) if folder.ends_with("onnx") && !holds_texts(folder) && holds_texts(above) => {
            above.to_owned()
        }
        _ => folder.to_owned(),
    }
}

/// A model's folder, whose files may be absent but not oversized.
struct Folder(PathBuf);

impl Folder {
    /// The file's bytes, `None` where there is no such file.
    fn read(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, TextError> {
        let path = self.0.join(name);
        let failed = |source| TextError::Read {
            path: path.clone(),
            source,
        };
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file.map_err(failed)?,
        };
        let mut bytes = Vec::new();
        file.take(limit + 1)
            .read_to_end(&mut bytes)
            .map_err(failed)?;
        if bytes.len() as u64 > limit {
            return Err(TextError::TooLong { path, limit });
        }
        Ok(Some(bytes))
    }

    fn text(&self, name: &str, limit: u64) -> Result<Option<String>, TextError> {
        let Some(bytes) = self.read(name, limit)? else {
            return Ok(None);
        };
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(text)),
            Err(error) => Err(TextError::NotUtf8 {
                path: self.0.join(name),
                offset: error.utf8_error().valid_up_to(),
            }),
        }
    }

    /// What answers may look like, by the schema or else by the list. Only core's own tokenizer
    /// knows the bytes of tokens wherever a plan runs.
    fn answers(&self, tokenizer: Option<&PlanTokenizer>) -> Result<Option<Vec<u8>>, TextError> {
        let (name, section) = if let Some(json) = self.read(answers::SCHEMA, JSON_LIMIT)? {
            (answers::SCHEMA, answers::of_schema(&json))
        } else if let Some(list) = self.text(answers::LIST, TEMPLATE_LIMIT)? {
            (answers::LIST, answers::of_list(&list))
        } else {
            return Ok(None);
        };
        let section = match tokenizer {
            Some(PlanTokenizer::Tables(_)) => section,
            _ => Err("answers can be held to it only by a byte-level BPE tokenizer".into()),
        };
        section.map(Some).map_err(|fault| TextError::Answers {
            path: self.0.join(name),
            fault,
        })
    }

    fn json<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, TextError> {
        let Some(bytes) = self.read(name, JSON_LIMIT)? else {
            return Ok(None);
        };
        parse(&self.0.join(name), &bytes).map(Some)
    }
}

fn parse<'a, T: Deserialize<'a>>(path: &Path, bytes: &'a [u8]) -> Result<T, TextError> {
    serde_json::from_slice(bytes).map_err(|source| TextError::Json {
        path: path.to_owned(),
        source,
    })
}

/// The model's name as far as its folder tells: the one above where graphs lie in `onnx`.
fn folder_name(folder: &Path) -> String {
    // "." and ".." have no name of their own; where that cannot be found out, none is given.
    let whole = folder.canonicalize();
    let whole = whole.as_deref().unwrap_or(folder);
    let above = whole.parent().and_then(Path::file_name);
    let own = whole.file_name();
    name(above.filter(|_| own == Some("onnx".as_ref())).or(own))
}

fn name(name: Option<&std::ffi::OsStr>) -> String {
    name.unwrap_or_default().to_string_lossy().into_owned()
}

fn graph_hash(graph: &Path) -> Result<Option<String>, TextError> {
    let failed = |source| TextError::Read {
        path: graph.to_owned(),
        source,
    };
    let mut file = File::open(graph).map_err(failed)?;
    if file.metadata().map_err(failed)?.len() > GRAPH_HASH_LIMIT {
        return Ok(None);
    }
    let mut hash = Sha256::new();
    let mut portion = vec![0; 1 << 16];
    loop {
        match file.read(&mut portion).map_err(failed)? {
            0 => break,
            len => hash.update(&portion[..len]),
        }
    }
    Ok(Some(
        hash.finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect(),
    ))
}

#[cfg(test)]
mod tests;
