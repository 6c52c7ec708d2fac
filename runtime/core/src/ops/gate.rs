//! Gated activation (Shazeer 2020, "SwiGLU" and "GEGLU"): `output = activation(gate) · up`.

use super::View;
use super::words::{Reader, Word, Writer};
use crate::executor::Run;
use crate::kernels;
use crate::plan::check::{Checker, OpFault};

/// The curve that a gate, or what has none, goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Activation {
    /// `x · sigmoid(x)` (Llama, Qwen, Phi, GLM).
    Silu = 0,
    /// `x · (1 + tanh(√(2/π) · (x + 0.044715 · x³))) / 2` (Gemma).
    GeluTanh = 1,
    /// `x · Φ(x)`, where `Φ` is the normal distribution (BERT).
    #[cfg(feature = "encoders")]
    Gelu = 2,
    /// `1 / (1 + exp(−x))`: gates of attention's output, rates of a delta rule (Qwen3.5).
    #[cfg(feature = "recurrence")]
    Sigmoid = 3,
    /// `ln(1 + exp(x))`: steps of a state's decay.
    #[cfg(feature = "recurrence")]
    Softplus = 4,
}

impl Word for Activation {
    fn put(&self, to: &mut Writer) {
        to.put(*self as u32);
    }

    fn get(from: &mut Reader<'_>) -> Option<Activation> {
        match from.get::<u32>()? {
            0 => Some(Activation::Silu),
            1 => Some(Activation::GeluTanh),
            #[cfg(feature = "encoders")]
            2 => Some(Activation::Gelu),
            #[cfg(feature = "recurrence")]
            3 => Some(Activation::Sigmoid),
            #[cfg(feature = "recurrence")]
            4 => Some(Activation::Softplus),
            _ => None,
        }
    }
}

/// The gate of an MLP.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gate {
    /// What `gate` goes through.
    pub activation: Activation,
    /// Goes through the activation.
    pub gate: View,
    /// Multiplied with it.
    pub up: View,
    /// As wide as both.
    pub output: View,
}

impl Word for Gate {
    fn put(&self, to: &mut Writer) {
        to.put(self.activation);
        to.put(self.gate).put(self.up).put(self.output);
    }

    fn get(from: &mut Reader<'_>) -> Option<Gate> {
        Some(Gate {
            activation: from.get()?,
            gate: from.get()?,
            up: from.get()?,
            output: from.get()?,
        })
    }
}

impl Gate {
    pub(super) fn check(&self, checker: &Checker<'_>) -> Result<(), OpFault> {
        for input in [self.gate, self.up] {
            checker.reads(input)?;
            checker.disjoint(input, self.output)?;
            checker.equal(input.width, self.output.width)?;
        }
        checker.writes(self.output)
    }

    pub(super) fn run(&self, run: &Run<'_>) {
        let (gate, up) = (run.rows(self.gate), run.rows(self.up));
        run.each_row(run.rows_mut(self.output), |t, row| {
            kernels::gate(run.isa, self.activation, gate.row(t), up.row(t), row);
        });
    }
}
