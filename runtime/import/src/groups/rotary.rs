//! Rotary position embedding: `x · cos + turn(x) · sin`, where `turn` exchanges the halves of
//! each head, or neighbours in it, and negates the first of them.
//!
//! Fused as RotaryEmbedding (of Microsoft's domain or ONNX's own), or spread out: the tables
//! computed once, then Slice, Neg, Concat (for neighbours with a Reshape), Mul and Add for each use.

use tealight_core::ops::RopeStyle;

use super::rotary_table::{Axis, Table, stored_columns, table};
use crate::onnx::Node;
use crate::walk::dim::Dim;
use crate::walk::grid::Grid;
use crate::walk::layout::{Factor, Layout, columns};
use crate::walk::network::{Columns, RowOp};
use crate::walk::value::{Rows, Value};
use crate::walk::{Outcome, Walk, one};
use crate::weights::Column;

/// A step on the way.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    /// Values that depend on the position alone.
    Table(Table),
    /// `-x`
    Negated(Rows),
    /// `turn(x)`
    Turned { x: Rows, style: RopeStyle },
    /// `x · table` or `turn(x) · table`
    Product {
        x: Rows,
        turned: Option<RopeStyle>,
        table: Vec<Column>,
    },
    /// A half of rotated heads: `low · cos − high · sin`, or the upper one, `high · cos + low · sin`.
    Crossed {
        low: Rows,
        high: Rows,
        cos: Vec<Column>,
        sin: Vec<Column>,
        upper: bool,
    },
    /// The rotated part of heads whose rest stays as it is.
    Partial {
        x: Rows,
        style: RopeStyle,
        cos: Vec<Column>,
        sin: Vec<Column>,
    },
}

impl Part {
    /// How many numbers the step takes to keep, roughly.
    pub(crate) fn size(&self) -> usize {
        let size = |columns: &[Column]| columns.iter().map(|column| 2 + column.steps.len()).sum();
        match self {
            Part::Table(table) => size(&table.columns),
            Part::Product { table, .. } => size(table),
            Part::Partial { cos, sin, .. } | Part::Crossed { cos, sin, .. } => {
                size(cos) + size(sin)
            }
            Part::Negated(_) | Part::Turned { .. } => 1,
        }
    }

    /// The same step under another view of the activations.
    pub(crate) fn with_layout(&self, change: impl Fn(&Layout) -> Option<Layout>) -> Option<Part> {
        let changed = |x: &Rows| Some(x.with_layout(change(&x.layout)?));
        match self {
            Part::Negated(x) => Some(Part::Negated(changed(x)?)),
            Part::Turned { x, style } => Some(Part::Turned {
                x: changed(x)?,
                style: *style,
            }),
            _ => None,
        }
    }

    pub(crate) fn shape(&self) -> Option<Vec<Dim>> {
        match self {
            Part::Table(table) => Some(table.shape()),
            Part::Negated(x) | Part::Turned { x, .. } => x.layout.shape(),
            Part::Product { x, .. } | Part::Partial { x, .. } | Part::Crossed { low: x, .. } => {
                x.layout.shape()
            }
        }
    }
}

fn part(walk: &Walk, node: &Node, index: usize) -> Option<Part> {
    match walk.value(node, index)? {
        Value::Rotary(part) => Some(part.clone()),
        _ => None,
    }
}

pub(super) fn step(part: Option<Part>) -> Outcome {
    one(part.map(Value::Rotary))
}

/// `Neg(x)`.
pub(crate) fn negate(walk: &mut Walk, node: &Node) -> Outcome {
    step(walk.rows(node, 0).cloned().map(Part::Negated))
}

