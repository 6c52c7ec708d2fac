//! What is known about a model before it runs.

use std::path::Path;

use serde::Deserialize;
use tealight_core::executor::{Arena, Config, KvCache, KvType};
use tealight_core::plan::Plan;
use tealight_core::plan::format::Section;

use crate::bytes::{Bytes, check_sha256};
use crate::model::ModelOptions;
use crate::{Error, Result};

/// What a plan says about itself.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct ModelInfo {
    /// The folder's name that the model was compiled from, or what it was opened as.
    pub name: String,
    /// The architecture's name, such as `Qwen2ForCausalLM`.
    pub architecture: Option<String>,
    /// Numbers that were trained.
    pub parameters: Option<u64>,
    /// How most of the weights are stored, such as `int4`.
    pub quantization: Option<String>,
    /// The licence as the author names it.
    pub licence: Option<String>,
    /// Who compiled the plan, such as `tealight 0.1.0`.
    pub producer: Option<String>,
    /// Number of token ids.
    pub vocab: usize,
    /// Most tokens that the model can attend over.
    pub context: usize,
    /// Size of the compiled model in bytes.
    pub file_bytes: u64,
    /// Whether it takes and gives text.
    pub has_tokenizer: bool,
    /// Whether it can chat.
    pub has_chat_template: bool,
    /// Size of one token's keys and values in bytes, in half precision.
    pub kv_bytes_per_token: u64,
    /// Size of the working memory that a step of 64 tokens needs, in bytes.
    pub working_bytes: u64,
}

impl ModelInfo {
    /// Reads what a `.tea` file says about itself, without loading it. An ONNX model is
    /// compiled first if need be.
    ///
    /// # Errors
    /// If there is no such model, or it cannot be used.
    pub fn read(path: impl AsRef<Path>) -> Result<ModelInfo> {
        ModelInfo::read_with(path, &ModelOptions::default())
    }

    /// As [`ModelInfo::read`], of a model that will be opened with these options: they say
    /// where compiled models are kept.
    pub fn read_with(path: impl AsRef<Path>, options: &ModelOptions) -> Result<ModelInfo> {
        let path = path.as_ref();
        let bytes = Bytes::map(&crate::model::plan_of(path, options)?)?;
        ModelInfo::of_bytes(&path.display().to_string(), bytes)
    }

    /// What the model that the library carries says about itself.
    #[cfg(feature = "embedded")]
    pub fn embedded() -> Result<ModelInfo> {
        ModelInfo::of_bytes("embedded model", Bytes::from_static(tealight_models::HOME)?)
    }

    fn of_bytes(name: &str, bytes: Bytes) -> Result<ModelInfo> {
        let plan = Plan::open(bytes).map_err(|source| Error::Plan {
            model: name.to_owned(),
            source,
        })?;
        ModelInfo::of_plan(name, &plan)
    }

    pub(crate) fn of_plan(name: &str, plan: &Plan<Bytes>) -> Result<ModelInfo> {
        check_sha256(name, plan, Section::Manifest)?;
        let manifest = match plan.section(Section::Manifest) {
            None => Manifest::default(),
            Some(json) => serde_json::from_slice(json).map_err(|error| Error::Malformed {
                model: name.to_owned(),
                section: Section::Manifest.name(),
                reason: error.to_string(),
            })?,
        };
        let model = plan.model();
        let config = Config {
            step: 64,
            logits: 1,
            threads: 1,
            ..Config::new(1)
        };
        let lines = Arena::lines(plan, &config).map_err(|source| Error::Memory {
            model: name.to_owned(),
            source,
        })?;
        let folder = manifest.source.folder;
        Ok(ModelInfo {
            name: if folder.is_empty() {
                name.to_owned()
            } else {
                folder
            },
            architecture: manifest.architecture,
            parameters: manifest.parameters,
            quantization: manifest
                .tensors
                .into_iter()
                .next()
                .map(|tensors| tensors.encoding),
            licence: manifest.licence,
            producer: manifest.producer,
            vocab: model.vocab as usize,
            context: model.context as usize,
            file_bytes: plan.bytes().len() as u64,
            has_tokenizer: plan.section(Section::TokenTables).is_some()
                || plan.section(Section::Tokenizer).is_some(),
            has_chat_template: plan.section(Section::ChatTemplate).is_some(),
            kv_bytes_per_token: KvCache::position_bytes(plan, KvType::default()) as u64,
            working_bytes: lines as u64 * 64,
        })
    }

    /// About how many bytes of memory the model takes with one session of so many tokens: the
    /// file (which the system can drop and read again), keys and values in half precision,
    /// working memory, and the tokenizer.
    pub fn memory_estimate(&self, context: usize) -> u64 {
        // Where the tokenizer is no tables, what is built from it takes most of this.
        const LIBRARY: u64 = 32 << 20;
        let kv = self.kv_bytes_per_token * context.min(self.context) as u64;
        self.file_bytes + kv + self.working_bytes + LIBRARY
    }
}

/// The parts of the manifest that are told.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Manifest {
    source: Source,
    architecture: Option<String>,
    licence: Option<String>,
    producer: Option<String>,
    parameters: Option<u64>,
    tensors: Vec<Tensors>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Source {
    folder: String,
}

#[derive(Deserialize)]
struct Tensors {
    encoding: String,
}
