//! Changes of shape and type: Identity, Cast, Unsqueeze, Squeeze, Transpose, Reshape, Flatten,
//! Expand. Of activations they only change the view.

use crate::ImportError;
use crate::onnx::{DType, Node};
use crate::walk::array::{self, Array, Picks};
use crate::walk::dim::Dim;
use crate::walk::grid::Grid;
use crate::walk::layout::{Layout, axis_index, complete_shape};
use crate::walk::value::{Kept, Stored, Value};
use crate::walk::{Outcome, Walk, one};

use crate::groups::recurrence::Decay;
use crate::groups::rotary::Part;
use crate::groups::rotary_table::{Axis, Table};

/// A change of shape.
enum Change {
    Unsqueeze(Vec<i64>),
    Squeeze(Vec<i64>),
    Transpose(Vec<i64>),
    Reshape { shape: Vec<Dim>, allow_zero: bool },
    Expand(Vec<Dim>),
}

/// `Identity(x)`.
pub(crate) fn identity(walk: &mut Walk, node: &Node) -> Outcome {
    one(walk.value(node, 0).cloned())
}

/// `Cast(x)`. Activations stay what they are: plans compute in f32.
pub(crate) fn cast(walk: &mut Walk, node: &Node) -> Outcome {
    let Some(to) = node.int("to").and_then(DType::from_onnx) else {
        return Ok(None);
    };
    let Some(value) = walk.value(node, 0).cloned() else {
        return Ok(None);
    };
    one(match value {
        Value::Ints(array) if to == DType::Bool => array
            .map(|dim| dim.same(Dim::new(0)).map(|zero| !zero))
            .map(Value::Bools),
        Value::Ints(array) if to.is_float() => array
            .map(|dim| dim.number().map(|number| number as f32))
            .map(Value::Floats),
        Value::Floats(array) if !to.is_float() => array
            .map(|&x| (x.abs() < 9e15).then(|| Dim::new(x as i64)))
            .map(Value::Ints),
        Value::Bools(array) if to != DType::Bool => {
            let number = |&truth: &bool| Some(Dim::new(i64::from(truth)));
            match to.is_float() {
                true => array
                    .map(|&truth| Some(f32::from(u8::from(truth))))
                    .map(Value::Floats),
                false => array.map(number).map(Value::Ints),
            }
        }
        Value::Grid(grid) if to == DType::Bool => {
            grid.map(|x| f64::from(x != 0.0)).map(Value::Truth)
        }
        Value::Truth(grid) if to != DType::Bool => Some(Value::Grid(grid)),
        // A mask may have been made of anything, but only whole numbers survive this.
        Value::Grid(grid) if !to.is_float() && grid.as_linear().is_none() => grid
            .map(f64::trunc)
            .filter(|whole| whole == &grid)
            .map(Value::Grid),
        Value::Stored(stored) if stored.tensor.dtype.is_float() != to.is_float() => {
            stored_cast(walk, node, to)?
        }
        other => Some(other),
    })
}

fn stored_cast(walk: &Walk, node: &Node, to: DType) -> Result<Option<Value>, ImportError> {
    if to.is_float() {
        let ints = walk.ints(node, 0)?;
        let floats = ints.and_then(|a| a.map(|dim| dim.number().map(|n| n as f32)));
        return Ok(floats.map(Value::Floats));
    }
    let floats = walk.floats(node, 0)?;
    Ok(floats
        .and_then(|a| a.map(|&x| Some(Dim::new(x as i64))))
        .map(Value::Ints))
}

/// `Unsqueeze(x, axes)`, `Squeeze(x, axes)`.
pub(crate) fn unsqueeze(walk: &mut Walk, node: &Node) -> Outcome {
    let axes = match node.ints("axes") {
        Some(axes) => Some(axes.to_vec()),
        None => walk.numbers(node, 1)?,
    };
    // A Squeeze that names no axes removes every axis of size 1.
    let all = walk
        .value(node, 0)
        .and_then(Value::shape)
        .filter(|_| node.op == "Squeeze" && node.input(1).is_none());
    let ones = |shape: Vec<Dim>| {
        let at = (0i64..).zip(shape).filter(|&(_, size)| size == Dim::ONE);
        at.map(|(at, _)| at).collect()
    };
    let Some(axes) = axes.or_else(|| all.map(ones)) else {
        return Ok(None);
    };
    let change = if node.op == "Squeeze" {
        Change::Squeeze(axes)
    } else {
        Change::Unsqueeze(axes)
    };
    apply(walk, node, &change)
}

