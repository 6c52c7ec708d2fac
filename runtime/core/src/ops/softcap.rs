//! Soft capping (Gemma 2), in place: `x = cap · tanh(x / cap)`.

use super::View;
use super::words::{Reader, Word, Writer};
use crate::executor::Run;
use crate::kernels;
use crate::plan::check::{Checker, OpFault};

/// Bends values so that none is beyond a cap.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Softcap {
    /// What is bent.
    pub values: View,
    /// Positive.
    pub cap: f32,
}

impl Word for Softcap {
    fn put(&self, to: &mut Writer) {
        to.put(self.values).put(self.cap);
    }

    fn get(from: &mut Reader<'_>) -> Option<Softcap> {
        Some(Softcap {
            values: from.get()?,
            cap: from.get().filter(|cap| *cap > 0.0)?,
        })
    }
}

impl Softcap {
    pub(super) fn check(&self, checker: &Checker<'_>) -> Result<(), OpFault> {
        checker.writes(self.values)
    }

    pub(super) fn run(&self, run: &Run<'_>) {
        run.each_row(run.rows_mut(self.values), |_, row| {
            kernels::softcap(run.isa, row, self.cap);
        });
    }
}
