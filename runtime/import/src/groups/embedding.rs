//! Embedding: a row of a table for each token id.
//!
//! As Gather from a float table, Gather from an 8-bit table followed by DequantizeLinear, or
//! GatherBlockQuantized.

use super::linear;
use crate::onnx::Node;
use crate::walk::dim::Dim;
use crate::walk::network::RowOp;
use crate::walk::value::{Rows, Stored, Value};
use crate::walk::{Outcome, Walk, one};
use crate::weights::{BlockMatrix, FloatMatrix, Matrix};

/// Rows of a table of integers that still are to be scaled.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    table: Stored,
}

/// `Gather(table, tokens)` along the first axis.
pub(crate) fn gather(walk: &mut Walk, node: &Node) -> Outcome {
    let tokens = takes_tokens(walk, node) && node.int_or("axis", 0) == 0;
    let Some(table) = walk.stored(node, 0).filter(|_| tokens).cloned() else {
        return Ok(None);
    };
    let [rows, cols] = table.shape[..] else {
        return Ok(None);
    };
    if rows == 0 || cols == 0 {
        return Ok(None);
    }
    if !table.tensor.dtype.is_float() {
        let part = (!table.transposed).then(|| Value::Embedding(Part { table }));
        return one(part);
    }
    let Stored {
        tensor, transposed, ..
    } = table;
    let table = Matrix::Float(FloatMatrix {
        tensor,
        rows,
        cols,
        transposed,
    });
    one(Some(Value::Rows(embed(walk, table))))
}

/// `DequantizeLinear(Gather(table, tokens), scale, zero point)`.
pub(crate) fn dequantize(walk: &mut Walk, node: &Node) -> Outcome {
    let Some(Value::Embedding(Part { table })) = walk.value(node, 0).cloned() else {
        return Ok(None);
    };
    // What was looked up is no longer in the table's order, so only one scale fits all rows.
    let single = walk.float(node, 1)?.is_some()
        && (node.input(2).is_none() || walk.ints(node, 2)?.is_some_and(|a| a.data.len() == 1));
    if node.int_or("block_size", 0) != 0 || !single {
        return Ok(None);
    }
    let Some(matrix) = linear::int8_matrix(walk, node, &table, false, 1, 2)? else {
        return Ok(None);
    };
    one(Some(Value::Rows(embed(walk, Matrix::Int8(matrix)))))
}

/// `GatherBlockQuantized(table, tokens, scales, zero points)`, quantized along each row.
pub(crate) fn gather_blocks(walk: &mut Walk, node: &Node) -> Outcome {
    let (bits, block) = (node.int_or("bits", 4), node.int_or("block_size", 128));
    let along_rows = node.int_or("gather_axis", 0) == 0 && node.int_or("quantize_axis", 1) == 1;
    if !along_rows || !takes_tokens(walk, node) {
        return Ok(None);
    }
    let (Some(table), Some(scales)) = (walk.stored(node, 0), walk.stored(node, 2)) else {
        return Ok(None);
    };
    if table.transposed || scales.transposed {
        return Ok(None);
    }
    let [rows, stored_cols] = table.shape[..] else {
        return Ok(None);
    };
    let (values, scales) = (table.tensor.clone(), scales.tensor.clone());
    let zero_points = match (node.input(3), walk.stored(node, 3)) {
        (None, _) => None,
        (Some(_), Some(zero)) => Some(zero.tensor.clone()),
        (Some(_), None) => return Ok(None),
    };
    let (bits, block) = linear::supported_blocks(node, bits, block)?;
    let Some(cols) = stored_cols.checked_mul(8 / bits) else {
        return Ok(None);
    };
    let table = BlockMatrix {
        values,
        scales,
        zero_points,
        rows,
        cols,
        bits,
        block,
    };
    if rows == 0 || cols == 0 || !table.is_sound() || cols % block != 0 {
        return Ok(None);
    }
    one(Some(Value::Rows(embed(walk, Matrix::Blocks(table)))))
}

/// `Mul(embedding, factor)`: the factor becomes the lookup's own.
pub(crate) fn scale(walk: &mut Walk, node: &Node) -> Outcome {
    for (this, other) in [(0, 1), (1, 0)] {
        let Some(rows) = walk.rows(node, this).cloned() else {
            continue;
        };
        let RowOp::Embed { table, scale } = walk.network.row(rows.of).op.clone() else {
            continue;
        };
        let Some(factor) = walk.float(node, other)?.filter(|f| f.is_finite()) else {
            continue;
        };
        let op = RowOp::Embed {
            table,
            scale: scale * rows.scale * factor,
        };
        let width = walk.network.row(rows.of).width;
        return one(Some(Value::Rows(
            walk.push(op, width).with_layout(rows.layout),
        )));
    }
    Ok(None)
}

/// Whether the second input is the step's tokens in their own order.
fn takes_tokens(walk: &Walk, node: &Node) -> bool {
    matches!(walk.value(node, 1), Some(Value::Tokens(shape)) if shape[..] == [Dim::ONE, Dim::SEQUENCE])
}

fn embed(walk: &mut Walk, table: Matrix) -> Rows {
    let width = table.cols();
    walk.push(RowOp::Embed { table, scale: 1.0 }, width)
}
