//! Linear maps whose weights are quantized in blocks, as onnxruntime has them: MatMulNBits and
//! MatMulBnb4.

use std::rc::Rc;

use super::{gated_mlp, linear};
use crate::ImportError;
use crate::onnx::{DType, Node, Tensor};
use crate::walk::value::Value;
use crate::walk::{Outcome, Walk, one};
use crate::weights::{
    BlockMatrix, CodebookMatrix, CodedMatrix, FP4, FloatMatrix, Matrix, NF4, Table, ZeroPoints,
};

/// `MatMulNBits(x, weight, scales, zero points, group index, bias)`.
pub(crate) fn matmul_nbits(walk: &mut Walk, node: &Node) -> Outcome {
    let Some(x) = gated_mlp::settled(walk, node, 0) else {
        return Ok(None);
    };
    let Some((rows, cols)) = sizes(node).filter(|_| node.input(4).is_none()) else {
        return Ok(None);
    };
    // A layout for one kind of graphics processor; where weights lie is then its own business.
    if node.int_or("weight_prepacked", 0) != 0 {
        return Err(refusal(
            node,
            "weights in the order of CUDA's kernels; export for another provider",
        ));
    }
    let (bits, block) =
        supported_blocks(node, node.int_or("bits", 4), node.int_or("block_size", 0))?;
    let (Some(values), Some(scales)) = (plain(walk, node, 1), plain(walk, node, 2)) else {
        return Ok(None);
    };
    let Some(zero_points) = plain_or_none(walk, node, 3) else {
        return Ok(None);
    };
    let matrix = packed(
        &values,
        &scales,
        zero_points.as_ref(),
        bits,
        block,
        rows,
        cols,
    );
    let bias = node.input(5).map(|_| (node, 5));
    one(matrix
        .and_then(|matrix| linear::map(walk, &x, matrix.into_matrix(), bias))
        .map(Value::Rows))
}

/// `MatMulBnb4(x, weight, greatest magnitudes)`.
pub(crate) fn matmul_bnb4(walk: &mut Walk, node: &Node) -> Outcome {
    let Some(x) = gated_mlp::settled(walk, node, 0) else {
        return Ok(None);
    };
    let (Some((rows, cols)), Some(values), Some(greatest)) =
        (sizes(node), plain(walk, node, 1), plain(walk, node, 2))
    else {
        return Ok(None);
    };
    let codebook = match node.int_or("quant_type", 1) {
        0 => &FP4,
        1 => &NF4,
        other => {
            let fault = format!("quant_type {other}; 0 (FP4) and 1 (NF4) are known");
            return Err(ImportError::attribute(node, fault));
        }
    };
    let (Some(tensor), Ok(block)) = (
        values.halves(),
        usize::try_from(node.int_or("block_size", 0)),
    ) else {
        return Ok(None);
    };
    let matrix = CodebookMatrix {
        values: Table {
            tensor: Rc::new(tensor),
            rows,
            cols,
            transposed: false,
        },
        greatest,
        block,
        codebook,
    };
    if node.int_or("transB", 1) == 0 || !matrix.is_sound() {
        return Ok(None);
    }
    let matrix = Matrix::Float(FloatMatrix::Coded(CodedMatrix::Codebook(matrix)));
    one(linear::map(walk, &x, matrix, None).map(Value::Rows))
}

/// A weight as onnxruntime packs it: each row on its own, values in bytes and zero points in bytes, or
/// in floats.
pub(super) fn packed(
    values: &Rc<Tensor>,
    scales: &Rc<Tensor>,
    zero_points: Option<&Rc<Tensor>>,
    bits: usize,
    block: usize,
    rows: usize,
    cols: usize,
) -> Option<BlockMatrix> {
    let blocks = cols.div_ceil(block);
    let integers = |tensor: &Rc<Tensor>| match (bits, tensor.dtype) {
        (4, DType::U8) => tensor.halves().map(Rc::new),
        (4, DType::U4 | DType::I4) | (8, DType::U8) => Some(tensor.clone()),
        _ => None,
    };
    let table = |tensor, cols| Table {
        tensor,
        rows,
        cols,
        transposed: false,
    };
    let zero_points = match zero_points {
        // Bytes that hold two values count from their middle, elements of four bits from zero.
        None if values.dtype == DType::U4 => ZeroPoints::Least,
        None => ZeroPoints::Middle,
        Some(tensor) if tensor.dtype.is_float() => ZeroPoints::Each(table(tensor.clone(), blocks)),
        Some(tensor) => {
            let width = blocks.next_multiple_of(8 / bits);
            ZeroPoints::Each(table(integers(tensor)?, width))
        }
    };
    let matrix = BlockMatrix {
        values: table(integers(values)?, blocks.checked_mul(block)?),
        scales: table(scales.clone(), blocks),
        zero_points,
        cols,
        block,
    };
    matrix.is_sound().then_some(matrix)
}

/// The bits and the block size of a quantized weight, if they mean something.
pub(super) fn supported_blocks(
    node: &Node,
    bits: i64,
    block: i64,
) -> Result<(usize, usize), ImportError> {
    match (bits, block) {
        (4 | 8, 16 | 32 | 64 | 128 | 256) => Ok((bits as usize, block as usize)),
        (4 | 8, _) => Err(refusal(
            node,
            &format!("blocks of {block} values; powers of two from 16 to 256 are supported"),
        )),
        _ => Err(refusal(
            node,
            &format!("{bits} bits; 4 and 8 are supported"),
        )),
    }
}

fn refusal(node: &Node, fault: &str) -> ImportError {
    ImportError::Quantization {
        node: node.name.clone(),
        operator: node.operator(),
        fault: fault.to_owned(),
    }
}

/// Outputs and inputs, as the node has them.
fn sizes(node: &Node) -> Option<(usize, usize)> {
    let size = |name| node.int(name).and_then(|size| usize::try_from(size).ok());
    Some((size("N")?, size("K")?))
}

/// A stored tensor in its own order.
pub(super) fn plain(walk: &Walk, node: &Node, index: usize) -> Option<Rc<Tensor>> {
    let stored = walk.stored(node, index)?;
    (!stored.transposed).then(|| stored.tensor.clone())
}

/// The same of an input that may be left out.
pub(super) fn plain_or_none(walk: &Walk, node: &Node, index: usize) -> Option<Option<Rc<Tensor>>> {
    match node.input(index) {
        None => Some(None),
        Some(_) => plain(walk, node, index).map(Some),
    }
}
