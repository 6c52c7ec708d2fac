//! The experts of a mixture, computed for every token and weighed: gated MLPs whose weights lie
//! in one tensor, `[experts, inputs, outputs]`.
//!
//! MatMul with the gates and what they multiply, in one tensor or in two; the activation; MatMul
//! back; Mul by the router's weights; ReduceSum over experts. A plan runs only those whose weight
//! is not zero, which is the same sum.

use tealight_core::ops::{Activation, RouteScoring};

use super::gated_mlp;
use super::linear::float_matrix;
use super::residual;
use crate::onnx::Node;
use crate::walk::dim::Dim;
use crate::walk::layout::{Factor, Layout, columns};
use crate::walk::network::{Columns, RowOp};
use crate::walk::value::{Rows, Stored, Value};
use crate::walk::{Outcome, Walk, one};
use crate::weights::Matrix;

/// Most experts that a plan's router chooses from.
pub(super) const MOST_EXPERTS: usize = 1024;

/// A step on the way: `[experts, sequence, outputs]`.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    Mapped(Mapped),
    Sigmoid(Mapped),
    Activated(Mapped, Activation),
    Gated(Gated),
    /// Back to the width of the hidden state.
    Down(Gated, Stored),
    /// Times the experts' weights.
    Weighed(Gated, Stored, Rows),
}

/// Outputs of every expert's first linear map.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mapped {
    input: Rows,
    weight: Stored,
    from: usize,
    to: usize,
}

/// `activation(gate) · up`.
#[derive(Clone, Debug)]
pub(crate) struct Gated {
    gate: Mapped,
    up: Mapped,
    activation: Activation,
}

impl Mapped {
    fn width(&self) -> usize {
        self.to - self.from
    }
}

impl Part {
    pub(crate) fn shape(&self) -> Option<Vec<Dim>> {
        let (first, width) = match self {
            Part::Mapped(mapped) | Part::Sigmoid(mapped) | Part::Activated(mapped, _) => {
                (mapped, mapped.width())
            }
            Part::Gated(gated) => (&gated.gate, gated.gate.width()),
            Part::Down(gated, down) | Part::Weighed(gated, down, _) => {
                (&gated.gate, *down.shape.last()?)
            }
        };
        let experts = Dim::from(*first.weight.shape.first()?);
        Some(vec![experts, Dim::SEQUENCE, Dim::from(width)])
    }

    /// Columns `from .. to` of the last axis.
    pub(crate) fn cut(&self, axis: usize, from: Dim, to: Dim) -> Option<Part> {
        let (Part::Mapped(mapped), 2) = (self, axis) else {
            return None;
        };
        let (from, to) = (from.size()?, to.size()?);
        let inside = from < to && to <= mapped.width();
        inside.then(|| {
            Part::Mapped(Mapped {
                from: mapped.from + from,
                to: mapped.from + to,
                ..mapped.clone()
            })
        })
    }
}

fn part(walk: &Walk, node: &Node, index: usize) -> Option<Part> {
    match walk.value(node, index)? {
        Value::Experts(part) => Some(part.clone()),
        _ => None,
    }
}

fn step(part: Part) -> Outcome {
    one(Some(Value::Experts(part)))
}

/// `MatMul(x, weights)`, into the experts and out of them.
pub(crate) fn matmul(walk: &mut Walk, node: &Node) -> Outcome {
    let Some(weight) = walk.stored(node, 1).cloned() else {
        return Ok(None);
    };
    let [experts, inputs, outputs] = weight.shape[..] else {
        return Ok(None);
    };
    if !(1..=MOST_EXPERTS).contains(&experts) || outputs == 0 || !weight.tensor.dtype.is_float() {
        return Ok(None);
    }
    if let Some(Part::Gated(gated)) = part(walk, node, 0) {
        let fits = gated.gate.width() == inputs && gated.gate.weight.shape[0] == experts;
        return if fits {
            step(Part::Down(gated, weight))
        } else {
            Ok(None)
        };
    }
    let plain = |rows: &&Rows| rows.layout.is_rows() && rows.scale == 1.0;
    let Some(input) = walk.rows(node, 0).filter(plain).cloned() else {
        return Ok(None);
    };
    if walk
        .columns(&input)
        .is_none_or(|columns| columns.width != inputs)
    {
        return Ok(None);
    }
    step(Part::Mapped(Mapped {
        input,
        weight,
        from: 0,
        to: outputs,
    }))
}

