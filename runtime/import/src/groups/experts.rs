//! The experts of a mixture, computed for every token and weighed: gated MLPs whose weights lie
//! in one tensor, `[experts, inputs, outputs]`.
//!
//! MatMul with the gates and what they multiply, in one tensor or in two, as halves or in turn; Add of
//! biases; the activation, and Clip, Mul and Add by numbers before it (gpt-oss); MatMul back; Mul by
//! the router's weights; ReduceSum over experts. A plan runs only those whose weight is not zero,
//! which is the same sum.

use std::rc::Rc;

use tealight_core::ops::{Activation, Bend, RouteScoring};

use super::gated_mlp;
use super::linear::float_matrix;
use super::residual;
use crate::onnx::{Node, Tensor};
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
    Down(Gated, Last),
    /// Times the experts' weights.
    Weighed(Gated, Last, Rows),
}

/// Outputs of every expert's first linear map.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mapped {
    input: Rows,
    weight: Stored,
    bias: Option<Stored>,
    /// Columns of it: every one, or every second one.
    from: usize,
    to: usize,
    every: usize,
    /// What became of them: `scale · clamp(x, least, most) + plus`.
    least: Option<f32>,
    most: Option<f32>,
    scale: f32,
    plus: f32,
}

/// `activation(gate) · up`.
#[derive(Clone, Debug)]
pub(crate) struct Gated {
    gate: Mapped,
    up: Mapped,
    activation: Activation,
}

/// The last linear map.
#[derive(Clone, Debug)]
pub(crate) struct Last {
    weight: Stored,
    bias: Option<Stored>,
}

impl Mapped {
    fn width(&self) -> usize {
        (self.to - self.from).div_ceil(self.every)
    }

    /// Whether they are those of a linear map.
    fn is_plain(&self) -> bool {
        (self.least, self.most, self.scale, self.plus) == (None, None, 1.0, 0.0)
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
                (&gated.gate, *down.weight.shape.last()?)
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
        let inside = from < to && to <= mapped.width() && mapped.every == 1 && mapped.is_plain();
        inside.then(|| {
            Part::Mapped(Mapped {
                from: mapped.from + from,
                to: mapped.from + to,
                ..mapped.clone()
            })
        })
    }

    /// Every second of the columns, the first one included.
    pub(crate) fn every(&self, axis: usize, step: i64) -> Option<Part> {
        match self {
            Part::Mapped(mapped)
                if (axis, step, mapped.every) == (2, 2, 1) && mapped.is_plain() =>
            {
                let mapped = mapped.clone();
                Some(Part::Mapped(Mapped { every: 2, ..mapped }))
            }
            _ => None,
        }
    }
}

fn part(walk: &Walk, node: &Node, index: usize) -> Option<Part> {
    match walk.value(node, index)? {
        Value::Experts(part) => Some(Part::clone(part)),
        _ => None,
    }
}

fn step(part: Part) -> Outcome {
    one(Some(Value::Experts(Box::new(part))))
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
            step(Part::Down(gated, Last { weight, bias: None }))
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
        bias: None,
        from: 0,
        to: outputs,
        every: 1,
        least: None,
        most: None,
        scale: 1.0,
        plus: 0.0,
    }))
}

/// `Add(linear map, bias)` with a bias of every expert, and `Add(factor, number)`.
pub(crate) fn add(walk: &mut Walk, node: &Node) -> Outcome {
    for (this, other) in [(0, 1), (1, 0)] {
        let (Some(part), by) = (part(walk, node, this), walk.float(node, other)?) else {
            continue;
        };
        let bias = walk.stored(node, other).filter(|stored| {
            let sizes = stored.shape.iter().map(|&size| Dim::from(size));
            let shape = part.shape().map(|shape| vec![shape[0], Dim::ONE, shape[2]]);
            shape == Some(sizes.collect()) && stored.tensor.dtype.is_float()
        });
        match (part, bias.cloned(), by) {
            (Part::Mapped(mapped), bias @ Some(_), _)
                if mapped.bias.is_none()
                    && mapped.is_plain()
                    && Some(&mapped.width()) == mapped.weight.shape.last() =>
            {
                return step(Part::Mapped(Mapped { bias, ..mapped }));
            }
            (Part::Down(gated, Last { weight, bias: None }), bias @ Some(_), _) => {
                return step(Part::Down(gated, Last { weight, bias }));
            }
            (Part::Mapped(mapped), None, Some(by)) if mapped.scale == 1.0 => {
                let plus = mapped.plus + by;
                return step(Part::Mapped(Mapped { plus, ..mapped }));
            }
            _ => {}
        }
    }
    Ok(None)
}

/// `Clip(linear map, least, most)`.
pub(crate) fn clip(walk: &mut Walk, node: &Node) -> Outcome {
    let (least, most) = (walk.float(node, 1)?, walk.float(node, 2)?);
    let known = |index, limit: Option<f32>| node.input(index).is_some() == limit.is_some();
    match part(walk, node, 0) {
        Some(Part::Mapped(mapped)) if mapped.is_plain() && known(1, least) && known(2, most) => {
            step(Part::Mapped(Mapped {
                least,
                most,
                ..mapped
            }))
        }
        _ => Ok(None),
    }
}

