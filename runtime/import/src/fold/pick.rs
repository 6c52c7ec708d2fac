//! Parts of tensors, and tensors of parts: Gather, Slice, Split, Concat.

use crate::ImportError;
use crate::groups::rotary::Part;
use crate::onnx::Node;
use crate::walk::array::{self, Array};
use crate::walk::dim::Dim;
use crate::walk::grid::Grid;
use crate::walk::layout::axis_index;
use crate::walk::value::Value;
use crate::walk::{Outcome, Walk, one};

/// `Gather(x, indices)` from known values, or from a tensor that is the same everywhere; or of the last
/// token.
pub(crate) fn gather(walk: &mut Walk, node: &Node) -> Outcome {
    let axis = node.int_or("axis", 0);
    if let Some(rows) = walk.rows(node, 0).cloned() {
        let at = walk.ints(node, 1)?.filter(|at| at.shape.is_empty());
        let last = [Some(Dim::new(-1)), Dim::SEQUENCE.sub(Dim::ONE)];
        let is_last = at.is_some_and(|at| last.contains(&at.single()));
        let axis = rows.layout.axis(axis).filter(|_| is_last);
        let layout = axis.and_then(|axis| rows.layout.last(axis));
        return one(layout.map(|layout| Value::Rows(rows.with_layout(layout))));
    }
    if let Some(value @ (Value::Grid(grid) | Value::Truth(grid))) = walk.value(node, 0) {
        let (Some(fill), Some(indices)) = (grid.fill(), walk.value(node, 1).and_then(Value::shape))
        else {
            return Ok(None);
        };
        let Some(at) = axis_index(axis, grid.shape.len()) else {
            return Ok(None);
        };
        let shape = [&grid.shape[..at], &indices, &grid.shape[at + 1..]].concat();
        return one(Some(value.like(Grid::filled(shape, fill))));
    }
    let Some(indices) = walk.ints(node, 1)?.and_then(|a| a.map(|dim| dim.number())) else {
        return Ok(None);
    };
    if let Some(ints) = walk.ints(node, 0)? {
        return one(gather_from(&ints, axis, &indices).map(Value::Ints));
    }
    let floats = walk.floats(node, 0)?;
    one(floats
        .and_then(|floats| gather_from(&floats, axis, &indices))
        .map(Value::Floats))
}

fn gather_from<T: Clone>(from: &Array<T>, axis: i64, at: &Array<i64>) -> Option<Array<T>> {
    let axis = axis_index(axis, from.shape.len())?;
    Some(from.pick(&array::gather(&from.shape, axis, at)?))
}

/// `Slice(x, starts, ends, axes, steps)` forwards.
pub(crate) fn slice(walk: &mut Walk, node: &Node) -> Outcome {
    let (Some(starts), Some(ends)) = (walk.ints(node, 1)?, walk.ints(node, 2)?) else {
        return Ok(None);
    };
    let axes = match node.input(3) {
        None => Some((0..starts.data.len() as i64).collect()),
        Some(_) => walk.numbers(node, 3)?,
    };
    let steps = match node.input(4) {
        None => Some(vec![]),
        Some(_) => walk.numbers(node, 4)?,
    };
    let Some(mut value) = walk.value(node, 0).cloned() else {
        return Ok(None);
    };
    if let Some(ints) = walk.ints(node, 0)? {
        value = Value::Ints(ints);
    }
    let (Some(axes), Some(steps)) = (axes, steps) else {
        return Ok(None);
    };
    let count = starts.data.len();
    if axes.len() != count || ends.data.len() != count {
        return Ok(None);
    }
    let steps = steps.into_iter().chain(std::iter::repeat(1));
    let ranges = starts.data.iter().zip(&ends.data).zip(steps);
    for (axis, ((&start, &end), step)) in axes.into_iter().zip(ranges) {
        let Some(shape) = value.shape() else {
            return Ok(None);
        };
        let Some(axis) = axis_index(axis, shape.len()) else {
            return Ok(None);
        };
        if let Some(positions) = of_positions(walk, &value, axis, start, end).filter(|_| step == 1)
        {
            value = positions;
            continue;
        }
        let (Some(from), Some(to)) = (bound(start, shape[axis]), bound(end, shape[axis])) else {
            return Ok(None);
        };
        match cut(&value, axis, from, to).and_then(|part| every(part, axis, step)) {
            Some(part) => value = part,
            None => return Ok(None),
        }
    }
    one(Some(value))
}

