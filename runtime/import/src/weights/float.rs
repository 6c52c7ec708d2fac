//! Weights in f32, f16 and the like.

use std::rc::Rc;

use sha2::{Digest, Sha256};
use tealight_core::layout::{self, Encoding, GROUP_ROWS};

use super::{PIECE, Sink, fault};
use crate::ImportError;
use crate::onnx::{DType, Tensor};

/// Floats, `rows × cols`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FloatMatrix {
    pub(crate) tensor: Rc<Tensor>,
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    /// Whether the tensor is stored as `cols × rows`.
    pub(crate) transposed: bool,
}

impl FloatMatrix {
    /// f16 stays what it is, everything else becomes f32.
    pub(super) fn encoding(&self) -> Encoding {
        if self.tensor.dtype == DType::F16 {
            Encoding::F16
        } else {
            Encoding::F32
        }
    }

    /// Whether the other one holds the same values in the same places. Most that do not are told
    /// apart by their first row.
    pub(crate) fn equals(&self, other: &FloatMatrix) -> Result<bool, ImportError> {
        let shape = |m: &FloatMatrix| (m.rows, m.cols, m.tensor.dtype);
        if self == other || shape(self) != shape(other) {
            return Ok(self == other);
        }
        Ok(self.first_row()? == other.first_row()? && self.digest()? == other.digest()?)
    }

    /// The bytes of the first row.
    fn first_row(&self) -> Result<Vec<u8>, ImportError> {
        let size = self.tensor.dtype.size();
        let mut row = vec![0; self.cols * size];
        if !self.transposed {
            self.tensor.read(0, &mut row)?;
            return Ok(row);
        }
        for (col, value) in row.chunks_exact_mut(size).enumerate() {
            self.tensor.read(col * self.rows, value)?;
        }
        Ok(row)
    }

    /// SHA-256 of all bytes, row after row.
    fn digest(&self) -> Result<[u8; 32], ImportError> {
        let mut digest = Sha256::new();
        self.for_groups(|bytes, _| {
            digest.update(bytes);
            Ok(())
        })?;
        Ok(digest.finalize().into())
    }

    fn for_groups(
        &self,
        group: impl FnMut(&[u8], &mut Vec<f32>) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        for_row_groups(&self.tensor, self.rows, self.cols, self.transposed, group)
    }

    pub(super) fn pack(&self, sink: Sink<'_>) -> Result<(), ImportError> {
        let encoding = self.encoding();
        let len = encoding.group_bytes(self.cols);
        let len = len.ok_or_else(|| fault(&self.tensor, "is too large to pack"))?;
        let mut group = vec![0; len];
        self.for_values(|values| {
            layout::pack_float(encoding, self.cols, values, &mut group);
            sink(&group)
        })
    }

    /// Calls `each` with the values of every group of rows.
    pub(super) fn for_values(
        &self,
        mut each: impl FnMut(&[f32]) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        self.for_groups(|bytes, values| {
            values.clear();
            self.tensor.to_f32(bytes, values);
            if values.iter().any(|value| !value.is_finite()) {
                return Err(fault(&self.tensor, "holds values that are no numbers"));
            }
            each(values)
        })
    }
}

/// Reads a matrix in groups of rows and hands each on as `rows × cols` bytes of elements, with
/// room for their values. Of a matrix that is stored the other way round, as many rows are
/// gathered at a time as fit in memory that is bounded whatever its size.
pub(super) fn for_row_groups(
    tensor: &Tensor,
    rows: usize,
    cols: usize,
    transposed: bool,
    mut group: impl FnMut(&[u8], &mut Vec<f32>) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    let size = tensor.dtype.size();
    let group_bytes = GROUP_ROWS * cols * size;
    let groups = (PIECE / group_bytes.max(1)).max(1);
    let mut values = Vec::new();
    if !transposed {
        let mut bytes = vec![0; (groups * GROUP_ROWS).min(rows) * cols * size];
        for first in (0..rows).step_by(groups * GROUP_ROWS) {
            let count = (groups * GROUP_ROWS).min(rows - first);
            let bytes = &mut bytes[..count * cols * size];
            tensor.read(first * cols, bytes)?;
            for piece in bytes.chunks(group_bytes) {
                group(piece, &mut values)?;
            }
        }
        return Ok(());
    }
    // One pass over the stored rows for each panel of columns; a wide panel means few passes.
    let panel = (PANEL / (cols * size).max(1))
        .next_multiple_of(GROUP_ROWS)
        .max(GROUP_ROWS);
    let mut turned = vec![0; panel.min(rows) * cols * size];
    let mut line = vec![0; panel.min(rows) * size];
    for first in (0..rows).step_by(panel) {
        let count = panel.min(rows - first);
        for col in 0..cols {
            let line = &mut line[..count * size];
            tensor.read(col * rows + first, line)?;
            for (row, value) in line.chunks_exact(size).enumerate() {
                let at = (row * cols + col) * size;
                turned[at..at + size].copy_from_slice(value);
            }
        }
        for piece in turned[..count * cols * size].chunks(group_bytes) {
            group(piece, &mut values)?;
        }
    }
    Ok(())
}

/// Bytes of a matrix that are turned at a time.
const PANEL: usize = 32 << 20;
