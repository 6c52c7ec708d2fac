//! The automaton as it lies in a plan.
//!
//! ```text
//! AutomatonRecord · StateRecord × states · TransitionRecord × transitions
//! ```

use bytemuck::{Pod, Zeroable};

/// How many records follow.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct AutomatonRecord {
    /// Of states, at least one: the first is where answers begin.
    pub states: u32,
    /// Of transitions, those of one state after those of the one before.
    pub transitions: u32,
}

/// A state.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct StateRecord {
    /// Its first transition. They end where the next state's begin.
    pub first: u32,
    /// 1 where an answer is whole, else 0.
    pub accepts: u32,
}

/// A transition by any byte from `low` to `high`. Those of a state ascend and do not overlap.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct TransitionRecord {
    /// Least byte.
    pub low: u8,
    /// Greatest byte.
    pub high: u8,
    /// The state after it.
    pub target: u16,
}

/// A state's index.
pub type State = u16;

/// A deterministic finite automaton over bytes.
#[derive(Clone, Copy, Debug)]
pub struct Automaton<'a> {
    states: &'a [StateRecord],
    transitions: &'a [TransitionRecord],
}

impl<'a> Automaton<'a> {
    /// Where answers begin.
    pub const START: State = 0;

    /// Cuts a section into its tables; `None` if its length does not fit its record.
    pub fn cut(section: &'a [u8]) -> Option<Automaton<'a>> {
        let (record, rest) = section.split_at_checked(size_of::<AutomatonRecord>())?;
        let record: &AutomatonRecord = bytemuck::try_from_bytes(record).ok()?;
        let states = (record.states as usize).checked_mul(size_of::<StateRecord>())?;
        let (states, transitions) = rest.split_at_checked(states)?;
        let automaton = Automaton {
            states: bytemuck::try_cast_slice(states).ok()?,
            transitions: bytemuck::try_cast_slice(transitions).ok()?,
        };
        (automaton.transitions.len() == record.transitions as usize).then_some(automaton)
    }

    pub(super) fn tables(&self) -> (&'a [StateRecord], &'a [TransitionRecord]) {
        (self.states, self.transitions)
    }

    /// Whether an answer is whole here.
    pub fn accepts(&self, state: State) -> bool {
        let state = self.states.get(usize::from(state));
        state.is_some_and(|state| state.accepts == 1)
    }

    /// What leads on.
    pub fn transitions(&self, state: State) -> &'a [TransitionRecord] {
        let at = usize::from(state);
        let first = |at: usize| self.states.get(at).map(|state| state.first as usize);
        let all = self.transitions.len();
        let range = first(at).unwrap_or(all)..first(at + 1).unwrap_or(all);
        self.transitions.get(range).unwrap_or_default()
    }

    /// The state after some bytes.
    pub fn walk(&self, from: State, bytes: &[u8]) -> Option<State> {
        bytes.iter().try_fold(from, |state, &byte| {
            let transitions = self.transitions(state);
            let at = transitions.partition_point(|transition| transition.high < byte);
            let found = transitions.get(at).filter(|found| found.low <= byte)?;
            Some(found.target)
        })
    }
}
