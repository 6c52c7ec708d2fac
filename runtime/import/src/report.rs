//! What an import found, for people.

use std::collections::BTreeMap;
use std::fmt;

use tealight_core::layout::Encoding;
use tealight_core::ops::Op;

use crate::spec::DecoderSpec;

/// What a plan consists of.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ImportReport {
    /// The operators in the order of execution.
    pub ops: Vec<Op>,
    /// Index of the first operator that only wanted positions run through.
    pub head: usize,
    /// Number of token ids.
    pub vocab: usize,
    /// Width of the hidden states of a model that makes those rather than logits.
    pub hidden: Option<usize>,
    /// Most positions, in tokens.
    pub context: usize,
    /// The tensors' names in the graph, in the order of their ids.
    pub tensor_names: Vec<String>,
    /// How many tensors there are of each encoding.
    pub tensors: Vec<TensorTotal>,
    /// Bytes of all packed tensors.
    pub weight_bytes: u64,
    /// Why the plan has `tokenizer.json` as it is and not as tables, if it has.
    pub tokenizer_kept: Option<String>,
}

/// The tensors of one encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TensorTotal {
    /// How they are stored.
    pub encoding: Encoding,
    /// How many.
    pub count: usize,
    /// Bytes, packed.
    pub bytes: u64,
}

impl ImportReport {
    pub(crate) fn of(spec: &DecoderSpec<'_>) -> ImportReport {
        let mut totals: BTreeMap<u32, TensorTotal> = BTreeMap::new();
        for tensor in &spec.tensors {
            let encoding = tensor.encoding;
            let bytes = encoding
                .tensor_bytes(tensor.rows, tensor.cols)
                .unwrap_or(usize::MAX);
            let empty = TensorTotal {
                encoding,
                count: 0,
                bytes: 0,
            };
            let total = totals.entry(encoding as u32).or_insert(empty);
            total.count += 1;
            total.bytes = total.bytes.saturating_add(bytes as u64);
        }
        let tensors: Vec<TensorTotal> = totals.into_values().collect();
        ImportReport {
            ops: spec.ops.clone(),
            head: spec.head,
            vocab: spec.vocab,
            hidden: spec.hidden,
            context: spec.context,
            weight_bytes: tensors
                .iter()
                .fold(0, |sum, total| sum.saturating_add(total.bytes)),
            tensor_names: spec
                .tensors
                .iter()
                .map(|tensor| tensor.name.clone())
                .collect(),
            tensors,
            tokenizer_kept: None,
        }
    }
}

impl fmt::Display for ImportReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ops, vocab, context) = (self.ops.len(), self.vocab, self.context);
        write!(f, "{ops} operators, {vocab} token ids, {context} positions")?;
        match self.hidden {
            Some(width) => write!(f, ", hidden states of {width};")?,
            None => write!(f, ";")?,
        }
        for TensorTotal {
            encoding,
            count,
            bytes,
        } in &self.tensors
        {
            write!(
                f,
                " {count} × {} ({:.1} MB)",
                encoding.name(),
                *bytes as f64 / 1e6
            )?;
        }
        if let Some(reason) = &self.tokenizer_kept {
            write!(f, "; tokenizer.json is kept as it is: {reason}")?;
        }
        Ok(())
    }
}
