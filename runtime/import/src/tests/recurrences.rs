//! Recurrent states: which graphs have them, and what does not fit them.

use tealight_core::ops::{Activation, Op, Recurrence, Update};

use super::convolutions::weight;
use super::curves::set;
use super::{compile, names, refused, spec};
use crate::ImportError;
use crate::onnx::proto::AttributeProto;
use crate::testing::{TestModel, fused};

const HIDDEN: i64 = 32;
/// States, heads of queries and keys, and the width of each.
const STATES: i64 = 4;
const KEYS: i64 = 2;
const DIM: i64 = 16;

/// Puts a gated delta net beside the decoder's MLP, as onnxruntime-genai's builder writes it.
fn delta_net() -> TestModel {
    let mut model = fused();
    let (past, present) = ("past.1.recurrent", "present.1.recurrent");
    model.input(past, &[0, STATES, DIM, DIM]);
    model.output(present);
    for (name, width) in [
        ("q", KEYS * DIM),
        ("k", KEYS * DIM),
        ("v", STATES * DIM),
        ("z", STATES * DIM),
    ] {
        let map = format!("net/{name}/weight");
        model.floats(&map, &[HIDDEN, width], weight);
        model.node("MatMul", &["h2", &map], &[&format!("net/{name}")]);
    }
    for name in ["a", "b"] {
        let map = format!("net/{name}/weight");
        model.floats(&map, &[HIDDEN, STATES], weight);
        model.node("MatMul", &["h2", &map], &[&format!("net/{name}")]);
    }
    model.ints("net/heads", &[4], &[0, 0, KEYS, DIM]);
    model.ints("net/row", &[3], &[0, 0, KEYS * DIM]);
    for name in ["q", "k"] {
        let [heads, normal, row] =
            ["heads", "normal", "row"].map(|part| format!("net/{name}/{part}"));
        model.node("Reshape", &[&format!("net/{name}"), "net/heads"], &[&heads]);
        model
            .node("LpNormalization", &[&heads], &[&normal])
            .int("axis", -1)
            .int("p", 2);
        model.node("Reshape", &[&normal, "net/row"], &[&row]);
    }
    model.floats("net/bias", &[STATES], weight);
    model.floats("net/rate", &[STATES], weight);
    model.floats("net/scale", &[], |_| 0.25);
    model.floats("net/norm", &[DIM], weight);
    model.floats("net/out", &[STATES * DIM, HIDDEN], weight);
    model.node("Mul", &["net/q/row", "net/scale"], &["net/q/scaled"]);
    model.node(
        "com.microsoft.LinearAttentionGate",
        &["net/a", "net/bias", "net/rate", "net/b"],
        &["net/decay", "net/beta"],
    );
    let inputs = [
        "net/q/scaled",
        "net/k/row",
        "net/v",
        past,
        "net/decay",
        "net/beta",
    ];
    model
        .node(
            "com.microsoft.LinearAttention",
            &inputs,
            &["net/found", present],
        )
        .int("q_num_heads", KEYS)
        .int("kv_num_heads", STATES)
        .float("scale", 1.0);
    let inputs = ["net/found", "net/norm", "net/z"];
    model
        .node("com.microsoft.GatedRMSNorm", &inputs, &["net/gated"])
        .float("epsilon", 1e-6);
    model.node("MatMul", &["net/gated", "net/out"], &["net"]);
    model.node("Add", &["down", "net"], &["down/all"]);
    model.edit("x2").input[0] = "down/all".into();
    model
}

fn recurrence(model: &TestModel) -> Recurrence {
    let found = spec(model).ops.into_iter().find_map(|op| match op {
        Op::Recurrence(op) => Some(op),
        _ => None,
    });
    found.expect("it has a recurrence")
}

/// Sets which way a token changes a state.
fn rule(model: &mut TestModel, rule: &str) {
    set(model, "net/found", "update_rule", 0, 0.0);
    let attributes = &mut model.edit("net/found").attribute;
    let attribute: &mut AttributeProto = attributes.last_mut().expect("just set");
    attribute.s = rule.as_bytes().to_vec().into();
}

