//! Routing of a mixture of experts (Shazeer 2017): a router's logits become the weights of the
//! experts that a token goes to.

use super::words::{Reader, Word, Writer};
use super::{TensorId, View};
use crate::executor::Run;
use crate::kernels::{self, MOST_EXPERTS, Routing};
use crate::plan::check::{Checker, OpFault};

pub use crate::kernels::{RouteGroups, RouteScoring};

/// Turns each row of logits, in place, into weights: those of the `chosen` experts with the
/// greatest scores, of equal ones the first, and zero for all others.
///
/// [`Experts`](super::Experts) then runs the experts whose weights are not zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Route {
    /// One logit an expert; then one weight an expert.
    pub logits: View,
    /// How logits become scores.
    pub scoring: RouteScoring,
    /// How many experts a token goes to.
    pub chosen: u32,
    /// Whether the chosen scores are divided by their sum.
    pub normalized: bool,
    /// What is added to that sum first; not negative.
    pub epsilon: f32,
    /// Factor on the weights.
    pub scale: f32,
    /// A vector of f32, one value an expert, that is added to scores to choose by, and not to
    /// weights.
    pub bias: Option<TensorId>,
    /// Groups that are chosen first, by the sum of their two greatest scores (with the bias);
    /// experts of the others are not chosen.
    pub groups: Option<RouteGroups>,
}

impl Word for Route {
    fn put(&self, to: &mut Writer) {
        to.put(self.logits).put(self.scoring).put(self.chosen);
        to.put(u32::from(self.normalized))
            .put(self.epsilon)
            .put(self.scale)
            .put(self.bias);
        to.put(self.groups);
    }

    fn get(from: &mut Reader<'_>) -> Option<Route> {
        Some(Route {
            logits: from.get()?,
            scoring: from.get()?,
            chosen: from.get()?,
            normalized: from.get::<u32>().filter(|flag| *flag < 2)? == 1,
            epsilon: from.get()?,
            scale: from.get()?,
            bias: from.get()?,
            groups: from.get()?,
        })
    }
}

impl Word for RouteScoring {
    fn put(&self, to: &mut Writer) {
        to.put(*self as u32);
    }

    fn get(from: &mut Reader<'_>) -> Option<RouteScoring> {
        match from.get::<u32>()? {
            0 => Some(RouteScoring::Softmax),
            1 => Some(RouteScoring::Sigmoid),
            _ => None,
        }
    }
}

/// Absent as zeros.
impl Word for Option<RouteGroups> {
    fn put(&self, to: &mut Writer) {
        let (count, kept) = self.map_or((0, 0), |groups| (groups.count, groups.kept));
        to.put(count).put(kept);
    }

    fn get(from: &mut Reader<'_>) -> Option<Option<RouteGroups>> {
        match (from.get()?, from.get()?) {
            (0, 0) => Some(None),
            (count, kept) => Some(Some(RouteGroups { count, kept })),
        }
    }
}

impl Route {
    pub(super) fn check(&self, checker: &Checker<'_>) -> Result<(), OpFault> {
        checker.writes(self.logits)?;
        let experts = self.logits.width;
        checker.at_most(experts, MOST_EXPERTS as u32)?;
        checker.at_most(1, self.chosen)?;
        checker.at_most(self.chosen, experts)?;
        if let Some(RouteGroups { count, kept }) = self.groups {
            checker.multiple(experts, count)?;
            let size = experts / count;
            checker.at_most(2, size)?;
            checker.at_most(1, kept)?;
            checker.at_most(kept, count)?;
            checker.at_most(self.chosen, kept * size)?;
        }
        match self.bias {
            Some(bias) => checker.equal(checker.vector_len(bias)?, experts),
            None => Ok(()),
        }
    }

    pub(super) fn run(&self, run: &Run<'_>) {
        let routing = Routing {
            scoring: self.scoring,
            groups: self.groups,
            chosen: self.chosen as usize,
            normalized: self.normalized,
            epsilon: self.epsilon,
            scale: self.scale,
            bias: self.bias.map(|id| run.vector(id)),
        };
        run.each_row(run.rows_mut(self.logits), |_, row| {
            kernels::route(run.isa, &routing, row);
        });
    }
}
