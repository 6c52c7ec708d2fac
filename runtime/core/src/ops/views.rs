//! Which parts of the working memory an operator touches.

#[cfg(feature = "sinks")]
use super::Sinks;
use super::{Op, View};

impl Op {
    /// What the operator needs to find filled. [`super::Rope`], [`super::Softcap`], Route, Position and
    /// Activate work in place, so they both read and write their view.
    pub fn reads(&self) -> impl Iterator<Item = View> + use<> {
        let views = match *self {
            Op::Embed(_) => [None; 3],
            Op::RmsNorm(op) => [Some(op.input), None, None],
            Op::Linear(op) => [Some(op.input), op.residual, None],
            Op::Rope(op) => [Some(op.heads), None, None],
            Op::Attention(op) => [Some(op.query), Some(op.key), Some(op.value)],
            Op::Gate(op) => [Some(op.gate), Some(op.up), None],
            Op::Add(op) => [Some(op.a), Some(op.b), None],
            Op::Softcap(op) => [Some(op.values), None, None],
            #[cfg(feature = "experts")]
            Op::Route(op) => [Some(op.logits), None, None],
            #[cfg(feature = "experts")]
            Op::Experts(op) => [Some(op.input), Some(op.weights), None],
            #[cfg(feature = "encoders")]
            Op::LayerNorm(op) => [Some(op.input), None, None],
            #[cfg(feature = "encoders")]
            Op::Position(op) => [Some(op.values), None, None],
            #[cfg(feature = "encoders")]
            Op::Activate(op) => [Some(op.values), None, None],
            #[cfg(feature = "encoders")]
            Op::Encode(op) => [Some(op.query), Some(op.key), Some(op.value)],
            #[cfg(feature = "convolution")]
            Op::Convolution(op) => [Some(op.input), op.before, op.after],
            #[cfg(feature = "recurrence")]
            Op::Pick(op) => [Some(op.input), None, None],
            #[cfg(feature = "recurrence")]
            Op::Recurrence(op) => [Some(op.query), Some(op.key), Some(op.value)],
            #[cfg(feature = "sinks")]
            Op::Sinks(Sinks { attention: op, .. }) => {
                [Some(op.query), Some(op.key), Some(op.value)]
            }
        };
        let views = views.into_iter();
        #[cfg(feature = "recurrence")]
        let views = views.chain(match *self {
            Op::Recurrence(op) => [op.decay, op.beta],
            _ => [None; 2],
        });
        views.flatten()
    }

    /// What the operator fills.
    pub fn writes(&self) -> View {
        match self {
            Op::Embed(op) => op.output,
            Op::RmsNorm(op) => op.output,
            Op::Linear(op) => op.output,
            Op::Rope(op) => op.heads,
            Op::Attention(op) => op.output,
            Op::Gate(op) => op.output,
            Op::Add(op) => op.output,
            Op::Softcap(op) => op.values,
            #[cfg(feature = "experts")]
            Op::Route(op) => op.logits,
            #[cfg(feature = "experts")]
            Op::Experts(op) => op.output,
            #[cfg(feature = "encoders")]
            Op::LayerNorm(op) => op.output,
            #[cfg(feature = "encoders")]
            Op::Position(op) => op.values,
            #[cfg(feature = "encoders")]
            Op::Activate(op) => op.values,
            #[cfg(feature = "encoders")]
            Op::Encode(op) => op.output,
            #[cfg(feature = "convolution")]
            Op::Convolution(op) => op.output,
            #[cfg(feature = "recurrence")]
            Op::Recurrence(op) => op.output,
            #[cfg(feature = "recurrence")]
            Op::Pick(op) => op.output,
            #[cfg(feature = "sinks")]
            Op::Sinks(op) => op.attention.output,
        }
    }
}