/// `Sigmoid(gate)`.
pub(crate) fn sigmoid(walk: &mut Walk, node: &Node) -> Outcome {
    match part(walk, node, 0) {
        Some(Part::Mapped(gate)) => step(Part::Sigmoid(gate)),
        _ => Ok(None),
    }
}

/// `gate · sigmoid(gate)`, `activated gate · up`, and what comes out times the experts' weights.
pub(crate) fn multiply(walk: &mut Walk, node: &Node) -> Outcome {
    for (this, other) in [(0, 1), (1, 0)] {
        match (part(walk, node, this), part(walk, node, other)) {
            (Some(Part::Sigmoid(gate)), Some(Part::Mapped(same))) if gate == same => {
                return step(Part::Activated(gate, Activation::Silu));
            }
            (Some(Part::Activated(gate, activation)), Some(Part::Mapped(up)))
                if gate.input == up.input
                    && gate.width() == up.width()
                    && gate.weight.shape[0] == up.weight.shape[0] =>
            {
                return step(Part::Gated(Gated {
                    gate,
                    up,
                    activation,
                }));
            }
            (Some(Part::Down(gated, down)), None) => {
                if let Some(weights) = walk.rows(node, other).cloned()
                    && is_weights(walk, &weights, down.shape[0])
                {
                    return step(Part::Weighed(gated, down, weights));
                }
            }
            _ => {}
        }
    }
    Ok(None)
}

/// `Mul(sigmoid(x · w), MLP)`: an expert that every token goes to, weighed by a router of its
/// own. Its linear maps become those of a mixture of one.
pub(crate) fn shared(walk: &mut Walk, node: &Node) -> Outcome {
    for (this, other) in [(0, 1), (1, 0)] {
        let Some(Value::Gate(gated_mlp::Part::Sigmoid(logit))) = walk.value(node, this).cloned()
        else {
            continue;
        };
        if let Some(rows) = walk.rows(node, other).cloned()
            && let Some(sum) = mixture_of_one(walk, &logit, &rows)
        {
            return one(Some(Value::Rows(sum)));
        }
    }
    Ok(None)
}

/// `GatedAdd(x, MLP, sigmoid(x · w))`: the same, and what it is added to.
pub(crate) fn gated_add(walk: &mut Walk, node: &Node) -> Outcome {
    let (Some(others), Some(shared)) = (walk.rows(node, 0).cloned(), walk.rows(node, 1).cloned())
    else {
        return Ok(None);
    };
    let Some(Value::Gate(gated_mlp::Part::Sigmoid(logit))) = walk.value(node, 2).cloned() else {
        return Ok(None);
    };
    let weighed = mixture_of_one(walk, &logit, &shared);
    one(weighed
        .and_then(|weighed| residual::sum(walk, &others, &weighed))
        .map(Value::Rows))
}

fn mixture_of_one(walk: &mut Walk, logit: &Rows, output: &Rows) -> Option<Rows> {
    let logits = walk.columns(logit).filter(|columns| columns.width == 1)?;
    let one_each = logit.layout.axes.len() == output.layout.axes.len() && logit.layout.is_rows();
    let whole = walk.network.whole(output.of);
    if !one_each || !output.layout.is_rows() || output.scale != 1.0 || logit.scale != 1.0 {
        return None;
    }
    // Down of a gate of two maps of one input, without any bias.
    let map = |walk: &Walk, columns: Columns| {
        let RowOp::Linear {
            input,
            weights,
            bias,
            residual: None,
        } = walk.network.row(columns.of).op.clone()
        else {
            return None;
        };
        let plain = bias.is_empty() && columns == walk.network.whole(columns.of);
        plain.then_some((input, weights))
    };
    let (gated, down) = map(
        walk,
        walk.columns(output).filter(|columns| *columns == whole)?,
    )?;
    let RowOp::Gate {
        activation,
        gate,
        up,
    } = walk.network.row(gated.of).op
    else {
        return None;
    };
    let ((input, mut gate_up), (same, up)) = (map(walk, gate)?, map(walk, up)?);
    if input != same || gated != walk.network.whole(gated.of) {
        return None;
    }
    gate_up.extend(up);
    if !lie_together(&gate_up) || !lie_together(&down) {
        return None;
    }
    let route = RowOp::Route {
        input: logits,
        scoring: RouteScoring::Sigmoid,
        chosen: 1,
        normalized: false,
        epsilon: 0.0,
        scale: 1.0,
        bias: None,
        groups: None,
    };
    let routed = walk.push(route, 1);
    let op = RowOp::Experts {
        input,
        weights: walk.columns(&routed)?,
        gate_up,
        down,
        gate_up_bias: vec![],
        down_bias: vec![],
        activation,
        bend: None,
    };
    let sum = walk.push(op, whole.width);
    Some(sum.with_layout(output.layout.packed()))
}

