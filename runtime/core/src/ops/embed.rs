//! Embedding: `output = scale · table[token]`.

use super::words::{Reader, Word, Writer};
use super::{TensorId, View};
use crate::executor::Run;
use crate::kernels;
use crate::plan::check::{Checker, OpFault};

/// Looks each token's row up in a table of any packed encoding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Embed {
    /// As wide as the table.
    pub output: View,
    /// `[vocab, hidden]`; may be the LM head's weight.
    pub table: TensorId,
    /// Factor on every value, 1 for most models.
    pub scale: f32,
}

impl Word for Embed {
    fn put(&self, to: &mut Writer) {
        to.put(self.output).put(self.table).put(self.scale);
    }

    fn get(from: &mut Reader<'_>) -> Option<Embed> {
        Some(Embed {
            output: from.get()?,
            table: from.get()?,
            scale: from.get()?,
        })
    }
}

impl Embed {
    pub(super) fn check(&self, checker: &Checker<'_>) -> Result<(), OpFault> {
        checker.body_only()?;
        checker.writes(self.output)?;
        checker.packed(self.table, checker.vocab(), self.output.width)
    }

    pub(super) fn run(&self, run: &Run<'_>) {
        let table = run.weight(self.table);
        let output = run.rows_mut(self.output);
        run.each_row(output, |t, row| {
            kernels::embed(run.isa, table, run.tokens[t] as usize, self.scale, row);
        });
    }
}
