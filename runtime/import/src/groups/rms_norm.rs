//! RMSNorm: `x / sqrt(mean(x²) + epsilon) · weight`, over the last axis.
//!
//! Fused as SimplifiedLayerNormalization, RMSNormalization, or with the residual's sum as
//! SkipSimplifiedLayerNormalization; spread out as Pow, ReduceMean, Add, Sqrt, Div (or
//! Reciprocal), Mul, Mul.

use std::rc::Rc;

use super::residual;
use crate::ImportError;
use crate::onnx::{Node, Tensor};
use crate::walk::dim::Dim;
use crate::walk::network::RowOp;
use crate::walk::value::{Rows, Value};
use crate::walk::{Outcome, Walk, one};

/// A step on the way, of the activations that are to be normalized.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    of: Rows,
    step: Step,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    /// `x²`
    Squares,
    /// `mean(x²)`
    Mean,
    /// `mean(x²) + epsilon`
    Shifted { epsilon: f32 },
    /// `sqrt(mean(x²) + epsilon)`
    Root { epsilon: f32 },
    /// `1 / sqrt(mean(x²) + epsilon)`
    Inverse { epsilon: f32 },
    /// `x / sqrt(mean(x²) + epsilon)`
    Normalized { epsilon: f32 },
}

impl Part {
    pub(crate) fn shape(&self) -> Option<Vec<Dim>> {
        let mut shape = self.of.layout.shape()?;
        if !matches!(self.step, Step::Squares | Step::Normalized { .. }) {
            *shape.last_mut()? = Dim::ONE;
        }
        Some(shape)
    }
}

/// The input as a step of a norm.
fn part(walk: &Walk, node: &Node, index: usize) -> Option<Part> {
    match walk.value(node, index)? {
        Value::RmsNorm(part) => Some(part.clone()),
        _ => None,
    }
}

fn step(of: Rows, step: Step) -> Outcome {
    one(Some(Value::RmsNorm(Part { of, step })))
}

/// `SimplifiedLayerNormalization(x, weight)` and `RMSNormalization(x, weight)`.
pub(crate) fn fused(walk: &mut Walk, node: &Node) -> Outcome {
    let Some(rows) = walk.rows(node, 0).cloned() else {
        return Ok(None);
    };
    if !is_plain(node, &rows) {
        return Ok(None);
    }
    let epsilon = node.float("epsilon").unwrap_or(1e-5);
    one(normalize(walk, node, 1, &rows, epsilon).map(Value::Rows))
}

/// Whether a fused norm is over the last axis alone, sums in f32 and hands out nothing but its result.
pub(super) fn is_plain(node: &Node, rows: &Rows) -> bool {
    let last = rows.layout.axis(node.int_or("axis", -1)) == rows.layout.axes.len().checked_sub(1);
    let precise = node.int_or("stash_type", 1) == 1;
    last && precise && !node.has_output(1) && !node.has_output(2)
}

/// `SkipSimplifiedLayerNormalization(x, skip, weight)`: the norm of a sum, and the sum itself.
pub(crate) fn skip(walk: &mut Walk, node: &Node) -> Outcome {
    let (Some(x), Some(skip)) = (walk.rows(node, 0).cloned(), walk.rows(node, 1).cloned()) else {
        return Ok(None);
    };
    // A fourth input would be a bias; the outputs in the middle are for training.
    if node.input(3).is_some() || node.has_output(1) || node.has_output(2) {
        return Ok(None);
    }
    let Some(epsilon) = node.float("epsilon") else {
        return Ok(None);
    };
    let Some(sum) = residual::sum(walk, &x, &skip) else {
        return Ok(None);
    };
    let normal = normalize(walk, node, 2, &sum, epsilon).map(Value::Rows);
    let sum = Value::Rows(sum);
    Ok(normal.map(|normal| vec![normal, sum.clone(), sum.clone(), sum]))
}

/// `x²`, as `Pow(x, 2)` or `Mul(x, x)`.
pub(crate) fn square(walk: &mut Walk, node: &Node) -> Outcome {
    let Some(rows) = walk.rows(node, 0).cloned() else {
        return Ok(None);
    };
    let squared = match node.op.as_str() {
        "Pow" => walk.float(node, 1)? == Some(2.0),
        _ => walk.rows(node, 1) == Some(&rows),
    };
    if squared && rows.scale == 1.0 {
        step(rows, Step::Squares)
    } else {
        Ok(None)
    }
}

/// The activations whose squares an input is.
pub(super) fn squared<'w>(walk: &'w Walk, node: &Node, index: usize) -> Option<&'w Rows> {
    match walk.value(node, index)? {
        Value::RmsNorm(Part {
            of,
            step: Step::Squares,
        }) => Some(of),
        _ => None,
    }
}

