//! Linear attention with a recurrent state: LinearAttention of Microsoft's domain, and what
//! onnxruntime-genai's builder puts around it for gated delta nets (Qwen3.5): LpNormalization of
//! queries and keys, LinearAttentionGate and GatedRMSNorm.

use std::rc::Rc;

use tealight_core::ops::{Activation, Update};

use super::{gated_mlp, linear, rms_norm};
use crate::onnx::{Node, Tensor};
use crate::walk::dim::Dim;
use crate::walk::network::{Columns, RowOp, Weights};
use crate::walk::value::{Rows, Value};
use crate::walk::{Outcome, Walk, one};

/// A layer's states before the step: `[1, states, key_dim, value_dim]`, where the graph gives it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Past {
    pub(crate) layer: usize,
    pub(crate) shape: [Option<usize>; 3],
}

/// Logarithm of a decay: `rate · step`, with a rate for each state, which is the decay where there is no step.
#[derive(Clone, Debug)]
pub(crate) struct Decay {
    pub(crate) step: Option<Rows>,
    pub(crate) rate: Rc<Tensor>,
}

/// `LpNormalization(x)`: each row of the last axis by its length. It becomes an RMSNorm whose weight
/// is the root of the width's inverse; its epsilon is the least that keeps rows of zeros zero.
pub(crate) fn length(walk: &mut Walk, node: &Node) -> Outcome {
    let rows = walk.rows(node, 0).cloned();
    // Each column once, so that none is wider than what is there.
    let Some(rows) = rows.and_then(|rows| walk.gapless(&rows)) else {
        return Ok(None);
    };
    let last = rows.layout.axis(node.int_or("axis", -1)) == rows.layout.axes.len().checked_sub(1);
    let width = rows.layout.shape().and_then(|shape| shape.last()?.size());
    let Some(width) = width.filter(|_| last && node.int_or("p", 2) == 2) else {
        return Ok(None);
    };
    let weight = walk.make_vector(&node.name, &vec![1.0 / (width as f32).sqrt(); width]);
    one(rms_norm::weigh(walk, &rows, weight, f32::MIN_POSITIVE).map(Value::Rows))
}

/// `LinearAttentionGate(a, bias, rate, b)`: `rate · softplus(a + bias)` and `sigmoid(b)`.
pub(crate) fn gate(walk: &mut Walk, node: &Node) -> Outcome {
    let (Some(a), Some(bias), Some(rate)) = (
        walk.rows(node, 0).cloned(),
        walk.vector(node, 1),
        walk.vector(node, 2),
    ) else {
        return Ok(None);
    };
    let Some(a) = linear::biased(walk, &a, bias) else {
        return Ok(None);
    };
    let Some(step) = gated_mlp::activate(walk, &a, Activation::Softplus) else {
        return Ok(None);
    };
    let mut values = vec![Value::Decay(Decay {
        step: Some(step),
        rate,
    })];
    if let Some(b) = walk.rows(node, 3).cloned() {
        let Some(beta) = gated_mlp::activate(walk, &b, Activation::Sigmoid) else {
            return Ok(None);
        };
        values.push(Value::Rows(beta));
    }
    Ok(Some(values))
}

/// `GatedRMSNorm(x, weight, gate)`: the norm of each head, times what its gate lets through.
pub(crate) fn gated_norm(walk: &mut Walk, node: &Node) -> Outcome {
    let (Some(rows), Some(gate), Some(weight)) = (
        walk.rows(node, 0).cloned(),
        walk.rows(node, 2).cloned(),
        walk.vector(node, 1),
    ) else {
        return Ok(None);
    };
    let activation = match node.text("activation").unwrap_or("silu") {
        "silu" | "swish" => Activation::Silu,
        "sigmoid" => Activation::Sigmoid,
        _ => return Ok(None),
    };
    let epsilon = node.float("epsilon").unwrap_or(1e-5);
    let normal = rms_norm::of_heads(walk, &rows, weight, epsilon);
    one(normal
        .and_then(|normal| gated_mlp::gated(walk, activation, &gate, &normal))
        .map(Value::Rows))
}

/// Every attribute that is understood; how many tokens are computed together changes nothing.
const KNOWN: [&str; 6] = [
    "q_num_heads",
    "kv_num_heads",
    "update_rule",
    "scale",
    "chunk_size",
    "state_window",
];

