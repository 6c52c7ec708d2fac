//! The tables of a rotation: values that depend on the position alone, stored, or computed once as
//! position · frequency, Concat, Cos and Sin.

use std::rc::Rc;

use super::rotary::{Part, step};
use crate::onnx::{DType, Node, Tensor};
use crate::walk::array::Array;
use crate::walk::dim::Dim;
use crate::walk::grid::Grid;
use crate::walk::value::Value;
use crate::walk::{Outcome, Walk};
use crate::weights::{Column, Start, Step};

/// Most columns of a table: those of the widest heads stay far below.
const MOST_COLUMNS: usize = 4096;

/// A table under a shape.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) axes: Vec<Axis>,
    pub(crate) columns: Vec<Column>,
    /// Whether the graph computes it in f16.
    pub(super) half: bool,
}

/// What a table's axis counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Axis {
    One,
    Position,
    Column,
    /// Each column so often, one after the other.
    Repeat(usize),
}

impl Table {
    pub(crate) fn shape(&self) -> Vec<Dim> {
        let size = |axis: &Axis| match axis {
            Axis::One => Dim::ONE,
            Axis::Position => Dim::SEQUENCE,
            Axis::Column => Dim::from(self.columns.len()),
            Axis::Repeat(times) => Dim::from(*times),
        };
        self.axes.iter().map(size).collect()
    }

    pub(crate) fn with_axes(&self, axes: Vec<Axis>) -> Table {
        Table {
            axes,
            ..self.clone()
        }
    }

    /// Keeps the columns `from .. to`.
    pub(crate) fn slice(&self, axis: usize, from: Dim, to: Dim) -> Option<Table> {
        let whole = from == Dim::new(0) && to == self.shape()[axis];
        if whole {
            return Some(self.clone());
        }
        let columns = self.columns.get(from.size()?..to.size()?)?.to_vec();
        (self.axes[axis] == Axis::Column && !columns.is_empty()).then(|| Table {
            columns,
            ..self.clone()
        })
    }

    /// Repeats axes of size 1.
    pub(crate) fn expand(&self, shape: &[Dim]) -> Option<Table> {
        let mut table = self.clone();
        if shape.len() != table.axes.len() {
            return None;
        }
        for ((axis, found), &wanted) in table.axes.iter_mut().zip(self.shape()).zip(shape) {
            if found == wanted || wanted == Dim::ONE {
                continue;
            }
            match axis {
                Axis::One => *axis = Axis::Repeat(wanted.size()?),
                _ => return None,
            }
        }
        Some(table)
    }

    /// Joins repeats to the columns before them; `None` where there is nothing to join.
    pub(crate) fn joined(&self) -> Option<Table> {
        let mut axes: Vec<Axis> = self.axes.clone();
        axes.retain(|axis| *axis != Axis::One);
        let at = axes
            .windows(2)
            .position(|pair| matches!(pair, [Axis::Column, Axis::Repeat(_)]))?;
        let Axis::Repeat(times) = axes.remove(at + 1) else {
            return None;
        };
        let repeated = |column: &Column| std::iter::repeat_n(column.clone(), times);
        let many = self.columns.len().checked_mul(times)? <= MOST_COLUMNS;
        many.then(|| Table {
            columns: self.columns.iter().flat_map(repeated).collect(),
            axes,
            half: self.half,
        })
    }

    /// What GatherND picks by pairs of a column and its repetition.
    fn pick(&self, pairs: &Array<i64>) -> Option<Table> {
        let ([_, 2], [Axis::Column, Axis::Repeat(times), rest @ ..]) =
            (&pairs.shape[..], &self.axes[..])
        else {
            return None;
        };
        let column = |pair: &[i64]| {
            let repetition = usize::try_from(pair[1]).ok()?;
            let column = usize::try_from(pair[0]).ok()?;
            self.columns
                .get(column)
                .filter(|_| repetition < *times)
                .cloned()
        };
        let columns: Option<Vec<Column>> = pairs.data.chunks_exact(2).map(column).collect();
        Some(Table {
            columns: columns.filter(|columns| columns.len() <= MOST_COLUMNS)?,
            axes: [&[Axis::Column], rest].concat(),
            half: self.half,
        })
    }

    fn then(mut self, step: Step) -> Table {
        for column in &mut self.columns {
            column.steps.push(step);
            if self.half {
                column.steps.push(Step::Half);
            }
        }
        self
    }

    /// The position itself, if the grid is that.
    pub(super) fn positions(grid: &Grid, past: Dim) -> Option<Table> {
        let linear = grid.as_linear()?;
        let axis = |(&step, &size): (&i64, &Dim)| match (step, size) {
            (1, Dim::SEQUENCE) => Some(Axis::Position),
            (0, Dim::ONE) => Some(Axis::One),
            _ => None,
        };
        let axes = linear
            .steps
            .iter()
            .zip(&grid.shape)
            .map(axis)
            .collect::<Option<Vec<_>>>()?;
        let once = axes.iter().filter(|&&axis| axis == Axis::Position).count() == 1;
        let column = Column {
            start: Start::Position,
            steps: vec![],
        };
        (once && linear.base == past).then(|| Table {
            axes,
            columns: vec![column],
            half: false,
        })
    }
}

/// The input as a table.
pub(super) fn table(walk: &Walk, node: &Node, index: usize) -> Option<Table> {
    match walk.value(node, index)? {
        Value::Rotary(Part::Table(table)) => Some(table.clone()),
        _ => None,
    }
}

