//! RMSNorm (Zhang and Sennrich 2019): `output = input / sqrt(mean(input²) + epsilon) · weight`.

use super::words::{Reader, Word, Writer};
use super::{TensorId, View};
use crate::executor::Run;
use crate::kernels;
use crate::plan::check::{Checker, OpFault};

/// Normalizes each run of `weight.len()` columns on its own: one for a hidden state,
/// one a head for the query and key norms of Qwen3.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RmsNorm {
    /// A multiple of the weight's length wide.
    pub input: View,
    /// As wide as the input; may be the input itself.
    pub output: View,
    /// A vector of f32.
    pub weight: TensorId,
    /// Added to the mean of the squares.
    pub epsilon: f32,
}

impl Word for RmsNorm {
    fn put(&self, to: &mut Writer) {
        to.put(self.input)
            .put(self.output)
            .put(self.weight)
            .put(self.epsilon);
    }

    fn get(from: &mut Reader<'_>) -> Option<RmsNorm> {
        Some(RmsNorm {
            input: from.get()?,
            output: from.get()?,
            weight: from.get()?,
            epsilon: from.get()?,
        })
    }
}

impl RmsNorm {
    pub(super) fn check(&self, checker: &Checker<'_>) -> Result<(), OpFault> {
        checker.reads(self.input)?;
        checker.writes(self.output)?;
        checker.same_or_disjoint(self.input, self.output)?;
        checker.equal(self.input.width, self.output.width)?;
        let group = checker.vector_len(self.weight)?;
        checker.multiple(self.input.width, group)
    }

    pub(super) fn run(&self, run: &Run<'_>) {
        let weight = run.vector(self.weight);
        let input = run.input_unless_same(self.input, self.output);
        run.each_row(run.rows_mut(self.output), |t, row| {
            if let Some(input) = input {
                row.copy_from_slice(input.row(t));
            }
            for group in row.chunks_exact_mut(weight.len()) {
                kernels::rms_norm(run.isa, group, weight, self.epsilon);
            }
        });
    }
}
