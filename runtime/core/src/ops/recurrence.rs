//! Linear attention with a recurrent state: a matrix a head that decays, takes up what each token
//! brings, and is asked by its query (RetNet, Mamba-2, lightning attention, gated delta nets).

use super::words::{Reader, Word, Writer};
use super::{TensorId, View};
use crate::executor::{Run, StateTile};
use crate::kernels::{self, LANES, MOST_KEY_VALUES};
use crate::plan::check::{Checker, OpFault};
use crate::plan::{MAX_STATE, MAX_WIDTH};

/// How a token changes a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Update {
    /// It adds its value under its key.
    Add = 0,
    /// It replaces what is found under its key by its value, as far as `beta` says.
    Delta = 1,
}

impl Word for Update {
    fn put(&self, to: &mut Writer) {
        to.put(*self as u32);
    }

    fn get(from: &mut Reader<'_>) -> Option<Update> {
        match from.get::<u32>()? {
            0 => Some(Update::Add),
            1 => Some(Update::Delta),
            _ => None,
        }
    }
}

/// `S = exp(rate · decay) · S + k ⊗ u`, `output = scale · Sᵀ q + skip · v`, where `u` is `beta · v` or
/// `beta · (v − Sᵀ k)` of the decayed state, for each state and token in turn.
///
/// Head `h` of the keys serves the states `h · states / heads` and on. Where there are more queries
/// than states, as many of them ask each state; where there are fewer, each asks as many states.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recurrence {
    /// `key_dim` columns a head; as many heads as a divisor or a multiple of `states`.
    pub query: View,
    /// `key_dim` columns a head; as many heads as a divisor of `states`.
    pub key: View,
    /// As wide a head for each state.
    pub value: View,
    /// As wide a head as the value's for each query and at least for each state.
    pub output: View,
    /// Logarithm of the decay: a column for each state, or for each state and value of its key.
    pub decay: Option<View>,
    /// A column for each state; one where this is left out.
    pub beta: Option<View>,
    /// A vector with a number for each state, which its decay is multiplied with, or which is its
    /// decay where none is given.
    pub rate: Option<TensorId>,
    /// A vector with a number for each state: how much of the value the output has besides.
    pub skip: Option<TensorId>,
    /// Factor on the outputs.
    pub scale: f32,
    /// How many states there are.
    pub states: u32,
    /// Width of a key and of a query.
    pub key_dim: u32,
    /// How a token changes a state.
    pub update: Update,
    /// Where its states begin in what a session keeps, in vectors of 16 floats: behind those of the
    /// recurrences before it.
    pub state: u32,
}

impl Word for Recurrence {
    fn put(&self, to: &mut Writer) {
        to.put(self.query).put(self.key).put(self.value);
        to.put(self.output).put(self.decay);
        // As wide as there are states, which is said below.
        let beta = self.beta.unwrap_or(View::ABSENT);
        to.put(beta.buffer).put(beta.start);
        to.put(self.rate).put(self.skip).put(self.scale);
        to.put(self.states | self.key_dim << 16);
        to.put(self.update).put(self.state);
    }

    fn get(from: &mut Reader<'_>) -> Option<Recurrence> {
        let [query, key, value, output] = [from.get()?, from.get()?, from.get()?, from.get()?];
        let (decay, buffer, start) = (from.get()?, from.get()?, from.get()?);
        let (rate, skip, scale) = (from.get()?, from.get()?, from.get()?);
        let shape: u32 = from.get()?;
        let states = shape & 0xffff;
        let beta = View {
            buffer,
            start,
            width: states,
        };
        Some(Recurrence {
            query,
            key,
            value,
            output,
            decay,
            beta: beta.if_present(),
            rate,
            skip,
            scale,
            states,
            key_dim: shape >> 16,
            update: from.get()?,
            state: from.get()?,
        })
    }
}