/// A change of type: rounds where it is to f16.
pub(crate) fn cast(walk: &mut Walk, node: &Node) -> Outcome {
    let half = node.int("to").and_then(DType::from_onnx) == Some(DType::F16);
    let table = match table(walk, node, 0) {
        Some(table) => Some(table),
        None if half => match walk.value(node, 0) {
            Some(Value::Grid(grid)) => Table::positions(grid, walk.past),
            _ => None,
        },
        None => None,
    };
    step(table.map(|mut table| {
        if half && !table.half {
            table.half = true;
            table
                .columns
                .iter_mut()
                .for_each(|column| column.steps.push(Step::Half));
        }
        table.half = half;
        Part::Table(table)
    }))
}

/// `position · frequency` as MatMul or Mul; and `table · factor`.
pub(crate) fn angles(walk: &mut Walk, node: &Node) -> Outcome {
    for (this, other) in [(0, 1), (1, 0)] {
        let grid = match walk.value(node, this) {
            Some(Value::Grid(grid)) => Table::positions(grid, walk.past),
            _ => None,
        };
        let Some(positions) = table(walk, node, this).or(grid) else {
            continue;
        };
        let Some(factors) = walk.floats(node, other)? else {
            continue;
        };
        if let (Some(factor), "Mul") = (factors.single(), node.op.as_str())
            && factors.shape.len() <= positions.axes.len()
        {
            return step(Some(Part::Table(positions.then(Step::Gain(factor)))));
        }
        let Some(axes) = outer_axes(&positions, &factors.shape, node.op == "MatMul", this == 0)
        else {
            continue;
        };
        let [column] = &positions.columns[..] else {
            continue;
        };
        let columns = factors.data.iter().map(|&frequency| {
            let mut column = column.clone();
            column.steps.push(Step::Gain(frequency));
            if positions.half {
                column.steps.push(Step::Half);
            }
            column
        });
        let columns = columns.collect();
        return step(Some(Part::Table(Table {
            axes,
            columns,
            half: positions.half,
        })));
    }
    Ok(None)
}

/// The axes of an outer product of positions and a vector of the given shape.
fn outer_axes(
    positions: &Table,
    factors: &[usize],
    matmul: bool,
    first: bool,
) -> Option<Vec<Axis>> {
    if matmul {
        // `[…, n, 1] × […, 1, m]`: the inner size is 1, so every product is a single one.
        let [.., a, b] = positions.axes[..] else {
            return None;
        };
        let [.., n, m] = *factors else { return None };
        let front = factors.len() - 2;
        let plain = factors[..front].iter().all(|&size| size == 1)
            && positions.axes[..positions.axes.len() - 2]
                .iter()
                .all(|&axis| axis == Axis::One);
        let mut axes = vec![Axis::One; positions.axes.len().max(factors.len()) - 2];
        match (first, a, b, n, m) {
            (true, Axis::Position, Axis::One, 1, _) => axes.extend([Axis::Position, Axis::Column]),
            (false, Axis::One, Axis::Position, _, 1) => axes.extend([Axis::Column, Axis::Position]),
            _ => return None,
        }
        return plain.then_some(axes);
    }
    let rank = positions.axes.len().max(factors.len());
    let axis = |at: usize| {
        let position = (at + positions.axes.len())
            .checked_sub(rank)
            .map(|at| positions.axes[at]);
        let size = (at + factors.len())
            .checked_sub(rank)
            .map_or(1, |at| factors[at]);
        match (position.unwrap_or(Axis::One), size) {
            (axis, 1) => Some(axis),
            (Axis::One, _) => Some(Axis::Column),
            _ => None,
        }
    };
    (0..rank).map(axis).collect()
}

/// `Cos(table)`, `Sin(table)`.
pub(crate) fn wave(walk: &mut Walk, node: &Node) -> Outcome {
    let function = if node.op == "Cos" {
        Step::Cos
    } else {
        Step::Sin
    };
    step(table(walk, node, 0).map(|table| Part::Table(table.then(function))))
}

/// `Gather(stored table, positions)` along the first axis.
pub(crate) fn gather(walk: &mut Walk, node: &Node) -> Outcome {
    let (Some(stored), Some(Value::Grid(grid))) = (walk.stored(node, 0), walk.value(node, 1))
    else {
        return Ok(None);
    };
    let Some(mut positions) = Table::positions(grid, walk.past) else {
        return Ok(None);
    };
    let plain = node.int_or("axis", 0) == 0 && !stored.transposed;
    let whole = stored.shape == stored.tensor.shape && stored.tensor.dtype.is_float();
    if !plain || !whole || stored.shape.len() != 2 {
        return Ok(None);
    }
    positions.axes.push(Axis::Column);
    positions.columns = stored_columns(&stored.tensor, stored.shape[1]);
    positions.half = stored.tensor.dtype == DType::F16;
    step(Some(Part::Table(positions)))
}

/// The columns of a stored table.
pub(super) fn stored_columns(table: &Rc<Tensor>, count: usize) -> Vec<Column> {
    let column = |column| Start::Stored {
        table: table.clone(),
        column,
    };
    (0..count)
        .map(|at| Column {
            start: column(at),
            steps: vec![],
        })
        .collect()
}

/// `GatherND(table, pairs)`, as some exporters write repetition.
pub(crate) fn gather_nd(walk: &mut Walk, node: &Node) -> Outcome {
    let (Some(table), Some(pairs)) = (table(walk, node, 0), walk.ints(node, 1)?) else {
        return Ok(None);
    };
    let pairs = pairs.map(|pair| pair.number());
    let picked = pairs.and_then(|pairs| table.pick(&pairs));
    step(
        picked
            .filter(|_| node.int_or("batch_dims", 0) == 0)
            .map(Part::Table),
    )
}
