//! Activations times a number for each head: a recurrence's values as far as a step takes them up,
//! and what of them passes it by (Mamba-2); and decays that are the same for all tokens.

use std::rc::Rc;

use super::recurrence::Decay;
use crate::ImportError;
use crate::onnx::{Node, Tensor};
use crate::walk::dim::Dim;
use crate::walk::layout::{Factor, columns};
use crate::walk::network::{RowOp, Weights};
use crate::walk::value::{Rows, Value};
use crate::walk::{Outcome, Walk, one};

fn is_one(rate: &Tensor) -> Result<bool, ImportError> {
    Ok(rate.floats()?.iter().all(|&rate| rate == 1.0))
}

/// `Mul(step, rates)`.
pub(crate) fn rate(walk: &mut Walk, node: &Node) -> Outcome {
    for (this, other) in [(0, 1), (1, 0)] {
        if let Some(Value::Decay(decay)) = walk.value(node, this).cloned()
            && let Some(rate) = walk.vector(node, other)
            && rate.len() == decay.rate.len()
            && decay
                .step
                .as_ref()
                .is_some_and(|step| step.layout.is_rows())
            && is_one(&decay.rate)?
        {
            return one(Some(Value::Decay(Decay { rate, ..decay })));
        }
    }
    Ok(None)
}

/// `Mul(x, factors)` of `[1, sequence, heads, width]` and `[1, sequence, heads, 1]` or `[heads, 1]`.
pub(crate) fn by_head(walk: &mut Walk, node: &Node) -> Outcome {
    for (this, other) in [(0, 1), (1, 0)] {
        let Some((rows, heads)) = heads_of(walk, node, this) else {
            continue;
        };
        let each = [vec![], vec![Factor::Sequence], columns(heads, 1), vec![]];
        let by = match walk.value(node, other).cloned() {
            Some(Value::Decay(Decay {
                step: Some(step),
                rate,
            })) if step.layout.axes == each && is_one(&rate)? => {
                walk.columns(&step).map(Weights::Step)
            }
            Some(Value::Stored(factors)) => {
                let plain = factors.shape == [heads, 1] && factors.tensor.dtype.is_float();
                plain.then_some(Weights::Vector(factors.tensor))
            }
            _ => None,
        };
        if let (Some(by), Some(input)) = (by, walk.columns(&rows)) {
            let node = node.name.clone();
            let weighed = walk.push(RowOp::Weigh { input, by, node }, input.width);
            let layout = rows.layout.packed();
            return one(Some(Value::Rows(weighed.with_layout(layout))));
        }
    }
    Ok(None)
}

/// Activations by heads, and how many there are.
fn heads_of(walk: &Walk, node: &Node, index: usize) -> Option<(Rows, usize)> {
    let rows = walk.rows(node, index).filter(|rows| rows.scale == 1.0)?;
    let [_, _, heads, width] = rows.layout.shape()?[..] else {
        return None;
    };
    let (heads, width) = (heads.size()?, width.size()?);
    let axes = [
        vec![],
        vec![Factor::Sequence],
        columns(heads, width),
        columns(width, 1),
    ];
    (rows.layout.axes == axes).then(|| (rows.clone(), heads))
}

/// `Expand(rates, [1, sequence, heads])`: a decay that every token brings.
pub(crate) fn fixed(walk: &mut Walk, node: &Node) -> Outcome {
    let rate: Option<Rc<Tensor>> = walk.vector(node, 0);
    let shape = walk.ints(node, 1)?.map(|shape| shape.data);
    let (Some(rate), Some(shape)) = (rate, shape) else {
        return Ok(None);
    };
    let each = shape == [Dim::ONE, Dim::SEQUENCE, rate.len().into()];
    one(each.then_some(Value::Decay(Decay { step: None, rate })))
}
