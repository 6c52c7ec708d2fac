//! A mixture of experts: `output = Σ weight · down(activation(gate(input)) · up(input))` over the
//! experts that a token was routed to.

use super::linear::product;
use super::words::{Reader, Word, Writer};
use super::{Activation, InputPrecision, TensorId, View};
use crate::executor::Run;
use crate::kernels::{self, Epilogue, Residual, Weight};
use crate::layout::GROUP_ROWS;
use crate::plan::MAX_WIDTH;
use crate::plan::check::{Checker, OpFault};
use crate::rows::{Rows, RowsMut};

pub use crate::kernels::Bend;

/// Runs gated MLPs that lie one below the other in two weights, each for the tokens whose weight
/// for it is not zero. The weights of other experts are not read.
///
/// Each expert is computed for all of its tokens at once, in the order of their numbers, and
/// added by `output = fma(weight, expert, output)`, from zero: so a token's sum is in the order
/// of experts however a text is cut into steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Experts {
    /// What every expert reads.
    pub input: View,
    /// One weight an expert, as [`Route`](super::Route) leaves them.
    pub weights: View,
    /// The sum.
    pub output: View,
    /// How wide an expert is between its linear maps.
    pub width: u32,
    /// `[experts · 2 · width, input]`, packed: an expert's gate, then what is multiplied with it.
    pub gate_up: TensorId,
    /// `[experts · output, width]`, packed.
    pub down: TensorId,
    /// A vector of f32, one value for each row of `gate_up`.
    pub gate_up_bias: Option<TensorId>,
    /// Likewise of `down`.
    pub down_bias: Option<TensorId>,
    /// What the gate goes through.
    pub activation: Activation,
    /// What becomes of gates and their factors before.
    pub bend: Option<Bend>,
    /// Of the inputs of both linear maps, where the weights are integer.
    pub precision: InputPrecision,
}

impl Word for Experts {
    fn put(&self, to: &mut Writer) {
        to.put(self.input).put(self.weights).put(self.output);
        to.put(self.width).put(self.gate_up).put(self.down);
        to.put(self.gate_up_bias).put(self.down_bias);
        to.put(self.activation).put(self.bend).put(self.precision);
    }

    fn get(from: &mut Reader<'_>) -> Option<Experts> {
        Some(Experts {
            input: from.get()?,
            weights: from.get()?,
            output: from.get()?,
            width: from.get()?,
            gate_up: from.get()?,
            down: from.get()?,
            gate_up_bias: from.get()?,
            down_bias: from.get()?,
            activation: from.get()?,
            bend: from.get()?,
            precision: from.get()?,
        })
    }
}

/// Absent as zeros.
impl Word for Option<Bend> {
    fn put(&self, to: &mut Writer) {
        let (alpha, rest) = self.map_or((0.0, (0.0, None)), |b| (b.alpha, (b.beta, b.limit)));
        to.put(alpha).put(rest.0).put(rest.1);
    }

    fn get(from: &mut Reader<'_>) -> Option<Option<Bend>> {
        let (alpha, beta, limit) = (from.get::<Option<f32>>()?, from.get()?, from.get()?);
        Some(alpha.map(|alpha| Bend { alpha, beta, limit }))
    }
}

impl Experts {
    pub(super) fn check(&self, checker: &Checker<'_>) -> Result<(), OpFault> {
        for input in [self.input, self.weights] {
            checker.reads(input)?;
            checker.disjoint(input, self.output)?;
        }
        checker.writes(self.output)?;
        checker.at_most(self.width, MAX_WIDTH as u32)?;
        let experts = self.weights.width;
        let rows = |each: Option<u32>| {
            let each = each.ok_or(OpFault::Shape)?;
            // An expert's rows are whole groups, so that they lie together.
            checker.multiple(each, GROUP_ROWS as u32)?;
            each.checked_mul(experts).ok_or(OpFault::Shape)
        };
        let (inner, outer) = (
            rows(self.width.checked_mul(2))?,
            rows(Some(self.output.width))?,
        );
        checker.packed(self.gate_up, inner, self.input.width)?;
        checker.packed(self.down, outer, self.width)?;
        for (bias, rows) in [(self.gate_up_bias, inner), (self.down_bias, outer)] {
            if let Some(bias) = bias {
                checker.equal(checker.vector_len(bias)?, rows)?;
            }
        }
        Ok(())
    }

    /// The widest input of a linear map.
    pub(crate) fn widest_input(&self) -> u32 {
        self.input.width.max(self.width)
    }

    /// Floats of scratch for each token: its number, what goes into a linear map, and what
    /// comes out.
    pub(crate) fn scratch(&self) -> [usize; 3] {
        let outputs = (2 * self.width).max(self.output.width);
        [1, self.widest_input() as usize, outputs as usize]
    }

    pub(super) fn run(&self, run: &Run<'_>) {
        let (input, weights) = (run.rows(self.input), run.rows(self.weights));
        let output = run.rows_mut(self.output);
        let (gate_up, down) = (run.weight(self.gate_up), run.weight(self.down));
        let bias = |id: Option<TensorId>| id.map(|id| run.vector(id));
        let (gate_up_bias, down_bias) = (bias(self.gate_up_bias), bias(self.down_bias));
        let width = self.width as usize;
        run.each_row(output, |_, row| row.fill(0.0));
        for expert in 0..weights.width() {
            let tokens = run.tokens_of(weights, expert);
            if tokens.is_empty() {
                continue;
            }
            // The two parts of the scratch are written in turn, each read until the next turn.
            let [ins, outs] = run.scratch(self.scratch(), tokens.len());
            let gathered = ins.write(input.width());
            run.each_row(gathered, |i, row| {
                row.copy_from_slice(input.row(tokens[i] as usize));
            });
            let part = gate_up.part(expert, 2 * width);
            let bias = gate_up_bias.map(|all| &all[expert * 2 * width..][..2 * width]);
            self.map(
                run,
                (part, bias),
                ins.read(input.width()),
                outs.write(2 * width),
            );
            if let Some(how) = self.bend {
                run.each_row(outs.write(2 * width), |_, row| {
                    kernels::bend(run.isa, how, row)
                });
            }
            let both = outs.read(2 * width);
            run.each_row(ins.write(width), |i, row| {
                let (gate, up) = both.row(i).split_at(width);
                kernels::gate(run.isa, self.activation, gate, up, row);
            });
            let part = down.part(expert, output.width());
            let bias = down_bias.map(|all| &all[expert * output.width()..][..output.width()]);
            self.map(
                run,
                (part, bias),
                ins.read(width),
                outs.write(output.width()),
            );
            let results = outs.read(output.width());
            run.rows_of(tokens, output, |i, t, row| {
                kernels::add_scaled(run.isa, row, results.row(i), weights.row(t)[expert]);
            });
        }
    }

    fn map(
        &self,
        run: &Run<'_>,
        (weight, bias): (Weight<'_>, Option<&[f32]>),
        input: Rows<'_>,
        output: RowsMut<'_>,
    ) {
        let epilogue = Epilogue {
            precision: self.precision,
            scale: weight.scale,
            bias,
            residual: Residual::None,
            output,
        };
        product(run, weight, input, epilogue);
    }
}