/// `Transpose(x)`.
pub(crate) fn transpose(walk: &mut Walk, node: &Node) -> Outcome {
    let reversed = |rank: usize| (0..rank as i64).rev().collect();
    let perm = match node.ints("perm") {
        Some(perm) => Some(perm.to_vec()),
        None => walk
            .value(node, 0)
            .and_then(Value::shape)
            .map(|shape| reversed(shape.len())),
    };
    match perm.filter(|perm| names_each_axis(perm)) {
        Some(perm) => apply(walk, node, &Change::Transpose(perm)),
        None => Ok(None),
    }
}

fn names_each_axis(perm: &[i64]) -> bool {
    let mut axes: Vec<_> = perm.iter().map(|&at| axis_index(at, perm.len())).collect();
    axes.sort_unstable();
    axes.into_iter().eq((0..perm.len()).map(Some))
}

/// `Reshape(x, shape)`.
pub(crate) fn reshape(walk: &mut Walk, node: &Node) -> Outcome {
    let Some(shape) = walk.ints(node, 1)? else {
        return Ok(None);
    };
    let allow_zero = node.int_or("allowzero", 0) != 0;
    apply(
        walk,
        node,
        &Change::Reshape {
            shape: shape.data,
            allow_zero,
        },
    )
}

/// `Flatten(x)`: two axes are left.
pub(crate) fn flatten(walk: &mut Walk, node: &Node) -> Outcome {
    let Some(shape) = walk.value(node, 0).and_then(Value::shape) else {
        return Ok(None);
    };
    let rank = shape.len();
    let at = match node.int_or("axis", 1) {
        axis if axis == rank as i64 => Some(rank),
        axis => axis_index(axis, rank),
    };
    let Some((front, back)) = at.map(|at| shape.split_at(at)) else {
        return Ok(None);
    };
    let product = |dims: &[Dim]| dims.iter().try_fold(Dim::ONE, |a, &b| a.mul(b));
    match (product(front), product(back)) {
        (Some(a), Some(b)) => apply(
            walk,
            node,
            &Change::Reshape {
                shape: vec![a, b],
                allow_zero: true,
            },
        ),
        _ => Ok(None),
    }
}

/// `Expand(x, shape)`.
pub(crate) fn expand(walk: &mut Walk, node: &Node) -> Outcome {
    match walk.ints(node, 1)? {
        Some(shape) => apply(walk, node, &Change::Expand(shape.data)),
        None => Ok(None),
    }
}