/// `LinearAttention(query, key, value, states, decay, beta)`: outputs and states.
pub(crate) fn attend(walk: &mut Walk, node: &Node) -> Outcome {
    // More states than the last are for those who draft several tokens.
    let understood = node.attribute_names().all(|name| KNOWN.contains(&name))
        && node.int_or("state_window", 0) == 0
        && node.inputs.iter().skip(6).all(String::is_empty);
    let Some(Value::States(past)) = walk.value(node, 3).cloned() else {
        return Ok(None);
    };
    let output = match understood {
        true => recur(walk, node, &past),
        false => None,
    };
    Ok(output.map(|output| vec![Value::Rows(output), Value::Recurred(past.layer)]))
}

fn recur(walk: &mut Walk, node: &Node, past: &Past) -> Option<Rows> {
    let (update, decays) = match node.text("update_rule").unwrap_or("gated_delta") {
        "linear" => (Update::Add, false),
        "gated" => (Update::Add, true),
        "delta" => (Update::Delta, false),
        "gated_delta" => (Update::Delta, true),
        _ => return None,
    };
    let count = |name| {
        usize::try_from(node.int(name)?)
            .ok()
            .filter(|&count| count > 0)
    };
    let (queries, states) = (count("q_num_heads")?, count("kv_num_heads")?);
    let plain = |rows: &Rows| rows.layout.axes.len() == 3 && rows.layout.is_rows();
    let mut rows = |index| gated_mlp::settled(walk, node, index).filter(plain);
    let (query, key, value) = (rows(0)?, rows(1)?, rows(2)?);
    let unscaled = |rows: &Rows| walk.columns(rows).filter(|_| rows.scale == 1.0);
    let (key, mut value) = (unscaled(&key)?, unscaled(&value)?);
    let mut beta = None;
    if let RowOp::Weigh {
        input,
        by: Weights::Step(step),
        ..
    } = walk.network.row(value.of).op
        && update == Update::Add
        && value == walk.network.whole(value.of)
    {
        (value, beta) = (input, Some(step));
    }
    let (decay, rate) = match (decays, walk.value(node, 4)) {
        (true, Some(Value::Decay(Decay { step, rate }))) => {
            (step.as_ref().map(unscaled), Some(rate.clone()))
        }
        (true, Some(Value::Rows(decay))) => (Some(unscaled(decay)), None),
        (false, None) => (None, None),
        _ => return None,
    };
    let decay = match decay {
        None => None,
        Some(decay) => Some(decay?),
    };
    let beta = match (update, walk.value(node, 5)) {
        (Update::Delta, Some(Value::Rows(beta))) => Some(unscaled(beta)?),
        (Update::Add, None) => beta,
        _ => return None,
    };
    let asked = walk.columns(&query)?;
    let (key_dim, value_dim) = (asked.width / queries, value.width / states);
    let whole = |columns: &Columns, heads: usize, dim: usize| columns.width == heads * dim;
    let keys = key.width.checked_div(key_dim)?;
    let groups = |a: usize, b: usize| b > 0 && a.is_multiple_of(b);
    let wide = |columns: &Option<Columns>, width| columns.is_none_or(|given| given.width == width);
    let fits = whole(&asked, queries, key_dim)
        && whole(&key, keys, key_dim)
        && whole(&value, states, value_dim)
        && value_dim > 0
        && groups(states, keys)
        && groups(states.max(queries), states.min(queries))
        && (wide(&decay, states) || wide(&decay, states * key_dim))
        && wide(&beta, states)
        && rate.as_ref().is_none_or(|rate| rate.len() == states)
        && past
            .shape
            .iter()
            .zip([states, key_dim, value_dim])
            .all(|(given, found)| given.is_none_or(|given| given == found));
    if !fits {
        return None;
    }
    let scale = match node.float("scale").unwrap_or(0.0) {
        0.0 => 1.0 / (key_dim as f32).sqrt(),
        scale => scale,
    };
    let op = RowOp::Recurrence {
        query: asked,
        key,
        value,
        decay,
        beta,
        rate,
        skip: None,
        scale: scale * query.scale,
        states,
        key_dim,
        update,
        layer: past.layer,
    };
    Some(walk.push(op, states.max(queries) * value_dim))
}

impl Past {
    pub(crate) fn dims(&self) -> Option<Vec<Dim>> {
        let [states, key_dim, value_dim] = self.shape;
        Some(vec![
            Dim::ONE,
            states?.into(),
            key_dim?.into(),
            value_dim?.into(),
        ])
    }
}
