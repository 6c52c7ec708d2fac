//! The bytes of a `.tea` file, shared by whoever writes one and whoever reads one.
//!
//! ```text
//! Header · SectionRecord × n · sections, each starting on a multiple of ALIGNMENT
//! ```
//!
//! Everything is little-endian. Records have fixed sizes and no padding, so that they are
//! read in place from a mapped file or from flash.

use bytemuck::{Pod, Zeroable};

/// First bytes of every plan.
pub const MAGIC: [u8; 8] = *b"TEALIGHT";
/// Version of this format. A reader refuses any other.
pub const FORMAT_VERSION: u32 = 8;
/// Version of the packed weight layouts (see [`crate::layout`]).
pub const LAYOUT_VERSION: u32 = 1;
/// Sections, tensors and the file itself in memory start on multiples of this many bytes.
pub const ALIGNMENT: usize = 64;
/// An index that points at nothing.
pub const NONE: u32 = u32::MAX;

/// The first 64 bytes.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct Header {
    /// [`MAGIC`].
    pub magic: [u8; 8],
    /// [`FORMAT_VERSION`].
    pub version: u32,
    /// [`LAYOUT_VERSION`].
    pub layout: u32,
    /// Length of the whole file in bytes.
    pub file_len: u64,
    /// How many [`SectionRecord`]s follow.
    pub sections: u32,
    /// Zero.
    pub reserved: [u32; 9],
}

/// Where a section lies, and what its bytes hash to.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct SectionRecord {
    /// A [`Section`] as a number.
    pub kind: u32,
    /// Zero.
    pub reserved: u32,
    /// From the start of the file, a multiple of [`ALIGNMENT`].
    pub offset: u64,
    /// Bytes.
    pub len: u64,
    /// SHA-256 of the section's bytes.
    pub sha256: [u8; 32],
    /// Zero.
    pub padding: u64,
}

/// What a section holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
#[non_exhaustive]
pub enum Section {
    /// JSON: where the model came from, its licence, who compiled it.
    Manifest = 1,
    /// One [`ModelRecord`].
    Model = 2,
    /// [`BufferRecord`]s.
    Buffers = 3,
    /// [`CacheRecord`]s, one for each attention operator.
    Caches = 4,
    /// [`TensorRecord`]s.
    Tensors = 5,
    /// UTF-8 names that tensor records point into.
    Names = 6,
    /// [`OpRecord`]s in the order of execution.
    Ops = 7,
    /// The tensors' bytes.
    Weights = 8,
    /// `tokenizer.json` as its author wrote it, where it does not fit
    /// [`TokenTables`](Section::TokenTables).
    Tokenizer = 9,
    /// The chat template's Jinja source.
    ChatTemplate = 10,
    /// JSON: stop tokens, sampling defaults and the special tokens that templates name.
    Generation = 11,
    /// A byte-level BPE tokenizer (see [`crate::tokenizer::tables`]).
    TokenTables = 12,
    /// What answers may look like (see [`crate::constraint`]).
    Constraint = 13,
    /// JSON: how the hidden states of a text become one vector, and what is put before texts.
    #[cfg(feature = "encoders")]
    Embedding = 14,
}

impl Section {
    /// Every section, in the order in which a writer lays them down.
    pub const ALL: [Section; 13 + cfg!(feature = "encoders") as usize] = [
        Section::Manifest,
        Section::Model,
        Section::Buffers,
        Section::Caches,
        Section::Tensors,
        Section::Names,
        Section::Ops,
        Section::Tokenizer,
        Section::TokenTables,
        Section::Constraint,
        Section::ChatTemplate,
        Section::Generation,
        #[cfg(feature = "encoders")]
        Section::Embedding,
        Section::Weights,
    ];

