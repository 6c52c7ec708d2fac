//! Linear map: `output = weight · input (+ bias) (+ residual)`.

use super::words::{Reader, Word, Writer};
use super::{InputPrecision, TensorId, View};
use crate::executor::{Activations, Run};
use crate::kernels::{self, Epilogue, Residual, Weight};
use crate::plan::check::{Checker, OpFault};
use crate::rows::Rows;

/// Multiplies each token's input by a packed weight.
///
/// With an integer weight the input is quantized to `precision` first; with a float weight,
/// and everywhere under [`Activations::F32`], it stays f32.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Linear {
    /// As wide as the weight has columns.
    pub input: View,
    /// As wide as the weight has rows.
    pub output: View,
    /// `[outputs, inputs]`, packed.
    pub weight: TensorId,
    /// A vector of f32, one value an output.
    pub bias: Option<TensorId>,
    /// Added last; may be the output itself.
    pub residual: Option<View>,
    /// Of the input, where the weight is integer.
    pub precision: InputPrecision,
}

impl Word for Linear {
    fn put(&self, to: &mut Writer) {
        to.put(self.input)
            .put(self.output)
            .put(self.weight)
            .put(self.bias)
            .put(self.residual)
            .put(self.precision);
    }

    fn get(from: &mut Reader<'_>) -> Option<Linear> {
        Some(Linear {
            input: from.get()?,
            output: from.get()?,
            weight: from.get()?,
            bias: from.get()?,
            residual: from.get()?,
            precision: from.get()?,
        })
    }
}

impl Linear {
    pub(super) fn check(&self, checker: &Checker<'_>) -> Result<(), OpFault> {
        checker.reads(self.input)?;
        checker.writes(self.output)?;
        checker.disjoint(self.input, self.output)?;
        checker.packed(self.weight, self.output.width, self.input.width)?;
        if let Some(bias) = self.bias {
            checker.equal(checker.vector_len(bias)?, self.output.width)?;
        }
        if let Some(residual) = self.residual {
            checker.reads(residual)?;
            checker.same_or_disjoint(residual, self.output)?;
            checker.equal(residual.width, self.output.width)?;
        }
        Ok(())
    }

    pub(super) fn run(&self, run: &Run<'_>) {
        let weight = run.weight(self.weight);
        let input = run.rows(self.input);
        let residual = match self.residual {
            None => Residual::None,
            Some(view) => match run.input_unless_same(view, self.output) {
                None => Residual::InPlace,
                Some(rows) => Residual::Rows(rows),
            },
        };
        let epilogue = Epilogue {
            precision: self.precision,
            scale: weight.scale,
            bias: self.bias.map(|id| run.vector(id)),
            residual,
            output: run.rows_mut(self.output),
        };
        product(run, weight, input, epilogue);
    }
}

/// Multiplies the rows of `input`, as integers where the weight and the run are.
pub(super) fn product(
    run: &Run<'_>,
    weight: Weight<'_>,
    input: Rows<'_>,
    mut epilogue: Epilogue<'_>,
) {
    if weight.encoding.is_quantized() && run.activations == Activations::Int8 {
        let quantized = run.quantize(input, epilogue.precision);
        run.split(weight.groups(), |groups| {
            kernels::linear_int8(run.isa, weight, quantized, &epilogue, groups);
        });
    } else {
        epilogue.precision = InputPrecision::Int8;
        run.split(weight.groups(), |groups| {
            kernels::linear_f32(run.isa, weight, input, &epilogue, groups);
        });
    }
}
