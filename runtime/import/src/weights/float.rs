//! Float weights: stored as f32, f16 and the like, or in a code that plans do not have.

use sha2::{Digest, Sha256};
use tealight_core::layout::{self, Encoding};

use super::{CodedMatrix, Sink, Table, fault};
use crate::ImportError;
use crate::onnx::{DType, Tensor};

/// Floats, `rows × cols`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum FloatMatrix {
    Stored(Table),
    Coded(CodedMatrix),
}

impl FloatMatrix {
    pub(super) fn shape(&self) -> (usize, usize) {
        match self {
            FloatMatrix::Stored(table) => (table.rows, table.cols),
            FloatMatrix::Coded(matrix) => matrix.shape(),
        }
    }

    /// The stored tensor that holds the values.
    pub(super) fn tensor(&self) -> &std::rc::Rc<Tensor> {
        match self {
            FloatMatrix::Stored(table) => &table.tensor,
            FloatMatrix::Coded(matrix) => matrix.tensor(),
        }
    }

    /// f16 stays what it is, everything else becomes f32.
    pub(super) fn encoding(&self) -> Encoding {
        match self {
            FloatMatrix::Stored(table) if table.tensor.dtype == DType::F16 => Encoding::F16,
            _ => Encoding::F32,
        }
    }

    /// Whether the other one holds the same values in the same places. Most that do not are told
    /// apart by their first row.
    pub(crate) fn equals(&self, other: &FloatMatrix) -> Result<bool, ImportError> {
        let (FloatMatrix::Stored(this), FloatMatrix::Stored(that)) = (self, other) else {
            return Ok(self == other);
        };
        let shape = |table: &Table| (table.rows, table.cols, table.tensor.dtype);
        if this == that || shape(this) != shape(that) {
            return Ok(this == that);
        }
        Ok(first_row(this)? == first_row(that)? && digest(this)? == digest(that)?)
    }

    pub(super) fn pack(&self, sink: Sink<'_>) -> Result<(), ImportError> {
        let (encoding, (_, cols)) = (self.encoding(), self.shape());
        let len = encoding.group_bytes(cols);
        let len = len.ok_or_else(|| fault(self.tensor(), "is too large to pack"))?;
        let mut group = vec![0; len];
        self.for_values(|values| {
            layout::pack_float(encoding, cols, values, &mut group);
            sink(&group)
        })
    }

    /// Calls `each` with the values of every group of rows.
    pub(super) fn for_values(
        &self,
        mut each: impl FnMut(&[f32]) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        let finite = |values: &[f32]| match values.iter().all(|value| value.is_finite()) {
            true => Ok(()),
            false => Err(fault(self.tensor(), "holds values that are no numbers")),
        };
        match self {
            FloatMatrix::Stored(table) => {
                let mut values = Vec::new();
                table.for_groups(|bytes| {
                    values.clear();
                    table.tensor.to_f32(bytes, &mut values);
                    finite(&values)?;
                    each(&values)
                })
            }
            FloatMatrix::Coded(matrix) => matrix.for_values(|values| {
                finite(values)?;
                each(values)
            }),
        }
    }
}

/// The bytes of the first row.
fn first_row(table: &Table) -> Result<Vec<u8>, ImportError> {
    let size = table.tensor.dtype.size();
    let mut row = vec![0; table.cols * size];
    if !table.transposed {
        table.tensor.read(0, &mut row)?;
        return Ok(row);
    }
    for (col, value) in row.chunks_exact_mut(size).enumerate() {
        table.tensor.read(col * table.rows, value)?;
    }
    Ok(row)
}

/// SHA-256 of all bytes, row after row.
fn digest(table: &Table) -> Result<[u8; 32], ImportError> {
    let mut digest = Sha256::new();
    table.for_groups(|bytes| {
        digest.update(bytes);
        Ok(())
    })?;
    Ok(digest.finalize().into())
}