/// `Mul(gate, number)`.
pub(crate) fn scale(walk: &mut Walk, node: &Node) -> Outcome {
    for (this, other) in [(0, 1), (1, 0)] {
        if let (Some(Part::Mapped(mapped)), Some(by)) =
            (part(walk, node, this), walk.float(node, other)?)
            && mapped.plus == 0.0
        {
            let scale = mapped.scale * by;
            return step(Part::Mapped(Mapped { scale, ..mapped }));
        }
    }
    Ok(None)
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
            // The curve may be a steeper one.
            (Some(Part::Sigmoid(gate)), Some(Part::Mapped(same)))
                if (Mapped {
                    scale: 1.0,
                    ..gate.clone()
                }) == same
                    && gate.plus == 0.0 =>
            {
                return step(Part::Activated(gate, Activation::Silu));
            }
            (Some(Part::Activated(gate, activation)), Some(Part::Mapped(up)))
                if gate.input == up.input
                    && up.scale == 1.0
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
                    && is_weights(walk, &weights, down.weight.shape[0])
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
fn mixture(walk: &mut Walk, gated: &Gated, last: &Last, weights: &Rows) -> Option<Rows> {
    let Gated {
        gate,
        up,
        activation,
    } = gated;
    let Last { weight: down, bias } = last;
    let (input, width) = (walk.columns(&gate.input)?, *down.shape.last()?);
    let experts = down.shape[0];
    let weights = Rows {
        layout: Layout::rows(experts),
        ..weights.clone()
    };
    let of_first = |part: &Mapped| (part.every, part.from, part.to);
    let all = *up.weight.shape.last()?;
    let same = gate.weight == up.weight && gate.bias == up.bias;
    let whole = |part: &Mapped| of_first(part) == (1, 0, part.weight.shape[2]);
    let parts = match (of_first(gate), of_first(up)) {
        ((1, 0, half), (1, start, end)) if same && (start, end) == (half, all) => {
            vec![(gate, 1, 0)]
        }
        ((2, 0, _), (2, 1, end)) if same && end == all && all.is_multiple_of(2) => {
            vec![(gate, 2, 0), (up, 2, 1)]
        }
        _ if whole(gate) && whole(up) => vec![(gate, 1, 0), (up, 1, 0)],
        _ => return None,
    };
    let (mut gate_up, mut gate_up_bias, mut matrices, mut down_bias) =
        (vec![], vec![], vec![], vec![]);
    for expert in 0..experts {
        for (part, every, first) in &parts {
            gate_up.push(expert_of(walk, &part.weight, expert, *every, *first)?);
            gate_up_bias.extend(bias_of(walk, &part.bias, expert, *every, *first)?);
        }
        matrices.push(expert_of(walk, down, expert, 1, 0)?);
        down_bias.extend(bias_of(walk, bias, expert, 1, 0)?);
    }
    let biased = gate_up_bias.is_empty() || gate_up_bias.len() == gate_up.len();
    if !biased || !lie_together(&gate_up) || !lie_together(&matrices) {
        return None;
    }
    let op = RowOp::Experts {
        input,
        weights: walk.columns(&weights)?,
        gate_up,
        down: matrices,
        gate_up_bias,
        down_bias,
        activation: *activation,
        bend: bend(gate, up)?,
    };
    Some(walk.push(op, width))
}

/// What becomes of a gate and its factor before they meet, if that is anything.
fn bend(gate: &Mapped, up: &Mapped) -> Option<Option<Bend>> {
    let (alpha, beta, limit) = (gate.scale, up.plus, gate.most);
    let within = (gate.least, gate.plus) == (None, 0.0)
        && (up.most, up.least) == (limit, limit.map(|limit| -limit));
    let sound = alpha > 0.0 && alpha.is_finite() && limit.is_none_or(|limit| limit > 0.0);
    let plain = (alpha, beta, limit) == (1.0, 0.0, None);
    let bend = Bend { alpha, beta, limit };
    (within && sound && beta.is_finite()).then_some((!plain).then_some(bend))
}

/// One expert's part of a bias, `[experts, 1, outputs]`, if there is one.
fn bias_of(
    walk: &mut Walk,
    all: &Option<Stored>,
    expert: usize,
    every: usize,
    first: usize,
) -> Option<Option<Rc<Tensor>>> {
    let Some(all) = all else { return Some(None) };
    let outputs = *all.shape.last()?;
    let own = walk.part_of(&all.tensor, expert * outputs, vec![outputs])?;
    Some(Some(match every {
        1 => own,
        _ => walk.alternate(&own, 1, first == 1, vec![outputs / 2])?,
    }))
}

/// Whether all can be packed one below the other, in whole groups of rows.
pub(super) fn lie_together(matrices: &[Matrix]) -> bool {
    matrices.iter().all(|matrix| matrix.joins(&matrices[0]))
}

/// One expert's part of `[experts, inputs, outputs]`, or every second output of it.
fn expert_of(
    walk: &mut Walk,
    all: &Stored,
    expert: usize,
    every: usize,
    first: usize,
) -> Option<Matrix> {
    let [_, inputs, outputs] = all.shape[..] else {
        return None;
    };
    let stored = |outputs| match all.transposed {
        true => vec![outputs, inputs],
        false => vec![inputs, outputs],
    };
    let mut tensor = walk.part_of(&all.tensor, expert * inputs * outputs, stored(outputs))?;
    if every == 2 {
        let run = if all.transposed { inputs } else { 1 };
        tensor = walk.alternate(&tensor, run, first == 1, stored(outputs / 2))?;
    }
    float_matrix(&Stored::whole(tensor), all.transposed)
}
