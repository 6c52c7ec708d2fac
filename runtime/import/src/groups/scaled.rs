//! Tensors that a graph stores as integers, or rounds to integers on its way: DequantizeLinear of a
//! weight, and QuantizeLinear before DequantizeLinear or QLinearMatMul.
//!
//! Activations that a graph rounds with scales of its own, found when it was calibrated, are not rounded
//! there: a plan rounds what goes into its products to int8 in blocks, each with its own scale, which
//! is finer.

use super::{linear, linear_blocks};
use crate::onnx::{DType, Node};
use crate::walk::layout::axis_index;
use crate::walk::value::{Stored, Value};
use crate::walk::{Outcome, Walk, one};
use crate::weights::{BlockMatrix, Matrix, Table, ZeroPoints};

/// A stored tensor of integers and what its values are.
#[derive(Clone, Debug)]
pub(crate) struct Scaled {
    pub(crate) values: Stored,
    scaling: Scaling,
}

#[derive(Clone, Debug)]
enum Scaling {
    /// One scale for all, or one for each place on an axis of the stored order.
    Axis {
        axis: usize,
        scale: Vec<f32>,
        zero_point: Vec<u8>,
    },
    /// Blocks along an axis of the stored order; scales and zero points in that order as well.
    Blocks {
        axis: usize,
        block: usize,
        scales: Stored,
        zero_points: Option<Stored>,
    },
}

/// A value as integers: what it was before it was rounded, and how it was.
#[derive(Clone, Debug)]
pub(crate) struct Rounded {
    pub(crate) value: Box<Value>,
    scale: f32,
    zero_point: i64,
}

/// `DequantizeLinear(weight, scale, zero point)`.
pub(crate) fn dequantize(walk: &mut Walk, node: &Node) -> Outcome {
    let Some(values) = walk.stored(node, 0).cloned() else {
        return Ok(None);
    };
    let known = matches!(
        values.tensor.dtype,
        DType::U4 | DType::I4 | DType::U8 | DType::I8
    );
    let axis = axis_index(node.int_or("axis", 1), values.shape.len());
    let (Some(axis), true) = (axis, known && values.shape.len() == 2 && !values.transposed) else {
        return Ok(None);
    };
    let block = node.int_or("block_size", 0);
    let scaling = if block == 0 {
        let Some(scale) = walk.floats(node, 1)? else {
            return Ok(None);
        };
        let zero_point = linear::zero_points(walk, node, 2, values.tensor.dtype)?;
        zero_point.map(|zero_point| Scaling::Axis {
            axis,
            scale: scale.data,
            zero_point,
        })
    } else {
        let (_, block) = linear_blocks::supported_blocks(node, 4, block)?;
        let zero_points = walk.stored(node, 2).cloned();
        walk.stored(node, 1)
            .filter(|_| node.input(2).is_some() == zero_points.is_some())
            .map(|scales| Scaling::Blocks {
                axis,
                block,
                scales: scales.clone(),
                zero_points,
            })
    };
    one(scaling.map(|scaling| Value::Scaled(Scaled { values, scaling })))
}

impl Scaled {
    /// The same under a change of the order of its axes.
    pub(crate) fn with_values(&self, values: Stored) -> Scaled {
        Scaled {
            values,
            scaling: self.scaling.clone(),
        }
    }