/// Known numbers of the step's positions, as they are cut out of those of all positions that the
/// graph was made for: there are no longer texts.
fn of_positions(walk: &mut Walk, value: &Value, axis: usize, from: Dim, to: Dim) -> Option<Value> {
    let Value::Ints(array) = value else {
        return None;
    };
    if from != walk.past || to.sub(from)? != Dim::SEQUENCE {
        return None;
    }
    let mut grid = Grid::from_ints(array)?;
    let form = grid.as_linear()?;
    let first = from.mul(Dim::new(*form.steps.get(axis)?))?;
    grid.shape[axis] = Dim::SEQUENCE;
    walk.at_most(*array.shape.get(axis)?);
    Some(Value::Grid(Grid::linear(
        grid.shape,
        form.base.add(first)?,
        form.steps,
    )))
}

/// Keeps every `step`-th element of an axis, the first one included.
fn every(value: Value, axis: usize, step: i64) -> Option<Value> {
    match value {
        value if step == 1 => Some(value),
        Value::Rows(rows) => {
            let step = usize::try_from(step).ok()?;
            let layout = rows.layout.every(axis, step)?;
            Some(Value::Rows(rows.with_layout(layout)))
        }
        Value::Experts(part) => part.every(axis, step).map(Box::new).map(Value::Experts),
        _ => None,
    }
}

/// Where a slice starts or ends on an axis: counted from the end if negative, and never
/// beyond the end.
fn bound(at: Dim, size: Dim) -> Option<Dim> {
    /// Exporters write "to the end" as one of several huge numbers.
    const HUGE: i64 = 1 << 31;
    if at == size || at.number().is_some_and(|at| at >= HUGE - 1) {
        return Some(size);
    }
    if at.greatest().is_some_and(|greatest| greatest < 0) {
        let start = Dim::new(0);
        if at.number().is_some_and(|at| at <= -HUGE + 1) {
            return Some(start);
        }
        let at = at.add(size)?;
        // What may or may not lie before the start is left alone.
        return (at.least()? >= 0).then_some(at);
    }
    let inside = size.sub(at)?.least().is_some_and(|rest| rest >= 0);
    let beyond = at.sub(size)?.least().is_some_and(|more| more >= 0);
    match (inside, beyond) {
        (_, true) => Some(size),
        (true, _) => at.least().filter(|&least| least >= 0).map(|_| at),
        _ => None,
    }
}

/// Keeps `from .. to` of an axis.
fn cut(value: &Value, axis: usize, from: Dim, to: Dim) -> Option<Value> {
    Some(match value {
        Value::Ints(array) => Value::Ints(cut_array(array, axis, from, to)?),
        Value::Floats(array) => Value::Floats(cut_array(array, axis, from, to)?),
        Value::Grid(grid) => Value::Grid(grid.slice(axis, from, to)?),
        Value::Truth(grid) => Value::Truth(grid.slice(axis, from, to)?),
        Value::Rows(rows) => Value::Rows(rows.with_layout(rows.layout.slice(axis, from, to)?)),
        Value::Experts(part) => Value::Experts(Box::new(part.cut(axis, from, to)?)),
        Value::Attention(part) => Value::Attention(part.cut(axis, from, to)?),
        Value::Convolution(part) => part.cut(axis, from, to)?,
        Value::Rotary(Part::Table(table)) => {
            Value::Rotary(Part::Table(table.slice(axis, from, to)?))
        }
        _ => return None,
    })
}

fn cut_array<T: Clone>(array: &Array<T>, axis: usize, from: Dim, to: Dim) -> Option<Array<T>> {
    Some(array.pick(&array::slice(&array.shape, axis, from.size()?, to.size()?)?))
}

