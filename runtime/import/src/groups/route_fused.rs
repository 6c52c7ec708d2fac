//! Routers whose choice goes into a fused mixture, which takes a softmax of its own over the greatest.
//!
//! The builder feeds one whose scores are sigmoids with their logarithms: Clip, Log and
//! ScatterElements into numbers far below any. Softmax makes each of them its part of the chosen
//! ones' sum again. What the sum leaves to be divided by is a factor on the mixture's result:
//! ReduceSum, Add, Div, Mul by a number, Reshape, Mul.

use super::route::{self, Choice, is_last, step};
use crate::onnx::Node;
use crate::walk::dim::Dim;
use crate::walk::layout::complete_shape;
use crate::walk::network::RowOp;
use crate::walk::value::{Rows, Value};
use crate::walk::{Outcome, Walk, one};

/// A step on the way.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    /// Logits that TopK chose, of which Softmax makes the parts of the chosen scores' sum.
    Logits(Choice),
    /// The chosen scores, none of them zero.
    Clipped(Choice),
    /// Their logarithms.
    Logs(Choice),
    /// Those among all experts, the others far below.
    Among(Choice),
    /// `scale · sum / (sum + epsilon)`, one a token.
    Fraction {
        choice: Choice,
        epsilon: f32,
        scale: f32,
        shape: Vec<Dim>,
    },
}

/// The least that scores are raised to, at most: below any that counts.
const RAISED: f32 = 1e-20;
/// Of logits at most this, softmax leaves nothing beside the logarithm of a score.
const FAR_BELOW: f64 = -1e3;

impl Part {
    pub(crate) fn shape(&self) -> Option<Vec<Dim>> {
        match self {
            Part::Logits(choice) | Part::Clipped(choice) | Part::Logs(choice) => {
                route::Part::Chosen(choice.clone()).shape()
            }
            Part::Among(choice) => choice.of.logits.layout.shape(),
            Part::Fraction { shape, .. } => Some(shape.clone()),
        }
    }
}

fn part(walk: &Walk, node: &Node, index: usize) -> Option<Part> {
    match route::part(walk, node, index)? {
        route::Part::Fused(part) => Some(part),
        _ => None,
    }
}

fn stepped(part: Part) -> Outcome {
    step(route::Part::Fused(part))
}

/// `Softmax(chosen logits)`.
pub(crate) fn softmax(walk: &mut Walk, node: &Node) -> Outcome {
    let logits = part(walk, node, 0);
    match (
        logits,
        node.int("axis").or((walk.opset >= 13).then_some(-1)),
    ) {
        (Some(Part::Logits(choice)), Some(axis)) => {
            let chosen = Choice {
                normalized: true,
                ..choice
            };
            let chosen = route::Part::Chosen(chosen);
            match is_last(&chosen, axis) {
                true => step(chosen),
                false => Ok(None),
            }
        }
        _ => Ok(None),
    }
}

/// `Clip(chosen scores, tiny)`.
pub(crate) fn clip(walk: &mut Walk, node: &Node) -> Outcome {
    let least = walk.float(node, 1)?;
    match route::part(walk, node, 0) {
        Some(route::Part::Chosen(choice))
            if is_plain(&choice)
                && least.is_some_and(|least| least > 0.0 && least <= RAISED)
                && node.input(2).is_none() =>
        {
            stepped(Part::Clipped(choice))
        }
        _ => Ok(None),
    }
}

/// Whether these are the scores themselves.
fn is_plain(choice: &Choice) -> bool {
    !choice.normalized && choice.scale == 1.0
}

/// `Log(scores)`.
pub(crate) fn log(walk: &mut Walk, node: &Node) -> Outcome {
    match part(walk, node, 0) {
        Some(Part::Clipped(choice)) => stepped(Part::Logs(choice)),
        _ => Ok(None),
    }
}

/// `ScatterElements(far below, places, logarithms)`.
pub(crate) fn scatter(walk: &mut Walk, node: &Node) -> Outcome {
    let Some(Part::Logs(choice)) = part(walk, node, 2) else {
        return Ok(None);
    };
    let far = walk
        .grid(node, 0)?
        .filter(|grid| grid.fill().is_some_and(|fill| fill <= FAR_BELOW));
    let fits = route::spreads(node, route::part(walk, node, 1), &choice)
        && far.is_some_and(|far| Some(far.shape) == choice.of.logits.layout.shape());
    match fits {
        true => stepped(Part::Among(choice)),
        false => Ok(None),
    }
}