impl Recurrence {
    pub(super) fn check(&self, checker: &Checker<'_>) -> Result<(), OpFault> {
        checker.body_only()?;
        checker.writes(self.output)?;
        for view in [
            Some(self.query),
            Some(self.key),
            Some(self.value),
            self.decay,
            self.beta,
        ]
        .into_iter()
        .flatten()
        {
            checker.reads(view)?;
            checker.disjoint(view, self.output)?;
        }
        let (states, key_dim) = (self.states, self.key_dim);
        checker.at_most(key_dim, MOST_KEY_VALUES as u32)?;
        checker.multiple(self.query.width, key_dim)?;
        checker.multiple(self.key.width, key_dim)?;
        checker.multiple(self.value.width, states)?;
        let (queries, keys) = (self.query.width / key_dim, self.key.width / key_dim);
        checker.multiple(states.max(queries), states.min(queries))?;
        checker.multiple(states, keys)?;
        let value_dim = self.value.width / states;
        checker.product(self.output.width, value_dim, states.max(queries))?;
        if let Some(decay) = self.decay
            && decay.width != states
        {
            checker.product(decay.width, states, key_dim)?;
        }
        for vector in [self.rate, self.skip].into_iter().flatten() {
            checker.equal(checker.vector_len(vector)?, states)?;
        }
        // None of the factors is above what plans hold of a token, so nothing overflows.
        const { assert!(MAX_WIDTH * MOST_KEY_VALUES as u64 * LANES as u64 + (1 << 32) < 1 << 63) };
        match self.state_end() as u64 <= MAX_STATE {
            true => Ok(()),
            false => Err(OpFault::Shape),
        }
    }

    fn value_dim(&self) -> usize {
        (self.value.width / self.states) as usize
    }

    /// Vectors of one state.
    fn state_vectors(&self) -> u64 {
        self.value_dim().div_ceil(LANES) as u64 * u64::from(self.key_dim)
    }

    /// Vectors of what a session keeps, up to the last of its states.
    pub fn state_end(&self) -> usize {
        let own = self.state_vectors() * u64::from(self.states);
        usize::try_from(u64::from(self.state) + own).unwrap_or(usize::MAX)
    }

    pub(super) fn run(&self, run: &Run<'_>) {
        let (states, key_dim) = (self.states as usize, self.key_dim as usize);
        let of = kernels::Recurrence {
            query: run.rows(self.query),
            key: run.rows(self.key),
            value: run.rows(self.value),
            decay: self.decay.map(|view| run.rows(view)),
            beta: self.beta.map(|view| run.rows(view)),
            rate: self.rate.map(|id| run.vector(id)),
            skip: self.skip.map(|id| run.vector(id)),
            output: run.rows_mut(self.output),
            scale: self.scale,
            heads: states,
            key_dim,
            delta: self.update == Update::Delta,
        };
        let tokens = of.value.count();
        let tiles = kernels::tiles(self.value_dim());
        let save = run.save();
        let work = tokens * key_dim * LANES;
        run.ranges(states * tiles, work, |items| {
            for (head, tile) in items.map(|item| (item / tiles, item % tiles)) {
                let columns = kernels::tile_columns(self.value_dim(), tile);
                let before = columns.start.div_ceil(LANES);
                let width = columns.len().div_ceil(LANES);
                let first = head * self.state_vectors() as usize + before * key_dim;
                let at = StateTile {
                    first: self.state as usize + first,
                    len: width * key_dim,
                };
                // SAFETY: each tile is in one range, and each range runs on one thread.
                let state = unsafe { run.state(at, None) };
                if run.position == 0 {
                    state.fill([0.0; LANES]);
                }
                let until = save.map_or(0, |save| save.position - run.position);
                // SAFETY: as above.
                unsafe { kernels::recur(run.isa, &of, head, tile, 0..until, state) };
                if save.is_some() {
                    // SAFETY: as above.
                    unsafe { run.state(at, save) }.copy_from_slice(state);
                }
                // SAFETY: as above.
                unsafe { kernels::recur(run.isa, &of, head, tile, until..tokens, state) };
            }
        });
    }
}