/// Whether these are the router's weights as `[experts, sequence, 1]`.
fn is_weights(walk: &Walk, rows: &Rows, experts: usize) -> bool {
    let axes = vec![columns(experts, 1), vec![Factor::Sequence], vec![]];
    let routed = matches!(walk.network.row(rows.of).op, RowOp::Route { .. });
    routed && rows.scale == 1.0 && rows.layout == Layout { start: 0, axes }
}

/// `ReduceSum(weighed)` over the experts.
pub(crate) fn sum(walk: &mut Walk, node: &Node) -> Outcome {
    let axes = match node.ints("axes") {
        Some(axes) => Some(axes.to_vec()),
        None => walk.numbers(node, 1)?,
    };
    let Some(Part::Weighed(gated, down, weights)) = part(walk, node, 0) else {
        return Ok(None);
    };
    if !matches!(axes.as_deref(), Some([0 | -3])) {
        return Ok(None);
    }
    let Some(mut sum) = mixture(walk, &gated, &down, &weights) else {
        return Ok(None);
    };
    if node.int_or("keepdims", 1) == 0 {
        sum.layout.axes.remove(0);
    }
    one(Some(Value::Rows(sum)))
}

/// Appends the mixture; its result is `[1, sequence, outputs]`.
fn mixture(walk: &mut Walk, gated: &Gated, down: &Stored, weights: &Rows) -> Option<Rows> {
    let Gated {
        gate,
        up,
        activation,
    } = gated;
    let (input, width) = (walk.columns(&gate.input)?, *down.shape.last()?);
    let weights = Rows {
        layout: Layout::rows(down.shape[0]),
        ..weights.clone()
    };
    let halves = gate.weight == up.weight && gate.to == up.from && gate.from == 0;
    let mut first = Vec::new();
    for expert in 0..down.shape[0] {
        if halves && Some(&up.to) == up.weight.shape.last() {
            first.push(expert_of(walk, &gate.weight, expert)?);
            continue;
        }
        for half in [gate, up] {
            let whole = half.from == 0 && Some(&half.to) == half.weight.shape.last();
            first.push(expert_of(walk, &half.weight, expert).filter(|_| whole)?);
        }
    }
    let last: Vec<Matrix> = (0..down.shape[0])
        .map(|expert| expert_of(walk, down, expert))
        .collect::<Option<_>>()?;
    if !lie_together(&first) || !lie_together(&last) {
        return None;
    }
    let op = RowOp::Experts {
        input,
        weights: walk.columns(&weights)?,
        gate_up: first,
        down: last,
        gate_up_bias: vec![],
        down_bias: vec![],
        activation: *activation,
        bend: None,
    };
    Some(walk.push(op, width))
}

/// Whether all can be packed one below the other, in whole groups of rows.
pub(super) fn lie_together(matrices: &[Matrix]) -> bool {
    matrices.iter().all(|matrix| matrix.joins(&matrices[0]))
}

/// One expert's part of `[experts, inputs, outputs]`.
fn expert_of(walk: &mut Walk, all: &Stored, expert: usize) -> Option<Matrix> {
    let [_, inputs, outputs] = all.shape[..] else {
        return None;
    };
    let stored = match all.transposed {
        true => vec![outputs, inputs],
        false => vec![inputs, outputs],
    };
    let tensor = walk.part_of(&all.tensor, expert * inputs * outputs, stored)?;
    float_matrix(&Stored::whole(tensor), all.transposed)
}
