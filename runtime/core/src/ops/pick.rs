//! Takes columns out from between others: `output[i · width + j] = input[i · period + j]`.

use super::View;
use super::words::{Reader, Word, Writer};
use crate::executor::Run;
use crate::plan::check::{Checker, OpFault};

/// The first `width` of every `period` columns, as where each head's query stands before its gate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pick {
    /// From the first column that is taken to the last.
    pub input: View,
    /// A multiple of `width` wide.
    pub output: View,
    /// Neighbours that are taken.
    pub width: u32,
    /// How far apart the first of them are.
    pub period: u32,
}

impl Word for Pick {
    fn put(&self, to: &mut Writer) {
        to.put(self.input).put(self.output);
        to.put(self.width).put(self.period);
    }

    fn get(from: &mut Reader<'_>) -> Option<Pick> {
        Some(Pick {
            input: from.get()?,
            output: from.get()?,
            width: from.get()?,
            period: from.get()?,
        })
    }
}

impl Pick {
    pub(super) fn check(&self, checker: &Checker<'_>) -> Result<(), OpFault> {
        checker.reads(self.input)?;
        checker.writes(self.output)?;
        checker.disjoint(self.input, self.output)?;
        checker.multiple(self.output.width, self.width)?;
        checker.at_most(self.width, self.period)?;
        checker.at_most(self.width, self.input.width)?;
        let between = self.output.width / self.width - 1;
        checker.product(self.input.width - self.width, between, self.period)
    }

    pub(super) fn run(&self, run: &Run<'_>) {
        let (input, width) = (run.rows(self.input), self.width as usize);
        run.each_row(run.rows_mut(self.output), |t, row| {
            let parts = input.row(t).chunks(self.period as usize);
            for (out, part) in row.chunks_exact_mut(width).zip(parts) {
                out.copy_from_slice(&part[..width]);
            }
        });
    }
}
