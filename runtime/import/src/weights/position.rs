//! Cosine and sine tables, one row a position: read from the graph, or computed as it would.

use std::rc::Rc;

use half::f16;

use super::fault;
use crate::ImportError;
use crate::onnx::Tensor;
use crate::spec::{TensorShape, TensorSource};

/// A table of `columns`, each a function of the position.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PositionTable {
    pub(crate) columns: Vec<Column>,
}

/// A value that depends on the position alone.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Column {
    pub(crate) start: Start,
    /// What happens to the value, in order.
    pub(crate) steps: Vec<Step>,
}

/// Where a column's values begin.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Start {
    /// The position itself, in f32.
    Position,
    /// A column of a stored table with a row a position.
    Stored { table: Rc<Tensor>, column: usize },
}

/// An operation of the graph on a column's values, in f32.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Step {
    Cos,
    Sin,
    Gain(f32),
    /// Rounds to f16, where the graph computes in it.
    Half,
}

impl Column {
    /// The stored table and its column that this is, unchanged.
    pub(crate) fn stored(&self) -> Option<(&Rc<Tensor>, usize)> {
        match &self.start {
            Start::Stored { table, column } if self.steps.is_empty() => Some((table, *column)),
            _ => None,
        }
    }
}

impl PositionTable {
    /// Positions that the table reaches; `None` if it is computed and knows no end.
    pub(crate) fn positions(&self) -> Option<usize> {
        self.columns
            .iter()
            .filter_map(|column| match &column.start {
                Start::Position => None,
                Start::Stored { table, .. } => table.shape.first().copied(),
            })
            .min()
    }

    /// Where the table comes from, for people.
    pub(crate) fn name(&self, otherwise: &str) -> String {
        match self.columns.first().map(|column| &column.start) {
            Some(Start::Stored { table, .. }) => table.name.clone(),
            _ => otherwise.to_owned(),
        }
    }
}

impl TensorSource for PositionTable {
    fn stream(
        &self,
        shape: &TensorShape,
        sink: &mut dyn FnMut(&[u8]) -> Result<(), ImportError>,
    ) -> Result<f32, ImportError> {
        const POSITIONS: usize = 256;
        let mut stored: Vec<Vec<f32>> = vec![Vec::new(); self.columns.len()];
        let mut bytes = Vec::new();
        for first in (0..shape.rows).step_by(POSITIONS) {
            let count = POSITIONS.min(shape.rows - first);
            self.read(first, count, &mut stored)?;
            bytes.clear();
            for position in first..first + count {
                for (column, stored) in self.columns.iter().zip(&stored) {
                    let start = match column.start {
                        Start::Position => position as f32,
                        Start::Stored { .. } => stored[position - first],
                    };
                    let value = column
                        .steps
                        .iter()
                        .fold(start, |value, step| step.of(value));
                    bytes.extend_from_slice(&value.to_le_bytes());
                }
            }
            sink(&bytes)?;
        }
        Ok(1.0)
    }
}

impl PositionTable {
    /// Reads the stored columns' values for some positions.
    fn read(&self, first: usize, count: usize, stored: &mut [Vec<f32>]) -> Result<(), ImportError> {
        let mut rows: Option<(usize, Vec<f32>)> = None;
        for (values, column) in stored.iter_mut().zip(&self.columns) {
            let Start::Stored { table, column } = &column.start else {
                continue;
            };
            let [_, width] = table.shape[..] else {
                continue;
            };
            if rows.as_ref().is_none_or(|(id, _)| *id != table.id) {
                let mut read = Vec::new();
                table.read_f32(first * width, count * width, &mut read)?;
                if read.iter().any(|value| !value.is_finite()) {
                    return Err(fault(table, "holds values that are no numbers"));
                }
                rows = Some((table.id, read));
            }
            let rows = rows.as_ref().map_or(&[][..], |(_, rows)| rows);
            values.clear();
            values.extend(rows.iter().skip(*column).step_by(width));
        }
        Ok(())
    }
}

impl Step {
    /// Cosine and sine are rounded from f64: closer than any one library's f32.
    fn of(self, value: f32) -> f32 {
        match self {
            Step::Cos => f64::from(value).cos() as f32,
            Step::Sin => f64::from(value).sin() as f32,
            Step::Gain(gain) => value * gain,
            Step::Half => f16::from_f32(value).to_f32(),
        }
    }
}
