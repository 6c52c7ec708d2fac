//! Elementwise sum: `output = a + b`.

use super::View;
use super::words::{Reader, Word, Writer};
use crate::executor::Run;
use crate::kernels;
use crate::plan::check::{Checker, OpFault};

/// Adds two views, for residuals that no [`super::Linear`] can take in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Add {
    /// May be the output itself.
    pub a: View,
    /// Disjoint from the output.
    pub b: View,
    /// As wide as both.
    pub output: View,
}

impl Word for Add {
    fn put(&self, to: &mut Writer) {
        to.put(self.a).put(self.b).put(self.output);
    }

    fn get(from: &mut Reader<'_>) -> Option<Add> {
        Some(Add {
            a: from.get()?,
            b: from.get()?,
            output: from.get()?,
        })
    }
}

impl Add {
    pub(super) fn check(&self, checker: &Checker<'_>) -> Result<(), OpFault> {
        checker.reads(self.a)?;
        checker.reads(self.b)?;
        checker.writes(self.output)?;
        checker.same_or_disjoint(self.a, self.output)?;
        checker.disjoint(self.b, self.output)?;
        checker.equal(self.a.width, self.output.width)?;
        checker.equal(self.b.width, self.output.width)
    }

    pub(super) fn run(&self, run: &Run<'_>) {
        let b = run.rows(self.b);
        let a = run.input_unless_same(self.a, self.output);
        run.each_row(run.rows_mut(self.output), |t, row| {
            if let Some(a) = a {
                row.copy_from_slice(a.row(t));
            }
            kernels::add(run.isa, row, b.row(t));
        });
    }
}
