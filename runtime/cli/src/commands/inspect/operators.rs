//! A plan's operators: how many of each kind, and each one with what it reads and writes.

use std::collections::BTreeMap;

use serde_json::Value;
use tealight::ops::{Activation, Attention, InputPrecision, Op, TensorId, View};
use tealight::plan::Plan;

use crate::table::{Align, markdown};

pub(super) fn counts(plan: &Plan<impl AsRef<[u8]>>) -> String {
    let counted = count(plan).into_iter();
    let rows: Vec<_> = counted
        .map(|(name, count)| vec![name.into(), count.to_string()])
        .collect();
    markdown(&[("operator", Align::Left), ("count", Align::Right)], &rows)
}

pub(super) fn counts_json(plan: &Plan<impl AsRef<[u8]>>) -> Value {
    count(plan)
        .into_iter()
        .map(|(name, count)| (name.to_owned(), Value::from(count)))
        .collect()
}

/// Every operator on a line of its own, in the order of execution.
pub(super) fn details(plan: &Plan<impl AsRef<[u8]>>) -> String {
    let head = plan.model().head as usize;
    let mut text = String::new();
    for (index, line) in list(plan).enumerate() {
        if index == head {
            text.push_str("      for wanted positions only:\n");
        }
        text.push_str(&format!("{index:>5} {line}\n"));
    }
    text
}

/// Every operator as `Linear b1[0..64] as int16 -> b2[0..192], q_proj int4 192x64`.
pub(super) fn list(plan: &Plan<impl AsRef<[u8]>>) -> impl Iterator<Item = String> {
    plan.ops().map(|op| describe(plan, &op))
}

fn count(plan: &Plan<impl AsRef<[u8]>>) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for op in plan.ops() {
        *counts.entry(op.name()).or_default() += 1;
    }
    counts
}