/// `Split(x, sizes)`.
pub(crate) fn split(walk: &mut Walk, node: &Node) -> Outcome {
    let Some(value) = walk.value(node, 0).cloned() else {
        return Ok(None);
    };
    let Some(shape) = value.shape() else {
        return Ok(None);
    };
    let Some(axis) = axis_index(node.int_or("axis", 0), shape.len()) else {
        return Ok(None);
    };
    let sizes = match (node.ints("split"), node.input(1)) {
        (Some(sizes), _) => Some(sizes.to_vec()),
        (None, Some(_)) => walk.numbers(node, 1)?,
        (None, None) => {
            let count = node.outputs.len() as i64;
            shape[axis]
                .number()
                .filter(|size| size % count == 0)
                .map(|size| vec![size / count; node.outputs.len()])
        }
    };
    let Some(sizes) = sizes else { return Ok(None) };
    let mut start = 0i64;
    let mut parts = Vec::with_capacity(sizes.len());
    for size in sizes {
        let Some(end) = start.checked_add(size) else {
            return Ok(None);
        };
        match cut(&value, axis, Dim::new(start), Dim::new(end)) {
            Some(part) => parts.push(part),
            None => return Ok(None),
        }
        start = end;
    }
    Ok((Dim::new(start) == shape[axis]).then_some(parts))
}

/// `Concat(parts)` of known values.
pub(crate) fn concat(walk: &mut Walk, node: &Node) -> Outcome {
    let count = node.inputs.len();
    let axis = |rank: usize| axis_index(node.int_or("axis", 0), rank);
    let ints = all(count, |index| walk.ints(node, index))?;
    if let Some(parts) = ints {
        let parts: Vec<&Array<Dim>> = parts.iter().collect();
        let axis = parts.first().and_then(|part| axis(part.shape.len()));
        return one(axis
            .and_then(|axis| Array::concat(&parts, axis))
            .map(Value::Ints));
    }
    if let Some(parts) = all(count, |index| walk.floats(node, index))? {
        let parts: Vec<&Array<f32>> = parts.iter().collect();
        let axis = parts.first().and_then(|part| axis(part.shape.len()));
        return one(axis
            .and_then(|axis| Array::concat(&parts, axis))
            .map(Value::Floats));
    }
    // Of several grids side by side only the shape is kept: enough to look things up in a
    // tensor that is the same everywhere.
    let Some(parts) = all(count, |index| walk.grid(node, index))? else {
        return Ok(None);
    };
    let Some(mut shape) = parts.first().map(|part| part.shape.clone()) else {
        return Ok(None);
    };
    let Some(axis) = axis(shape.len()) else {
        return Ok(None);
    };
    for part in &parts[1..] {
        let mut expected = part.shape.clone();
        if let (Some(there), true) = (expected.get_mut(axis), part.shape.len() == shape.len()) {
            let Some(sum) = shape[axis].add(*there) else {
                return Ok(None);
            };
            (*there, shape[axis]) = (sum, sum);
        }
        if expected != shape {
            return Ok(None);
        }
    }
    one(Some(Value::Indices(shape)))
}

/// `GatherND(x, indices)` from a tensor that is the same everywhere.
pub(crate) fn gather_nd(walk: &mut Walk, node: &Node) -> Outcome {
    let (Some(grid), Some(indices)) = (
        walk.grid(node, 0)?,
        walk.value(node, 1).and_then(Value::shape),
    ) else {
        return Ok(None);
    };
    let (Some(fill), Some((depth, front)), 0) = (
        grid.fill(),
        indices.split_last(),
        node.int_or("batch_dims", 0),
    ) else {
        return Ok(None);
    };
    let rest = depth.size().and_then(|depth| grid.shape.get(depth..));
    let value = walk.value(node, 0);
    one(rest
        .zip(value)
        .map(|(rest, value)| value.like(Grid::filled([front, rest].concat(), fill))))
}

/// All of them, or nothing.
fn all<T>(
    count: usize,
    mut part: impl FnMut(usize) -> Result<Option<T>, ImportError>,
) -> Result<Option<Vec<T>>, ImportError> {
    let mut parts = Vec::new();
    for index in 0..count {
        match part(index)? {
            Some(value) => parts.push(value),
            None => return Ok(None),
        }
    }
    Ok(Some(parts))
}
