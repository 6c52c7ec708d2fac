//! Weights as the graph stores them, and their way into packed tensors: each is read once, in
//! pieces, packed and handed on.

mod blocks;
mod coded;
mod compensated;
mod float;
mod int8;
mod joined;
mod lookup;
mod position;
mod quantized;
mod scale;
mod table;
mod taps;

use std::rc::Rc;

use tealight_core::layout::{Encoding, GROUP_ROWS};

use crate::ImportError;
use crate::calibration::Factor;
use crate::onnx::Tensor;

pub(crate) use blocks::{BlockMatrix, ZeroPoints};
pub(crate) use coded::{CodebookMatrix, CodedMatrix, FP4, NF4};
pub(crate) use float::FloatMatrix;
pub(crate) use int8::{Int8Matrix, PerRow};
pub(crate) use joined::{JoinedMatrix, Vectors};
pub(crate) use lookup::{LookedUp, PositionRows};
pub(crate) use position::{Column, PositionTable, Start, Step};
pub use quantized::Quantize;
pub(crate) use quantized::QuantizedMatrix;
pub(crate) use table::Table;
pub(crate) use taps::Taps;

/// Bytes that are read at a time, at most; a group of rows if that is more.
const PIECE: usize = 4 << 20;

/// A weight of a linear map or an embedding, `[outputs, inputs]` or `[vocab, hidden]`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Matrix {
    Float(FloatMatrix),
    Blocks(BlockMatrix),
    Int8(Int8Matrix),
    Quantized(QuantizedMatrix),
}

impl Matrix {
    pub(crate) fn rows(&self) -> usize {
        self.shape().0
    }

    pub(crate) fn cols(&self) -> usize {
        self.shape().1
    }

    fn shape(&self) -> (usize, usize) {
        match self {
            Matrix::Float(m) => m.shape(),
            Matrix::Blocks(m) => (m.rows(), m.cols),
            Matrix::Int8(m) => (m.values.rows, m.values.cols),
            Matrix::Quantized(m) => m.matrix.shape(),
        }
    }

    /// How the plan stores it.
    pub(crate) fn encoding(&self) -> Encoding {
        match self {
            Matrix::Float(m) => m.encoding(),
            Matrix::Blocks(m) => m.encoding(),
            Matrix::Int8(m) => m.encoding(),
            Matrix::Quantized(m) => m.encoding(),
        }
    }

    /// The same, to be stored as integers if its values are floats.
    pub(crate) fn quantized(self, to: Quantize) -> Matrix {
        match self {
            Matrix::Float(matrix) => Matrix::Quantized(QuantizedMatrix { matrix, to }),
            other => other,
        }
    }

    /// The stored tensor that holds its values.
    pub(crate) fn tensor(&self) -> &Rc<Tensor> {
        match self {
            Matrix::Float(m) => m.tensor(),
            Matrix::Blocks(m) => &m.values.tensor,
            Matrix::Int8(m) => &m.values.tensor,
            Matrix::Quantized(m) => m.matrix.tensor(),
        }
    }

    /// Whether the two can be packed into one tensor, one below the other.
    pub(crate) fn joins(&self, other: &Matrix) -> bool {
        let factor = |matrix: &Matrix| match matrix {
            Matrix::Int8(matrix) => matrix.record_scale(),
            _ => None,
        };
        let whole_groups = |matrix: &Matrix| matrix.rows().is_multiple_of(GROUP_ROWS);
        self.encoding() == other.encoding()
            && self.cols() == other.cols()
            && factor(self) == factor(other)
            && whole_groups(self)
            && whole_groups(other)
    }

    /// The greatest block scale; `None` where the record's factor is exact already.
    fn greatest_scale(&self) -> Result<Option<f32>, ImportError> {
        match self {
            Matrix::Float(_) => Ok(None),
            Matrix::Blocks(m) => m.greatest_scale().map(Some),
            Matrix::Int8(m) => Ok(m.greatest_scale()),
            Matrix::Quantized(m) => m.greatest_scale().map(Some),
        }
    }

    /// Packs the groups of rows in order; block scales are divided by `factor`, and `inputs` are the
    /// factors of what the matrix is given.
    fn pack(
        &self,
        factor: f32,
        inputs: Option<&Factor>,
        sink: Sink<'_>,
    ) -> Result<(), ImportError> {
        match self {
            Matrix::Float(m) => m.pack(sink),
            Matrix::Blocks(m) => m.pack(factor, sink),
            Matrix::Int8(m) => m.pack(factor, sink),
            Matrix::Quantized(m) => m.pack(factor, inputs, sink),
        }
    }
}

type Sink<'a> = &'a mut dyn FnMut(&[u8]) -> Result<(), ImportError>;

/// A stored tensor's fault, in the words of its file.
fn fault(tensor: &Tensor, fault: impl Into<String>) -> ImportError {
    ImportError::Tensor {
        path: tensor.path().to_owned(),
        tensor: tensor.name.clone(),
        fault: fault.into(),
    }
}
