//! The gate of an MLP, `activation(gate) · up`, and activations without one.
//!
//! SiLU, `x · sigmoid(x)`, comes as Sigmoid and Mul or as one operator; GELU as one, or as
//! `0.5 · x · (1 + erf(x / √2))`, and with tanh as
//! `0.5 · x · (1 + tanh(√(2/π) · (x + 0.044715 · x³)))`, with their factors in any order.

use tealight_core::ops::Activation;

use super::{rms_norm, rotary};
use crate::onnx::Node;
use crate::walk::dim::Dim;
use crate::walk::network::RowOp;
use crate::walk::value::{Rows, Value};
use crate::walk::{Outcome, Walk, one};

/// A step on the way, of the activations that are the gate.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    Sigmoid(Rows),
    /// `exp(−x)`, and 1 more, on the way to a sigmoid.
    Exponential(Rows),
    Denominator(Rows),
    /// `linear · x + cubic · x³`
    Polynomial {
        of: Rows,
        linear: f32,
        cubic: f32,
    },
    /// `offset + factor · tanh(√(2/π) · (x + 0.044715 · x³))`, or of `erf(x / √2)`, 0 or the factor
    /// being the offset.
    Curve {
        of: Rows,
        activation: Activation,
        factor: f32,
        shifted: bool,
    },
    /// `factor · activation(x)`
    Activated {
        of: Rows,
        activation: Activation,
        factor: f32,
    },
}

/// `√(2/π)`, and 0.044715 times that.
const GELU: (f32, f32) = (0.797_884_6, 0.035_677_41);

/// Equal but for the rounding of a few products.
fn near(a: f32, b: f32) -> bool {
    (a - b).abs() <= 1e-5 * b.abs()
}

impl Part {
    pub(crate) fn shape(&self) -> Option<Vec<Dim>> {
        let (Part::Sigmoid(of)
        | Part::Exponential(of)
        | Part::Denominator(of)
        | Part::Polynomial { of, .. }
        | Part::Curve { of, .. }
        | Part::Activated { of, .. }) = self;
        of.layout.shape()
    }
}

fn part(walk: &Walk, node: &Node, index: usize) -> Option<Part> {
    match walk.value(node, index)? {
        Value::Gate(part) => Some(part.clone()),
        _ => None,
    }
}

/// `Sigmoid(x)`.
pub(crate) fn sigmoid(walk: &mut Walk, node: &Node) -> Outcome {
    let rows = walk.rows(node, 0).filter(|rows| rows.scale == 1.0).cloned();
    one(rows.map(|rows| Value::Gate(Part::Sigmoid(rows))))
}

/// `Exp(−x)`.
pub(crate) fn exponential(walk: &mut Walk, node: &Node) -> Outcome {
    let negated = rotary::negated(walk, node, 0).filter(|rows| rows.scale == 1.0);
    one(negated.map(|rows| Value::Gate(Part::Exponential(rows))))
}

/// `Reciprocal(1 + exp(−x))`.
pub(crate) fn reciprocal(walk: &mut Walk, node: &Node) -> Outcome {
    match part(walk, node, 0) {
        Some(Part::Denominator(rows)) => one(Some(Value::Gate(Part::Sigmoid(rows)))),
        _ => Ok(None),
    }
}

/// `Swish(x)`, `QuickGelu(x)` with `alpha` 1.
pub(crate) fn silu(walk: &mut Walk, node: &Node) -> Outcome {
    let default = if node.op == "QuickGelu" { 1.702 } else { 1.0 };
    let plain = node.float("alpha").unwrap_or(default) == 1.0;
    let rows = walk
        .rows(node, 0)
        .filter(|rows| plain && rows.scale == 1.0)
        .cloned();
    one(rows.map(|rows| activated(rows, Activation::Silu)))
}

fn activated(of: Rows, activation: Activation) -> Value {
    Value::Gate(Part::Activated {
        of,
        activation,
        factor: 1.0,
    })
}

/// `Gelu(x)`, and FastGelu without a bias.
pub(crate) fn gelu(walk: &mut Walk, node: &Node) -> Outcome {
    let activation = match (node.op.as_str(), node.text("approximate").unwrap_or("none")) {
        ("FastGelu", _) | (_, "tanh") => Activation::GeluTanh,
        (_, "none") => Activation::Gelu,
        _ => return Ok(None),
    };
    let plain = node.input(1).is_none();
    let rows = walk
        .rows(node, 0)
        .filter(|rows| plain && rows.scale == 1.0)
        .cloned();
    one(rows.map(|rows| activated(rows, activation)))
}

/// `Pow(x, 3)`.
pub(crate) fn cube(walk: &mut Walk, node: &Node) -> Outcome {
    let rows = walk.rows(node, 0).filter(|rows| rows.scale == 1.0).cloned();
    match (rows, walk.float(node, 1)?) {
        (Some(of), Some(3.0)) => one(Some(cubed(of))),
        _ => Ok(None),
    }
}

fn cubed(of: Rows) -> Value {
    Value::Gate(Part::Polynomial {
        of,
        linear: 0.0,
        cubic: 1.0,
    })
}

/// `x + cubic · x³`, `1 + tanh(…)` and `1 + exp(−x)`.
pub(crate) fn add(walk: &mut Walk, node: &Node) -> Outcome {
    for (this, other) in [(0, 1), (1, 0)] {
        match part(walk, node, this) {
            Some(Part::Polynomial { of, linear, cubic }) if walk.rows(node, other) == Some(&of) => {
                let linear = linear + 1.0;
                return one(Some(Value::Gate(Part::Polynomial { of, linear, cubic })));
            }
            Some(Part::Exponential(of)) if walk.float(node, other)? == Some(1.0) => {
                return one(Some(Value::Gate(Part::Denominator(of))));
            }
            Some(Part::Curve {
                of,
                activation,
                factor,
                shifted: false,
            }) if walk.float(node, other)? == Some(factor) => {
                let shifted = true;
                return one(Some(Value::Gate(Part::Curve {
                    of,
                    activation,
                    factor,
                    shifted,
                })));
            }
            _ => {}
        }
    }
    Ok(None)
}