    /// The section's name, for messages.
    pub fn name(self) -> &'static str {
        match self {
            Section::Manifest => "manifest",
            Section::Model => "model",
            Section::Buffers => "buffers",
            Section::Caches => "caches",
            Section::Tensors => "tensors",
            Section::Names => "names",
            Section::Ops => "ops",
            Section::Weights => "weights",
            Section::Tokenizer => "tokenizer",
            Section::ChatTemplate => "chat template",
            Section::Generation => "generation",
            Section::TokenTables => "token tables",
            Section::Constraint => "constraint",
            #[cfg(feature = "encoders")]
            Section::Embedding => "embedding",
        }
    }

    /// The section that a record's number stands for.
    pub fn from_number(kind: u32) -> Option<Section> {
        Section::ALL.into_iter().find(|s| *s as u32 == kind)
    }
}

/// The model's outer shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct ModelRecord {
    /// Number of token ids, and of logits a position where it makes those.
    pub vocab: u32,
    /// Most positions that the model can attend over, in tokens.
    pub context: u32,
    /// Index of the first operator of the head: from it on, only positions whose logits
    /// are wanted are computed.
    pub head: u32,
    /// The head-stage buffer that holds the logits, or the hidden states that are made in their
    /// place: as wide as [`ModelRecord::output_width`].
    pub logits: u32,
    /// Width of the hidden states of a model that makes those; 0 for one that makes logits.
    pub hidden: u32,
    /// 1 where a token sees those behind it too, so that a text is one step; else 0.
    pub whole: u32,
    /// Zero.
    pub reserved: [u32; 10],
}

impl ModelRecord {
    /// Floats that a position ends in: hidden states, or a logit for each token id.
    pub fn output_width(&self) -> u32 {
        if cfg!(feature = "encoders") && self.hidden > 0 {
            self.hidden
        } else {
            self.vocab
        }
    }
}

/// A region of working memory: `width` floats for each token of a step.
///
/// Buffers whose values are not needed at the same time may share `offset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct BufferRecord {
    /// Floats a token.
    pub width: u32,
    /// Floats a token before this buffer in its stage's region; a multiple of 16.
    pub offset: u32,
    /// A [`Stage`] as a number.
    pub stage: u32,
    /// Zero.
    pub reserved: u32,
}

/// Which tokens of a step a buffer has rows for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Stage {
    /// Every token of the step.
    Body = 0,
    /// Only the tokens whose logits are wanted.
    Head = 1,
}

impl Stage {
    /// The stage that a record's number stands for.
    pub fn from_number(stage: u32) -> Option<Stage> {
        match stage {
            0 => Some(Stage::Body),
            1 => Some(Stage::Head),
            _ => None,
        }
    }
}

/// Keys and values that one attention operator keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct CacheRecord {
    /// Key-value heads.
    pub heads: u32,
    /// Floats in one head's key.
    pub key_dim: u32,
    /// Floats in one head's value.
    pub value_dim: u32,
    /// How many of the last positions are ever seen, at least the operator's window; 0 for all.
    pub window: u32,
}

/// A weight: `rows` outputs by `cols` inputs, or a plain table.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct TensorRecord {
    /// An [`crate::layout::Encoding`] as a number.
    pub encoding: u32,
    /// Outputs of a linear map, or rows of a table; 1 for a vector.
    pub rows: u32,
    /// Inputs of a linear map, or the width of a table.
    pub cols: u32,
    /// Every value is multiplied by this.
    pub scale: f32,
    /// From the start of the weights section, a multiple of [`ALIGNMENT`].
    pub offset: u64,
    /// Bytes; exactly what the encoding needs for this shape.
    pub len: u64,
    /// Where the tensor's name starts in the names section.
    pub name_offset: u32,
    /// Bytes of the name.
    pub name_len: u32,
    /// Zero.
    pub reserved: [u32; 6],
}

/// One operator: its kind and its arguments (see [`crate::ops`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct OpRecord {
    /// Which operator.
    pub kind: u32,
    /// Its arguments in the operator's own order; the rest is zero.
    pub words: [u32; 23],
}
