//! Groups of experts in a router: of each group the two greatest scores are added, the groups with
//! the greatest sums are kept, and experts of the others get less than any score.
//!
//! Reshape of the scores to groups; TopK of two; ReduceSum; TopK; ScatterElements of ones into
//! zeros; that mask widened to experts by Unsqueeze, Expand and Reshape; Cast and Not; Where.

use tealight_core::ops::RouteGroups;

use super::route::{Part, Scores, greatest, is_last, part, step};

use crate::onnx::Node;
use crate::walk::dim::Dim;
use crate::walk::layout::{axis_index, complete_shape};
use crate::walk::value::Value;
use crate::walk::{Outcome, Walk};

/// A step on the way.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Grouped {
    of: Scores,
    /// How many groups.
    count: usize,
    step: Step,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    /// The scores as `[sequence, groups, experts of a group]`.
    Each,
    /// The two greatest of each group.
    Two,
    /// Their sum.
    Sum,
    /// Which groups have the greatest sums.
    Places { kept: usize },
    /// One for what is kept and zero for what is not, or the other way round.
    Mask { kept: usize, form: Form, not: bool },
}

/// The shape of a mask.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    /// `[sequence, groups]`
    Groups,
    /// `[sequence, groups, 1]`
    Column,
    /// `[sequence, groups, experts of a group]`
    Spread,
    /// `[sequence, experts]`
    Experts,
}

impl Grouped {
    pub(crate) fn shape(&self) -> Option<Vec<Dim>> {
        let whole = self.of.logits.layout.shape()?;
        let (sequence, experts) = match whole[..] {
            [sequence, experts] => (sequence, experts.size()?),
            _ => return None,
        };
        let (count, size) = (Dim::from(self.count), Dim::from(experts / self.count));
        Some(match self.step {
            Step::Each => vec![sequence, count, size],
            Step::Two => vec![sequence, count, Dim::from(2)],
            Step::Sum => vec![sequence, count],
            Step::Places { kept } => vec![sequence, Dim::from(kept)],
            Step::Mask { form, .. } => match form {
                Form::Groups => vec![sequence, count],
                Form::Column => vec![sequence, count, Dim::ONE],
                Form::Spread => vec![sequence, count, size],
                Form::Experts => whole,
            },
        })
    }

    fn at(&self, step: Step) -> Grouped {
        Grouped {
            step,
            ..self.clone()
        }
    }

    /// The same mask in another form.
    fn formed(&self, to: Form) -> Option<Grouped> {
        match self.step {
            Step::Mask { kept, not, .. } => Some(self.at(Step::Mask {
                kept,
                form: to,
                not,
            })),
            _ => None,
        }
    }

    fn form(&self) -> Option<Form> {
        match self.step {
            Step::Mask { form, .. } => Some(form),
            _ => None,
        }
    }
}

fn grouped(walk: &Walk, node: &Node, index: usize) -> Option<Grouped> {
    match part(walk, node, index)? {
        Part::Grouped(grouped) => Some(grouped),
        _ => None,
    }
}

fn stepped(grouped: Option<Grouped>) -> Outcome {
    match grouped {
        Some(grouped) => step(Part::Grouped(grouped)),
        None => Ok(None),
    }
}

/// `Reshape(scores, [-1, groups, size])`, and of a mask back to experts.
pub(crate) fn reshape(walk: &mut Walk, node: &Node) -> Outcome {
    let (Some(from), Some(wanted)) = (part(walk, node, 0), walk.ints(node, 1)?) else {
        return Ok(None);
    };
    let allow_zero = node.int_or("allowzero", 0) != 0;
    let Some(old) = from.shape() else {
        return Ok(None);
    };
    let Some(new) = complete_shape(&old, &wanted.data, allow_zero) else {
        return Ok(None);
    };
    match from {
        Part::Scores(of) if of.groups.is_none() => {
            let (Some(experts), &[_, count, size]) = (of.experts(), &new[..]) else {
                return Ok(None);
            };
            let (Some(count), Some(size)) = (count.size(), size.size()) else {
                return Ok(None);
            };
            let fits =
                old.len() == 2 && new[0] == old[0] && count.checked_mul(size) == Some(experts);
            stepped((fits && size >= 2).then_some(Grouped {
                of,
                count,
                step: Step::Each,
            }))
        }
        Part::Grouped(mask) => {
            let to = match mask.form() {
                Some(Form::Groups) => Form::Column,
                Some(Form::Spread) => Form::Experts,
                _ => return Ok(None),
            };
            let formed = mask.formed(to);
            stepped(formed.filter(|formed| formed.shape() == Some(new)))
        }
        _ => Ok(None),
    }
}

/// `TopK(groups, 2)` and `TopK(sums, k)`.
pub(crate) fn choose(walk: &mut Walk, node: &Node) -> Outcome {
    let Some(from) = grouped(walk, node, 0) else {
        return Ok(None);
    };
    let chosen = greatest(walk, node, &Part::Grouped(from.clone()))?;
    match (from.step, chosen) {
        (Step::Each, Some(2)) => stepped(Some(from.at(Step::Two))),
        (Step::Sum, Some(kept)) if kept <= from.count => {
            let places = Part::Grouped(from.at(Step::Places { kept }));
            // The sums themselves are of no use.
            Ok(Some(vec![Value::Indices(vec![]), Value::Route(places)]))
        }
        _ => Ok(None),
    }
}