fn apply(walk: &mut Walk, node: &Node, change: &Change) -> Outcome {
    let Some(value) = walk.value(node, 0).cloned() else {
        return Ok(None);
    };
    if let Value::Stored(stored) = &value
        && let Some(stored) = change.stored(stored)
    {
        return one(Some(Value::Stored(stored)));
    }
    if let Value::Scaled(scaled) = &value {
        // A scale's axis is one of the stored order: that may be exchanged, nothing else.
        let turned = matches!(change, Change::Transpose(_)).then(|| change.stored(&scaled.values));
        let turned = turned.flatten().map(|values| scaled.with_values(values));
        return one(turned.map(Value::Scaled));
    }
    // Constants small enough to be read are as good as known values.
    let value = match (value, walk.ints(node, 0)?, walk.floats(node, 0)?) {
        (value @ Value::Stored(_), _, _) if value.is_truth() => match walk.grid(node, 0)? {
            Some(grid) => Value::Truth(grid),
            None => return Ok(None),
        },
        (Value::Stored(_), Some(ints), _) => Value::Ints(ints),
        (Value::Stored(_), _, Some(floats)) => Value::Floats(floats),
        (value, _, _) => value,
    };
    let known = match &value {
        Value::Ints(array) => change.array(array).map(Value::Ints),
        Value::Floats(array) => change.array(array).map(Value::Floats),
        Value::Bools(array) => change.array(array).map(Value::Bools),
        _ => None,
    };
    // Repeated along the step's tokens, a known tensor becomes a grid.
    let grid = match &value {
        Value::Ints(array) => Grid::from_ints(array),
        Value::Floats(array) => Grid::from_floats(array),
        Value::Grid(grid) | Value::Truth(grid) => Some(grid.clone()),
        Value::Bools(_) => walk.grid(node, 0)?,
        _ => None,
    };
    if let Some(known) = known {
        return one(Some(known));
    }
    if let Some(grid) = grid {
        return one(change.grid(&grid).map(|grid| value.like(grid)));
    }
    let value = match value {
        Value::Tokens(shape) => match change.tokens(&shape) {
            Some(shape) => Value::Tokens(shape),
            None => return Ok(None),
        },
        Value::Rows(rows) => match change.layout(&rows.layout) {
            Some(layout) => Value::Rows(rows.with_layout(layout)),
            None => return Ok(None),
        },
        Value::Decay(Decay {
            step: Some(step),
            rate,
        }) => match change.layout(&step.layout) {
            Some(layout) => Value::Decay(Decay {
                step: Some(step.with_layout(layout)),
                rate,
            }),
            None => return Ok(None),
        },
        Value::Kept(kept) => match change.layout(&kept.rows.layout) {
            Some(layout) => Value::Kept(Kept {
                rows: kept.rows.with_layout(layout),
                ..kept
            }),
            None => return Ok(None),
        },
        Value::Rotary(Part::Table(table)) => match change.table(&table) {
            Some(table) => Value::Rotary(Part::Table(table)),
            None => return Ok(None),
        },
        Value::Rotary(part @ (Part::Negated(_) | Part::Turned { .. })) => {
            match part.with_layout(|layout| change.layout(layout)) {
                Some(part) => Value::Rotary(part),
                None => return Ok(None),
            }
        }
        _ => return Ok(None),
    };
    one(Some(value))
}

impl Change {
    fn layout(&self, layout: &Layout) -> Option<Layout> {
        match self {
            Change::Unsqueeze(axes) => layout.unsqueeze(axes),
            Change::Squeeze(axes) => layout.squeeze(axes),
            Change::Transpose(perm) => layout.transpose(perm),
            Change::Reshape { shape, allow_zero } => layout.reshape(shape, *allow_zero),
            Change::Expand(shape) => layout.expand(shape),
        }
    }

    fn array<T: Clone>(&self, array: &Array<T>) -> Option<Array<T>> {
        let old: Vec<Dim> = array.shape.iter().map(|&size| Dim::from(size)).collect();
        let picks = match self {
            Change::Transpose(perm) => {
                let rank = array.shape.len();
                let perm = perm
                    .iter()
                    .map(|&at| axis_index(at, rank))
                    .collect::<Option<Vec<_>>>()?;
                Some(array::transpose(&array.shape, &perm)?)
            }
            Change::Expand(shape) => {
                let shape = sizes(shape)?;
                let shape = array::broadcast(&array.shape, &shape)?;
                Some(array::repeat(&array.shape, &shape)?)
            }
            _ => None,
        };
        let picked: Option<Picks> = picks;
        match picked {
            Some(picks) => Some(array.pick(&picks)),
            None => array.with_shape(sizes(&self.new_shape(&old)?)?),
        }
    }

    fn stored(&self, stored: &Stored) -> Option<Stored> {
        let rank = stored.shape.len();
        match self {
            Change::Transpose(perm) => {
                let perm = perm
                    .iter()
                    .map(|&at| axis_index(at, rank))
                    .collect::<Option<Vec<_>>>()?;
                if perm.iter().enumerate().all(|(at, &from)| at == from) {
                    return Some(stored.clone());
                }
                let (mut shape, mut last_two) = (stored.shape.clone(), perm);
                let at = rank.checked_sub(2)?;
                shape.swap(at, at + 1);
                last_two.swap(at, at + 1);
                let in_order = last_two.iter().enumerate().all(|(at, &from)| at == from);
                in_order.then(|| Stored {
                    shape,
                    transposed: !stored.transposed,
                    ..stored.clone()
                })
            }
            Change::Expand(_) => None,
            _ if stored.transposed => None,
            _ => {
                let old: Vec<Dim> = stored.shape.iter().map(|&size| Dim::from(size)).collect();
                let shape = sizes(&self.new_shape(&old)?)?;
                Some(Stored {
                    shape,
                    ..stored.clone()
                })
            }
        }
    }

