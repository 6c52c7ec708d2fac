//! A stored tensor as rows, in whichever order it lies in its file.

use std::rc::Rc;

use tealight_core::layout::GROUP_ROWS;

use super::PIECE;
use crate::ImportError;
use crate::onnx::Tensor;

/// A tensor's elements as `rows × cols`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Table {
    pub(crate) tensor: Rc<Tensor>,
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    /// Whether they are stored as `cols × rows`.
    pub(crate) transposed: bool,
}

/// Bytes of a table that are turned at a time.
const PANEL: usize = 32 << 20;

impl Table {
    /// Whether the tensor has as many elements.
    pub(crate) fn is_whole(&self) -> bool {
        self.rows.checked_mul(self.cols) == Some(self.tensor.len())
    }

    /// All elements, row after row.
    pub(super) fn bytes(&self) -> Result<Vec<u8>, ImportError> {
        let mut all = Vec::new();
        self.for_groups(|bytes| {
            all.extend_from_slice(bytes);
            Ok(())
        })?;
        Ok(all)
    }

    /// All elements as f32, row after row.
    pub(super) fn floats(&self) -> Result<Vec<f32>, ImportError> {
        let mut all = Vec::new();
        self.for_groups(|bytes| {
            self.tensor.to_f32(bytes, &mut all);
            Ok(())
        })?;
        Ok(all)
    }

    /// Reads the table in groups of rows, the last one of as many as are left, and hands each on.
    /// Of a table that is stored the other way round, as many rows are gathered at a time as fit in
    /// memory that is bounded whatever its size.
    pub(super) fn for_groups(
        &self,
        mut group: impl FnMut(&[u8]) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        let (rows, cols, size) = (self.rows, self.cols, self.tensor.dtype.size());
        let group_bytes = GROUP_ROWS * cols * size;
        let groups = (PIECE / group_bytes.max(1)).max(1);
        if !self.transposed {
            let mut bytes = vec![0; (groups * GROUP_ROWS).min(rows) * cols * size];
            for first in (0..rows).step_by(groups * GROUP_ROWS) {
                let count = (groups * GROUP_ROWS).min(rows - first);
                let bytes = &mut bytes[..count * cols * size];
                self.tensor.read(first * cols, bytes)?;
                for piece in bytes.chunks(group_bytes) {
                    group(piece)?;
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
                self.tensor.read(col * rows + first, line)?;
                for (row, value) in line.chunks_exact(size).enumerate() {
                    let at = (row * cols + col) * size;
                    turned[at..at + size].copy_from_slice(value);
                }
            }
            for piece in turned[..count * cols * size].chunks(group_bytes) {
                group(piece)?;
            }
        }
        Ok(())
    }
}