/// What an input is the negative of.
pub(super) fn negated(walk: &Walk, node: &Node, index: usize) -> Option<Rows> {
    match part(walk, node, index)? {
        Part::Negated(rows) => Some(rows),
        _ => None,
    }
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
            let turned = |style| move |x| Part::Turned { x, style };
            // Neighbours first: their last axis, of size 1, could pass for a half.
            let pairs = neighbours(lower, &upper, axis).map(turned(RopeStyle::Interleaved));
            step(pairs.or_else(|| {
                let whole = adjacent(lower, &upper, axis)?;
                halves(lower, &upper).then(|| turned(RopeStyle::Halves)(whole))
            }))
        }
        (Some(lower @ Part::Crossed { .. }), Some(upper), _) => {
            one(crossed(walk, &lower, &upper, axis).map(Value::Rows))
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
        (Some(Part::Partial { x, style, cos, sin }), _, Some(rest)) => {
            let whole = adjacent(&x, rest, axis);
            let rotated = whole.and_then(|whole| rotate(walk, &whole, style, &cos, &sin));
            one(rotated.map(Value::Rows))
        }
        (None, _, Some(rest)) => {
            let (turned, rest) = (walk.rows(node, 0).cloned(), rest.clone());
            one(turned
                .and_then(|turned| widened(walk, &turned, &rest, axis))
                .map(Value::Rows))
        }
        _ => Ok(None),
    }
}

