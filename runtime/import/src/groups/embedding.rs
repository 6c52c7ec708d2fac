//! Embedding: a row of a table for each token id.
//!
//! As Gather from a float table, Gather from an 8-bit table followed by DequantizeLinear, or
//! GatherBlockQuantized.

use super::{linear, linear_blocks};
use crate::onnx::{DType, Node};
use crate::walk::dim::Dim;
use crate::walk::network::RowOp;
use crate::walk::value::{Rows, Stored, Value};
use crate::walk::{Outcome, Walk, one};
use crate::weights::Matrix;

/// Rows of a table of integers that still are to be scaled.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    table: Stored,
}

/// `Gather(table, tokens)` along the first axis.
pub(crate) fn gather(walk: &mut Walk, node: &Node) -> Outcome {
    let tokens = takes_tokens(walk, node) && node.int_or("axis", 0) == 0;
    if !tokens {
        return Ok(None);
    }
    if let Some(table) = walk.stored(node, 0).filter(|t| !t.tensor.dtype.is_float()) {
        let whole = !table.transposed && table.shape.len() == 2 && !table.shape.contains(&0);
        let table = table.clone();
        return one(whole.then_some(Value::Embedding(Part { table })));
    }
    let table = linear::weight(walk, node, 0, true);
    one(table.map(|table| Value::Rows(embed(walk, table))))
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
    let (Some(table), Some(scales)) = (
        walk.stored(node, 0)
            .filter(|table| !table.transposed)
            .cloned(),
        linear_blocks::plain(walk, node, 2),
    ) else {
        return Ok(None);
    };
    let [rows, stored_cols] = table.shape[..] else {
        return Ok(None);
    };
    let Some(zero_points) = linear_blocks::plain_or_none(walk, node, 3) else {
        return Ok(None);
    };
    let (bits, block) = linear_blocks::supported_blocks(node, bits, block)?;
    // Bytes hold several values; elements of 4 bits are one each.
    let each = match table.tensor.dtype {
        DType::U8 => 8 / bits,
        _ => 1,
    };
    let Some(cols) = stored_cols
        .checked_mul(each)
        .filter(|cols| cols % block == 0)
    else {
        return Ok(None);
    };
    let matrix = linear_blocks::packed(
        &table.tensor,
        &scales,
        zero_points.as_ref(),
        bits,
        block,
        rows,
        cols,
    );
    one(matrix.map(|matrix| Value::Rows(embed(walk, matrix.into_matrix()))))
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
