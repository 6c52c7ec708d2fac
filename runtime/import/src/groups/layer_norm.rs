//! LayerNorm: `(x − mean) / sqrt(mean((x − mean)²) + epsilon) · weight + bias`, over the last axis.
//!
//! Fused as LayerNormalization; spread out as ReduceMean, Sub, Pow, ReduceMean, Add, Sqrt, Div, Mul,
//! Add.

use std::rc::Rc;

use super::rms_norm;
use crate::onnx::{Node, Tensor};
use crate::walk::dim::Dim;
use crate::walk::layout::columns;
use crate::walk::network::RowOp;
use crate::walk::value::{Rows, Value};
use crate::walk::{Outcome, Walk, one};

/// A step on the way, of the activations that are to be normalized.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    of: Rows,
    step: Step,
}

#[derive(Clone, Debug)]
enum Step {
    /// `mean(x)`
    Mean,
    /// `x − mean(x)`
    Centred,
    /// `(x − mean(x))²`
    Squares,
    /// The mean of those.
    Variance,
    /// That and epsilon.
    Shifted { epsilon: f32 },
    /// The root of that.
    Root { epsilon: f32 },
    /// `(x − mean(x)) / root`
    Normalized { epsilon: f32 },
    /// That times the weight.
    Weighed { epsilon: f32, weight: Rc<Tensor> },
}

impl Part {
    pub(crate) fn shape(&self) -> Option<Vec<Dim>> {
        let mut shape = self.of.layout.shape()?;
        if matches!(
            self.step,
            Step::Mean | Step::Variance | Step::Shifted { .. } | Step::Root { .. }
        ) {
            *shape.last_mut()? = Dim::ONE;
        }
        Some(shape)
    }
}

/// The input as a step of a norm.
fn part(walk: &Walk, node: &Node, index: usize) -> Option<Part> {
    match walk.value(node, index)? {
        Value::LayerNorm(part) => Some(part.clone()),
        _ => None,
    }
}

fn step(of: Rows, step: Step) -> Outcome {
    one(Some(Value::LayerNorm(Part { of, step })))
}

/// `LayerNormalization(x, weight, bias)`.
pub(crate) fn fused(walk: &mut Walk, node: &Node) -> Outcome {
    let Some(rows) = walk.rows(node, 0).cloned() else {
        return Ok(None);
    };
    if !rms_norm::is_plain(node, &rows) {
        return Ok(None);
    }
    let epsilon = node.float("epsilon").unwrap_or(1e-5);
    let Some(weight) = walk.vector(node, 1) else {
        return Ok(None);
    };
    let bias = match node.input(2) {
        Some(_) => walk.vector(node, 2),
        None => Some(walk.make_vector(&node.name, &vec![0.0; weight.len()])),
    };
    one(bias.and_then(|bias| normalize(walk, &rows, epsilon, weight, bias).map(Value::Rows)))
}

/// `ReduceMean` over the last axis, which stays with size 1: of `x`, or of the squares.
pub(crate) fn mean(walk: &mut Walk, node: &Node) -> Outcome {
    let (of, next) = match (walk.rows(node, 0), part(walk, node, 0)) {
        (Some(rows), _) if rows.scale == 1.0 => (rows.clone(), Step::Mean),
        (
            _,
            Some(Part {
                of,
                step: Step::Squares,
            }),
        ) => (of, Step::Variance),
        _ => return Ok(None),
    };
    match rms_norm::is_over_last(walk, node, &of)? {
        true => step(of, next),
        false => Ok(None),
    }
}

/// `x − mean(x)`.
pub(crate) fn centre(walk: &mut Walk, node: &Node) -> Outcome {
    match part(walk, node, 1) {
        Some(Part {
            of,
            step: Step::Mean,
        }) if walk.rows(node, 0) == Some(&of) => step(of, Step::Centred),
        _ => Ok(None),
    }
}

/// `(x − mean(x))²`, as `Pow(…, 2)` or `Mul` with itself.
pub(crate) fn square(walk: &mut Walk, node: &Node) -> Outcome {
    let Some(Part {
        of,
        step: Step::Centred,
    }) = part(walk, node, 0)
    else {
        return Ok(None);
    };
    let squared = match node.op.as_str() {
        "Pow" => walk.float(node, 1)? == Some(2.0),
        _ => {
            matches!(part(walk, node, 1), Some(Part { of: other, step: Step::Centred }) if other == of)
        }
    };
    if squared {
        step(of, Step::Squares)
    } else {
        Ok(None)
    }
}

/// `variance + epsilon`; and `… · weight + bias`, which is the whole.
pub(crate) fn add(walk: &mut Walk, node: &Node) -> Outcome {
    for (this, other) in [(0, 1), (1, 0)] {
        match part(walk, node, this) {
            Some(Part {
                of,
                step: Step::Variance,
            }) => {
                if let Some(epsilon) = walk.float(node, other)? {
                    return step(of, Step::Shifted { epsilon });
                }
            }
            Some(Part {
                of,
                step: Step::Weighed { epsilon, weight },
            }) => {
                let bias = walk.vector(node, other);
                return one(bias.and_then(|bias| {
                    normalize(walk, &of, epsilon, weight, bias).map(Value::Rows)
                }));
            }
            _ => {}
        }
    }
    Ok(None)
}

/// `sqrt(variance + epsilon)`.
pub(crate) fn root(walk: &mut Walk, node: &Node) -> Outcome {
    match part(walk, node, 0) {
        Some(Part {
            of,
            step: Step::Shifted { epsilon },
        }) => step(of, Step::Root { epsilon }),
        _ => Ok(None),
    }
}

/// `(x − mean(x)) / root`.
pub(crate) fn divide(walk: &mut Walk, node: &Node) -> Outcome {
    match (part(walk, node, 0), part(walk, node, 1)) {
        (
            Some(Part {
                of,
                step: Step::Centred,
            }),
            Some(Part {
                of: other,
                step: Step::Root { epsilon },
            }),
        ) if of == other => step(of, Step::Normalized { epsilon }),
        _ => Ok(None),
    }
}

/// `… · weight`.
pub(crate) fn weigh(walk: &mut Walk, node: &Node) -> Outcome {
    for (this, other) in [(0, 1), (1, 0)] {
        if let Some(Part {
            of,
            step: Step::Normalized { epsilon },
        }) = part(walk, node, this)
        {
            let Some(weight) = walk.vector(node, other) else {
                return Ok(None);
            };
            return step(of, Step::Weighed { epsilon, weight });
        }
    }
    Ok(None)
}

/// Appends the norm of `rows`, of which each row is normalized whole.
fn normalize(
    walk: &mut Walk,
    rows: &Rows,
    epsilon: f32,
    weight: Rc<Tensor>,
    bias: Rc<Tensor>,
) -> Option<Rows> {
    let input = walk.columns(rows)?;
    let width = input.width;
    let last = rows.layout.axes.last()?;
    let whole = last[..] == columns(width, 1)[..];
    let sound = whole && weight.len() == width && bias.len() == width;
    if !sound || rows.scale != 1.0 || !epsilon.is_finite() || epsilon < 0.0 {
        return None;
    }
    let op = RowOp::LayerNorm {
        input,
        weight,
        bias,
        epsilon,
    };
    Some(walk.push(op, width).with_layout(rows.layout.packed()))
}
