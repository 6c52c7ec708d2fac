//! Comparisons, truth values and choices.

use std::rc::Rc;

use crate::onnx::{Node, Tensor};
use crate::walk::array::{self, Array};
use crate::walk::dim::Dim;
use crate::walk::grid::{Comparison, Grid};
use crate::walk::value::{Stored, Value};
use crate::walk::{Outcome, Walk, one};

/// `Equal` of known whole numbers, where the answer is the same for every step.
pub(crate) fn equal(walk: &mut Walk, node: &Node) -> Outcome {
    let (Some(a), Some(b)) = (walk.ints(node, 0)?, walk.ints(node, 1)?) else {
        return Ok(None);
    };
    one(a.zip(&b, |a, b| a.same(*b)).map(Value::Bools))
}

/// `Equal` of a text without a past and one token: the one that pads shorter texts of a batch, which
/// nothing else is asked of, and which one text has nowhere. (RoBERTa counts positions by it.)
pub(crate) fn padding(walk: &mut Walk, node: &Node) -> Outcome {
    for (tokens, token) in [(0, 1), (1, 0)] {
        let Some(Value::Tokens(shape)) = walk.value(node, tokens).cloned() else {
            continue;
        };
        let one_token = walk.ints(node, token)?.and_then(|token| token.single());
        if one_token.is_some() && walk.past == Dim::default() {
            return one(Some(Value::Truth(Grid::filled(shape, 0.0))));
        }
    }
    Ok(None)
}

/// `Less`, `LessOrEqual`, `Greater`, `GreaterOrEqual`, `Equal` of grids.
pub(crate) fn compare(walk: &mut Walk, node: &Node) -> Outcome {
    let how = match node.op.as_str() {
        "Less" => Comparison::Less,
        "LessOrEqual" => Comparison::LessOrEqual,
        "Greater" => Comparison::Greater,
        "GreaterOrEqual" => Comparison::GreaterOrEqual,
        "Equal" => Comparison::Equal,
        _ => return Ok(None),
    };
    let (Some(a), Some(b)) = (walk.grid(node, 0)?, walk.grid(node, 1)?) else {
        return Ok(None);
    };
    one(a.compare(&b, how).map(Value::Truth))
}

/// `And`, `Or`.
pub(crate) fn both(walk: &mut Walk, node: &Node) -> Outcome {
    let (Some(a), Some(b)) = (walk.grid(node, 0)?, walk.grid(node, 1)?) else {
        return Ok(None);
    };
    let result = if node.op == "And" {
        a.and(&b)
    } else {
        a.or(&b)
    };
    one(result.map(Value::Truth))
}

/// `Max` of two grids of which one is never less than the other.
pub(crate) fn max(walk: &mut Walk, node: &Node) -> Outcome {
    let (Some(a), Some(b), 2) = (walk.grid(node, 0)?, walk.grid(node, 1)?, node.inputs.len())
    else {
        return Ok(None);
    };
    one(a.max(&b).map(|grid| Value::Grid(grid).settled()))
}

/// `Not`.
pub(crate) fn not(walk: &mut Walk, node: &Node) -> Outcome {
    one(walk
        .grid(node, 0)?
        .and_then(|grid| grid.not())
        .map(Value::Truth))
}

/// `Where` among known whole numbers.
pub(crate) fn pick(walk: &mut Walk, node: &Node) -> Outcome {
    let Some(Value::Bools(condition)) = walk.value(node, 0).cloned() else {
        return Ok(None);
    };
    let (Some(yes), Some(no)) = (walk.ints(node, 1)?, walk.ints(node, 2)?) else {
        return Ok(None);
    };
    // Both at once, so that all three shapes are combined.
    let pairs = yes.zip(&no, |&yes, &no| Some((yes, no)));
    let picked = pairs.and_then(|pairs: Array<_>| {
        condition.zip(&pairs, |&truth, &(yes, no)| {
            Some(if truth { yes } else { no })
        })
    });
    one(picked.map(Value::Ints))
}

/// `Where` among grids.
pub(crate) fn select(walk: &mut Walk, node: &Node) -> Outcome {
    let (Some(condition), Some(yes), Some(no)) = (
        walk.grid(node, 0)?,
        walk.grid(node, 1)?,
        walk.grid(node, 2)?,
    ) else {
        return Ok(None);
    };
    let picked: Option<Grid> = condition.select(&yes, &no);
    let of_truth = walk.value(node, 1).is_some_and(Value::is_truth);
    one(picked.map(|grid| match of_truth {
        true => Value::Truth(grid),
        false => Value::Grid(grid).settled(),
    }))
}

/// `NonZero` of what is nowhere zero: the indices of all its elements, axis by axis.
pub(crate) fn non_zero(walk: &mut Walk, node: &Node) -> Outcome {
    let Some(grid) = walk.grid(node, 0)? else {
        return Ok(None);
    };
    let everywhere = grid.fill().is_some_and(|fill| fill != 0.0);
    let sizes: Option<Vec<usize>> = grid.shape.iter().map(|dim| dim.size()).collect();
    let Some(sizes) = sizes.filter(|_| everywhere) else {
        return Ok(None);
    };
    let Some(count) = array::elements(&sizes).filter(|count| *count > 0) else {
        return Ok(None);
    };
    let mut indices = Vec::new();
    let mut below = count;
    for &size in &sizes {
        below /= size;
        let index = |at: usize| Dim::from(at / below % size);
        indices.extend((0..count).map(index));
    }
    one(Array::new(vec![sizes.len(), count], indices).map(Value::Ints))
}

/// `Where` and `If` between stored or known tensors, by the number of positions.
pub(crate) fn by_length(walk: &mut Walk, node: &Node) -> Outcome {
    let single = |grid: &Grid| grid.shape.iter().all(|&size| size == Dim::ONE);
    let Some(condition) = walk.grid(node, 0)?.filter(single) else {
        return Ok(None);
    };
    if node.op == "If" {
        let Some([yes, no]) = &node.branches else {
            return Ok(None);
        };
        return Ok(walk.for_this_length(&condition).map(|truth| {
            let tensors = if truth { yes } else { no };
            let stored = |tensor: &Rc<Tensor>| Value::Stored(Stored::whole(tensor.clone()));
            tensors.iter().map(stored).collect()
        }));
    }
    let (Some(yes), Some(no)) = (walk.floats(node, 1)?, walk.floats(node, 2)?) else {
        return Ok(None);
    };
    if yes.shape != no.shape {
        return Ok(None);
    }
    one(walk
        .for_this_length(&condition)
        .map(|truth| Value::Floats(if truth { yes } else { no })))
}
