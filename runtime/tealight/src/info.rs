//! What is known about a model before it runs.

use std::path::Path;

use serde::Deserialize;
use tealight_core::executor::{Arena, Config, KvCache, Line};
use tealight_core::plan::Plan;
use tealight_core::plan::format::Section;

use crate::bytes::{Bytes, check_sha256};
#[cfg(feature = "tract")]
use crate::graph;
use crate::model::ModelOptions;
use crate::{Error, Result, threads};

/// What a plan says about itself, and what it takes to run it as some options say.
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
    /// Numbers in a vector, of a model that makes embeddings and no text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dimensions: Option<usize>,
    /// Most tokens that the model can attend over.
    pub context: usize,
    /// Size of the compiled model in bytes.
    pub file_bytes: u64,
    /// Whether it takes and gives text.
    pub has_tokenizer: bool,
    /// Whether it can chat.
    pub has_chat_template: bool,
    /// Tokens that a session has room for.
    pub session_context: usize,
    /// Size of one token's keys and values in bytes, as sessions keep them. Where attention has
    /// windows, some of it is kept of the last tokens only.
    pub kv_bytes_per_token: u64,
    /// Size of a session's working memory in bytes.
    pub working_bytes: u64,
    /// About how many bytes of memory the model takes with one session: the file (which the
    /// system can drop and read again), the session's keys and values, what its convolutions have seen and its recurrent states, its working memory, and
    /// the tokenizer.
    pub memory_estimate: u64,
}

/// What the template and a tokenizer in tables take, in bytes.
const TEXTS: u64 = 1 << 20;

/// What a tokenizer takes that is built from its JSON, in bytes; its vocabulary makes most of it.
const LIBRARY: u64 = 32 << 20;

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
    /// where compiled models are kept, and decide how much memory it takes.
    pub fn read_with(path: impl AsRef<Path>, options: &ModelOptions) -> Result<ModelInfo> {
        let path = path.as_ref();
        let plan = crate::model::plan_of(path, options);
        #[cfg(feature = "tract")]
        let plan = match plan {
            Err(why) if graph::may_run(&why) => return Ok(graph::open(path, options, why)?.info),
            plan => plan,
        };
        let bytes = Bytes::map(&plan?)?;
        ModelInfo::of_bytes(&path.display().to_string(), bytes, options)
    }

    /// What the model that the library carries says about itself.
    #[cfg(feature = "embedded")]
    pub fn embedded() -> Result<ModelInfo> {
        ModelInfo::embedded_with(&ModelOptions::default())
    }

    /// As [`ModelInfo::embedded`], of a model that will be opened with these options.
    #[cfg(feature = "embedded")]
    pub fn embedded_with(options: &ModelOptions) -> Result<ModelInfo> {
        let bytes = Bytes::from_static(tealight_models::HOME)?;
        ModelInfo::of_bytes("embedded model", bytes, options)
    }

    fn of_bytes(name: &str, bytes: Bytes, options: &ModelOptions) -> Result<ModelInfo> {
        let plan = Plan::open(bytes).map_err(|source| Error::Plan {
            model: name.to_owned(),
            source,
        })?;
        ModelInfo::of_plan(name, &plan, options)
    }

    pub(crate) fn of_plan(
        name: &str,
        plan: &Plan<Bytes>,
        options: &ModelOptions,
    ) -> Result<ModelInfo> {
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
        let config = config(plan, options);
        let wrong = |source| Error::Memory {
            model: name.to_owned(),
            source,
        };
        let lines = Arena::lines(plan, &config).map_err(wrong)?;
        let kept = KvCache::lines(plan, &config).map_err(wrong)?;
        let file_bytes = plan.bytes().len() as u64;
        let kv_bytes_per_token = KvCache::position_bytes(plan, config.kv) as u64;
        let working_bytes = (lines * Line::BYTES) as u64;
        let has_tables = plan.section(Section::TokenTables).is_some();
        let has_json = plan.section(Section::Tokenizer).is_some();
        let texts = if has_json && !has_tables {
            TEXTS + LIBRARY
        } else {
            TEXTS
        };
        let kept = (kept * Line::BYTES) as u64;
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
            dimensions: (model.hidden > 0).then_some(model.hidden as usize),
            context: model.context as usize,
            file_bytes,
            has_tokenizer: has_tables || has_json,
            has_chat_template: plan.section(Section::ChatTemplate).is_some(),
            session_context: config.context,
            kv_bytes_per_token,
            working_bytes,
            memory_estimate: (file_bytes + working_bytes + texts).saturating_add(kept),
        })
    }
}

/// The memory that a session has; one that the model would refuse is as large as it may be.
fn config(plan: &Plan<Bytes>, options: &ModelOptions) -> Config {
    let model = plan.model();
    let most = model.context as usize;
    let threads = options.threads.unwrap_or_else(threads::sensible);
    let context = options.session_context(most).clamp(1, most.max(1));
    let step = if model.whole != 0 {
        context
    } else {
        options.step_size()
    };
    Config {
        context,
        step,
        logits: if model.hidden > 0 { step } else { 1 },
        threads: threads.max(1),
        kv: options.kv.unwrap_or_default(),
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
