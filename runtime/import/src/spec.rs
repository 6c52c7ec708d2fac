//! A decoder as the graph walk found it, on its way to becoming a plan.
//!
//! The walk fills a [`DecoderSpec`]; [`crate::write`] lays out its buffers, packs its
//! tensors and writes the file.

use std::fmt;

use tealight_core::layout::Encoding;
use tealight_core::ops::Op;
use tealight_core::plan::format::{CacheRecord, Stage};

use crate::ImportError;

/// Everything that a plan needs except the texts beside the graph.
#[derive(Debug)]
pub struct DecoderSpec<'g> {
    /// In the order of execution. Buffer, tensor and cache ids index the lists below.
    pub ops: Vec<Op>,
    /// Index in `ops` of the first operator that only wanted positions run through.
    pub head: usize,
    /// Widths in floats a token. Where they lie in memory is decided when the plan is written.
    pub buffers: Vec<BufferSpec>,
    /// Index of the head-stage buffer that receives what a position ends in.
    pub output: usize,
    /// Width of that, where it is hidden states and no logits.
    pub hidden: Option<usize>,
    /// Whether a token sees those behind it too, so that a text is one step.
    pub whole: bool,
    /// One for each attention operator.
    pub caches: Vec<CacheRecord>,
    /// Weights and tables.
    pub tensors: Vec<TensorSpec<'g>>,
    /// Token ids that the embedding and the LM head know.
    pub vocab: usize,
    /// Most positions, in tokens.
    pub context: usize,
}

/// A buffer of working memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BufferSpec {
    /// Floats a token.
    pub width: usize,
    /// Which tokens it has rows for.
    pub stage: Stage,
}

/// A tensor to be packed.
pub struct TensorSpec<'g> {
    /// Name in the graph, for people.
    pub name: String,
    /// How it is stored in the plan.
    pub encoding: Encoding,
    /// Outputs, or rows of a table; 1 for a vector.
    pub rows: usize,
    /// Inputs, or the width of a table.
    pub cols: usize,
    /// Where its values come from.
    pub source: Box<dyn TensorSource + 'g>,
}

impl fmt::Debug for TensorSpec<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TensorSpec")
            .field("name", &self.name)
            .field("encoding", &self.encoding)
            .field("rows", &self.rows)
            .field("cols", &self.cols)
            .finish_non_exhaustive()
    }
}

/// Produces one tensor's packed bytes.
pub trait TensorSource {
    /// Hands exactly `encoding.tensor_bytes(rows, cols)` bytes to `sink`, in order, in pieces
    /// of any size, and returns the factor that belongs in the tensor's record.
    fn stream(
        &self,
        shape: &TensorShape,
        sink: &mut dyn FnMut(&[u8]) -> Result<(), ImportError>,
    ) -> Result<f32, ImportError>;
}

/// What a [`TensorSource`] is asked to fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TensorShape {
    /// How it is stored in the plan.
    pub encoding: Encoding,
    /// Outputs, or rows of a table.
    pub rows: usize,
    /// Inputs, or the width of a table.
    pub cols: usize,
}
