//! The router of a mixture of experts: from its logits to one weight an expert, zero for those
//! that are not chosen.
//!
//! Softmax, or Sigmoid and an Add of a bias to choose by; TopK; of the chosen scores, ReduceSum
//! and Div where they are normalized, and Mul by a number; ScatterElements into zeros.

use std::rc::Rc;

use tealight_core::ops::RouteScoring;

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
    /// What TopK says: the scores that it chose, and where they stand.
    Chosen(Choice),
    Places(Choice),
    /// The sum of the chosen scores.
    Total(Choice),
}

/// Scores of all experts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scores {
    logits: Rows,
    scoring: RouteScoring,
    bias: Option<Rc<Tensor>>,
}

/// Scores of some, and what became of them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Choice {
    of: Scores,
    chosen: usize,
    normalized: bool,
    scale: f32,
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
            Part::Chosen(choice) | Part::Places(choice) => (&choice.of, choice.chosen),
            Part::Total(choice) => (&choice.of, 1),
        };
        let mut shape = of.logits.layout.shape()?;
        *shape.last_mut()? = Dim::from(last);
        Some(shape)
    }
}

/// More than any sum that a small number is added to could notice.
const TINY: f32 = 1e-12;

fn part(walk: &Walk, node: &Node, index: usize) -> Option<Part> {
    match walk.value(node, index)? {
        Value::Route(part) => Some(part.clone()),
        _ => None,
    }
}

fn step(part: Part) -> Outcome {
    one(Some(Value::Route(part)))
}

/// Whether an axis is the last one of this part.
fn is_last(part: &Part, axis: i64) -> bool {
    let rank = part.shape().map_or(0, |shape| shape.len());
    axis_index(axis, rank).is_some_and(|axis| axis + 1 == rank)
}

/// `Softmax(logits)`, `Sigmoid(logits)`, for which there is one logit an expert.
pub(crate) fn score(walk: &mut Walk, node: &Node) -> Outcome {
    let whole = |rows: &&Rows| rows.layout.is_rows() && rows.scale == 1.0;
    let Some(logits) = walk.rows(node, 0).filter(whole).cloned() else {
        return Ok(None);
    };
    let scoring = match node.op.as_str() {
        "Softmax" => RouteScoring::Softmax,
        _ => RouteScoring::Sigmoid,
    };
    let bias = None;
    let part = Part::Scores(Scores {
        logits,
        scoring,
        bias,
    });
    // Before version 13 the axis was another one where none was named.
    let axis = node.int("axis").or((walk.opset >= 13).then_some(-1));
    let along = scoring == RouteScoring::Sigmoid || axis.is_some_and(|axis| is_last(&part, axis));
    if along { step(part) } else { Ok(None) }
}

/// `TopK(scores, k)`.
pub(crate) fn choose(walk: &mut Walk, node: &Node) -> Outcome {
    let Some(part @ Part::Scores(_)) = part(walk, node, 0) else {
        return Ok(None);
    };
    let greatest = node.int_or("largest", 1) == 1 && is_last(&part, node.int_or("axis", -1));
    let chosen = walk.numbers(node, 1)?;
    let (Part::Scores(of), Some(&[chosen]), true) = (part, chosen.as_deref(), greatest) else {
        return Ok(None);
    };
    let Some(chosen) = usize::try_from(chosen).ok().filter(|chosen| *chosen > 0) else {
        return Ok(None);
    };
    let choice = Choice {
        of,
        chosen,
        normalized: false,
        scale: 1.0,
    };
    let parts = [Part::Chosen(choice.clone()), Part::Places(choice)];
    Ok(Some(parts.map(Value::Route).to_vec()))
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
            step(Part::Total(choice))
        }
        _ => Ok(None),
    }
}

/// `Add(sum, tiny)`, against a division by zero.
pub(crate) fn add(walk: &mut Walk, node: &Node) -> Outcome {
    for (this, other) in [(0, 1), (1, 0)] {
        if let (Some(part @ Part::Total(_)), Some(by)) =
            (part(walk, node, this), walk.float(node, other)?)
            && (0.0..=TINY).contains(&by)
        {
            return step(part);
        }
    }
    Ok(None)
}

/// `Div(chosen scores, their sum)`.
pub(crate) fn normalize(walk: &mut Walk, node: &Node) -> Outcome {
    match (part(walk, node, 0), part(walk, node, 1)) {
        (Some(Part::Chosen(choice)), Some(Part::Total(total)))
            if choice == total && !choice.normalized && choice.scale == 1.0 =>
        {
            step(Part::Chosen(Choice {
                normalized: true,
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
    let (Some(places @ Part::Places(_)), Some(Part::Chosen(choice))) =
        (part(walk, node, 1), part(walk, node, 2))
    else {
        return Ok(None);
    };
    let replaces = matches!(node.text("reduction"), None | Some("none"));
    let along = is_last(&places, node.int_or("axis", 0));
    let zeros = walk
        .grid(node, 0)?
        .filter(|zeros| zeros.fill() == Some(0.0));
    let shape = choice.of.logits.layout.shape();
    let around = zeros.is_some_and(|zeros| Some(zeros.shape) == shape);
    let same = matches!(&places, Part::Places(at) if at.is_of(&choice));
    if !(replaces && along && around && same) {
        return Ok(None);
    }
    one(weights(walk, &choice).map(Value::Rows))
}

/// Appends the routing.
fn weights(walk: &mut Walk, choice: &Choice) -> Option<Rows> {
    let logits = &choice.of.logits;
    let input = walk.columns(logits)?;
    let op = RowOp::Route {
        input,
        scoring: choice.of.scoring,
        chosen: choice.chosen,
        normalized: choice.normalized,
        scale: choice.scale,
        bias: choice.of.bias.clone(),
    };
    let fits = choice.chosen <= input.width;
    fits.then(|| {
        walk.push(op, input.width)
            .with_layout(logits.layout.packed())
    })
}