#[test]
fn a_gated_delta_net_becomes_operators_that_are_there_and_a_recurrence() {
    let model = delta_net();
    let op = recurrence(&model);
    assert_eq!((op.states, op.key_dim, op.output.width), (4, 16, 64));
    assert_eq!((op.scale, op.update, op.state), (0.25, Update::Delta, 0));
    assert!(op.rate.is_some() && op.decay.is_some() && op.beta.is_some());
    let spec = spec(&model);
    let curves: Vec<Activation> = spec
        .ops
        .iter()
        .filter_map(|op| match op {
            Op::Activate(op) => Some(op.activation),
            Op::Gate(op) => Some(op.activation),
            _ => None,
        })
        .collect();
    for curve in [Activation::Softplus, Activation::Sigmoid, Activation::Silu] {
        assert!(curves.contains(&curve), "{curves:?}");
    }
    // Queries, keys and outputs besides the decoder's own.
    let norms = |names: Vec<&str>| names.into_iter().filter(|name| *name == "RmsNorm").count();
    assert_eq!(
        norms(names(&spec)),
        norms(names(&super::spec(&fused()))) + 3
    );
}

#[test]
fn every_update_rule_is_known_with_what_it_needs() {
    let with = |name: &str, inputs: usize| {
        let mut model = delta_net();
        rule(&mut model, name);
        for input in [4, 5]
            .into_iter()
            .filter(|input| inputs & (1 << input) == 0)
        {
            model.edit("net/found").input[input].clear();
        }
        model
    };
    let (decay, beta) = (1 << 4, 1 << 5);
    for (name, inputs, update) in [
        ("linear", 0, Update::Add),
        ("gated", decay, Update::Add),
        ("delta", beta, Update::Delta),
        ("gated_delta", decay | beta, Update::Delta),
    ] {
        let op = recurrence(&with(name, inputs));
        assert_eq!(op.update, update);
        assert_eq!(
            (op.decay.is_some(), op.beta.is_some()),
            (inputs & decay > 0, inputs & beta > 0)
        );
        let other = (decay | beta) - inputs;
        assert_eq!(refused(&with(name, other))[0], "net/found", "{name}");
    }
    assert_eq!(refused(&with("forgetful", decay | beta))[0], "net/found");
}

#[test]
fn a_recurrence_of_another_shape_names_the_node() {
    let with = |change: fn(&mut TestModel)| {
        let mut model = delta_net();
        change(&mut model);
        refused(&model)[0].clone()
    };
    assert_eq!(
        with(|m| set(m, "net/found", "state_window", 2, 0.0)),
        "net/found"
    );
    assert_eq!(
        with(|m| set(m, "net/found", "kv_num_heads", 3, 0.0)),
        "net/found"
    );
    assert_eq!(
        with(|m| set(m, "net/found", "q_num_heads", 0, 0.0)),
        "net/found"
    );
    assert_eq!(
        with(|m| set(m, "net/found", "unheard_of", 1, 0.0)),
        "net/found"
    );
    assert_eq!(
        with(|m| set(m, "net/q/normal", "p", 1, 0.0)),
        "net/q/normal"
    );
    assert_eq!(with(|m| m.edit("net/found").input[3].clear()), "net/found");
    // One column a trillion times is no width.
    let wide = |m: &mut TestModel| {
        m.ints("net/wide", &[4], &[1, 1, 1, 1 << 40]);
        m.ints("net/one", &[4], &[0, 0, STATES, 1]);
        m.node("Reshape", &["net/a", "net/one"], &["net/single"]);
        m.node("Expand", &["net/single", "net/wide"], &["net/repeated"]);
        m.edit("net/q/normal").input[0] = "net/repeated".into();
    };
    assert_eq!(with(wide), "net/q/normal");
    assert_eq!(
        with(|m| m.edit("net/found").input[5] = "net/z".into()),
        "net/found"
    );
}

#[test]
fn states_that_are_not_returned_are_refused() {
    let mut model = delta_net();
    model.graph_mut().output.pop();
    match compile(&model) {
        Err(ImportError::NotADecoder { fault, .. }) => {
            assert!(
                fault.contains("layer 1 does not return what its recurrence has seen"),
                "{fault}"
            );
        }
        other => panic!("{other:?}"),
    }
}
