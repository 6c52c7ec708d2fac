//! A table of learned positions: sums of rows of stored tables, one row a position.

use std::rc::Rc;

use super::fault;
use crate::ImportError;
use crate::onnx::Tensor;
use crate::spec::{TensorShape, TensorSource};

/// The rows of several tables, added up in this order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PositionRows {
    pub(crate) rows: Vec<LookedUp>,
}

/// A row of a stored table for each position.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LookedUp {
    pub(crate) table: Rc<Tensor>,
    /// The first position's row.
    pub(crate) first: usize,
    /// Whether each position has the row after that of the one before it; else all have the first.
    pub(crate) moves: bool,
    /// What a stored number has to be less by, and is then multiplied by; 0 and 1 for floats.
    pub(crate) zero: f32,
    pub(crate) scale: f32,
}

impl PositionRows {
    /// Positions that the tables reach; `None` if every position has the same row.
    pub(crate) fn positions(&self) -> Option<usize> {
        let moving = self.rows.iter().filter(|row| row.moves);
        let reach = |row: &LookedUp| Some(row.table.shape.first()?.saturating_sub(row.first));
        moving.filter_map(reach).min()
    }

    /// Columns.
    pub(crate) fn width(&self) -> usize {
        let first = self.rows.first().and_then(|row| row.table.shape.last());
        first.copied().unwrap_or(0)
    }

    /// Where the rows come from, for people.
    pub(crate) fn name(&self) -> String {
        let names: Vec<&str> = self.rows.iter().map(|row| &*row.table.name).collect();
        names.join(" + ")
    }
}

impl TensorSource for PositionRows {
    fn stream(
        &self,
        shape: &TensorShape,
        sink: &mut dyn FnMut(&[u8]) -> Result<(), ImportError>,
    ) -> Result<f32, ImportError> {
        let mut read = Vec::new();
        for position in 0..shape.rows {
            let mut sum = vec![0.0f32; shape.cols];
            for row in &self.rows {
                let at = row.first + if row.moves { position } else { 0 };
                read.clear();
                row.table.read_f32(at * shape.cols, shape.cols, &mut read)?;
                for (sum, value) in sum.iter_mut().zip(&read) {
                    *sum += (value - row.zero) * row.scale;
                }
                if sum.iter().any(|value| !value.is_finite()) {
                    return Err(fault(&row.table, "holds values that are no numbers"));
                }
            }
            let bytes: Vec<u8> = sum.iter().flat_map(|value| value.to_le_bytes()).collect();
            sink(&bytes)?;
        }
        Ok(1.0)
    }
}
