//! The operators of a plan, one a file: its arguments, the check that a plan's use of it is
//! sound, and how it runs.
//!
//! Operators work on [`View`]s of buffers, one row a token. A plan is a list of them; there
//! is no other control flow.

#[cfg(feature = "encoders")]
mod activate;
mod add;
mod attention;
#[cfg(feature = "convolution")]
mod convolution;
mod embed;
#[cfg(feature = "encoders")]
mod encode;
#[cfg(feature = "experts")]
mod experts;
mod gate;
#[cfg(feature = "encoders")]
mod layer_norm;
mod linear;
#[cfg(feature = "recurrence")]
mod pick;
#[cfg(feature = "encoders")]
mod position;
#[cfg(feature = "recurrence")]
mod recurrence;
mod rms_norm;
mod rope;
#[cfg(feature = "experts")]
mod route;
#[cfg(feature = "sinks")]
mod sinks;
mod softcap;
mod views;
mod words;

#[cfg(feature = "encoders")]
pub use activate::Activate;
pub use add::Add;
pub use attention::Attention;
#[cfg(feature = "convolution")]
pub use convolution::Convolution;
pub use embed::Embed;
#[cfg(feature = "encoders")]
pub use encode::Encode;
#[cfg(feature = "experts")]
pub use experts::{Bend, Experts};
pub use gate::{Activation, Gate};
#[cfg(feature = "encoders")]
pub use layer_norm::LayerNorm;
pub use linear::Linear;
#[cfg(feature = "recurrence")]
pub use pick::Pick;
#[cfg(feature = "encoders")]
pub use position::Position;
#[cfg(feature = "recurrence")]
pub use recurrence::{Recurrence, Update};
pub use rms_norm::RmsNorm;
pub use rope::{Rope, RopeStyle};
#[cfg(feature = "experts")]
pub use route::{Route, RouteGroups, RouteScoring};
#[cfg(feature = "sinks")]
pub use sinks::Sinks;
pub use softcap::Softcap;

pub use crate::kernels::InputPrecision;

use crate::executor::Run;
use crate::plan::check::{Checker, OpFault};
use crate::plan::format::OpRecord;
use words::{Reader, Writer};

/// Index into a plan's buffers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BufferId(pub u32);

/// Index into a plan's tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TensorId(pub u32);

/// Index into a plan's caches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CacheId(pub u32);

/// `width` columns of a buffer from column `start` on, for every token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct View {
    /// The buffer.
    pub buffer: BufferId,
    /// First column.
    pub start: u32,
    /// Columns.
    pub width: u32,
}

/// One step of a plan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Op {
    /// Looks token ids up in a table.
    Embed(Embed),
    /// Root-mean-square normalization.
    RmsNorm(RmsNorm),
    /// Matrix product with a weight.
    Linear(Linear),
    /// Rotary position embedding.
    Rope(Rope),
    /// Grouped-query attention over the KV cache.
    Attention(Attention),
    /// Gate of an MLP.
    Gate(Gate),
    /// Elementwise sum.
    Add(Add),
    /// Bending below a cap.
    Softcap(Softcap),
    /// Weights of a mixture's experts.
    #[cfg(feature = "experts")]
    Route(Route),
    /// Gated MLPs of which each token takes some.
    #[cfg(feature = "experts")]
    Experts(Experts),
    /// Normalization by mean and variance.
    #[cfg(feature = "encoders")]
    LayerNorm(LayerNorm),
    /// Learned positions.
    #[cfg(feature = "encoders")]
    Position(Position),
    /// A curve without a gate.
    #[cfg(feature = "encoders")]
    Activate(Activate),
    /// Attention in both directions.
    #[cfg(feature = "encoders")]
    Encode(Encode),
    /// Causal short convolution.
    #[cfg(feature = "convolution")]
    Convolution(Convolution),
    /// Linear attention with a recurrent state.
    #[cfg(feature = "recurrence")]
    Recurrence(Recurrence),
    /// Columns out of others.
    #[cfg(feature = "recurrence")]
    Pick(Pick),
    /// Attention with a sink a head.
    #[cfg(feature = "sinks")]
    Sinks(Sinks),
}

