//! Weights in f32, f16 and the like.

use std::rc::Rc;

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

    pub(super) fn pack(&self, sink: Sink<'_>) -> Result<(), ImportError> {
        let encoding = self.encoding();
        let len = encoding.group_bytes(self.cols);
        let len = len.ok_or_else(|| fault(&self.tensor, "is too large to pack"))?;
        let mut group = vec![0; len];
        for_row_groups(
            &self.tensor,
            self.rows,
            self.cols,
            self.transposed,
            |bytes, values| {
                values.clear();
                self.tensor.to_f32(bytes, values);
                if values.iter().any(|value| !value.is_finite()) {
                    return Err(fault(&self.tensor, "holds values that are no numbers"));
                }
                layout::pack_float(encoding, self.cols, values, &mut group);
                sink(&group)
            },
        )
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