/// `ReduceMean(x²)` over the last axis, which stays with size 1.
pub(crate) fn mean(walk: &mut Walk, node: &Node) -> Outcome {
    let Some(Part {
        of,
        step: Step::Squares,
    }) = part(walk, node, 0)
    else {
        return Ok(None);
    };
    match is_over_last(walk, node, &of)? {
        true => step(of, Step::Mean),
        false => Ok(None),
    }
}

/// Whether a reduction is over the last axis of `rows` alone, and keeps it with size 1.
pub(super) fn is_over_last(walk: &Walk, node: &Node, rows: &Rows) -> Result<bool, ImportError> {
    let axes = match node.ints("axes") {
        Some(axes) => Some(axes.to_vec()),
        None => walk.numbers(node, 1)?,
    };
    let last = rows.layout.axes.len().checked_sub(1);
    let over_last = matches!(axes.as_deref(), Some(&[axis]) if rows.layout.axis(axis) == last);
    Ok(over_last && node.int_or("keepdims", 1) == 1)
}

/// `mean + epsilon`.
pub(crate) fn shift(walk: &mut Walk, node: &Node) -> Outcome {
    for (this, other) in [(0, 1), (1, 0)] {
        if let Some(Part {
            of,
            step: Step::Mean,
        }) = part(walk, node, this)
            && let Some(epsilon) = walk.float(node, other)?
        {
            return step(of, Step::Shifted { epsilon });
        }
    }
    Ok(None)
}

/// `sqrt(mean + epsilon)`.
pub(crate) fn root(walk: &mut Walk, node: &Node) -> Outcome {
    match part(walk, node, 0) {
        Some(Part {
            of,
            step: Step::Shifted { epsilon },
        }) => step(of, Step::Root { epsilon }),
        _ => Ok(None),
    }
}

/// `1 / root`, as Reciprocal or Div; or `x / root`.
pub(crate) fn inverse(walk: &mut Walk, node: &Node) -> Outcome {
    let below = usize::from(node.op == "Div");
    let Some(Part {
        of,
        step: Step::Root { epsilon },
    }) = part(walk, node, below)
    else {
        return Ok(None);
    };
    if below == 1 && walk.rows(node, 0) == Some(&of) {
        return step(of, Step::Normalized { epsilon });
    }
    if below == 0 || walk.float(node, 0)? == Some(1.0) {
        return step(of, Step::Inverse { epsilon });
    }
    Ok(None)
}

/// `x · inverse`, then `· weight`.
pub(crate) fn multiply(walk: &mut Walk, node: &Node) -> Outcome {
    for (this, other) in [(0, 1), (1, 0)] {
        match part(walk, node, this) {
            Some(Part {
                of,
                step: Step::Inverse { epsilon },
            }) if walk.rows(node, other) == Some(&of) => {
                return step(of, Step::Normalized { epsilon });
            }
            Some(Part {
                of,
                step: Step::Normalized { epsilon },
            }) => {
                return one(normalize(walk, node, other, &of, epsilon).map(Value::Rows));
            }
            _ => {}
        }
    }
    Ok(None)
}

/// Appends the norm of `rows` with the weight in input `weight`.
pub(super) fn normalize(
    walk: &mut Walk,
    node: &Node,
    weight: usize,
    rows: &Rows,
    epsilon: f32,
) -> Option<Rows> {
    let weight = walk.vector(node, weight)?;
    weigh(walk, rows, weight, epsilon)
}

/// The norm of each head by itself, which are as wide as the weight: `[1, sequence, heads · width]`.
pub(super) fn of_heads(
    walk: &mut Walk,
    rows: &Rows,
    weight: Rc<Tensor>,
    epsilon: f32,
) -> Option<Rows> {
    let heads = [Dim::new(0), Dim::new(0), Dim::new(-1), weight.len().into()];
    let heads = rows.with_layout(rows.layout.reshape(&heads, false)?);
    let normal = weigh(walk, &heads, weight, epsilon)?;
    let joined = [Dim::new(0), Dim::new(0), Dim::new(-1)];
    Some(normal.with_layout(normal.layout.reshape(&joined, false)?))
}

/// Appends the norm of `rows` with this weight.
pub(super) fn weigh(
    walk: &mut Walk,
    rows: &Rows,
    weight: Rc<Tensor>,
    epsilon: f32,
) -> Option<Rows> {
    let rows = &walk.gapless(rows)?;
    let width = rows.layout.shape()?.last()?.size()?;
    let input = walk.columns(rows)?;
    // Groups of columns are normalized one by one, so the last axis has to be innermost.
    let last = rows.layout.axes.last()?;
    let innermost = last[..] == crate::walk::layout::columns(width, 1)[..];
    let sound = innermost && weight.len() == width && epsilon.is_finite() && epsilon >= 0.0;
    if !sound || rows.scale != 1.0 {
        return None;
    }
    let normal = walk.push(
        RowOp::RmsNorm {
            input,
            weight,
            epsilon,
        },
        input.width,
    );
    Some(normal.with_layout(rows.layout.packed()))
}
