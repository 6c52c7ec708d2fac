//! Whole decoders on tract: graphs of which import can make no plan, in a build with the feature
//! `tract`.
//!
//! Enters: a folder, and why there is no plan of it. Leaves: a [`GraphModel`], whose steps feed the
//! graph and keep what it returns for the next one. Slower than a plan, and in f32, or whatever the
//! graph computes in.

mod ports;
mod step;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use tealight_core::executor::KvType;
use tealight_import::{ImportError, Uncompiled};
use tealight_onnx::{OnnxError, OnnxModel, PreparedModel};

use crate::cache::CacheError;
use crate::defaults::GenerationDefaults;
use crate::embedding::EmbeddingDefaults;
use crate::info::ModelInfo;
use crate::model::ModelOptions;
use crate::template::ChatTemplate;
use crate::texts::Texts;
use crate::tokenizer::{Tokenizer, TokenizerError};
use crate::{Error, Result};
use ports::Ports;
pub(crate) use step::GraphStep;

/// Tokens of context where the configuration names none.
const CONTEXT: usize = 2048;

/// A decoder's graph, ready to run.
pub(crate) struct GraphModel {
    onnx: OnnxModel,
    ports: Ports,
    /// Absent where the engine has to prepare the graph for each length anew.
    prepared: Option<PreparedModel>,
    /// Which operators there is no plan for.
    pub(crate) notice: String,
}

/// A model on tract, but for the sessions.
pub(crate) struct Opened {
    pub(crate) graph: Arc<GraphModel>,
    pub(crate) texts: Texts,
    pub(crate) info: ModelInfo,
}

/// Whether a graph that could not be compiled may still run as it is.
pub(crate) fn may_run(error: &Error) -> bool {
    matches!(
        error,
        Error::Import(CacheError::Import(
            ImportError::Unrecognised(_)
                | ImportError::Quantization { .. }
                | ImportError::NotADecoder { .. }
        ))
    )
}

/// Opens the model at `path`, of which there is no plan for the reason `why`.
///
/// # Errors
/// That reason and tract's own, where tract does not run it either; or what is asked for and only
/// plans have.
pub(crate) fn open(path: &Path, options: &ModelOptions, why: Error) -> Result<Opened> {
    let model = path.display().to_string();
    check(&model, options)?;
    let files = Uncompiled::of(path).map_err(CacheError::Import)?;
    if files.has_answers {
        return Err(only_plans(&model, "answers held to a schema or list"));
    }
    let neither = |why: Error, tract: String| Error::NoEngine {
        model: model.clone(),
        plan: Box::new(why),
        tract,
    };
    let mut graph = match GraphModel::open(&files.graph) {
        Ok(graph) => graph,
        Err(reason) => return Err(neither(why, reason)),
    };
    graph.notice = notice(&why);
    // Whether it runs at all, and how many token ids there are, is seen from its first step.
    let mut first = graph.vocab();
    if let (Err(reason), Some(_)) = (&first, graph.prepared.take_if(|_| first.is_err())) {
        log::info!("each length is prepared by itself: {reason}");
        first = graph.vocab();
    }
    let vocab = match first {
        Ok(vocab) => vocab,
        Err(reason) => return Err(neither(why, reason)),
    };
    let context = files.context.unwrap_or(CONTEXT);
    let texts = texts(&model, &files, vocab)?;
    let info = ModelInfo {
        name: files.folder,
        architecture: files.architecture,
        parameters: None,
        quantization: None,
        licence: files.licence,
        producer: None,
        vocab,
        dimensions: None,
        context,
        file_bytes: files.bytes,
        has_tokenizer: texts.tokenizer.is_some(),
        has_chat_template: texts.template.is_some(),
        session_context: options.session_context(context),
        kv_bytes_per_token: graph.ports.bytes_per_token(),
        working_bytes: 0,
        // The weights as they are read, and as tract packs them.
        memory_estimate: 2 * files.bytes,
    };
    log::warn!("`{model}` {}", graph.notice);
    Ok(Opened {
        graph: Arc::new(graph),
        texts,
        info,
    })
}

