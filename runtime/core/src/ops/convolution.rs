//! Causal short convolution between two gates (LFM2), each channel with its own few taps.

use super::words::{Reader, Word, Writer};
use super::{TensorId, View};
use crate::executor::Run;
use crate::kernels::{self, LANES, MOST_TAPS};
use crate::plan::MAX_WIDTH;
use crate::plan::check::{Checker, OpFault};

/// `output[t] = after[t] · (bias + Σ weight[k] · seen[t − taps + 1 + k])` with
/// `seen = before · input`, channel by channel; positions before the first count as zeros.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Convolution {
    /// One value a channel.
    pub input: View,
    /// What the input is multiplied with, as wide; nothing where this is left out.
    pub before: Option<View>,
    /// What the sums are multiplied with, as wide; nothing where this is left out.
    pub after: Option<View>,
    /// As wide as the input.
    pub output: View,
    /// `[taps, channels]` in f32, the tap of a token itself last.
    pub weight: TensorId,
    /// A vector of f32, one value a channel.
    pub bias: Option<TensorId>,
    /// How many tokens a sum is over, from 2 to 4.
    pub taps: u32,
    /// The first of its columns in what is kept of earlier positions; no other operator uses them.
    pub history: u32,
}

impl Word for Convolution {
    fn put(&self, to: &mut Writer) {
        to.put(self.input).put(self.before).put(self.after);
        to.put(self.output).put(self.weight).put(self.bias);
        to.put(self.taps).put(self.history);
    }

    fn get(from: &mut Reader<'_>) -> Option<Convolution> {
        Some(Convolution {
            input: from.get()?,
            before: from.get()?,
            after: from.get()?,
            output: from.get()?,
            weight: from.get()?,
            bias: from.get()?,
            taps: from.get()?,
            history: from.get()?,
        })
    }
}

impl Convolution {
    pub(super) fn check(&self, checker: &Checker<'_>) -> Result<(), OpFault> {
        checker.body_only()?;
        checker.writes(self.output)?;
        let channels = self.output.width;
        for view in [Some(self.input), self.before, self.after]
            .into_iter()
            .flatten()
        {
            checker.reads(view)?;
            checker.disjoint(view, self.output)?;
            checker.equal(view.width, channels)?;
        }
        checker.at_most(2, self.taps)?;
        checker.at_most(self.taps, MOST_TAPS as u32)?;
        checker.at_most(self.history, MAX_WIDTH as u32)?;
        checker.at_most(channels, MAX_WIDTH as u32 - self.history)?;
        checker.table(self.weight, self.taps, channels)?;
        match self.bias {
            Some(bias) => checker.equal(checker.vector_len(bias)?, channels),
            None => Ok(()),
        }
    }

    /// Columns of what is kept of earlier positions, up to the last of its own.
    pub(crate) fn history_end(&self) -> usize {
        (self.history + self.output.width) as usize
    }

    pub(super) fn run(&self, run: &Run<'_>) {
        let taps = self.taps as usize;
        let (input, before) = (run.rows(self.input), self.before.map(|view| run.rows(view)));
        let of = kernels::Convolution {
            input,
            before,
            after: self.after.map(|view| run.rows(view)),
            output: run.rows_mut(self.output),
            weight: run.table(self.weight),
            bias: self.bias.map(|id| run.vector(id)),
            taps,
        };
        let channels = self.output.width as usize;
        let history = run.history(self.history as usize..self.history_end());
        let groups = channels.div_ceil(LANES);
        run.ranges(groups, LANES * input.count(), |range| {
            let channels = range.start * LANES..channels.min(range.end * LANES);
            let mut past: [&[f32]; MOST_TAPS - 1] = [&[]; MOST_TAPS - 1];
            let past = &mut past[..taps - 1];
            for (back, row) in (1..taps).rev().zip(past.iter_mut()) {
                // SAFETY: each channel is in one range, and each range runs on one thread.
                *row = unsafe { history.row(back) };
            }
            // SAFETY: as above.
            unsafe { kernels::convolve(run.isa, &of, past, channels.clone()) };
            for (back, place) in history.carried() {
                // SAFETY: as above, and a copy's rows are not those of the ring.
                let (kept, row) = unsafe {
                    let kept = history.columns(place, channels.clone());
                    (kept, history.row(back))
                };
                kept.copy_from_slice(&row[channels.clone()]);
            }
            for t in 0..input.count() {
                for place in history.places(t).into_iter().flatten() {
                    // SAFETY: as above; what was read of it is needed no more.
                    let kept = unsafe { history.columns(place, channels.clone()) };
                    let gate = before.map(|gate| &gate.row(t)[channels.clone()]);
                    kernels::seen(&input.row(t)[channels.clone()], gate, kept);
                }
            }
        });
    }
}
