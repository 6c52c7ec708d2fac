//! Constrained decoding: every answer is a word of a regular language.
//!
//! A plan may hold a deterministic finite automaton over bytes. A [`Constraint`] follows an
//! answer through it and rules out, before a token is chosen, those after which no answer can
//! be whole (Willard & Louf 2023, "Efficient Guided Generation for Large Language Models").
//! What is said is then always part of a whole answer, and ends only where one ends.
//!
//! Nothing allocates, and the automaton is read where it lies.

mod automaton;
pub(crate) mod check;

pub use automaton::{Automaton, AutomatonRecord, State, StateRecord, TransitionRecord};

use crate::tokenizer::{TokenId, Tokenizer};

/// An answer on its way through a plan's automaton.
#[derive(Clone, Copy, Debug)]
pub struct Constraint<'a> {
    automaton: Automaton<'a>,
    tokenizer: Tokenizer<'a>,
    state: State,
}

impl<'a> Constraint<'a> {
    /// At the beginning of an answer. [`crate::plan::Plan::constraint`] makes one.
    pub(crate) fn new(automaton: Automaton<'a>, tokenizer: Tokenizer<'a>) -> Constraint<'a> {
        Constraint {
            automaton,
            tokenizer,
            state: Automaton::START,
        }
    }

    /// The same constraint where `state` was reached.
    pub fn at(self, state: State) -> Constraint<'a> {
        Constraint { state, ..self }
    }

    /// What has been reached.
    pub fn state(&self) -> State {
        self.state
    }

    /// Sets the logits of all tokens that may not follow to −∞; returns how many may. `ends` are
    /// the tokens that end an answer, which may follow where one is whole.
    pub fn mask(&self, ends: &[TokenId], logits: &mut [f32]) -> usize {
        let whole = self.is_whole();
        let mut allowed = 0;
        for (id, logit) in (0..).zip(logits) {
            let may_follow = if ends.contains(&id) {
                whole
            } else {
                self.after(id).is_some()
            };
            if may_follow {
                allowed += 1;
            } else {
                *logit = f32::NEG_INFINITY;
            }
        }
        allowed
    }

    /// Goes on with a token; whether it may follow. If not, nothing changes.
    pub fn accept(&mut self, token: TokenId) -> bool {
        match self.after(token) {
            Some(state) => {
                self.state = state;
                true
            }
            None => false,
        }
    }

    /// Whether the answer may end here.
    pub fn is_whole(&self) -> bool {
        self.automaton.accepts(self.state)
    }

    /// The state after a token that says something.
    fn after(&self, token: TokenId) -> Option<State> {
        let bytes = self.tokenizer.token_bytes(token)?;
        let state = self.automaton.walk(self.state, bytes)?;
        // Last, because it takes longest.
        (!self.tokenizer.is_special(token)).then_some(state)
    }
}