    fn tokens(&self, shape: &[Dim]) -> Option<Vec<Dim>> {
        match self {
            Change::Transpose(_) | Change::Expand(_) => None,
            _ => self.new_shape(shape),
        }
    }

    fn grid(&self, grid: &Grid) -> Option<Grid> {
        match self {
            Change::Expand(shape) => {
                // Sizes of 1 in the target keep what is there.
                let missing = shape.len().checked_sub(grid.shape.len())?;
                let size = |(at, &wanted): (usize, &Dim)| match at.checked_sub(missing) {
                    Some(at) if wanted == Dim::ONE => grid.shape[at],
                    _ => wanted,
                };
                let shape: Vec<Dim> = shape.iter().enumerate().map(size).collect();
                grid.expand(&shape)
            }
            Change::Transpose(perm) => {
                let rank = grid.shape.len();
                let axes = perm
                    .iter()
                    .map(|&at| axis_index(at, rank))
                    .collect::<Option<Vec<_>>>()?;
                (axes.len() == rank)
                    .then(|| axes.into_iter().map(Some).collect::<Vec<_>>())
                    .and_then(|axes| grid.with_axes(&axes))
            }
            _ => {
                let shape = self.new_shape(&grid.shape)?;
                if let Some(fill) = grid.fill() {
                    return Some(Grid::filled(shape, fill));
                }
                grid.with_axes(&moved_ones(&grid.shape, &shape)?)
            }
        }
    }

    fn table(&self, table: &Table) -> Option<Table> {
        let shape = table.shape();
        let axes = match self {
            Change::Transpose(perm) => {
                let rank = table.axes.len();
                let axis = |&at: &i64| axis_index(at, rank).map(|at| table.axes[at]);
                perm.iter().map(axis).collect::<Option<Vec<_>>>()?
            }
            Change::Expand(wanted) => return table.expand(wanted),
            _ => {
                let new = self.new_shape(&shape)?;
                let Some(places) = moved_ones(&shape, &new) else {
                    let joined = table.joined()?;
                    let reshape = Change::Reshape {
                        shape: new,
                        allow_zero: true,
                    };
                    return reshape.table(&joined);
                };
                let axis = |at: Option<usize>| at.map_or(Axis::One, |at| table.axes[at]);
                places.into_iter().map(axis).collect()
            }
        };
        Some(table.with_axes(axes))
    }

    /// The shape that is left of `old`, for the changes that keep the order of the elements.
    fn new_shape(&self, old: &[Dim]) -> Option<Vec<Dim>> {
        let places = |axes: &[i64], rank| {
            axes.iter()
                .map(|&axis| axis_index(axis, rank))
                .collect::<Option<Vec<_>>>()
        };
        match self {
            Change::Unsqueeze(axes) => {
                let rank = old.len() + axes.len();
                let places = places(axes, rank)?;
                let mut rest = old.iter().copied();
                let shape = (0..rank)
                    .map(|at| {
                        if places.contains(&at) {
                            Some(Dim::ONE)
                        } else {
                            rest.next()
                        }
                    })
                    .collect::<Option<Vec<_>>>()?;
                rest.next().is_none().then_some(shape)
            }
            Change::Squeeze(axes) => {
                let places = places(axes, old.len())?;
                let ones = places.iter().all(|&at| old[at] == Dim::ONE);
                let kept = (0..old.len()).filter(|at| !places.contains(at));
                ones.then(|| kept.map(|at| old[at]).collect())
            }
            Change::Reshape { shape, allow_zero } => complete_shape(old, shape, *allow_zero),
            Change::Transpose(_) | Change::Expand(_) => None,
        }
    }
}

fn sizes(shape: &[Dim]) -> Option<Vec<usize>> {
    shape.iter().map(|dim| dim.size()).collect()
}

/// Which old axis each new one is, if the shapes differ only by axes of size 1.
fn moved_ones(old: &[Dim], new: &[Dim]) -> Option<Vec<Option<usize>>> {
    let mut rest = (0..old.len()).filter(|&at| old[at] != Dim::ONE);
    let place = |&size: &Dim| {
        if size == Dim::ONE {
            return Some(None);
        }
        rest.next().filter(|&at| old[at] == size).map(Some)
    };
    let places = new.iter().map(place).collect::<Option<Vec<_>>>()?;
    rest.next().is_none().then_some(places)
}
