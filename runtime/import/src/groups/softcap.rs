//! Soft capping of activations: `cap · tanh(x / cap)`, as Div, Tanh and Mul.

use crate::onnx::Node;
use crate::walk::network::RowOp;
use crate::walk::value::{Rows, Value};
use crate::walk::{Outcome, Walk, one};

/// `Tanh(x / cap)`, the quotient lying in the scale of the activations.
pub(crate) fn bend(walk: &mut Walk, node: &Node) -> Outcome {
    let rows = walk.rows(node, 0).filter(|rows| rows.scale > 0.0).cloned();
    one(rows.map(Value::Bent))
}

/// `Mul(tanh(x / cap), cap)`.
pub(crate) fn cap(walk: &mut Walk, node: &Node) -> Outcome {
    for (this, other) in [(0, 1), (1, 0)] {
        let Some(Value::Bent(rows)) = walk.value(node, this).cloned() else {
            continue;
        };
        let Some(cap) = walk.float(node, other)?.filter(|cap| *cap > 0.0) else {
            continue;
        };
        // What was divided has to be what is multiplied, but for the rounding of the quotient.
        if (rows.scale * cap - 1.0).abs() > 1e-6 {
            continue;
        }
        return one(capped(walk, &rows, cap).map(Value::Rows));
    }
    Ok(None)
}

fn capped(walk: &mut Walk, rows: &Rows, cap: f32) -> Option<Rows> {
    let input = walk.columns(rows)?;
    let capped = walk.push(RowOp::Softcap { input, cap }, input.width);
    Some(capped.with_layout(rows.layout.packed()))
}