impl Op {
    /// The operator's name, for people.
    pub fn name(&self) -> &'static str {
        match self {
            Op::Embed(_) => "Embed",
            Op::RmsNorm(_) => "RmsNorm",
            Op::Linear(_) => "Linear",
            Op::Rope(_) => "Rope",
            Op::Attention(_) => "Attention",
            Op::Gate(_) => "Gate",
            Op::Add(_) => "Add",
            Op::Softcap(_) => "Softcap",
            #[cfg(feature = "experts")]
            Op::Route(_) => "Route",
            #[cfg(feature = "experts")]
            Op::Experts(_) => "Experts",
            #[cfg(feature = "encoders")]
            Op::LayerNorm(_) => "LayerNorm",
            #[cfg(feature = "encoders")]
            Op::Position(_) => "Position",
            #[cfg(feature = "encoders")]
            Op::Activate(_) => "Activate",
            #[cfg(feature = "encoders")]
            Op::Encode(_) => "Encode",
            #[cfg(feature = "convolution")]
            Op::Convolution(_) => "Convolution",
            #[cfg(feature = "recurrence")]
            Op::Recurrence(_) => "Recurrence",
            #[cfg(feature = "recurrence")]
            Op::Pick(_) => "Pick",
            #[cfg(feature = "sinks")]
            Op::Sinks(_) => "Sinks",
        }
    }

    /// As it stands in the file.
    pub fn encode(&self) -> OpRecord {
        let mut writer = Writer::default();
        let kind = match self {
            Op::Embed(op) => writer.op(1, op),
            Op::RmsNorm(op) => writer.op(2, op),
            Op::Linear(op) => writer.op(3, op),
            Op::Rope(op) => writer.op(4, op),
            Op::Attention(op) => writer.op(5, op),
            Op::Gate(op) => writer.op(6, op),
            Op::Add(op) => writer.op(7, op),
            Op::Softcap(op) => writer.op(8, op),
            #[cfg(feature = "experts")]
            Op::Route(op) => writer.op(9, op),
            #[cfg(feature = "experts")]
            Op::Experts(op) => writer.op(10, op),
            #[cfg(feature = "encoders")]
            Op::LayerNorm(op) => writer.op(11, op),
            #[cfg(feature = "encoders")]
            Op::Position(op) => writer.op(12, op),
            #[cfg(feature = "encoders")]
            Op::Activate(op) => writer.op(13, op),
            #[cfg(feature = "encoders")]
            Op::Encode(op) => writer.op(14, op),
            #[cfg(feature = "convolution")]
            Op::Convolution(op) => writer.op(15, op),
            #[cfg(feature = "recurrence")]
            Op::Recurrence(op) => writer.op(16, op),
            #[cfg(feature = "recurrence")]
            Op::Pick(op) => writer.op(17, op),
            #[cfg(feature = "sinks")]
            Op::Sinks(op) => writer.op(18, op),
        };
        OpRecord {
            kind,
            words: writer.finish(),
        }
    }

    /// From the file; `None` if the kind or one of its arguments has no meaning.
    pub fn decode(record: &OpRecord) -> Option<Op> {
        let mut reader = Reader::new(&record.words);
        Some(match record.kind {
            1 => Op::Embed(reader.get()?),
            2 => Op::RmsNorm(reader.get()?),
            3 => Op::Linear(reader.get()?),
            4 => Op::Rope(reader.get()?),
            5 => Op::Attention(reader.get()?),
            6 => Op::Gate(reader.get()?),
            7 => Op::Add(reader.get()?),
            8 => Op::Softcap(reader.get()?),
            #[cfg(feature = "experts")]
            9 => Op::Route(reader.get()?),
            #[cfg(feature = "experts")]
            10 => Op::Experts(reader.get()?),
            #[cfg(feature = "encoders")]
            11 => Op::LayerNorm(reader.get()?),
            #[cfg(feature = "encoders")]
            12 => Op::Position(reader.get()?),
            #[cfg(feature = "encoders")]
            13 => Op::Activate(reader.get()?),
            #[cfg(feature = "encoders")]
            14 => Op::Encode(reader.get()?),
            #[cfg(feature = "convolution")]
            15 => Op::Convolution(reader.get()?),
            #[cfg(feature = "recurrence")]
            16 => Op::Recurrence(reader.get()?),
            #[cfg(feature = "recurrence")]
            17 => Op::Pick(reader.get()?),
            #[cfg(feature = "sinks")]
            18 => Op::Sinks(reader.get()?),
            _ => return None,
        })
    }

    /// Whether every argument is in range, every shape fits and no output overlaps an input.
    pub(crate) fn check(&self, checker: &Checker<'_>) -> Result<(), OpFault> {
        match self {
            Op::Embed(op) => op.check(checker),
            Op::RmsNorm(op) => op.check(checker),
            Op::Linear(op) => op.check(checker),
            Op::Rope(op) => op.check(checker),
            Op::Attention(op) => op.check(checker),
            Op::Gate(op) => op.check(checker),
            Op::Add(op) => op.check(checker),
            Op::Softcap(op) => op.check(checker),
            #[cfg(feature = "experts")]
            Op::Route(op) => op.check(checker),
            #[cfg(feature = "experts")]
            Op::Experts(op) => op.check(checker),
            #[cfg(feature = "encoders")]
            Op::LayerNorm(op) => op.check(checker),
            #[cfg(feature = "encoders")]
            Op::Position(op) => op.check(checker),
            #[cfg(feature = "encoders")]
            Op::Activate(op) => op.check(checker),
            #[cfg(feature = "encoders")]
            Op::Encode(op) => op.check(checker),
            #[cfg(feature = "convolution")]
            Op::Convolution(op) => op.check(checker),
            #[cfg(feature = "recurrence")]
            Op::Recurrence(op) => op.check(checker),
            #[cfg(feature = "recurrence")]
            Op::Pick(op) => op.check(checker),
            #[cfg(feature = "sinks")]
            Op::Sinks(op) => op.check(checker),
        }
    }

    /// Executes the operator for the tokens of one step.
    pub(crate) fn run(&self, run: &Run<'_>) {
        match self {
            Op::Embed(op) => op.run(run),
            Op::RmsNorm(op) => op.run(run),
            Op::Linear(op) => op.run(run),
            Op::Rope(op) => op.run(run),
            Op::Attention(op) => op.run(run),
            Op::Gate(op) => op.run(run),
            Op::Add(op) => op.run(run),
            Op::Softcap(op) => op.run(run),
            #[cfg(feature = "experts")]
            Op::Route(op) => op.run(run),
            #[cfg(feature = "experts")]
            Op::Experts(op) => op.run(run),
            #[cfg(feature = "encoders")]
            Op::LayerNorm(op) => op.run(run),
            #[cfg(feature = "encoders")]
            Op::Position(op) => op.run(run),
            #[cfg(feature = "encoders")]
            Op::Activate(op) => op.run(run),
            #[cfg(feature = "encoders")]
            Op::Encode(op) => op.run(run),
            #[cfg(feature = "convolution")]
            Op::Convolution(op) => op.run(run),
            #[cfg(feature = "recurrence")]
            Op::Recurrence(op) => op.run(run),
            #[cfg(feature = "recurrence")]
            Op::Pick(op) => op.run(run),
            #[cfg(feature = "sinks")]
            Op::Sinks(op) => op.run(run),
        }
    }
}