    /// As a weight; `by_output` where the graph has it as `[outputs, inputs]`.
    pub(super) fn matrix(&self, by_output: bool) -> Option<Matrix> {
        let [first, second] = self.values.shape[..] else {
            return None;
        };
        let (rows, cols) = if by_output {
            (first, second)
        } else {
            (second, first)
        };
        // Whether it is stored with an input's weights for all outputs on end.
        let transposed = by_output == self.values.transposed;
        let inputs = usize::from(!transposed);
        match &self.scaling {
            Scaling::Axis {
                axis,
                scale,
                zero_point,
            } => {
                let by_input = *axis == inputs && (scale.len() > 1 || zero_point.len() > 1);
                let (scale, zero_point) = (scale.clone(), zero_point.clone());
                let matrix = linear::int8(&self.values, !by_output, scale, zero_point)?;
                (!by_input).then_some(Matrix::Int8(matrix))
            }
            Scaling::Blocks {
                axis,
                block,
                scales,
                zero_points,
            } => {
                let table = |stored: &Stored, cols| Table {
                    tensor: stored.tensor.clone(),
                    rows,
                    cols,
                    transposed,
                };
                let blocks = cols.div_ceil(*block);
                let stored_shape = match transposed {
                    true => [blocks, rows],
                    false => [rows, blocks],
                };
                let fits = |stored: &Stored| !stored.transposed && stored.shape == stored_shape;
                let zero_points = match (zero_points, self.values.tensor.dtype) {
                    (Some(zero), _) if fits(zero) => ZeroPoints::Each(table(zero, blocks)),
                    (Some(_), _) => return None,
                    (None, DType::I4 | DType::I8) => ZeroPoints::Middle,
                    (None, _) => ZeroPoints::Least,
                };
                let matrix = BlockMatrix {
                    values: table(&self.values, cols),
                    scales: table(scales, blocks),
                    zero_points,
                    cols,
                    block: *block,
                };
                let sound = *axis == inputs && fits(scales) && matrix.is_sound();
                sound.then(|| matrix.into_matrix())
            }
        }
    }
}

/// One scale and one zero point in two of the node's inputs.
fn rounding(
    walk: &Walk,
    node: &Node,
    scale: usize,
) -> Result<Option<(f32, i64)>, crate::ImportError> {
    let scale_of = walk.float(node, scale)?;
    let zero_point = match node.input(scale + 1) {
        None => Some(0),
        Some(_) => match walk.numbers(node, scale + 1)?.as_deref() {
            Some(&[zero]) => Some(zero),
            _ => None,
        },
    };
    Ok(scale_of.zip(zero_point))
}

/// `QuantizeLinear(x, scale, zero point)` of what the step computes.
pub(crate) fn round(walk: &mut Walk, node: &Node) -> Outcome {
    let Some(value) = walk.value(node, 0).cloned() else {
        return Ok(None);
    };
    let computed = !matches!(
        value,
        Value::Stored(_) | Value::Scaled(_) | Value::Ints(_) | Value::Floats(_) | Value::Tokens(_)
    );
    one(rounding(walk, node, 1)?
        .filter(|_| computed)
        .map(|(scale, zero_point)| {
            let value = Box::new(value);
            Value::Rounded(Rounded {
                value,
                scale,
                zero_point,
            })
        }))
}

/// What was rounded in this way, in an input of the node with scale and zero point in the next two.
fn before(walk: &Walk, node: &Node, index: usize) -> Result<Option<Value>, crate::ImportError> {
    let Some(Value::Rounded(rounded)) = walk.value(node, index) else {
        return Ok(None);
    };
    let how = (rounded.scale, rounded.zero_point);
    let value = Value::clone(&rounded.value);
    Ok((rounding(walk, node, index + 1)? == Some(how)).then_some(value))
}

/// `DequantizeLinear(QuantizeLinear(x))`.
pub(crate) fn restore(walk: &mut Walk, node: &Node) -> Outcome {
    one(before(walk, node, 0)?)
}

/// `QLinearMatMul(x, scale, zero point, weight, scale, zero point, scale, zero point)`.
pub(crate) fn matmul(walk: &mut Walk, node: &Node) -> Outcome {
    let (Some(Value::Rows(x)), Some(values)) =
        (before(walk, node, 0)?, walk.stored(node, 3).cloned())
    else {
        return Ok(None);
    };
    let Some((scale, zero_point)) = rounding(walk, node, 6)? else {
        return Ok(None);
    };
    let Some(weight) = linear::int8_matrix(walk, node, &values, true, 4, 5)? else {
        return Ok(None);
    };
    let mapped = linear::map(walk, &x, Matrix::Int8(weight), None);
    one(mapped.map(|rows| {
        Value::Rounded(Rounded {
            value: Box::new(Value::Rows(rows)),
            scale,
            zero_point,
        })
    }))
}