/// `Div(sum, sum + epsilon)`.
pub(crate) fn fraction(walk: &mut Walk, node: &Node) -> Outcome {
    let (Some(sum @ route::Part::Total(..)), Some(more)) =
        (route::part(walk, node, 0), route::part(walk, node, 1))
    else {
        return Ok(None);
    };
    match (sum.shape(), sum, more) {
        (Some(shape), route::Part::Total(choice, 0.0), route::Part::Total(same, epsilon))
            if choice == same && is_plain(&choice) =>
        {
            stepped(Part::Fraction {
                choice,
                epsilon,
                scale: 1.0,
                shape,
            })
        }
        _ => Ok(None),
    }
}

/// `Mul(fraction, number)`.
pub(crate) fn scale(walk: &mut Walk, node: &Node) -> Outcome {
    for (this, other) in [(0, 1), (1, 0)] {
        if let (
            Some(Part::Fraction {
                choice,
                epsilon,
                scale,
                shape,
            }),
            Some(by),
        ) = (part(walk, node, this), walk.float(node, other)?)
        {
            let scale = scale * by;
            return stepped(Part::Fraction {
                choice,
                epsilon,
                scale,
                shape,
            });
        }
    }
    Ok(None)
}

/// `Reshape(fraction, [1, -1, 1])`.
pub(crate) fn reshape(walk: &mut Walk, node: &Node) -> Outcome {
    let (
        Some(Part::Fraction {
            choice,
            epsilon,
            scale,
            shape,
        }),
        Some(wanted),
    ) = (part(walk, node, 0), walk.ints(node, 1)?)
    else {
        return Ok(None);
    };
    let allow_zero = node.int_or("allowzero", 0) != 0;
    match complete_shape(&shape, &wanted.data, allow_zero) {
        Some(shape) => stepped(Part::Fraction {
            choice,
            epsilon,
            scale,
            shape,
        }),
        None => Ok(None),
    }
}

/// `Mul(mixture, fraction)`: the mixture again, with its weights divided by what is left.
pub(crate) fn rescale(walk: &mut Walk, node: &Node) -> Outcome {
    for (this, other) in [(0, 1), (1, 0)] {
        if let (
            Some(rows),
            Some(Part::Fraction {
                choice,
                epsilon,
                scale,
                shape,
            }),
        ) = (walk.rows(node, this).cloned(), part(walk, node, other))
            && broadcasts(&rows, &shape)
            && let Some(rows) = divided(walk, &rows, choice, epsilon, scale)
        {
            return one(Some(Value::Rows(rows)));
        }
    }
    Ok(None)
}

/// Whether there is one number for each of the rows.
fn broadcasts(rows: &Rows, shape: &[Dim]) -> bool {
    let Some(mut of_rows) = rows.layout.shape() else {
        return false;
    };
    if let Some(last) = of_rows.last_mut() {
        *last = Dim::ONE;
    }
    of_rows == shape && rows.layout.is_rows() && rows.scale == 1.0
}

fn divided(walk: &mut Walk, rows: &Rows, choice: Choice, epsilon: f32, scale: f32) -> Option<Rows> {
    let whole = walk.columns(rows)? == walk.network.whole(rows.of);
    let row = walk.network.row(rows.of).clone();
    let RowOp::Experts { weights, .. } = &row.op else {
        return None;
    };
    let RowOp::Route {
        input,
        scoring,
        chosen,
        normalized: true,
        epsilon: 0.0,
        scale: 1.0,
        bias,
        groups,
    } = &walk.network.row(weights.of).op
    else {
        return None;
    };
    let of = &choice.of;
    let same = Some(*input) == walk.columns(&of.logits)
        && (scoring, chosen, bias, groups) == (&of.scoring, &choice.chosen, &of.bias, &of.groups);
    if !whole || !same {
        return None;
    }
    let normalized = true;
    let again = Choice {
        normalized,
        epsilon,
        scale,
        ..choice
    };
    let routed = route::weights(walk, &again)?;
    let (mut op, by) = (row.op, walk.columns(&routed)?);
    if let RowOp::Experts { weights, .. } = &mut op {
        *weights = by;
    }
    Some(walk.push(op, row.width).with_layout(rows.layout.clone()))
}