/// What only plans have.
pub(crate) fn only_plans(model: &str, what: &'static str) -> Error {
    Error::OnlyPlans {
        model: model.to_owned(),
        what,
    }
}

fn check(model: &str, options: &ModelOptions) -> Result<()> {
    check_kv(model, options.kv)?;
    if options.threads.is_some_and(|threads| threads > 1) {
        return Err(only_plans(model, "second thread"));
    }
    if options.isa.is_some() {
        return Err(only_plans(model, "choice of instruction sets"));
    }
    Ok(())
}

fn check_kv(model: &str, kv: Option<KvType>) -> Result<()> {
    match kv {
        None | Some(KvType::F32) => Ok(()),
        Some(_) => Err(only_plans(model, "choice of how keys and values are kept")),
    }
}

fn texts(model: &str, files: &Uncompiled, vocab: usize) -> Result<Texts> {
    let wrong = |source: TokenizerError| Error::Tokenizer {
        model: model.to_owned(),
        source,
    };
    let tokenizer = match &files.tokenizer {
        None => None,
        Some(path) => {
            let json = std::fs::read(path).map_err(|source| Error::Read {
                path: path.clone(),
                source,
            })?;
            let tokenizer = Tokenizer::from_json(&json).map_err(wrong)?;
            tokenizer.check_fits(vocab).map_err(wrong)?;
            Some(Arc::new(tokenizer))
        }
    };
    let defaults: GenerationDefaults = serde_json::to_vec(&files.generation)
        .and_then(|json| serde_json::from_slice(&json))
        .map_err(|error| Error::Malformed {
            model: model.to_owned(),
            section: "generation",
            reason: error.to_string(),
        })?;
    let template = files.chat_template.as_deref().map(|source| {
        ChatTemplate::new(source, defaults.special_tokens.clone()).map_err(|source| {
            Error::Template {
                model: model.to_owned(),
                source,
            }
        })
    });
    Ok(Texts {
        model: model.to_owned(),
        tokenizer,
        template: template.transpose()?,
        defaults,
        embedding: EmbeddingDefaults::default(),
        answers: None,
    })
}

/// What stood in the way of a plan, each operator with how often it did.
fn notice(why: &Error) -> String {
    let mut text = "runs on tract, slower than a plan: ".to_owned();
    let Error::Import(CacheError::Import(ImportError::Unrecognised(operators))) = why else {
        let _ = write!(text, "{why}");
        return text;
    };
    let mut counts: BTreeMap<String, (usize, &str)> = BTreeMap::new();
    for operator in operators {
        let name = match operator.domain.is_empty() {
            true => operator.operator.clone(),
            false => format!("{}.{}", operator.domain, operator.operator),
        };
        counts.entry(name).or_insert((0, &operator.node)).0 += 1;
    }
    let listed = counts.iter().map(|(name, (count, node))| match count {
        1 => format!("{name} at `{node}`"),
        count => format!("{name} at `{node}` and {} more", count - 1),
    });
    let listed: Vec<String> = listed.collect();
    let _ = write!(text, "import does not recognise {}", listed.join(", "));
    text
}

impl GraphModel {
    fn open(graph: &Path) -> Result<GraphModel, String> {
        let told = |error: OnnxError| error.to_string();
        let onnx = OnnxModel::open(graph).map_err(told)?;
        let ports = Ports::of(&onnx)?;
        let prepared = match onnx.prepare(&ports.shapes()) {
            Ok(prepared) => Some(prepared),
            Err(error) => {
                log::info!("each length is prepared by itself: {error}");
                None
            }
        };
        Ok(GraphModel {
            onnx,
            ports,
            prepared,
            notice: String::new(),
        })
    }

    /// How many token ids there are, by the logits after one token.
    fn vocab(&self) -> Result<usize, String> {
        let (logits, _) = self.run(&[0], 0, &self.ports.empty())?;
        match logits.shape() {
            [1, 1, vocab] => Ok(*vocab),
            shape => Err(format!(
                "its logits after one token have the shape {shape:?}"
            )),
        }
    }
}