fn describe(plan: &Plan<impl AsRef<[u8]>>, op: &Op) -> String {
    let tensor = |id: TensorId| {
        let tensor = plan.tensor(id);
        format!(
            "{} {} {}x{}",
            tensor.name,
            tensor.encoding.name(),
            tensor.rows,
            tensor.cols
        )
    };
    let arguments = match op {
        Op::Embed(op) => format!("tokens -> {}, {}", view(op.output), tensor(op.table)),
        Op::RmsNorm(op) => format!(
            "{} -> {}, {}, epsilon {:e}",
            view(op.input),
            view(op.output),
            tensor(op.weight),
            op.epsilon
        ),
        Op::Linear(op) => {
            let bias = op
                .bias
                .map_or(String::new(), |id| format!(", bias {}", tensor(id)));
            let residual = op
                .residual
                .map_or(String::new(), |v| format!(", plus {}", view(v)));
            let (input, output) = (view(op.input), view(op.output));
            let precision = precision(op.precision);
            let weight = tensor(op.weight);
            format!("{input} as {precision} -> {output}, {weight}{bias}{residual}")
        }
        Op::Rope(op) => {
            let heads = op.heads.width / op.head_dim.max(1);
            let (turned, all) = (op.rotary_dim, op.head_dim);
            let style = format!("{:?}", op.style).to_lowercase();
            format!(
                "{} in place, {heads} heads, {turned} of {all} values, {style}",
                view(op.heads)
            )
        }
        Op::Attention(op) => attended(plan, op),
        Op::Sinks(op) => {
            let attention = attended(plan, &op.attention);
            format!("{attention}, sinks {}", tensor(op.sinks))
        }
        Op::Gate(op) => {
            let activation = activation(op.activation);
            let (gate, up) = (view(op.gate), view(op.up));
            format!("{gate} through {activation}, {up} -> {}", view(op.output))
        }
        Op::Add(op) => format!("{}, {} -> {}", view(op.a), view(op.b), view(op.output)),
        Op::Softcap(op) => format!("{} in place, below {}", view(op.values), op.cap),
        Op::Route(op) => {
            let scoring = format!("{:?}", op.scoring).to_lowercase();
            let normalized = if op.normalized { ", normalized" } else { "" };
            let bias = op.bias.map_or(String::new(), |id| {
                format!(", chosen by bias {}", tensor(id))
            });
            let (chosen, experts) = (op.chosen, op.logits.width);
            let groups = op.groups.map_or(String::new(), |groups| {
                format!(" in {} of {} groups", groups.kept, groups.count)
            });
            format!(
                "{} in place, {scoring}, {chosen} of {experts}{groups}{normalized}, scale {}{bias}",
                view(op.logits),
                op.scale
            )
        }
        Op::Convolution(op) => {
            let gate =
                |gate: Option<View>| gate.map_or(String::new(), |v| format!(", {}", view(v)));
            let bias = op
                .bias
                .map_or(String::new(), |id| format!(", bias {}", tensor(id)));
            format!(
                "{}{}{} -> {}, {}{bias}",
                view(op.input),
                gate(op.before),
                gate(op.after),
                view(op.output),
                tensor(op.weight)
            )
        }
        Op::Recurrence(op) => {
            let more = [op.decay, op.beta].into_iter().flatten();
            let more: String = more.map(|more| format!(", {}", view(more))).collect();
            let vectors = [("rate", op.rate), ("skip", op.skip)].into_iter();
            let vectors =
                vectors.filter_map(|(name, id)| Some(format!(", {name} {}", tensor(id?))));
            let (query, key, value) = (view(op.query), view(op.key), view(op.value));
            format!(
                "{query}, {key}, {value}{more} -> {}, {} states of {}x{}, {:?}, scale {}{}",
                view(op.output),
                op.states,
                op.key_dim,
                op.value.width / op.states.max(1),
                op.update,
                op.scale,
                vectors.collect::<String>()
            )
        }
        Op::Pick(op) => {
            let (input, output) = (view(op.input), view(op.output));
            format!("{} of every {} of {input} -> {output}", op.width, op.period)
        }
        Op::Experts(op) => {
            let (input, weights) = (view(op.input), view(op.weights));
            let bias = |id: Option<TensorId>| id.map_or("", |_| " with a bias");
            let (first, last) = (tensor(op.gate_up), tensor(op.down));
            let (first_bias, last_bias) = (bias(op.gate_up_bias), bias(op.down_bias));
            let bend = op.bend.map_or(String::new(), |bend| {
                format!(" bent by {}, {}, {:?}", bend.alpha, bend.beta, bend.limit)
            });
            let activation = activation(op.activation);
            let precision = precision(op.precision);
            format!(
                "{input} as {precision}, {weights} -> {}, through {activation}{bend}, {first}{first_bias}, \
                 {last}{last_bias}",
                view(op.output)
            )
        }
        Op::LayerNorm(op) => format!(
            "{} -> {}, {}, bias {}, epsilon {:e}",
            view(op.input),
            view(op.output),
            tensor(op.weight),
            tensor(op.bias),
            op.epsilon
        ),
        Op::Position(op) => format!("{} in place, plus {}", view(op.values), tensor(op.table)),
        Op::Activate(op) => {
            let activation = activation(op.activation);
            format!("{} in place, through {activation}", view(op.values))
        }
        Op::Encode(op) => {
            let (query, key, value) = (view(op.query), view(op.key), view(op.value));
            let cache = &plan.caches()[op.cache.0 as usize];
            let heads = op.query.width / cache.key_dim.max(1);
            format!(
                "{query}, {key}, {value} -> {}, {heads} heads over {}, both ways, scale {}",
                view(op.output),
                cache.heads,
                op.scale
            )
        }
    };
    format!("{:<9} {arguments}", op.name())
}

fn attended(plan: &Plan<impl AsRef<[u8]>>, op: &Attention) -> String {
    let (query, key, value) = (view(op.query), view(op.key), view(op.value));
    let cache = &plan.caches()[op.cache.0 as usize];
    let heads = op.query.width / cache.key_dim.max(1);
    let window = op
        .window
        .map_or(String::new(), |window| format!(", the last {window}"));
    let cap = op
        .softcap
        .map_or(String::new(), |cap| format!(", below {cap}"));
    format!(
        "{query}, {key}, {value} -> {}, {heads} heads over {}, scale {}{window}{cap}",
        view(op.output),
        cache.heads,
        op.scale
    )
}

fn activation(activation: Activation) -> &'static str {
    match activation {
        Activation::Silu => "silu",
        Activation::GeluTanh => "gelu (tanh)",
        Activation::Gelu => "gelu",
        Activation::Sigmoid => "sigmoid",
        Activation::Softplus => "softplus",
    }
}

fn precision(precision: InputPrecision) -> &'static str {
    match precision {
        InputPrecision::Int8 => "int8",
        InputPrecision::Int16 => "int16",
    }
}

/// `b2[0..192]`: columns of a buffer.
fn view(view: View) -> String {
    format!(
        "b{}[{}..{}]",
        view.buffer.0,
        view.start,
        view.start + view.width
    )
}
