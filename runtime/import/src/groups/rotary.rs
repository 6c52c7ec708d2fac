//! Rotary position embedding: `x · cos + turn(x) · sin`, where `turn` exchanges the halves of
//! each head and negates the first of them.
//!
//! Fused as RotaryEmbedding (of Microsoft's domain or ONNX's own), or spread out: the tables
//! computed once as position · frequency, Concat, Cos and Sin, then Slice, Neg, Concat, Mul and
//! Add for each use.

use std::rc::Rc;

use tealight_core::ops::RopeStyle;

use crate::onnx::{DType, Node, Tensor};
use crate::walk::dim::Dim;
use crate::walk::grid::Grid;
use crate::walk::layout::{Factor, Layout, columns};
use crate::walk::network::RowOp;
use crate::walk::value::{Rows, Value};
use crate::walk::{Outcome, Walk, one};
use crate::weights::{Column, Start, Step};

/// A step on the way.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    /// Values that depend on the position alone.
    Table(Table),
    /// `-x`
    Negated(Rows),
    /// `turn(x)`
    Turned(Rows),
    /// `x · table` or `turn(x) · table`
    Product {
        x: Rows,
        turned: bool,
        table: Vec<Column>,
    },
    /// The rotated part of heads whose rest stays as it is.
    Partial {
        x: Rows,
        cos: Vec<Column>,
        sin: Vec<Column>,
    },
}

/// A table under a shape.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) axes: Vec<Axis>,
    pub(crate) columns: Vec<Column>,
    /// Whether the graph computes it in f16.
    half: bool,
}

/// What a table's axis counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Axis {
    One,
    Position,
    Column,
}

impl Part {
    /// How many numbers the step takes to keep, roughly.
    pub(crate) fn size(&self) -> usize {
        let size = |columns: &[Column]| columns.iter().map(|column| 2 + column.steps.len()).sum();
        match self {
            Part::Table(table) => size(&table.columns),
            Part::Product { table, .. } => size(table),
            Part::Partial { cos, sin, .. } => size(cos) + size(sin),
            Part::Negated(_) | Part::Turned(_) => 1,
        }
    }

    pub(crate) fn shape(&self) -> Option<Vec<Dim>> {
        match self {
            Part::Table(table) => Some(table.shape()),
            Part::Negated(x) | Part::Turned(x) => x.layout.shape(),
            Part::Product { x, .. } | Part::Partial { x, .. } => x.layout.shape(),
        }
    }
}

impl Table {
    pub(crate) fn shape(&self) -> Vec<Dim> {
        let size = |axis: &Axis| match axis {
            Axis::One => Dim::ONE,
            Axis::Position => Dim::SEQUENCE,
            Axis::Column => Dim::from(self.columns.len()),
        };
        self.axes.iter().map(size).collect()
    }

