//! The router of a mixture of experts: from its logits to one weight an expert, zero for those
//! that are not chosen.
//!
//! Softmax, or Sigmoid and an Add of a bias to choose by; what leaves all groups of experts but
//! some (`route_groups.rs`); TopK, and GatherElements where it chose by other numbers than the
//! scores; of the chosen scores, ReduceSum and Div where they are normalized, and Mul by a number;
//! ScatterElements into zeros. Fused mixtures choose by themselves (`route_fused.rs`).

use std::rc::Rc;

use tealight_core::ops::{RouteGroups, RouteScoring};

use super::gated_mlp;
use super::route_fused;
use super::route_groups::Grouped;
use crate::ImportError;
use crate::onnx::{Node, Tensor};
use crate::walk::dim::Dim;
use crate::walk::layout::axis_index;
use crate::walk::network::RowOp;
use crate::walk::value::{Rows, Value};
use crate::walk::{Outcome, Walk, one};

/// A step on the way.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    /// Scores of all experts, a bias added or not.
    Scores(Scores),
    /// On the way to scores of some groups.
    Grouped(Grouped),
    /// What TopK says: the scores that it chose, and where they stand.
    Chosen(Choice),
    Places(Choice),
    /// The sum of the chosen scores, and a number.
    Total(Choice, f32),
    /// On the way into a fused mixture.
    Fused(route_fused::Part),
}

/// Scores of all experts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scores {
    pub(super) logits: Rows,
    pub(super) scoring: RouteScoring,
    pub(super) bias: Option<Rc<Tensor>>,
    /// Experts of other groups have less than any score.
    pub(super) groups: Option<RouteGroups>,
}

impl Scores {
    /// How many experts there are.
    pub(super) fn experts(&self) -> Option<usize> {
        self.logits.layout.shape()?.last()?.size()
    }
}

/// Scores of some, and what became of them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Choice {
    pub(super) of: Scores,
    pub(super) chosen: usize,
    pub(super) normalized: bool,
    /// What is added to the sum then.
    pub(super) epsilon: f32,
    pub(super) scale: f32,
}

impl Choice {
    /// The same experts, whatever became of their scores.
    fn is_of(&self, other: &Choice) -> bool {
        self.of == other.of && self.chosen == other.chosen
    }
}

impl Part {
    pub(crate) fn shape(&self) -> Option<Vec<Dim>> {
        let (of, last) = match self {
            Part::Scores(of) => return of.logits.layout.shape(),
            Part::Grouped(grouped) => return grouped.shape(),
            Part::Fused(part) => return part.shape(),
            Part::Chosen(choice) | Part::Places(choice) => (&choice.of, choice.chosen),
            Part::Total(choice, _) => (&choice.of, 1),
        };
        let mut shape = of.logits.layout.shape()?;
        *shape.last_mut()? = Dim::from(last);
        Some(shape)
    }
}

/// The most that is added to a sum against a division by zero.
const TINY: f32 = 1e-5;

pub(super) fn part(walk: &Walk, node: &Node, index: usize) -> Option<Part> {
    match walk.value(node, index)? {
        Value::Route(part) => Some(part.clone()),
        // What else a sigmoid may be for.
        Value::Gate(gated_mlp::Part::Sigmoid(logits)) => {
            scores(logits.clone(), RouteScoring::Sigmoid).map(Part::Scores)
        }
        _ => None,
    }
}

pub(super) fn step(part: Part) -> Outcome {
    one(Some(Value::Route(part)))
}

/// Whether an axis is the last one of this part.
pub(super) fn is_last(part: &Part, axis: i64) -> bool {
    let rank = part.shape().map_or(0, |shape| shape.len());
    axis_index(axis, rank).is_some_and(|axis| axis + 1 == rank)
}

