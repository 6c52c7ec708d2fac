//! The gate of an MLP: `gate · sigmoid(gate) · up`, as Sigmoid and two Mul, or with a fused
//! activation.

use crate::onnx::Node;
use crate::walk::dim::Dim;
use crate::walk::network::RowOp;
use crate::walk::value::{Rows, Value};
use crate::walk::{Outcome, Walk, one};

/// A step on the way, of the activations that are the gate.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    Sigmoid(Rows),
    /// `x · sigmoid(x)`
    Silu(Rows),
}

impl Part {
    pub(crate) fn shape(&self) -> Option<Vec<Dim>> {
        let (Part::Sigmoid(rows) | Part::Silu(rows)) = self;
        rows.layout.shape()
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

/// `Swish(x)`, `QuickGelu(x)` with `alpha` 1.
pub(crate) fn silu(walk: &mut Walk, node: &Node) -> Outcome {
    let default = if node.op == "QuickGelu" { 1.702 } else { 1.0 };
    let plain = node.float("alpha").unwrap_or(default) == 1.0;
    let rows = walk
        .rows(node, 0)
        .filter(|rows| plain && rows.scale == 1.0)
        .cloned();
    one(rows.map(|rows| Value::Gate(Part::Silu(rows))))
}

/// `x · sigmoid(x)`, then `· up`.
pub(crate) fn multiply(walk: &mut Walk, node: &Node) -> Outcome {
    for (this, other) in [(0, 1), (1, 0)] {
        let Some(rows) = walk.rows(node, other).cloned() else {
            continue;
        };
        match part(walk, node, this) {
            Some(Part::Sigmoid(of)) if of == rows => {
                return one(Some(Value::Gate(Part::Silu(of))));
            }
            Some(Part::Silu(gate)) => return one(gated(walk, &gate, &rows).map(Value::Rows)),
            _ => {}
        }
    }
    Ok(None)
}

fn gated(walk: &mut Walk, gate: &Rows, up: &Rows) -> Option<Rows> {
    let layout = gate.layout.packed();
    let (left, right) = (walk.columns(gate)?, walk.columns(up)?);
    if layout != up.layout.packed() || up.scale != 1.0 {
        return None;
    }
    let product = walk.push(
        RowOp::SiluMul {
            gate: left,
            up: right,
        },
        left.width,
    );
    Some(product.with_layout(layout))
}
