//! Where known values begin: Constant, ConstantOfShape, Range, Shape, Size, and sums over the
//! attention mask or over what is no padding.

use crate::onnx::{DType, Node};
use crate::walk::array::Array;
use crate::walk::dim::Dim;
use crate::walk::grid::Grid;
use crate::walk::layout::axis_index;
use crate::walk::value::{Stored, Value};
use crate::walk::{Outcome, Walk, one};

/// `Constant`.
pub(crate) fn constant(_: &mut Walk, node: &Node) -> Outcome {
    if let Some(tensor) = &node.value {
        return one(Some(Value::Stored(Stored::whole(tensor.clone()))));
    }
    let dims = |ints: &[i64]| ints.iter().copied().map(Dim::new).collect();
    let value = if let Some(int) = node.int("value_int") {
        Some(Value::Ints(Array::scalar(Dim::new(int))))
    } else if let Some(float) = node.float("value_float") {
        Some(Value::Floats(Array::scalar(float)))
    } else if let Some(ints) = node.ints("value_ints") {
        Some(Value::Ints(Array::vector(dims(ints))))
    } else {
        node.floats("value_floats")
            .map(|floats| Value::Floats(Array::vector(floats.to_vec())))
    };
    one(value)
}

/// `ConstantOfShape(shape)`.
pub(crate) fn constant_of_shape(walk: &mut Walk, node: &Node) -> Outcome {
    let Some(shape) = walk.ints(node, 0)? else {
        return Ok(None);
    };
    let (dtype, number) = match &node.value {
        None => (DType::F32, 0.0),
        Some(value) if value.len() == 1 => (value.dtype, value.floats()?[0]),
        Some(_) => return Ok(None),
    };
    let sizes: Option<Vec<usize>> = shape.data.iter().map(|dim| dim.size()).collect();
    let Some(sizes) = sizes.filter(|sizes| crate::walk::array::elements(sizes).is_some()) else {
        let grid = Grid::filled(shape.data, f64::from(number));
        return one(Some(match dtype {
            DType::Bool => Value::Truth(grid),
            _ => Value::Grid(grid),
        }));
    };
    one(match dtype {
        DType::Bool => Array::filled(sizes, number != 0.0).map(Value::Bools),
        dtype if dtype.is_float() => Array::filled(sizes, number).map(Value::Floats),
        _ => Array::filled(sizes, Dim::new(number as i64)).map(Value::Ints),
    })
}

/// `Range(start, limit, delta)` of whole numbers.
pub(crate) fn range(walk: &mut Walk, node: &Node) -> Outcome {
    let mut ends = [Dim::default(); 3];
    for (index, end) in ends.iter_mut().enumerate() {
        match walk.ints(node, index)?.and_then(|array| array.single()) {
            Some(dim) => *end = dim,
            None => return Ok(None),
        }
    }
    let [start, limit, delta] = ends;
    let Some(count) = limit.sub(start).filter(|_| delta == Dim::ONE) else {
        return Ok(None);
    };
    if count.least().is_none_or(|least| least < 0) {
        return Ok(None);
    }
    one(Some(
        Value::Grid(Grid::linear(vec![count], start, vec![1])).settled(),
    ))
}

/// `Shape(x)`, or a part of it.
pub(crate) fn shape(walk: &mut Walk, node: &Node) -> Outcome {
    let Some(shape) = walk.value(node, 0).and_then(Value::shape) else {
        return Ok(None);
    };
    let rank = shape.len() as i64;
    let end = |name, default| {
        let end = node.int_or(name, default);
        (if end < 0 {
            end.saturating_add(rank)
        } else {
            end
        })
        .clamp(0, rank) as usize
    };
    let (start, end) = (end("start", 0), end("end", rank));
    let part = shape.get(start..end).unwrap_or_default().to_vec();
    one(Some(Value::Ints(Array::vector(part))))
}

/// `ReduceMax(x)` over all of it: of known whole numbers, or of a grid that grows along its axes.
pub(crate) fn reduce_max(walk: &mut Walk, node: &Node) -> Outcome {
    let all_axes = node.ints("axes").is_none()
        && node.input(1).is_none()
        && node.int_or("noop_with_empty_axes", 0) == 0;
    let Some(grid) = walk.grid(node, 0)?.filter(|_| all_axes) else {
        return Ok(None);
    };
    let kept = match node.int_or("keepdims", 1) {
        0 => vec![],
        _ => vec![1; grid.shape.len()],
    };
    let greatest = grid.greatest();
    one(greatest
        .and_then(|greatest| Array::new(kept, vec![greatest]))
        .map(Value::Ints))
}

/// `ReduceSum(x)` along one axis of a tensor that is the same everywhere.
pub(crate) fn reduce_sum(walk: &mut Walk, node: &Node) -> Outcome {
    let axes = match node.ints("axes") {
        Some(axes) => Some(axes.to_vec()),
        None => walk.numbers(node, 1)?,
    };
    let (Some(Value::Grid(grid)), Some(&[axis])) = (walk.value(node, 0), axes.as_deref()) else {
        return Ok(None);
    };
    let Some(axis) = axis_index(axis, grid.shape.len()) else {
        return Ok(None);
    };
    let sum = whole(grid).and_then(|fill| grid.shape[axis].mul(Dim::new(fill)));
    let mut shape = grid.shape.clone();
    if node.int_or("keepdims", 1) == 0 {
        shape.remove(axis);
    } else {
        shape[axis] = Dim::ONE;
    }
    let steps = vec![0; shape.len()];
    one(sum.map(|sum| Value::Grid(Grid::linear(shape, sum, steps)).settled()))
}

/// `CumSum(x, axis)` of a tensor that is the same everywhere: sums that grow evenly.
pub(crate) fn cumulative_sum(walk: &mut Walk, node: &Node) -> Outcome {
    let plain = node.int_or("exclusive", 0) == 0 && node.int_or("reverse", 0) == 0;
    let axis = walk.numbers(node, 1)?;
    let (Some(Value::Grid(grid)), Some(&[axis]), true) =
        (walk.value(node, 0), axis.as_deref(), plain)
    else {
        return Ok(None);
    };
    let (Some(axis), Some(fill)) = (axis_index(axis, grid.shape.len()), whole(grid)) else {
        return Ok(None);
    };
    let mut steps = vec![0; grid.shape.len()];
    steps[axis] = fill;
    let sums = Grid::linear(grid.shape.clone(), Dim::new(fill), steps);
    one(Some(Value::Grid(sums).settled()))
}

/// The whole number that a grid is everywhere.
fn whole(grid: &Grid) -> Option<i64> {
    let fill = grid.fill()?;
    (fill.fract() == 0.0 && fill.abs() < 1e9).then_some(fill as i64)
}
