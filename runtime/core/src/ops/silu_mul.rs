//! Gated activation (Shazeer 2020, "SwiGLU"): `output = gate · sigmoid(gate) · up`.

use super::View;
use super::words::{Reader, Word, Writer};
use crate::executor::Run;
use crate::kernels;
use crate::plan::check::{Checker, OpFault};

/// The gate of a SiLU MLP.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SiluMul {
    /// Goes through SiLU.
    pub gate: View,
    /// Multiplied with it.
    pub up: View,
    /// As wide as both.
    pub output: View,
}

impl Word for SiluMul {
    fn put(&self, to: &mut Writer) {
        to.put(self.gate).put(self.up).put(self.output);
    }

    fn get(from: &mut Reader<'_>) -> Option<SiluMul> {
        Some(SiluMul {
            gate: from.get()?,
            up: from.get()?,
            output: from.get()?,
        })
    }
}

impl SiluMul {
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
            kernels::silu_mul(run.isa, gate.row(t), up.row(t), row);
        });
    }
}