/// `Softmax(logits)`.
pub(crate) fn score(walk: &mut Walk, node: &Node) -> Outcome {
    let logits = walk.rows(node, 0).cloned();
    let Some(scores) = logits
        .and_then(|logits| scores(logits, RouteScoring::Softmax))
        .map(Part::Scores)
    else {
        return Ok(None);
    };
    // Before version 13 the axis was another one where none was named.
    let axis = node.int("axis").or((walk.opset >= 13).then_some(-1));
    match axis.is_some_and(|axis| is_last(&scores, axis)) {
        true => step(scores),
        false => Ok(None),
    }
}

/// Scores of logits, for which there is one an expert.
pub(super) fn scores(logits: Rows, scoring: RouteScoring) -> Option<Scores> {
    let whole = logits.layout.is_rows() && logits.scale == 1.0;
    whole.then_some(Scores {
        logits,
        scoring,
        bias: None,
        groups: None,
    })
}

/// `Add(scores, bias)`: what is chosen by.
pub(crate) fn bias(walk: &mut Walk, node: &Node) -> Outcome {
    for (this, other) in [(0, 1), (1, 0)] {
        if let Some(Part::Scores(of)) = part(walk, node, this)
            && let Some(bias) = walk.vector(node, other)
            && of.bias.is_none()
            && of.groups.is_none()
            && of.experts() == Some(bias.len())
        {
            let bias = Some(bias);
            return step(Part::Scores(Scores { bias, ..of }));
        }
    }
    Ok(None)
}

/// How many of the greatest along the last axis of a part TopK takes.
pub(super) fn greatest(walk: &Walk, node: &Node, of: &Part) -> Result<Option<usize>, ImportError> {
    let greatest = node.int_or("largest", 1) == 1 && is_last(of, node.int_or("axis", -1));
    let count = walk.numbers(node, 1)?.filter(|_| greatest);
    Ok(match count.as_deref() {
        Some(&[count]) => usize::try_from(count).ok().filter(|count| *count > 0),
        _ => None,
    })
}

/// `TopK(scores, k)`.
pub(crate) fn choose(walk: &mut Walk, node: &Node) -> Outcome {
    // The greatest logits have the greatest scores.
    let of_logits = walk.rows(node, 0).cloned();
    let of_logits = of_logits.and_then(|logits| scores(logits, RouteScoring::Softmax));
    let is_logits = of_logits.is_some();
    let scored = of_logits.map(Part::Scores).or_else(|| part(walk, node, 0));
    let Some(part @ Part::Scores(_)) = scored else {
        return Ok(None);
    };
    let chosen = greatest(walk, node, &part)?;
    let (Part::Scores(of), Some(chosen)) = (part, chosen) else {
        return Ok(None);
    };
    let choice = Choice {
        of,
        chosen,
        normalized: false,
        epsilon: 0.0,
        scale: 1.0,
    };
    // With a bias the numbers that it chose by are not the scores.
    let numbers = match choice.of.bias {
        None if is_logits => Value::Route(Part::Fused(route_fused::Part::Logits(choice.clone()))),
        None => Value::Route(Part::Chosen(choice.clone())),
        Some(_) => Value::Indices(vec![]),
    };
    Ok(Some(vec![numbers, Value::Route(Part::Places(choice))]))
}

/// `GatherElements(scores, places)`: the scores themselves, whatever they were chosen by.
pub(crate) fn scores_of(walk: &mut Walk, node: &Node) -> Outcome {
    let (Some(scores @ Part::Scores(_)), Some(Part::Places(choice))) =
        (part(walk, node, 0), part(walk, node, 1))
    else {
        return Ok(None);
    };
    let plain = Part::Scores(Scores {
        bias: None,
        groups: None,
        ..choice.of.clone()
    });
    let along = is_last(&scores, node.int_or("axis", 0));
    match (scores, plain) {
        (Part::Scores(scores), Part::Scores(plain)) if along && scores == plain => {
            step(Part::Chosen(choice))
        }
        _ => Ok(None),
    }
}

