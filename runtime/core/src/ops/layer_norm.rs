//! LayerNorm (Ba, Kiros and Hinton 2016):
//! `output = (input − mean) / sqrt(variance + epsilon) · weight + bias`.

use super::words::{Reader, Word, Writer};
use super::{TensorId, View};
use crate::executor::Run;
use crate::kernels;
use crate::plan::check::{Checker, OpFault};

/// Normalizes each token's row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerNorm {
    /// As wide as the weight.
    pub input: View,
    /// As wide as the input; may be the input itself.
    pub output: View,
    /// A vector of f32.
    pub weight: TensorId,
    /// Another.
    pub bias: TensorId,
    /// Added to the variance.
    pub epsilon: f32,
}

impl Word for LayerNorm {
    fn put(&self, to: &mut Writer) {
        to.put(self.input).put(self.output);
        to.put(self.weight).put(self.bias).put(self.epsilon);
    }

    fn get(from: &mut Reader<'_>) -> Option<LayerNorm> {
        Some(LayerNorm {
            input: from.get()?,
            output: from.get()?,
            weight: from.get()?,
            bias: from.get()?,
            epsilon: from.get()?,
        })
    }
}

impl LayerNorm {
    pub(super) fn check(&self, checker: &Checker<'_>) -> Result<(), OpFault> {
        checker.reads(self.input)?;
        checker.writes(self.output)?;
        checker.same_or_disjoint(self.input, self.output)?;
        checker.equal(self.input.width, self.output.width)?;
        checker.equal(self.input.width, checker.vector_len(self.weight)?)?;
        checker.equal(self.input.width, checker.vector_len(self.bias)?)
    }

    pub(super) fn run(&self, run: &Run<'_>) {
        let (weight, bias) = (run.vector(self.weight), run.vector(self.bias));
        let input = run.input_unless_same(self.input, self.output);
        run.each_row(run.rows_mut(self.output), |t, row| {
            if let Some(input) = input {
                row.copy_from_slice(input.row(t));
            }
            kernels::layer_norm(run.isa, row, weight, bias, self.epsilon);
        });
    }
}
