//! The sum of two activations. Its lowering puts it into the linear map before it.

use crate::onnx::Node;
use crate::walk::network::RowOp;
use crate::walk::value::{Rows, Value};
use crate::walk::{Outcome, Walk, one};

/// `Add(a, b)`.
pub(crate) fn add(walk: &mut Walk, node: &Node) -> Outcome {
    let (Some(a), Some(b)) = (walk.rows(node, 0).cloned(), walk.rows(node, 1).cloned()) else {
        return Ok(None);
    };
    one(sum(walk, &a, &b).map(Value::Rows))
}

/// Appends the sum of two activations.
pub(crate) fn sum(walk: &mut Walk, a: &Rows, b: &Rows) -> Option<Rows> {
    let (left, right) = (walk.columns(a)?, walk.columns(b)?);
    let same_order = a.layout.packed() == b.layout.packed();
    if !same_order || a.scale != 1.0 || b.scale != 1.0 {
        return None;
    }
    let sum = walk.push(RowOp::Add { a: left, b: right }, left.width);
    Some(sum.with_layout(a.layout.packed()))
}
