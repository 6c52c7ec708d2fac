//! Recurrent states, and copies of them that a session can go back to.
//!
//! A state holds all that was seen and nothing of how it came about, so a session goes back only to
//! where a copy was made, and computes from there again. Copies are few, as states are large
//! ([`SAVES`]). One is made [`TAIL`] tokens before the end of every step of several tokens, that is of a
//! prompt: to try an answer again, or to go on from a prompt whose last tokens, or whose answer,
//! read otherwise the next time. One follows generation, at every [`SPAN`]-th position. Of prompts'
//! copies the one goes first that leaves the least gap for its distance from the end, so that what
//! stays is sparser the further back it lies.
//!
//! What convolutions need to go on is a few rows; they are kept, and copied, with the states.

use core::slice;

use super::Run;
use super::history::SPAN;
use super::memory::{MemoryError, Regions};
use crate::kernels::LANES;
use crate::plan::Plan;

/// How many copies a session keeps.
pub(super) const SAVES: usize = 4;

/// Tokens between a prompt's copy and its end: more than templates put behind the last message.
const TAIL: usize = 8;

/// Which copies of its states a session has.
#[derive(Clone, Copy, Debug)]
pub(super) struct States {
    /// Vectors of all states; nothing is kept of a plan without.
    vectors: usize,
    /// Bytes of the states and of the rows that convolutions keep beside them, together.
    bytes: usize,
    /// Where they start in the session's memory, in bytes; the copies follow.
    first: usize,
    /// How many positions each copy has seen; 0 where it is none. The first copy follows generation.
    seen: [usize; SAVES],
}

/// A copy that a step makes.
#[derive(Clone, Copy)]
pub(crate) struct Save {
    slot: usize,
    /// Tokens that it will have seen: some of the step's, or those before it.
    pub(crate) position: usize,
}

/// Where a part of one state is, in vectors of what is kept.
#[derive(Clone, Copy)]
pub(crate) struct StateTile {
    pub(crate) first: usize,
    pub(crate) len: usize,
}

impl States {
    /// Takes room for the states, `rows` floats of convolutions, and the copies of both.
    pub(super) fn place(
        plan: &Plan<&[u8]>,
        rows: usize,
        regions: &mut Regions,
    ) -> Result<States, MemoryError> {
        let vectors = plan.history().states;
        let bytes = match vectors {
            0 => 0,
            _ => vectors * LANES * 4 + rows.next_multiple_of(LANES) * 4,
        };
        let copies = if vectors == 0 { 0 } else { 1 + SAVES };
        Ok(States {
            vectors,
            bytes,
            first: regions.take(&[copies], bytes)?,
            seen: [0; SAVES],
        })
    }

    pub(super) fn any(&self) -> bool {
        self.vectors > 0
    }

    /// The same copies at the places of `other`.
    pub(super) fn over(&self, other: States) -> States {
        States {
            seen: self.seen,
            ..other
        }
    }

    /// Where the rows of convolutions lie, in bytes, beside the states or beside their copy.
    pub(super) fn rows(&self, save: Option<Save>) -> usize {
        self.at(save) + self.vectors * LANES * 4
    }

    fn at(&self, save: Option<Save>) -> usize {
        self.first + save.map_or(0, |save| 1 + save.slot) * self.bytes
    }

    /// The copy that a step from `start` on makes, if any.
    pub(super) fn save(&self, start: usize, tokens: usize) -> Option<Save> {
        let end = start + tokens;
        if !self.any() {
            return None;
        }
        if tokens == 1 {
            let slot = 0;
            return end.is_multiple_of(SPAN).then_some(Save {
                slot,
                position: end,
            });
        }
        let position = end.saturating_sub(TAIL).max(start);
        (position > 0).then(|| Save {
            slot: self.slot_for(position),
            position,
        })
    }

    /// Which copy of a prompt gives way.
    fn slot_for(&self, position: usize) -> usize {
        let prompts = 1..SAVES;
        let free = |&slot: &usize| self.seen[slot] == 0 || self.seen[slot] == position;
        if let Some(slot) = prompts.clone().find(free) {
            return slot;
        }
        // None lies beyond: a session forgets those when it goes back.
        let gap = |slot: usize| {
            let at = self.seen[slot];
            let others = || self.seen[1..].iter().filter(|&&seen| seen != at);
            let before = others().filter(|&&seen| seen < at).max().unwrap_or(&0);
            let after = others().filter(|&&seen| seen > at).min();
            (after.unwrap_or(&position) - before, position - at)
        };
        let least = prompts.reduce(|a, b| {
            let ((a_gap, a_back), (b_gap, b_back)) = (gap(a), gap(b));
            if b_gap as u128 * a_back as u128 <= a_gap as u128 * b_back as u128 {
                b
            } else {
                a
            }
        });
        least.unwrap_or(1)
    }

    /// A step is done that made this copy.
    pub(super) fn saved(&mut self, save: Option<Save>) {
        if let Some(save) = save {
            self.seen[save.slot] = save.position;
        }
    }

    /// Goes back to `len` positions, or to the most below it that there is a copy of; how many.
    pub(super) fn back_to(&mut self, len: usize, memory: &mut [u8]) -> usize {
        for seen in &mut self.seen {
            *seen = if *seen > len { 0 } else { *seen };
        }
        let slot = (0..SAVES).max_by_key(|&slot| self.seen[slot]).unwrap_or(0);
        let position = self.seen[slot];
        if position > 0 {
            let copy = self.at(Some(Save { slot, position }));
            memory.copy_within(copy..copy + self.bytes, self.first);
        }
        position
    }
}

/// Where all states lie, for one step.
#[derive(Clone, Copy)]
pub(crate) struct StateRegions {
    pub(super) memory: *mut u8,
    pub(super) states: States,
}

impl Run<'_> {
    /// What the copy made in this step has seen, and where its rows of convolutions lie.
    pub(super) fn copied_rows(&self) -> Option<(usize, *mut f32)> {
        let StateRegions { memory, states } = self.kv.states;
        let save = self.save()?;
        // SAFETY: the copy's rows lie within the memory.
        let rows = unsafe { memory.add(states.rows(Some(save))) };
        Some((save.position, rows.cast()))
    }

    /// The copy of the states that this step makes, if any.
    pub(crate) fn save(&self) -> Option<Save> {
        self.kv.states.states.save(self.position, self.tokens.len())
    }

    /// A part of a state, or of its copy.
    ///
    /// # Safety
    /// While the slice lives, nobody else uses this part.
    #[allow(clippy::mut_from_ref, reason = "the caller keeps the parts apart")]
    pub(crate) unsafe fn state(&self, at: StateTile, save: Option<Save>) -> &mut [[f32; LANES]] {
        let StateRegions { memory, states } = self.kv.states;
        assert!(at.first + at.len <= states.vectors);
        // SAFETY: the states and their copies lie within the memory, on whole lines, and the part
        // within the states by the assertion; unshared by the caller's promise.
        unsafe {
            let first: *mut [f32; LANES] = memory.add(states.at(save)).cast();
            slice::from_raw_parts_mut(first.add(at.first), at.len)
        }
    }
}
