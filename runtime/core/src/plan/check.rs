//! What every operator's check is made of: arguments against the plan's tables.

use super::format::{BufferRecord, CacheRecord, Stage, TensorRecord};
use crate::layout::Encoding;
use crate::ops::{CacheId, TensorId, View};

/// Why an operator does not fit its plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpFault {
    /// A view's buffer is not there, or the view is empty or reaches beyond it.
    #[error("uses columns that no buffer has")]
    View,
    /// Body operators see body buffers; head operators write head buffers.
    #[error("uses a buffer of the wrong stage")]
    Stage,
    /// It works on tokens that the head may not see.
    #[error("stands in the head, where it cannot run")]
    InHead,
    /// It would write what it still reads.
    #[error("reads and writes overlapping memory")]
    Overlap,
    /// Two widths do not fit each other.
    #[error("has operands whose shapes do not fit")]
    Shape,
    /// A tensor is not there, or of the wrong encoding or shape.
    #[error("uses a tensor that is not there or does not fit")]
    Tensor,
    /// A cache is not there.
    #[error("uses a cache that is not there")]
    Cache,
    /// It sees more positions than its cache keeps.
    #[cfg(feature = "windows")]
    #[error("sees positions that its cache does not keep")]
    Window,
    /// Its states lie elsewhere than behind those of the recurrences before it.
    #[cfg(feature = "recurrence")]
    #[error("keeps its states elsewhere than behind those before them")]
    State,
    /// It needs all of a text at once, but its plan takes texts in parts.
    #[cfg(feature = "encoders")]
    #[error("attends in both directions, in a plan that takes texts in parts")]
    Parts,
}

/// A plan's tables, as one operator may use them.
pub(crate) struct Checker<'a> {
    pub(super) buffers: &'a [BufferRecord],
    pub(super) caches: &'a [CacheRecord],
    pub(super) tensors: &'a [TensorRecord],
    pub(super) vocab: u32,
    pub(super) context: u32,
    /// Whether a text is one step.
    #[cfg(feature = "encoders")]
    pub(super) whole: bool,
    pub(super) stage: Stage,
}

impl Checker<'_> {
    pub(crate) fn vocab(&self) -> u32 {
        self.vocab
    }

    pub(crate) fn context(&self) -> u32 {
        self.context
    }

    /// The operator needs every token of the step.
    pub(crate) fn body_only(&self) -> Result<(), OpFault> {
        require(self.stage == Stage::Body, OpFault::InHead)
    }

    /// The operator needs all tokens of a text in one step.
    #[cfg(feature = "encoders")]
    pub(crate) fn whole_texts(&self) -> Result<(), OpFault> {
        require(self.whole, OpFault::Parts)
    }

    pub(crate) fn reads(&self, view: View) -> Result<(), OpFault> {
        let buffer = self.buffer(view)?;
        require(
            self.stage == Stage::Head || stage(buffer) == Stage::Body,
            OpFault::Stage,
        )
    }

    pub(crate) fn writes(&self, view: View) -> Result<(), OpFault> {
        let buffer = self.buffer(view)?;
        require(stage(buffer) == self.stage, OpFault::Stage)
    }

    /// No float belongs to both views.
    pub(crate) fn disjoint(&self, a: View, b: View) -> Result<(), OpFault> {
        let (in_a, in_b) = (self.buffer(a)?, self.buffer(b)?);
        let apart = |a0: u32, a_len: u32, b0: u32, b_len: u32| {
            u64::from(a0) + u64::from(a_len) <= u64::from(b0)
                || u64::from(b0) + u64::from(b_len) <= u64::from(a0)
        };
        let fine = if a.buffer == b.buffer {
            apart(a.start, a.width, b.start, b.width)
        } else {
            in_a.stage != in_b.stage || apart(in_a.offset, in_a.width, in_b.offset, in_b.width)
        };
        require(fine, OpFault::Overlap)
    }

    /// The views are one and the same, or no float belongs to both.
    pub(crate) fn same_or_disjoint(&self, a: View, b: View) -> Result<(), OpFault> {
        if a == b { Ok(()) } else { self.disjoint(a, b) }
    }

    pub(crate) fn equal(&self, a: u32, b: u32) -> Result<(), OpFault> {
        require(a == b, OpFault::Shape)
    }

    pub(crate) fn at_most(&self, a: u32, most: u32) -> Result<(), OpFault> {
        require(a <= most, OpFault::Shape)
    }

    /// `of` is a positive multiple of `part`.
    pub(crate) fn multiple(&self, of: u32, part: u32) -> Result<(), OpFault> {
        require(
            part > 0 && of > 0 && of.is_multiple_of(part),
            OpFault::Shape,
        )
    }

    /// `product == a · b`.
    pub(crate) fn product(&self, product: u32, a: u32, b: u32) -> Result<(), OpFault> {
        require(a.checked_mul(b) == Some(product), OpFault::Shape)
    }

    /// The tensor is packed with exactly this many rows and columns.
    pub(crate) fn packed(&self, id: TensorId, rows: u32, cols: u32) -> Result<(), OpFault> {
        let tensor = self.tensor(id)?;
        let packed = tensor.encoding != Encoding::Table as u32;
        require(
            packed && tensor.rows == rows && tensor.cols == cols,
            OpFault::Tensor,
        )
    }

    /// The tensor is a plain table with at least `rows` rows of exactly `cols` columns.
    pub(crate) fn table(&self, id: TensorId, rows: u32, cols: u32) -> Result<(), OpFault> {
        let tensor = self.tensor(id)?;
        let plain = tensor.encoding == Encoding::Table as u32;
        require(
            plain && tensor.rows >= rows && tensor.cols == cols,
            OpFault::Tensor,
        )
    }

    /// The tensor is a plain vector; its length.
    pub(crate) fn vector_len(&self, id: TensorId) -> Result<u32, OpFault> {
        let tensor = self.tensor(id)?;
        let plain = tensor.encoding == Encoding::Table as u32;
        require(plain && tensor.rows == 1, OpFault::Tensor)?;
        Ok(tensor.cols)
    }

    pub(crate) fn cache(&self, id: CacheId) -> Result<CacheRecord, OpFault> {
        self.caches
            .get(id.0 as usize)
            .copied()
            .ok_or(OpFault::Cache)
    }

    fn tensor(&self, id: TensorId) -> Result<&TensorRecord, OpFault> {
        self.tensors.get(id.0 as usize).ok_or(OpFault::Tensor)
    }

    fn buffer(&self, view: View) -> Result<&BufferRecord, OpFault> {
        let buffer = self
            .buffers
            .get(view.buffer.0 as usize)
            .ok_or(OpFault::View)?;
        let end = view.start.checked_add(view.width).ok_or(OpFault::View)?;
        require(view.width > 0 && end <= buffer.width, OpFault::View)?;
        Ok(buffer)
    }
}

fn stage(buffer: &BufferRecord) -> Stage {
    if buffer.stage == Stage::Body as u32 {
        Stage::Body
    } else {
        Stage::Head
    }
}

fn require(fine: bool, fault: OpFault) -> Result<(), OpFault> {
    if fine { Ok(()) } else { Err(fault) }
}
