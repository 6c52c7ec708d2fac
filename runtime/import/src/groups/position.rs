//! Learned positions and kinds of tokens: rows of tables that do not depend on the tokens, looked up
//! with Gather, from an 8-bit table followed by DequantizeLinear, and added to the embedding.

use std::rc::Rc;

use super::rotary;
use super::rotary_table::{Axis, Table};
use crate::onnx::{Node, Tensor};
use crate::walk::dim::Dim;
use crate::walk::grid::Grid;
use crate::walk::network::{RowId, RowOp};
use crate::walk::value::{Rows, Value};
use crate::walk::{Outcome, Walk, one};
use crate::weights::{Column, LookedUp, PositionRows};

/// The sum of such rows, `[1, sequence, width]`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Part {
    rows: Vec<LookedUp>,
    width: usize,
    /// Whether these are integers that still are to be scaled.
    raw: bool,
}

impl Part {
    pub(crate) fn shape(&self) -> Option<Vec<Dim>> {
        Some(vec![Dim::ONE, Dim::SEQUENCE, Dim::from(self.width)])
    }
}

/// `Gather(table, grid)` along the first axis, where the grid is each token's position, or the same
/// number for all.
pub(crate) fn gather(walk: &mut Walk, node: &Node) -> Outcome {
    let Some(table) = walk.stored(node, 0).cloned() else {
        return Ok(None);
    };
    let [rows, width] = table.shape[..] else {
        return Ok(None);
    };
    let known = table.tensor.dtype.is_float() || table.tensor.dtype.size() == 1;
    let plain = node.int_or("axis", 0) == 0 && !table.transposed && known;
    let Some(grid) = walk.grid(node, 1)?.filter(|_| plain && width > 0) else {
        return Ok(None);
    };
    let raw = !table.tensor.dtype.is_float();
    let row = looked_up(walk.past, &grid, table.tensor, rows);
    one(row.map(|row| {
        let rows = vec![row];
        Value::Position(Part { rows, width, raw })
    }))
}

/// `DequantizeLinear(rows, scale, zero point)`, with one of each for the whole table.
pub(crate) fn dequantize(walk: &mut Walk, node: &Node) -> Outcome {
    let Some(Value::Position(part @ Part { raw: true, .. })) = walk.value(node, 0).cloned() else {
        return Ok(None);
    };
    let zero = match node.input(2) {
        None => Some(0),
        Some(_) => {
            let zero = walk.numbers(node, 2)?;
            zero.and_then(|zero| (zero.len() == 1).then(|| zero[0]))
        }
    };
    let scale = walk.float(node, 1)?.filter(|scale| scale.is_finite());
    let (Some(zero), Some(scale), 0) = (zero, scale, node.int_or("block_size", 0)) else {
        return Ok(None);
    };
    let scaled = |row: LookedUp| LookedUp {
        zero: zero as f32,
        scale,
        ..row
    };
    one(Some(Value::Position(Part {
        rows: part.rows.into_iter().map(scaled).collect(),
        raw: false,
        ..part
    })))
}

/// A whole stored table with a row a position, which until now may have been one of cosines.
fn of_table(table: &Table) -> Option<Part> {
    let (stored, 0) = table.columns.first()?.stored()? else {
        return None;
    };
    let width = table.columns.len();
    let in_order = |(at, column): (usize, &Column)| {
        column
            .stored()
            .is_some_and(|(of, index)| of.id == stored.id && index == at)
    };
    let whole = stored.shape.last() == Some(&width)
        && table.axes[..] == [Axis::One, Axis::Position, Axis::Column]
        && table.columns.iter().enumerate().all(in_order);
    let row = LookedUp {
        table: stored.clone(),
        first: 0,
        moves: true,
        zero: 0.0,
        scale: 1.0,
    };
    whole.then(|| Part {
        rows: vec![row],
        width,
        raw: false,
    })
}

fn looked_up(past: Dim, grid: &Grid, table: Rc<Tensor>, rows: usize) -> Option<LookedUp> {
    let [Dim::ONE, Dim::SEQUENCE] = grid.shape[..] else {
        return None;
    };
    let at = |row: i64, moves: bool| {
        let first = usize::try_from(row).ok().filter(|&row| row < rows)?;
        Some(LookedUp {
            table,
            first,
            moves,
            zero: 0.0,
            scale: 1.0,
        })
    };
    if let Some(row) = grid.fill() {
        let whole = row.fract() == 0.0 && row.abs() < 1e9;
        return whole.then(|| at(row as i64, false))?;
    }
    let linear = grid.as_linear()?;
    let first = linear.base.sub(past)?.number()?;
    (linear.steps[..] == [0, 1]).then(|| at(first, true))?
}

/// `Add` of two lookups, or of a lookup and an embedding.
pub(crate) fn add(walk: &mut Walk, node: &Node) -> Outcome {
    let lookup = |walk: &Walk, index: usize| match walk.value(node, index)? {
        Value::Position(part) if !part.raw => Some(part.clone()),
        Value::Rotary(rotary::Part::Table(table)) => of_table(table),
        _ => None,
    };
    for (this, other) in [(0, 1), (1, 0)] {
        let Some(mut part) = lookup(walk, this) else {
            continue;
        };
        if let Some(more) = lookup(walk, other).filter(|more| more.width == part.width) {
            part.rows.extend(more.rows);
            return one(Some(Value::Position(part)));
        }
        let Some(rows) = walk.rows(node, other).cloned() else {
            continue;
        };
        return one(placed(walk, &rows, part).map(Value::Rows));
    }
    Ok(None)
}

/// Appends the sum of an embedding and what was looked up; both lookups, where it has one already.
fn placed(walk: &mut Walk, rows: &Rows, part: Part) -> Option<Rows> {
    let whole = *rows == Rows::whole(rows.of, part.width);
    let (input, mut table): (RowId, Vec<LookedUp>) = match &walk.network.row(rows.of).op {
        RowOp::Embed { .. } => (rows.of, vec![]),
        RowOp::Position { input, table } => (input.of, table.rows.clone()),
        _ => return None,
    };
    let input = walk.network.whole(input);
    if !whole || input.width != part.width {
        return None;
    }
    table.extend(part.rows);
    let table = Rc::new(PositionRows { rows: table });
    Some(walk.push(RowOp::Position { input, table }, part.width))
}