    pub(crate) fn with_axes(&self, axes: Vec<Axis>) -> Table {
        Table {
            axes,
            ..self.clone()
        }
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
    fn positions(grid: &Grid) -> Option<Table> {
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
        (once && linear.base == Dim::PAST).then(|| Table {
            axes,
            columns: vec![column],
            half: false,
        })
    }
}

fn part(walk: &Walk, node: &Node, index: usize) -> Option<Part> {
    match walk.value(node, index)? {
        Value::Rotary(part) => Some(part.clone()),
        _ => None,
    }
}

fn table(walk: &Walk, node: &Node, index: usize) -> Option<Table> {
    match part(walk, node, index)? {
        Part::Table(table) => Some(table),
        _ => None,
    }
}

fn step(part: Option<Part>) -> Outcome {
    one(part.map(Value::Rotary))
}

/// A change of type: rounds where it is to f16.
pub(crate) fn cast(walk: &mut Walk, node: &Node) -> Outcome {
    let half = node.int("to").and_then(DType::from_onnx) == Some(DType::F16);
    let table = match table(walk, node, 0) {
        Some(table) => Some(table),
        None if half => match walk.value(node, 0) {
            Some(Value::Grid(grid)) => Table::positions(grid),
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
            Some(Value::Grid(grid)) => Table::positions(grid),
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
    let Some(mut positions) = Table::positions(grid) else {
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

fn stored_columns(table: &Rc<Tensor>, count: usize) -> Vec<Column> {
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

/// `Neg(x)`.
pub(crate) fn negate(walk: &mut Walk, node: &Node) -> Outcome {
    step(walk.rows(node, 0).cloned().map(Part::Negated))
}

/// Joins along the last axis: two tables; the halves of a turned head; or the rotated and the
/// other part of a head.
pub(crate) fn concat(walk: &mut Walk, node: &Node) -> Outcome {
    if node.inputs.len() != 2 {
        return Ok(None);
    }
    let axis = node.int_or("axis", 0);
    match (part(walk, node, 0), part(walk, node, 1), walk.rows(node, 1)) {
        (Some(Part::Table(a)), Some(Part::Table(b)), _) => {
            let along = crate::walk::layout::axis_index(axis, a.axes.len());
            let columns = along.map(|at| a.axes[at]) == Some(Axis::Column);
            step((columns && a.axes == b.axes && a.half == b.half).then(|| {
                let columns = [a.columns, b.columns].concat();
                Part::Table(Table { columns, ..b })
            }))
        }
        (Some(Part::Negated(upper)), _, Some(lower)) => {
            let whole = adjacent(lower, &upper, axis);
            step(whole.filter(|_| halves(lower, &upper)).map(Part::Turned))
        }
        // Exporters of partial rotation write the rest of the head even where nothing is left.
        (None, _, Some(rest)) if is_empty(rest) => {
            let along_last =
                |rows: &&Rows| rows.layout.axis(axis) == rows.layout.axes.len().checked_sub(1);
            one(walk
                .rows(node, 0)
                .filter(along_last)
                .cloned()
                .map(Value::Rows))
        }
        (Some(Part::Partial { x, cos, sin }), _, Some(rest)) => {
            let whole = adjacent(&x, rest, axis);
            let rotated = whole.and_then(|whole| rotate(walk, &whole, &cos, &sin));
            one(rotated.map(Value::Rows))
        }
        _ => Ok(None),
    }
}

/// The tensor that consists of `front` and `back` along its last axis.
fn adjacent(front: &Rows, back: &Rows, axis: i64) -> Option<Rows> {
    let last = front.layout.axes.len().checked_sub(1)?;
    let width = |rows: &Rows| rows.layout.shape()?.last()?.size();
    let (a, b) = (width(front)?, width(back)?);
    let innermost = |rows: &Rows, width| rows.layout.axes[last][..] == columns(width, 1)[..];
    let fits = front.of == back.of
        && front.scale == back.scale
        && back.layout.start == front.layout.start + a
        && front.layout.axes.len() == back.layout.axes.len()
        && front.layout.axes[..last] == back.layout.axes[..last]
        && front.layout.axis(axis) == Some(last)
        && innermost(front, a)
        && innermost(back, b);
    let mut layout = front.layout.clone();
    layout.axes[last] = columns(a + b, 1);
    fits.then(|| front.with_layout(layout))
}

fn is_empty(rows: &Rows) -> bool {
    rows.layout
        .axes
        .last()
        .is_some_and(|axis| axis[..] == columns(0, 1)[..])
}

fn halves(a: &Rows, b: &Rows) -> bool {
    a.layout.shape().and_then(|shape| shape.last().copied())
        == b.layout.shape().and_then(|shape| shape.last().copied())
}

/// `x · table`, `turn(x) · table`.
pub(crate) fn multiply(walk: &mut Walk, node: &Node) -> Outcome {
    for (this, other) in [(0, 1), (1, 0)] {
        let Some(table) = table(walk, node, other) else {
            continue;
        };
        let (x, turned) = match (walk.rows(node, this), part(walk, node, this)) {
            (Some(x), _) => (x.clone(), false),
            (_, Some(Part::Turned(x))) => (x, true),
            _ => continue,
        };
        let fits = aligned(&x.layout, &table);
        return step(fits.then_some(Part::Product {
            x,
            turned,
            table: table.columns,
        }));
    }
    Ok(None)
}

/// Whether each element meets the table's entry of its own token and its place in the head.
fn aligned(layout: &Layout, table: &Table) -> bool {
    let Some(missing) = layout.axes.len().checked_sub(table.axes.len()) else {
        return false;
    };
    let fits = |(axis, of): (&Vec<Factor>, &Axis)| match of {
        Axis::One => true,
        Axis::Position => axis[..] == [Factor::Sequence],
        Axis::Column => axis[..] == columns(table.columns.len(), 1)[..],
    };
    let counted = |axis| table.axes.contains(&axis);
    layout.axes[missing..].iter().zip(&table.axes).all(fits)
        && counted(Axis::Position)
        && table.axes.last() == Some(&Axis::Column)
}

/// `x · cos + turn(x) · sin`.
pub(crate) fn add(walk: &mut Walk, node: &Node) -> Outcome {
    let (
        Some(Part::Product { x, turned, table }),
        Some(Part::Product {
            x: y,
            turned: t,
            table: u,
        }),
    ) = (part(walk, node, 0), part(walk, node, 1))
    else {
        return Ok(None);
    };
    let (cos, sin) = match (turned, t) {
        (false, true) => (table, u),
        (true, false) => (u, table),
        _ => return Ok(None),
    };
    // Both halves of a head turn by the same angles.
    let half = |columns: Vec<Column>| {
        let half = columns.len() / 2;
        (columns.len().is_multiple_of(2) && columns[..half] == columns[half..])
            .then(|| columns[..half].to_vec())
    };
    let (Some(cos), Some(sin)) = (half(cos), half(sin)) else {
        return Ok(None);
    };
    if x != y {
        return Ok(None);
    }
    if x.layout.columns().is_none() {
        return step(Some(Part::Partial { x, cos, sin }));
    }
    one(rotate(walk, &x, &cos, &sin).map(Value::Rows))
}

/// Appends the rotation of the first `2 · cos.len()` columns of each head; the last axis is a head.
fn rotate(walk: &mut Walk, x: &Rows, cos: &[Column], sin: &[Column]) -> Option<Rows> {
    let head_dim = x.layout.shape()?.last()?.size()?;
    turn(
        walk,
        x,
        head_dim,
        RopeStyle::Halves,
        cos.to_vec(),
        sin.to_vec(),
    )
}

/// Appends a rotation of heads of `head_dim` neighbouring columns.
pub(crate) fn turn(
    walk: &mut Walk,
    x: &Rows,
    head_dim: usize,
    style: RopeStyle,
    cos: Vec<Column>,
    sin: Vec<Column>,
) -> Option<Rows> {
    let input = walk.columns(x)?;
    let fits = head_dim > 0
        && input.width % head_dim == 0
        && !cos.is_empty()
        && cos.len() == sin.len()
        && 2 * cos.len() <= head_dim;
    if !fits {
        return None;
    }
    let (cos, sin) = (walk.table(cos), walk.table(sin));
    let op = RowOp::Rope {
        input,
        head_dim,
        style,
        cos,
        sin,
    };
    let turned = walk.push(op, input.width).with_layout(x.layout.packed());
    Some(Rows {
        scale: x.scale,
        ..turned
    })
}

/// `RotaryEmbedding(x, positions, cos, sin)` of Microsoft's domain.
pub(crate) fn fused(walk: &mut Walk, node: &Node) -> Outcome {
    let plain =
        node.int_or("is_packed_batching", 0) == 0 && node.float("scale").unwrap_or(1.0) == 1.0;
    if !plain || !from_past(walk, node, 1)? {
        return Ok(None);
    }
    let tables = stored_tables(walk, node, 2);
    one(tables
        .and_then(|(cos, sin)| fused_turn(walk, node, cos, sin))
        .map(Value::Rows))
}

/// `RotaryEmbedding(x, cos, sin, positions)` of ONNX's own domain; without positions the
/// tables hold a row for each token of the step.
pub(crate) fn standard(walk: &mut Walk, node: &Node) -> Outcome {
    let tables = if node.input(3).is_some() {
        if !from_past(walk, node, 3)? {
            return Ok(None);
        }
        stored_tables(walk, node, 1)
    } else {
        let rows = [Axis::One, Axis::Position, Axis::Column];
        let columns = |index| {
            table(walk, node, index)
                .filter(|table| table.axes[..] == rows)
                .map(|t| t.columns)
        };
        columns(1).zip(columns(2))
    };
    one(tables
        .and_then(|(cos, sin)| fused_turn(walk, node, cos, sin))
        .map(Value::Rows))
}

fn fused_turn(walk: &mut Walk, node: &Node, cos: Vec<Column>, sin: Vec<Column>) -> Option<Rows> {
    let x = walk.rows(node, 0)?.clone();
    let rotary_dim = usize::try_from(node.int_or("rotary_embedding_dim", 0)).ok()?;
    let heads = usize::try_from(node.int_or("num_heads", 0)).ok()?;
    let (_, width) = x.layout.columns()?;
    let head_dim = match (x.layout.axes.len(), heads) {
        (4, _) => x.layout.shape()?.last()?.size()?,
        (3, 0) => 2 * cos.len(),
        (3, heads) => width / heads,
        _ => return None,
    };
    let ordered = if x.layout.axes.len() == 3 {
        x.layout.is_rows()
    } else {
        x.layout.packed() == Layout::heads_first(width / head_dim, head_dim)
    };
    let fits = rotary_dim == 0 || rotary_dim == 2 * cos.len();
    if !ordered || !fits {
        return None;
    }
    let interleaved = node.int_or("interleaved", 0) != 0;
    let style = if interleaved {
        RopeStyle::Interleaved
    } else {
        RopeStyle::Halves
    };
    turn(walk, &x, head_dim, style, cos, sin)
}

/// Two stored tables in neighbouring inputs.
pub(crate) fn stored_tables(
    walk: &Walk,
    node: &Node,
    first: usize,
) -> Option<(Vec<Column>, Vec<Column>)> {
    let columns = |index| {
        let stored = walk.stored(node, index)?;
        let [_, width] = stored.shape[..] else {
            return None;
        };
        let whole = !stored.transposed && stored.shape == stored.tensor.shape;
        (whole && stored.tensor.dtype.is_float()).then(|| stored_columns(&stored.tensor, width))
    };
    columns(first).zip(columns(first + 1))
}

/// Whether an input says that the step's tokens stand right behind the past.
pub(crate) fn from_past(
    walk: &Walk,
    node: &Node,
    index: usize,
) -> Result<bool, crate::ImportError> {
    if let Some(ints) = walk.ints(node, index)? {
        return Ok(ints.single() == Some(Dim::PAST));
    }
    let positions = walk.grid(node, index)?.as_ref().and_then(Table::positions);
    Ok(positions.is_some_and(|table| table.axes[..] == [Axis::One, Axis::Position]))
}
