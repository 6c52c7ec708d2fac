//! Holds what is generated to what the model's answers may look like, where its plan says so.

use std::fmt;
use std::sync::Arc;

use tealight_core::constraint::{Constraint, State};
use tealight_core::plan::Plan;

use crate::TokenId;
use crate::bytes::Bytes;

/// A plan with a constraint.
#[derive(Clone)]
pub(crate) struct Answers(Arc<Plan<Bytes>>);

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Answers").finish_non_exhaustive()
    }
}

impl Answers {
    pub(crate) fn of_plan(plan: &Arc<Plan<Bytes>>) -> Option<Answers> {
        plan.constraint().map(|_| Answers(Arc::clone(plan)))
    }

    /// At the beginning of an answer.
    pub(crate) fn constraint(&self) -> Constraint<'_> {
        // It was there when this was made, and a plan does not change.
        self.0.constraint().expect("the plan has a constraint")
    }
}

/// How far an answer has come.
#[derive(Clone, Debug)]
pub(crate) struct Course {
    answers: Answers,
    state: State,
}

impl Course {
    pub(crate) fn new(answers: &Answers) -> Course {
        Course {
            state: answers.constraint().state(),
            answers: answers.clone(),
        }
    }

    fn constraint(&self) -> Constraint<'_> {
        self.answers.constraint().at(self.state)
    }

    /// Rules out what may not follow; whether anything may.
    pub(crate) fn mask(&self, ends: &[TokenId], logits: &mut [f32]) -> bool {
        self.constraint().mask(ends, logits) > 0
    }

    /// Goes on with a token, unless it ends the answer.
    pub(crate) fn follow(&mut self, token: TokenId) {
        let mut constraint = self.constraint();
        constraint.accept(token);
        self.state = constraint.state();
    }

    /// Whether the answer may end here.
    pub(crate) fn is_whole(&self) -> bool {
        self.constraint().is_whole()
    }
}
