//! Linear maps: MatMul with a weight, Gemm, and the dynamic quantizer's DynamicQuantizeLinear,
//! MatMulInteger, Cast, Mul, Mul; each with or without an Add for bias.

use std::rc::Rc;

use super::gated_mlp;
use crate::ImportError;
use crate::onnx::{DType, Node, Tensor};
use crate::walk::dim::Dim;
use crate::walk::network::RowOp;
use crate::walk::value::{Rows, Stored, Value};
use crate::walk::{Outcome, Walk, is_flat, one};
use crate::weights::{FloatMatrix, Int8Matrix, Matrix, PerRow, Table};

/// A step on the way of a dynamically quantized product.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    /// The activations as integers.
    Values(Rows),
    /// What the integers are to be multiplied by.
    Scale(Rows),
    /// Which integer stands for zero.
    ZeroPoint(Rows),
    /// The product of integers, zero points taken off.
    Product {
        of: Rows,
        weight: Stored,
        zero_point: Vec<u8>,
    },
    /// The activations' scale times the weight's.
    Factor { of: Rows, scale: Vec<f32> },
}

impl Part {
    pub(crate) fn shape(&self) -> Option<Vec<Dim>> {
        match self {
            Part::Values(rows) => rows.layout.shape(),
            Part::Product { of, weight, .. } => {
                let mut shape = of.layout.shape()?;
                *shape.last_mut()? = Dim::from(*weight.shape.last()?);
                Some(shape)
            }
            Part::Scale(_) | Part::ZeroPoint(_) | Part::Factor { .. } => None,
        }
    }
}

fn part(walk: &Walk, node: &Node, index: usize) -> Option<Part> {
    match walk.value(node, index)? {
        Value::Product(part) => Some(part.clone()),
        _ => None,
    }
}

/// `MatMul(x, weight)`.
pub(crate) fn matmul(walk: &mut Walk, node: &Node) -> Outcome {
    let Some(weight) = weight(walk, node, 1, false) else {
        return Ok(None);
    };
    let Some(x) = gated_mlp::settled(walk, node, 0) else {
        return Ok(None);
    };
    one(map(walk, &x, weight, None).map(Value::Rows))
}

/// `Gemm(x, weight, bias)`.
pub(crate) fn gemm(walk: &mut Walk, node: &Node) -> Outcome {
    let Some(weight) = weight(walk, node, 1, node.int_or("transB", 0) != 0) else {
        return Ok(None);
    };
    let Some(x) = gated_mlp::settled(walk, node, 0) else {
        return Ok(None);
    };
    let plain = node.int_or("transA", 0) == 0
        && node.float("alpha").unwrap_or(1.0) == 1.0
        && (node.input(2).is_none() || node.float("beta").unwrap_or(1.0) == 1.0);
    let bias = node.input(2).map(|_| 2);
    if !plain {
        return Ok(None);
    }
    one(map(walk, &x, weight, bias.map(|index| (node, index))).map(Value::Rows))
}

/// `Add(x, bias)` after a linear map without one.
pub(crate) fn bias(walk: &mut Walk, node: &Node) -> Outcome {
    for (this, other) in [(0, 1), (1, 0)] {
        let Some(rows) = walk.rows(node, this).cloned() else {
            continue;
        };
        if !matches!(walk.network.row(rows.of).op, RowOp::Linear { .. }) {
            continue;
        }
        let Some(vector) = walk.vector(node, other) else {
            continue;
        };
        if let Some(biased) = biased(walk, &rows, vector) {
            return one(Some(Value::Rows(biased)));
        }
    }
    Ok(None)
}

/// The results of a linear map without a bias, with this one.
pub(super) fn biased(walk: &mut Walk, rows: &Rows, vector: Rc<Tensor>) -> Option<Rows> {
    let row = walk.network.row(rows.of).clone();
    let RowOp::Linear {
        input,
        weights,
        bias,
        residual,
    } = row.op
    else {
        return None;
    };
    let whole = *rows == Rows::whole(rows.of, row.width);
    if !whole || !bias.is_empty() || vector.len() != row.width {
        return None;
    }
    let op = RowOp::Linear {
        input,
        weights,
        bias: vec![vector],
        residual,
    };
    Some(walk.push(op, row.width))
}

/// `DynamicQuantizeLinear(x)`.
pub(crate) fn quantize(walk: &mut Walk, node: &Node) -> Outcome {
    let Some(x) = gated_mlp::settled(walk, node, 0) else {
        return Ok(None);
    };
    let parts = [
        Part::Values(x.clone()),
        Part::Scale(x.clone()),
        Part::ZeroPoint(x),
    ];
    Ok(Some(parts.map(Value::Product).to_vec()))
}

/// `MatMulInteger(x, weight, x's zero point, weight's zero point)`.
pub(crate) fn matmul_integer(walk: &mut Walk, node: &Node) -> Outcome {
    let (Some(Part::Values(of)), Some(Part::ZeroPoint(zero))) =
        (part(walk, node, 0), part(walk, node, 2))
    else {
        return Ok(None);
    };
    let Some(weight) = walk.stored(node, 1).cloned() else {
        return Ok(None);
    };
    let zero_point = zero_points(walk, node, 3, weight.tensor.dtype)?;
    one(zero_point.filter(|_| zero == of).map(|zero_point| {
        Value::Product(Part::Product {
            of,
            weight,
            zero_point,
        })
    }))
}

