//! Learned positions: `values = values + table[position]`.

use super::words::{Reader, Word, Writer};
use super::{TensorId, View};
use crate::executor::Run;
use crate::kernels;
use crate::plan::check::{Checker, OpFault};

/// Adds to each token what a table holds for its position, in place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position {
    /// As wide as the table.
    pub values: View,
    /// A plain table with a row for every position of the context.
    pub table: TensorId,
}

impl Word for Position {
    fn put(&self, to: &mut Writer) {
        to.put(self.values).put(self.table);
    }

    fn get(from: &mut Reader<'_>) -> Option<Position> {
        Some(Position {
            values: from.get()?,
            table: from.get()?,
        })
    }
}

impl Position {
    pub(super) fn check(&self, checker: &Checker<'_>) -> Result<(), OpFault> {
        checker.body_only()?;
        checker.writes(self.values)?;
        checker.table(self.table, checker.context(), self.values.width)
    }

    pub(super) fn run(&self, run: &Run<'_>) {
        let table = run.table(self.table);
        run.each_row(run.rows_mut(self.values), |t, row| {
            let start = (run.position + t) * row.len();
            kernels::add(run.isa, row, &table[start..][..row.len()]);
        });
    }
}