/// `ReduceSum(chosen scores)`.
pub(crate) fn total(walk: &mut Walk, node: &Node) -> Outcome {
    let axes = match node.ints("axes") {
        Some(axes) => Some(axes.to_vec()),
        None => walk.numbers(node, 1)?,
    };
    match (part(walk, node, 0), axes.as_deref()) {
        (Some(part @ Part::Chosen(_)), Some(&[axis]))
            if is_last(&part, axis) && node.int_or("keepdims", 1) == 1 =>
        {
            let Part::Chosen(choice) = part else {
                return Ok(None);
            };
            step(Part::Total(choice, 0.0))
        }
        _ => Ok(None),
    }
}

/// `Add(sum, tiny)`, against a division by zero.
pub(crate) fn add(walk: &mut Walk, node: &Node) -> Outcome {
    for (this, other) in [(0, 1), (1, 0)] {
        if let (Some(Part::Total(choice, 0.0)), Some(by)) =
            (part(walk, node, this), walk.float(node, other)?)
            && (0.0..=TINY).contains(&by)
        {
            return step(Part::Total(choice, by));
        }
    }
    Ok(None)
}

/// `Div(chosen scores, their sum)`.
pub(crate) fn normalize(walk: &mut Walk, node: &Node) -> Outcome {
    match (part(walk, node, 0), part(walk, node, 1)) {
        (Some(Part::Chosen(choice)), Some(Part::Total(total, epsilon)))
            if choice == total && !choice.normalized && choice.scale == 1.0 =>
        {
            step(Part::Chosen(Choice {
                normalized: true,
                epsilon,
                ..choice
            }))
        }
        _ => Ok(None),
    }
}

/// `Mul(chosen scores, number)`.
pub(crate) fn scale(walk: &mut Walk, node: &Node) -> Outcome {
    for (this, other) in [(0, 1), (1, 0)] {
        if let (Some(Part::Chosen(choice)), Some(by)) =
            (part(walk, node, this), walk.float(node, other)?)
        {
            let scale = choice.scale * by;
            return step(Part::Chosen(Choice { scale, ..choice }));
        }
    }
    Ok(None)
}

/// `ScatterElements(zeros, places, chosen scores)`: the experts' weights, as activations.
pub(crate) fn scatter(walk: &mut Walk, node: &Node) -> Outcome {
    let Some(Part::Chosen(choice)) = part(walk, node, 2) else {
        return Ok(None);
    };
    let zeros = walk
        .grid(node, 0)?
        .filter(|zeros| zeros.fill() == Some(0.0));
    let shape = choice.of.logits.layout.shape();
    let around = zeros.is_some_and(|zeros| Some(zeros.shape) == shape);
    if !(around && spreads(node, part(walk, node, 1), &choice)) {
        return Ok(None);
    }
    one(weights(walk, &choice).map(Value::Rows))
}

/// Whether a ScatterElements puts what was chosen where it was chosen.
pub(super) fn spreads(node: &Node, places: Option<Part>, choice: &Choice) -> bool {
    let replaces = matches!(node.text("reduction"), None | Some("none"));
    let along = |places: &Part| is_last(places, node.int_or("axis", 0));
    match places {
        Some(places) if along(&places) => {
            replaces && matches!(&places, Part::Places(at) if at.is_of(choice))
        }
        _ => false,
    }
}

/// Appends the routing.
pub(super) fn weights(walk: &mut Walk, choice: &Choice) -> Option<Rows> {
    let logits = &choice.of.logits;
    let input = walk.columns(logits)?;
    let op = RowOp::Route {
        input,
        scoring: choice.of.scoring,
        chosen: choice.chosen,
        normalized: choice.normalized,
        epsilon: choice.epsilon,
        scale: choice.scale,
        bias: choice.of.bias.clone(),
        groups: choice.of.groups,
    };
    // All experts, or those of the groups that are kept.
    let free = match choice.of.groups {
        None => input.width,
        Some(groups) => input.width / groups.count as usize * groups.kept as usize,
    };
    let fits = choice.chosen <= free;
    fits.then(|| {
        walk.push(op, input.width)
            .with_layout(logits.layout.packed())
    })
}