/// `Mul(x's scale, weight's scale)`, then `Mul(product, factor)`.
pub(crate) fn rescale(walk: &mut Walk, node: &Node) -> Outcome {
    for (this, other) in [(0, 1), (1, 0)] {
        match (part(walk, node, this), part(walk, node, other)) {
            (Some(Part::Scale(of)), None) => {
                // One scale, or one for each output along the last axis.
                let scale = walk
                    .floats(node, other)?
                    .filter(|scale| is_flat(&scale.shape));
                return one(scale.map(|scale| {
                    Value::Product(Part::Factor {
                        of,
                        scale: scale.data,
                    })
                }));
            }
            (
                Some(Part::Product {
                    of,
                    weight,
                    zero_point,
                }),
                Some(Part::Factor { of: x, scale }),
            ) if of == x => {
                let matrix = int8(&weight, true, scale, zero_point).map(Matrix::Int8);
                let mapped = matrix.and_then(|matrix| map(walk, &of, matrix, None));
                return one(mapped.map(Value::Rows));
            }
            _ => {}
        }
    }
    Ok(None)
}

/// A matrix of integers with scales and zero points in two of the node's inputs.
pub(crate) fn int8_matrix(
    walk: &Walk,
    node: &Node,
    values: &Stored,
    transposed: bool,
    scale: usize,
    zero_point: usize,
) -> Result<Option<Int8Matrix>, ImportError> {
    let Some(scale) = walk.floats(node, scale)? else {
        return Ok(None);
    };
    let zero = zero_points(walk, node, zero_point, values.tensor.dtype)?;
    Ok(zero.and_then(|zero| int8(values, transposed, scale.data, zero)))
}

/// Zero points as unsigned values; 0 where the input is left out.
pub(super) fn zero_points(
    walk: &Walk,
    node: &Node,
    index: usize,
    dtype: DType,
) -> Result<Option<Vec<u8>>, ImportError> {
    let up = match dtype {
        DType::U8 | DType::U4 => 0,
        DType::I8 | DType::I4 => 128,
        _ => return Ok(None),
    };
    if node.input(index).is_none() {
        return Ok(Some(vec![up as u8]));
    }
    let zeros = walk.numbers(node, index)?;
    Ok(zeros.and_then(|zeros| {
        zeros
            .iter()
            .map(|zero| u8::try_from(zero.checked_add(up)?).ok())
            .collect()
    }))
}

/// `transposed` where the stored order is `[inputs, outputs]`.
pub(super) fn int8(
    values: &Stored,
    transposed: bool,
    scale: Vec<f32>,
    zero_point: Vec<u8>,
) -> Option<Int8Matrix> {
    let [first, second] = values.shape[..] else {
        return None;
    };
    let (rows, cols) = if transposed {
        (second, first)
    } else {
        (first, second)
    };
    if !scale.iter().all(|scale| scale.is_finite()) || rows == 0 || cols == 0 {
        return None;
    }
    let scale = PerRow::new(scale, rows)?;
    let zero_point = PerRow::new(zero_point, rows)?;
    Some(Int8Matrix {
        values: Table {
            tensor: values.tensor.clone(),
            rows,
            cols,
            transposed: transposed != values.transposed,
        },
        scale,
        zero_point,
    })
}

/// A weight in an input of the node: floats, or what DequantizeLinear makes of integers;
/// `by_output` where the graph has it as `[outputs, inputs]`.
pub(super) fn weight(walk: &Walk, node: &Node, index: usize, by_output: bool) -> Option<Matrix> {
    match walk.value(node, index)? {
        Value::Stored(stored) => float_matrix(stored, by_output),
        Value::Scaled(scaled) => scaled.matrix(by_output),
        _ => None,
    }
}

/// A float weight; `by_output` where the graph has it as `[outputs, inputs]`.
pub(super) fn float_matrix(weight: &Stored, by_output: bool) -> Option<Matrix> {
    let [first, second] = weight.shape[..] else {
        return None;
    };
    let (rows, cols) = if by_output {
        (first, second)
    } else {
        (second, first)
    };
    if !weight.tensor.dtype.is_float() || rows == 0 || cols == 0 {
        return None;
    }
    Some(Matrix::Float(FloatMatrix::Stored(Table {
        tensor: weight.tensor.clone(),
        rows,
        cols,
        transposed: by_output == weight.transposed,
    })))
}

/// Appends a linear map.
pub(super) fn map(
    walk: &mut Walk,
    x: &Rows,
    weight: Matrix,
    bias: Option<(&Node, usize)>,
) -> Option<Rows> {
    let input = walk.columns(x)?;
    let rows = weight.rows();
    let bias = match bias {
        None => vec![],
        Some((node, index)) => vec![walk.vector(node, index).filter(|v| v.len() == rows)?],
    };
    if !x.layout.is_rows() || x.scale != 1.0 || weight.cols() != input.width {
        return None;
    }
    let mut layout = x.layout.packed();
    *layout.axes.last_mut()? = crate::walk::layout::columns(rows, 1);
    let op = RowOp::Linear {
        input,
        weights: vec![weight],
        bias,
        residual: None,
    };
    Some(walk.push(op, rows).with_layout(layout))
}