/// The rotation of a single head's front part becomes that of the whole head: of one head the
/// part is a run of columns as well, so it looked whole.
fn widened(walk: &mut Walk, turned: &Rows, rest: &Rows, axis: i64) -> Option<Rows> {
    let RowOp::Rope {
        input,
        head_dim,
        style,
        cos,
        sin,
    } = walk.network.row(turned.of).op.clone()
    else {
        return None;
    };
    let last = turned.layout.axes.len().checked_sub(1)?;
    let behind = walk.columns(rest)?;
    let width = input.width + behind.width;
    let fits = head_dim == input.width
        && rest.layout.axes.len() == turned.layout.axes.len()
        && turned.layout.columns() == Some((0, input.width))
        && turned.layout.axes[last][..] == columns(input.width, 1)[..]
        && rest.layout.axes.last()?[..] == columns(behind.width, 1)[..]
        && rest.layout.axes[..last] == turned.layout.axes[..last]
        && turned.layout.axis(axis) == Some(last)
        && (behind.of, behind.start) == (input.of, input.start + input.width)
        && rest.scale == turned.scale;
    if !fits {
        return None;
    }
    let op = RowOp::Rope {
        input: Columns { width, ..input },
        head_dim: width,
        style,
        cos,
        sin,
    };
    let mut layout = turned.layout.clone();
    layout.axes[last] = columns(width, 1);
    let whole = walk.push(op, width).with_layout(layout);
    Some(Rows {
        scale: turned.scale,
        ..whole
    })
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

/// The tensor whose last axis holds pairs of one value of `even` and the next of `odd`; both end in
/// every second column of a run and an axis of size 1.
fn neighbours(even: &Rows, odd: &Rows, axis: i64) -> Option<Rows> {
    let [front @ .., run, single] = &even.layout.axes[..] else {
        return None;
    };
    let pairs = matches!(run[..], [] | [Factor::Columns { stride: 2, .. }]) && single.is_empty();
    let fits = pairs
        && even.of == odd.of
        && even.scale == odd.scale
        && odd.layout.start == even.layout.start + 1
        && odd.layout.axes == even.layout.axes
        && even.layout.axis(axis) == Some(front.len() + 1);
    let mut layout = even.layout.clone();
    layout.axes[front.len() + 1] = columns(2, 1);
    fits.then(|| even.with_layout(layout))
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
            (Some(x), _) => (x.clone(), None),
            (_, Some(Part::Turned { x, style })) => (x, Some(style)),
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
        Axis::Repeat(_) => false,
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
    if let (None, None) = (turned, t) {
        return step(Some(Part::Crossed {
            low: y,
            high: x,
            cos: table,
            sin: u,
            upper: true,
        }));
    }
    let (style, cos, sin) = match (turned, t) {
        (None, Some(style)) => (style, table, u),
        (Some(style), None) => (style, u, table),
        _ => return Ok(None),
    };
    // Both values of a pair turn by the same angle.
    let half = |columns: Vec<Column>| {
        let half = columns.len() / 2;
        let (first, second): (Vec<_>, Vec<_>) = match style {
            RopeStyle::Halves => columns.iter().enumerate().partition(|(at, _)| *at < half),
            RopeStyle::Interleaved => columns.iter().enumerate().partition(|(at, _)| at % 2 == 0),
        };
        let [first, second] = [first, second].map(|half| {
            let columns = half.into_iter().map(|(_, column)| column.clone());
            columns.collect::<Vec<Column>>()
        });
        (first == second).then_some(first)
    };
    let (Some(cos), Some(sin)) = (half(cos), half(sin)) else {
        return Ok(None);
    };
    if x != y {
        return Ok(None);
    }
    if x.layout.columns().is_none() {
        return step(Some(Part::Partial { x, style, cos, sin }));
    }
    one(rotate(walk, &x, style, &cos, &sin).map(Value::Rows))
}

/// `low · cos − high · sin`.
pub(crate) fn subtract(walk: &mut Walk, node: &Node) -> Outcome {
    let product = |index| match part(walk, node, index)? {
        Part::Product {
            x,
            turned: None,
            table,
        } => Some((x, table)),
        _ => None,
    };
    let (Some((low, cos)), Some((high, sin))) = (product(0), product(1)) else {
        return Ok(None);
    };
    step(Some(Part::Crossed {
        low,
        high,
        cos,
        sin,
        upper: false,
    }))
}

/// The rotation of heads whose halves these are.
fn crossed(walk: &mut Walk, first: &Part, second: &Part, axis: i64) -> Option<Rows> {
    let (
        Part::Crossed {
            low,
            high,
            cos,
            sin,
            upper: false,
        },
        Part::Crossed {
            low: a,
            high: b,
            cos: c,
            sin: s,
            upper: true,
        },
    ) = (first, second)
    else {
        return None;
    };
    // A sum has no order.
    let upper = (low, high, cos, sin);
    let same = upper == (a, b, c, s) || upper == (b, a, s, c);
    let whole = adjacent(low, high, axis).filter(|_| same && halves(low, high))?;
    rotate(walk, &whole, RopeStyle::Halves, cos, sin)
}

/// Appends the rotation of the first `2 · cos.len()` columns of each head; the last axis is a head.
fn rotate(
    walk: &mut Walk,
    x: &Rows,
    style: RopeStyle,
    cos: &[Column],
    sin: &[Column],
) -> Option<Rows> {
    let head_dim = x.layout.shape()?.last()?.size()?;
    turn(walk, x, head_dim, style, cos.to_vec(), sin.to_vec())
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

/// `RotaryEmbedding(x, positions, cos, sin)` of Microsoft's domain; and MRotaryEmbedding, whose
/// positions are in time, height and width. Those of text are the same, so it does not matter which
/// columns turn by which.
pub(crate) fn fused(walk: &mut Walk, node: &Node) -> Outcome {
    let plain =
        node.int_or("is_packed_batching", 0) == 0 && node.float("scale").unwrap_or(1.0) == 1.0;
    let positions = match node.op.as_str() {
        "MRotaryEmbedding" => in_every_row(walk, node, 1)?,
        _ => from_past(walk, node, 1)?,
    };
    if !plain || !positions {
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
        return Ok(ints.single() == Some(walk.past));
    }
    let positions = walk.grid(node, index)?;
    Ok(positions.is_some_and(|grid| behind_past(walk, &grid)))
}

fn behind_past(walk: &Walk, grid: &Grid) -> bool {
    let positions = Table::positions(grid, walk.past);
    positions.is_some_and(|table| table.axes[..] == [Axis::One, Axis::Position])
}

/// Whether an input is rows of positions, `[3, 1, sequence]`, of which that is true.
fn in_every_row(walk: &Walk, node: &Node, index: usize) -> Result<bool, crate::ImportError> {
    let grid = walk.grid(node, index)?;
    let same = grid.and_then(|grid| {
        let linear = grid.as_linear()?;
        (grid.shape.first()? == &Dim::new(3) && linear.steps.first()? == &0).then(|| {
            Grid::linear(
                grid.shape[1..].to_vec(),
                linear.base,
                linear.steps[1..].to_vec(),
            )
        })
    });
    Ok(same.is_some_and(|grid| behind_past(walk, &grid)))
}
