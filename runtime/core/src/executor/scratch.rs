//! What a mixture of experts works in: which tokens an expert has, and their rows one after the
//! other.

use core::marker::PhantomData;
use core::slice;

use super::Run;
use crate::rows::{Rows, RowsMut};

/// Room for some rows, one token each, that is written and read in turn.
pub(crate) struct Scratch<'a> {
    first: *mut f32,
    len: usize,
    rows: usize,
    memory: PhantomData<&'a mut [f32]>,
}

impl<'a> Scratch<'a> {
    /// Rows of this width, to write. The rows of the turn before are no longer read.
    pub(crate) fn write(&self, width: usize) -> RowsMut<'a> {
        assert!(self.rows * width <= self.len);
        // SAFETY: in bounds by the assertion; the operator is the only one that works here.
        unsafe { RowsMut::new(self.first, width, width, self.rows) }
    }

    /// The rows that were written last.
    pub(crate) fn read(&self, width: usize) -> Rows<'a> {
        assert!(self.rows * width <= self.len);
        // SAFETY: in bounds by the assertion; nothing writes them before the next turn.
        unsafe { Rows::new(self.first, width, width, self.rows) }
    }
}

impl Run<'_> {
    /// Which rows of `weights` are not zero in column `expert`. Holds until it is called again.
    pub(crate) fn tokens_of(&self, weights: Rows<'_>, expert: usize) -> &[u32] {
        assert!(weights.count() <= self.memory.scratch_len);
        let first: *mut u32 = self.memory.scratch.cast();
        let mut count = 0;
        for t in 0..weights.count() {
            if weights.row(t)[expert] != 0.0 {
                // SAFETY: the scratch starts with a number for each row, asserted above.
                unsafe { first.add(count).write(t as u32) };
                count += 1;
            }
        }
        // SAFETY: so many were just written, and the rows of the scratch lie behind them.
        unsafe { slice::from_raw_parts(first, count) }
    }

    /// Room for `count` rows of at most so many floats, behind the tokens' numbers.
    pub(crate) fn scratch(&self, floats: [usize; 3], count: usize) -> [Scratch<'_>; 2] {
        let all = self.tokens.len() - self.first_row;
        let [numbers, ins, outs] = floats.map(|floats| floats * all);
        assert!(count <= all && numbers + ins + outs <= self.memory.scratch_len);
        [(numbers, ins), (numbers + ins, outs)].map(|(start, len)| Scratch {
            // SAFETY: within the scratch, asserted above.
            first: unsafe { self.memory.scratch.add(start) },
            len,
            rows: count,
            memory: PhantomData,
        })
    }

    /// Runs `job` for each of `tokens`, with its place among them and its row of `output`.
    pub(crate) fn rows_of(
        &self,
        tokens: &[u32],
        output: RowsMut<'_>,
        job: impl Fn(usize, usize, &mut [f32]) + Sync,
    ) {
        self.ranges(tokens.len(), output.width(), |range| {
            for i in range {
                let t = tokens[i] as usize;
                // SAFETY: no token is there twice, and each is in one range.
                job(i, t, unsafe { output.columns(t, 0..output.width()) });
            }
        });
    }
}