/// `tanh(linear · x + cubic · x³)`, where that is GELU's.
pub(crate) fn tanh(walk: &mut Walk, node: &Node) -> Outcome {
    match part(walk, node, 0) {
        Some(Part::Polynomial { of, linear, cubic })
            if near(linear, GELU.0) && near(cubic, GELU.1) =>
        {
            one(Some(curve(of, Activation::GeluTanh)))
        }
        _ => Ok(None),
    }
}

/// `erf(x / √2)`.
pub(crate) fn erf(walk: &mut Walk, node: &Node) -> Outcome {
    let rows = walk.rows(node, 0);
    let halved = rows.filter(|rows| near(rows.scale, std::f32::consts::FRAC_1_SQRT_2));
    let of = halved.map(|rows| Rows {
        scale: 1.0,
        ..rows.clone()
    });
    one(of.map(|of| curve(of, Activation::Gelu)))
}

fn curve(of: Rows, activation: Activation) -> Value {
    Value::Gate(Part::Curve {
        of,
        activation,
        factor: 1.0,
        shifted: false,
    })
}

/// Each step times a number.
pub(crate) fn scale(walk: &mut Walk, node: &Node) -> Outcome {
    for (this, other) in [(0, 1), (1, 0)] {
        let (Some(part), Some(by)) = (part(walk, node, this), walk.float(node, other)?) else {
            continue;
        };
        let scaled = match part {
            Part::Sigmoid(_) | Part::Exponential(_) | Part::Denominator(_) => return Ok(None),
            Part::Polynomial { of, linear, cubic } => Part::Polynomial {
                of,
                linear: linear * by,
                cubic: cubic * by,
            },
            Part::Curve {
                of,
                activation,
                factor,
                shifted,
            } => Part::Curve {
                of,
                activation,
                factor: factor * by,
                shifted,
            },
            Part::Activated {
                of,
                activation,
                factor,
            } => Part::Activated {
                of,
                activation,
                factor: factor * by,
            },
        };
        return one(Some(Value::Gate(scaled)));
    }
    Ok(None)
}

/// `x² · x`; `x · sigmoid(x)` or `x · (1 + tanh(…))`, then `· up`.
pub(crate) fn multiply(walk: &mut Walk, node: &Node) -> Outcome {
    for (this, other) in [(0, 1), (1, 0)] {
        let Some(rows) = walk.rows(node, other).cloned() else {
            continue;
        };
        match part(walk, node, this) {
            Some(Part::Sigmoid(of)) if of == rows => {
                return one(Some(activated(of, Activation::Silu)));
            }
            // A gate of something else that is as wide.
            Some(Part::Sigmoid(of)) => {
                if let Some(rows) = gated(walk, Activation::Sigmoid, &of, &rows) {
                    return one(Some(Value::Rows(rows)));
                }
            }
            // A half of the product may lie on the activations already.
            Some(Part::Curve {
                of,
                activation,
                factor,
                shifted: true,
            }) if (Rows {
                scale: 1.0,
                ..rows.clone()
            }) == of =>
            {
                return one(Some(Value::Gate(Part::Activated {
                    of,
                    activation,
                    factor: 2.0 * factor * rows.scale,
                })));
            }
            Some(Part::Activated {
                of,
                activation,
                factor: 1.0,
            }) => return one(gated(walk, activation, &of, &rows).map(Value::Rows)),
            None if rms_norm::squared(walk, node, this) == Some(&rows) && rows.scale == 1.0 => {
                return one(Some(cubed(rows)));
            }
            _ => {}
        }
    }
    Ok(None)
}

/// Activations to go on with; those that went through a curve without a gate are so from here on.
pub(super) fn settled(walk: &mut Walk, node: &Node, index: usize) -> Option<Rows> {
    let (of, activation) = match walk.value(node, index)? {
        Value::Rows(rows) => return Some(rows.clone()),
        Value::Gate(Part::Activated {
            of,
            activation,
            factor: 1.0,
        }) => (of.clone(), *activation),
        _ => return None,
    };
    let rows = activate(walk, &of, activation)?;
    walk.replace(node, index, Value::Rows(rows.clone()));
    Some(rows)
}

/// Appends a curve that activations go through.
pub(super) fn activate(walk: &mut Walk, of: &Rows, activation: Activation) -> Option<Rows> {
    let input = walk.columns(of).filter(|_| of.scale == 1.0)?;
    let op = RowOp::Activate { activation, input };
    Some(walk.push(op, input.width).with_layout(of.layout.packed()))
}

/// Appends `activation(gate) · up`.
pub(super) fn gated(
    walk: &mut Walk,
    activation: Activation,
    gate: &Rows,
    up: &Rows,
) -> Option<Rows> {
    if gate.layout.shape()? != up.layout.shape()? || gate.scale != 1.0 || up.scale != 1.0 {
        return None;
    }
    let right = walk.columns(up)?;
    let gate = walk.gapless(gate)?;
    let left = walk.columns(&gate)?;
    let layout = gate.layout.packed();
    if layout != up.layout.packed() {
        return None;
    }
    let product = walk.push(
        RowOp::Gate {
            activation,
            gate: left,
            up: right,
        },
        left.width,
    );
    Some(product.with_layout(layout))
}
