//! Activation without a gate: `values = activation(values)`.

use super::words::{Reader, Word, Writer};
use super::{Activation, View};
use crate::executor::Run;
use crate::kernels;
use crate::plan::check::{Checker, OpFault};

/// Sends each value through a curve, in place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Activate {
    /// The curve.
    pub activation: Activation,
    /// What goes through it.
    pub values: View,
}

impl Word for Activate {
    fn put(&self, to: &mut Writer) {
        to.put(self.activation).put(self.values);
    }

    fn get(from: &mut Reader<'_>) -> Option<Activate> {
        Some(Activate {
            activation: from.get()?,
            values: from.get()?,
        })
    }
}

impl Activate {
    pub(super) fn check(&self, checker: &Checker<'_>) -> Result<(), OpFault> {
        checker.writes(self.values)
    }

    pub(super) fn run(&self, run: &Run<'_>) {
        run.each_row(run.rows_mut(self.values), |_, row| {
            kernels::activate(run.isa, self.activation, row);
        });
    }
}
