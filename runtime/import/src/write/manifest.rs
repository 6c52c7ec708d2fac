//! The manifest: what a plan says about itself, as JSON. For people and tools; nothing of it
//! is needed to run the model.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tealight_core::ops::Op;
use tealight_core::plan::format::{FORMAT_VERSION, LAYOUT_VERSION};

use crate::model_files::ModelTexts;
use crate::spec::DecoderSpec;

/// The manifest section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the file format.
    pub format: u32,
    /// Version of the packed weight layouts.
    pub layout: u32,
    /// Who compiled it: `tealight 0.1.0`.
    pub producer: String,
    /// Where the model came from.
    pub source: Source,
    /// `model_type` of its configuration, such as `qwen2`. Execution does not depend on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_type: Option<String>,
    /// Its architecture's name, such as `Qwen2ForCausalLM`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// Its licence, as its author names it: an SPDX identifier where possible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// Numbers that were trained: every weight once, without the rotary tables.
    pub parameters: u64,
    /// How the weights are stored, the encoding with the most bytes first.
    pub tensors: Vec<TensorSummary>,
}

/// The folder and file that a plan was compiled from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Name of the model's folder, without the way to it.
    #[serde(default)]
    pub folder: String,
    /// Name of the graph's file.
    #[serde(default)]
    pub graph: String,
    /// SHA-256 of the graph's file in hexadecimal, where its weights lie beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub graph_sha256: Option<String>,
}

/// The tensors that share an encoding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TensorSummary {
    /// Short name of the encoding: `int4`, `f32`, …
    pub encoding: String,
    /// Tensors.
    pub count: u64,
    /// Values in them.
    pub values: u64,
    /// Bytes that they take.
    pub bytes: u64,
}

impl Manifest {
    pub(super) fn new(spec: &DecoderSpec<'_>, texts: &ModelTexts) -> Manifest {
        Manifest {
            format: FORMAT_VERSION,
            layout: LAYOUT_VERSION,
            producer: concat!("tealight ", env!("CARGO_PKG_VERSION")).into(),
            source: texts.source.clone(),
            model_type: texts.model_type.clone(),
            architecture: texts.architecture.clone(),
            licence: texts.licence.clone(),
            parameters: parameters(spec),
            tensors: summarize(spec),
        }
    }
}

fn parameters(spec: &DecoderSpec<'_>) -> u64 {
    let tables: BTreeSet<usize> = spec
        .ops
        .iter()
        .flat_map(|op| match op {
            Op::Rope(rope) => vec![rope.cos.0 as usize, rope.sin.0 as usize],
            _ => Vec::new(),
        })
        .collect();
    let trained = spec
        .tensors
        .iter()
        .enumerate()
        .filter(|(id, _)| !tables.contains(id));
    trained
        .map(|(_, tensor)| tensor.rows as u64 * tensor.cols as u64)
        .sum()
}

fn summarize(spec: &DecoderSpec<'_>) -> Vec<TensorSummary> {
    let mut by_encoding: BTreeMap<&str, TensorSummary> = BTreeMap::new();
    for tensor in &spec.tensors {
        let name = tensor.encoding.name();
        let summary = by_encoding.entry(name).or_insert_with(|| TensorSummary {
            encoding: name.into(),
            count: 0,
            values: 0,
            bytes: 0,
        });
        let bytes = tensor
            .encoding
            .tensor_bytes(tensor.rows, tensor.cols)
            .unwrap_or(0);
        summary.count += 1;
        summary.values += tensor.rows as u64 * tensor.cols as u64;
        summary.bytes += bytes as u64;
    }
    let mut summaries: Vec<TensorSummary> = by_encoding.into_values().collect();
    summaries.sort_by_key(|summary| std::cmp::Reverse(summary.bytes));
    summaries
}
