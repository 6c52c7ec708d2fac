//! How much working memory a plan needs, and what it is made of.

use bytemuck::{Pod, Zeroable};
use half::f16;

use crate::kernels::{Int8Vector, LANES, kv_vectors};

/// 64 bytes of working memory, aligned to 64: what arenas and caches are made of.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C, align(64))]
pub struct Line([u8; Line::BYTES]);

impl Line {
    /// Bytes in a line.
    pub const BYTES: usize = 64;
    /// A line of zeros.
    pub const ZERO: Line = Line([0; Line::BYTES]);
}

/// How keys and values are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KvType {
    /// Half precision, rounded to nearest even.
    #[default]
    F16,
    /// Single precision, for processors where half precision is slow, and for comparisons.
    F32,
    /// int8 with an f32 scale for each 16 numbers: 0.63 of the memory of half precision.
    Int8,
}

impl KvType {
    /// Bytes that `dim` numbers, one head's key or value, take.
    pub fn row_bytes(self, dim: usize) -> usize {
        let vector = match self {
            KvType::F16 => size_of::<[f16; LANES]>(),
            KvType::F32 => size_of::<[f32; LANES]>(),
            KvType::Int8 => size_of::<Int8Vector>(),
        };
        kv_vectors(dim) * vector
    }
}

/// What working memory is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Positions that the KV cache has room for, in tokens.
    pub context: usize,
    /// Most tokens of one step. Longer steps read the weights less often.
    pub step: usize,
    /// Most rows of logits of one step: 1 to generate.
    pub logits: usize,
    /// Most threads.
    pub threads: usize,
    /// How keys and values are kept.
    pub kv: KvType,
}

impl Config {
    /// One thread, steps of one token, logits of the last position, keys and values in f16.
    pub fn new(context: usize) -> Config {
        Config {
            context,
            step: 1,
            logits: 1,
            threads: 1,
            kv: KvType::F16,
        }
    }
}

/// Why memory cannot serve a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MemoryError {
    /// The model has fewer positions, or none were asked for.
    #[error("a context of {asked} tokens is not between 1 and the model's {most}")]
    Context {
        /// [`Config::context`].
        asked: usize,
        /// The plan's positions.
        most: usize,
    },
    /// A configuration without room for a step, its logits or a thread.
    #[error("the configuration leaves no room for {what}")]
    Nothing {
        /// What there is no room for.
        what: &'static str,
    },
    /// The sizes do not fit this machine's addresses.
    #[error("the working memory would be larger than this machine can address")]
    Overflow,
    /// Less memory than the plan needs.
    #[error("{found} lines of memory are fewer than the {needed} that the plan needs")]
    TooSmall {
        /// Lines given.
        found: usize,
        /// Lines needed.
        needed: usize,
    },
    /// The arena's scratch was made for fewer positions than the cache has.
    #[error("the cache was made for a larger context than the arena")]
    OtherContext,
    /// The cache keeps what windows see and room for a shorter step.
    #[cfg(feature = "windows")]
    #[error("the cache was made for shorter steps than the arena")]
    OtherStep,
}

/// Adds up regions that each start on a line.
pub(super) struct Regions {
    bytes: usize,
}

impl Regions {
    pub(super) fn new() -> Regions {
        Regions { bytes: 0 }
    }

    /// Takes `count` items of `size` bytes and returns where they start, in bytes.
    pub(super) fn take(&mut self, counts: &[usize], size: usize) -> Result<usize, MemoryError> {
        let start = self.bytes;
        let bytes = counts
            .iter()
            .try_fold(size, |product, &count| product.checked_mul(count));
        let end = bytes.and_then(|bytes| start.checked_add(bytes));
        self.bytes = end
            .and_then(|end| end.checked_next_multiple_of(Line::BYTES))
            .filter(|&end| end <= isize::MAX as usize)
            .ok_or(MemoryError::Overflow)?;
        Ok(start)
    }

    pub(super) fn lines(&self) -> usize {
        self.bytes / Line::BYTES
    }
}

pub(super) fn large_enough(found: usize, needed: usize) -> Result<(), MemoryError> {
    if found < needed {
        Err(MemoryError::TooSmall { found, needed })
    } else {
        Ok(())
    }
}
