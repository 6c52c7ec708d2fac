//! Sinks of attention, spread out: a score for every head beside those of the positions (Expand,
//! Concat), the greatest taken off (ReduceMax, Sub), Softmax, and the sinks' weights left away
//! (Slice).

use super::attention::{Part, part, step};
use crate::onnx::Node;
use crate::walk::dim::Dim;
use crate::walk::value::Value;
use crate::walk::{Outcome, Walk};

/// `Expand(sinks, [1, heads, sequence, 1])`.
pub(crate) fn expand(walk: &mut Walk, node: &Node) -> Outcome {
    let from = walk.value(node, 0).and_then(Value::shape);
    let (Some(shape), Some([Dim::ONE, heads, Dim::ONE, Dim::ONE])) =
        (walk.ints(node, 1)?, from.as_deref())
    else {
        return Ok(None);
    };
    // What is of size 1 there stays as it is.
    let fits = matches!(shape.data[..], [Dim::ONE, of, Dim::SEQUENCE, Dim::ONE] if of == *heads || of == Dim::ONE);
    match walk.floats(node, 0)?.filter(|_| fits) {
        Some(sinks) => step(Part::Sinks(walk.make_vector(&node.name, &sinks.data))),
        None => Ok(None),
    }
}

/// `Concat(masked scores, sinks)`.
pub(crate) fn join(walk: &mut Walk, node: &Node) -> Outcome {
    match (part(walk, node, 0), part(walk, node, 1)) {
        (
            Some(Part::Scores {
                mut scores,
                masked: true,
            }),
            Some(Part::Sinks(sinks)),
        ) if node.inputs.len() == 2
            && matches!(node.int_or("axis", 0), -1 | 3)
            && sinks.len() == scores.heads =>
        {
            scores.sinks = Some(sinks);
            step(Part::Joined(scores))
        }
        _ => Ok(None),
    }
}

/// `ReduceMax(scores)`.
pub(crate) fn greatest(walk: &mut Walk, node: &Node) -> Outcome {
    let axes = match node.ints("axes") {
        Some(axes) => Some(axes.to_vec()),
        None => walk.numbers(node, 1)?,
    };
    match part(walk, node, 0) {
        Some(Part::Joined(scores))
            if matches!(axes.as_deref(), Some([-1 | 3])) && node.int_or("keepdims", 1) == 1 =>
        {
            step(Part::Greatest(scores))
        }
        _ => Ok(None),
    }
}

/// `Sub(scores, greatest)`, which changes nothing of their softmax.
pub(crate) fn subtract(walk: &mut Walk, node: &Node) -> Outcome {
    match (part(walk, node, 0), part(walk, node, 1)) {
        (Some(Part::Joined(scores)), Some(Part::Greatest(same))) if scores == same => {
            step(Part::Joined(scores))
        }
        _ => Ok(None),
    }
}