/// `ReduceSum(two greatest)`.
pub(crate) fn sum(walk: &mut Walk, node: &Node) -> Outcome {
    let Some(from) = grouped(walk, node, 0).filter(|from| from.step == Step::Two) else {
        return Ok(None);
    };
    let axes = match node.ints("axes") {
        Some(axes) => Some(axes.to_vec()),
        None => walk.numbers(node, 1)?,
    };
    let whole = Part::Grouped(from.clone());
    let along = matches!(axes.as_deref(), Some(&[axis]) if is_last(&whole, axis));
    stepped((along && node.int_or("keepdims", 1) == 0).then(|| from.at(Step::Sum)))
}

/// `ScatterElements(zeros, places, ones)`.
pub(crate) fn mark(walk: &mut Walk, node: &Node) -> Outcome {
    let Some(places) = grouped(walk, node, 1) else {
        return Ok(None);
    };
    let Step::Places { kept } = places.step else {
        return Ok(None);
    };
    let mask = places.at(Step::Mask {
        kept,
        form: Form::Groups,
        not: false,
    });
    let filled = |grid: Option<crate::walk::grid::Grid>, with, shape: Option<Vec<Dim>>| {
        grid.is_some_and(|grid| grid.fill() == Some(with) && Some(grid.shape) == shape)
    };
    let replaces = matches!(node.text("reduction"), None | Some("none"));
    let along = is_last(&Part::Grouped(mask.clone()), node.int_or("axis", 0));
    let fits = replaces
        && along
        && filled(walk.grid(node, 0)?, 0.0, mask.shape())
        && filled(walk.grid(node, 2)?, 1.0, places.shape());
    stepped(fits.then_some(mask))
}

/// `Unsqueeze(mask)` behind the groups.
pub(crate) fn unsqueeze(walk: &mut Walk, node: &Node) -> Outcome {
    let Some(mask) = grouped(walk, node, 0).filter(|mask| mask.form() == Some(Form::Groups)) else {
        return Ok(None);
    };
    let axes = match node.ints("axes") {
        Some(axes) => Some(axes.to_vec()),
        None => walk.numbers(node, 1)?,
    };
    let behind = matches!(axes.as_deref(), Some(&[axis]) if axis_index(axis, 3) == Some(2));
    stepped(mask.formed(Form::Column).filter(|_| behind))
}

/// `Expand(mask)` over the experts of each group.
pub(crate) fn expand(walk: &mut Walk, node: &Node) -> Outcome {
    let (Some(mask), Some(wanted)) = (grouped(walk, node, 0), walk.ints(node, 1)?) else {
        return Ok(None);
    };
    let spread = mask.formed(Form::Spread);
    let column = mask.form() == Some(Form::Column);
    let Some(shape) = spread.as_ref().and_then(Grouped::shape) else {
        return Ok(None);
    };
    // Sizes of 1 keep what is there.
    let mut pairs = wanted.data.iter().zip(&shape).enumerate();
    let fits = wanted.data.len() == shape.len()
        && pairs.all(|(at, (wanted, is))| wanted == is || (at < 2 && *wanted == Dim::ONE));
    stepped(spread.filter(|_| column && fits))
}

/// `Cast(mask)`: of ones and zeros nothing else becomes.
pub(crate) fn cast(walk: &mut Walk, node: &Node) -> Outcome {
    stepped(grouped(walk, node, 0).filter(|mask| mask.form().is_some()))
}

/// `Not(mask)`.
pub(crate) fn not(walk: &mut Walk, node: &Node) -> Outcome {
    stepped(grouped(walk, node, 0).and_then(|mask| match mask.step {
        Step::Mask { kept, form, not } => Some(mask.at(Step::Mask {
            kept,
            form,
            not: !not,
        })),
        _ => None,
    }))
}

/// `Where(left, -infinity, scores)`, `Where(kept, scores, -infinity)`.
pub(crate) fn select(walk: &mut Walk, node: &Node) -> Outcome {
    let Some(mask) = grouped(walk, node, 0) else {
        return Ok(None);
    };
    let Step::Mask {
        kept,
        form: Form::Experts,
        not,
    } = mask.step
    else {
        return Ok(None);
    };
    let (scores, least) = if not { (2, 1) } else { (1, 2) };
    let (Some(Part::Scores(of)), Some(f32::NEG_INFINITY)) =
        (part(walk, node, scores), walk.float(node, least)?)
    else {
        return Ok(None);
    };
    let (Ok(count), Ok(kept)) = (u32::try_from(mask.count), u32::try_from(kept)) else {
        return Ok(None);
    };
    if of != mask.of {
        return Ok(None);
    }
    let groups = Some(RouteGroups { count, kept });
    step(Part::Scores(Scores { groups, ..of }))
}
