//! Arithmetic on known values and on linear grids.

use crate::onnx::Node;
use crate::walk::array::Array;
use crate::walk::dim::Dim;
use crate::walk::value::Value;
use crate::walk::{Outcome, Walk, one};

/// `Add`, `Sub`, `Mul`, `Div` of two tensors of whole numbers.
pub(crate) fn ints(walk: &mut Walk, node: &Node) -> Outcome {
    let (Some(a), Some(b)) = (walk.ints(node, 0)?, walk.ints(node, 1)?) else {
        return Ok(None);
    };
    let result = a.zip(&b, |a, b| match node.op.as_str() {
        "Add" => a.add(*b),
        "Sub" => a.sub(*b),
        "Mul" => a.mul(*b),
        "Div" => b.number().and_then(|b| a.div(b)),
        _ => None,
    });
    one(result.map(Value::Ints))
}

/// `Add`, `Sub`, `Mul`, `Div`, `Pow` of two tensors of known floats.
pub(crate) fn floats(walk: &mut Walk, node: &Node) -> Outcome {
    let (Some(a), Some(b)) = (known(walk, node, 0)?, known(walk, node, 1)?) else {
        return Ok(None);
    };
    let result = a.zip(&b, |&a, &b| match node.op.as_str() {
        "Add" => Some(a + b),
        "Sub" => Some(a - b),
        "Mul" => Some(a * b),
        "Div" => Some(a / b),
        "Pow" => Some(a.powf(b)),
        _ => None,
    });
    one(result.map(Value::Floats))
}

/// Known floats, but no weights of which only the meaning counts.
fn known(walk: &Walk, node: &Node, index: usize) -> Result<Option<Array<f32>>, crate::ImportError> {
    const FEW: usize = 4096;
    match walk.value(node, index) {
        Some(Value::Stored(stored)) if stored.tensor.len() > FEW => Ok(None),
        _ => walk.floats(node, index),
    }
}

/// `Neg`, `Sqrt`, `Reciprocal`, `Cos`, `Sin`, `Exp` of known numbers.
pub(crate) fn unary(walk: &mut Walk, node: &Node) -> Outcome {
    if let (Some(a), "Neg") = (walk.ints(node, 0)?, node.op.as_str()) {
        return one(a.map(|a| Dim::default().sub(*a)).map(Value::Ints));
    }
    let Some(a) = known(walk, node, 0)? else {
        return Ok(None);
    };
    let result = a.map(|&a| match node.op.as_str() {
        "Neg" => Some(-a),
        "Sqrt" => Some(a.sqrt()),
        "Reciprocal" => Some(1.0 / a),
        _ => None,
    });
    one(result.map(Value::Floats))
}

/// `Add`, `Sub`, `Mul`, `Div` of tensors that follow from positions.
pub(crate) fn grids(walk: &mut Walk, node: &Node) -> Outcome {
    let (Some(a), Some(b)) = (walk.grid(node, 0)?, walk.grid(node, 1)?) else {
        return Ok(None);
    };
    let linear = match node.op.as_str() {
        "Add" => a.add(&b, 1),
        "Sub" => a.add(&b, -1),
        "Mul" => a.mul(&b),
        _ => None,
    };
    let result = linear.or_else(|| match node.op.as_str() {
        "Add" => a.combine(&b, |a, b| a + b),
        "Sub" => a.combine(&b, |a, b| a - b),
        "Mul" => a.combine(&b, |a, b| a * b),
        _ => None,
    });
    one(result.map(|grid| Value::Grid(grid).settled()))
}
