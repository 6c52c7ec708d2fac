//! Attention with sinks (gpt-oss): a head may attend to nothing at all.

use super::words::{Reader, Word, Writer};
use super::{Attention, TensorId};
use crate::executor::Run;
use crate::plan::check::{Checker, OpFault};

/// As [`Attention`], but each query head has a score of its own beside those of the positions,
/// which joins the softmax's sum and weighs nothing in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sinks {
    /// All but the sinks.
    pub attention: Attention,
    /// A vector of f32, one score a query head.
    pub sinks: TensorId,
}

impl Word for Sinks {
    fn put(&self, to: &mut Writer) {
        to.put(self.attention).put(self.sinks);
    }

    fn get(from: &mut Reader<'_>) -> Option<Sinks> {
        Some(Sinks {
            attention: from.get()?,
            sinks: from.get()?,
        })
    }
}

impl Sinks {
    pub(super) fn check(&self, checker: &Checker<'_>) -> Result<(), OpFault> {
        self.attention.check(checker)?;
        let heads = self.attention.query.width / checker.cache(self.attention.cache)?.key_dim;
        checker.equal(checker.vector_len(self.sinks)?, heads)
    }

    pub(super) fn run(&self, run: &Run<'_>) {
        let sinks = run.vector(self.sinks);
        self.attention.attend(run, false, Some(sinks));
    }
}
