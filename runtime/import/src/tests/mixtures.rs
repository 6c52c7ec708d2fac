//! Mixtures of experts: which graphs are one, and which only look like it.

use tealight_core::ops::{Op, Route, RouteGroups, RouteScoring};

use super::curves::set;
use super::{compile, refused, spec, tensors};
use crate::testing::{TestModel, fused};
use crate::{ImportError, ImportOptions, Quantize, recognise};

pub(super) const EXPERTS: i64 = 6;
pub(super) const HIDDEN: i64 = 32;
pub(super) const WIDTH: i64 = 32;

pub(super) fn weight(at: usize) -> f32 {
    ((at * 7919) % 251) as f32 / 251.0 - 0.5
}

/// Puts a mixture behind the decoder's MLP, as `models/export` writes it.
pub(super) fn mixture() -> TestModel {
    let mut model = fused();
    model.floats("router", &[EXPERTS, HIDDEN], weight);
    model.floats("experts/in", &[EXPERTS, HIDDEN, 2 * WIDTH], weight);
    model.floats("experts/out", &[EXPERTS, WIDTH, HIDDEN], weight);
    model.floats("experts/zero", &[1], |_| 0.0);
    model.ints("experts/chosen", &[1], &[2]);
    model.ints("experts/flat", &[2], &[-1, HIDDEN]);
    model.ints("experts/count", &[1], &[EXPERTS]);
    model.ints("experts/whole", &[3], &[1, -1, HIDDEN]);
    model.ints("axis0", &[1], &[0]);
    model.ints("axis-1", &[1], &[-1]);
    model.node("Reshape", &["h2", "experts/flat"], &["experts/tokens"]);
    let gemm = model.node("Gemm", &["experts/tokens", "router"], &["routed"]);
    gemm.int("transB", 1);
    model
        .node("Softmax", &["routed"], &["experts/scores"])
        .int("axis", -1);
    model.node(
        "TopK",
        &["experts/scores", "experts/chosen"],
        &["chosen", "places"],
    );
    model.node("ReduceSum", &["chosen", "axis-1"], &["experts/sum"]);
    model.node("Div", &["chosen", "experts/sum"], &["normalized"]);
    model.node("Shape", &["experts/tokens"], &["tokens/shape"]);
    model.node("Gather", &["tokens/shape", "axis0"], &["tokens/count"]);
    model
        .node(
            "Concat",
            &["tokens/count", "experts/count"],
            &["zeros/shape"],
        )
        .int("axis", 0);
    model.node("Expand", &["experts/zero", "zeros/shape"], &["zeros"]);
    let scatter = ["zeros", "places", "normalized"];
    model
        .node("ScatterElements", &scatter, &["routed/weights"])
        .int("axis", 1);
    model.node("Unsqueeze", &["experts/tokens", "axis0"], &["tokens/each"]);
    model.node("MatMul", &["tokens/each", "experts/in"], &["both"]);
    let halves = ["expert/gate", "expert/up"];
    model.node("Split", &["both"], &halves).int("axis", 2);
    model.node("Sigmoid", &["expert/gate"], &["expert/sigmoid"]);
    model.node("Mul", &["expert/gate", "expert/sigmoid"], &["expert/silu"]);
    model.node("Mul", &["expert/silu", "expert/up"], &["expert/gated"]);
    model.node("MatMul", &["expert/gated", "experts/out"], &["expert/down"]);
    model
        .node("Transpose", &["routed/weights"], &["weights/turned"])
        .ints("perm", &[1, 0]);
    model.node(
        "Unsqueeze",
        &["weights/turned", "axis-1"],
        &["weights/each"],
    );
    model.node("Mul", &["expert/down", "weights/each"], &["weighed"]);
    model
        .node("ReduceSum", &["weighed", "axis0"], &["mixed"])
        .int("keepdims", 0);
    model.node("Reshape", &["mixed", "experts/whole"], &["mixture"]);
    model.node("Add", &["down", "mixture"], &["down/all"]);
    model.edit("x2").input[0] = "down/all".into();
    model
}

/// The same with a router that chooses groups first, by sigmoids and a bias, as DeepSeek V3 does.
fn grouped() -> TestModel {
    let mut model = mixture();
    let scores = model.edit("experts/scores");
    scores.op_type = "Sigmoid".into();
    scores.attribute.clear();
    model.floats("router/bias", &[EXPERTS], |at| 0.1 * at as f32);
    model.floats("groups/one", &[1], |_| 1.0);
    model.floats("groups/least", &[], |_| f32::NEG_INFINITY);
    for (name, values) in [
        ("groups/shape", &[-1, 3, 2][..]),
        ("groups/two", &[2]),
        ("groups/kept", &[2]),
        ("groups/each", &[1, 1, 2]),
        ("groups/flat", &[-1, EXPERTS]),
    ] {
        model.ints(name, &[values.len() as i64], values);
    }
    model.node("Add", &["experts/scores", "router/bias"], &["biased"]);
    model.node("Reshape", &["biased", "groups/shape"], &["groups"]);
    model.node("TopK", &["groups", "groups/two"], &["pairs", "pairs/at"]);
    model
        .node("ReduceSum", &["pairs", "axis-1"], &["sums"])
        .int("keepdims", 0);
    model.node("TopK", &["sums", "groups/kept"], &["best", "best/at"]);
    model.node("Shape", &["sums"], &["sums/shape"]);
    model.node("Shape", &["best/at"], &["best/shape"]);
    model.node("Expand", &["experts/zero", "sums/shape"], &["mask/zeros"]);
    model.node("Expand", &["groups/one", "best/shape"], &["mask/ones"]);
    let scatter = ["mask/zeros", "best/at", "mask/ones"];
    model
        .node("ScatterElements", &scatter, &["mask"])
        .int("axis", 1);
    model.node("Unsqueeze", &["mask", "axis-1"], &["mask/column"]);
    model.node("Expand", &["mask/column", "groups/each"], &["mask/each"]);
    model.node("Reshape", &["mask/each", "groups/flat"], &["mask/flat"]);
    model
        .node("Cast", &["mask/flat"], &["mask/truth"])
        .int("to", 9);
    model.node("Not", &["mask/truth"], &["left"]);
    model.node("Where", &["left", "groups/least", "biased"], &["free"]);
    model.edit("chosen").input[0] = "free".into();
    model
        .node("GatherElements", &["experts/scores", "places"], &["own"])
        .int("axis", 1);
    model.edit("experts/sum").input[0] = "own".into();
    model.edit("normalized").input[0] = "own".into();
    model
}

/// The only routing of a model.
pub(super) fn routing(model: &TestModel) -> Route {
    let routes = spec(model).ops.into_iter().filter_map(|op| match op {
        Op::Route(route) => Some(route),
        _ => None,
    });
    let routes: Vec<Route> = routes.collect();
    let [route] = routes[..] else {
        panic!("{routes:?}")
    };
    route
}

#[test]
fn groups_of_experts_are_part_of_the_routing() {
    let route = routing(&grouped());
    assert_eq!((route.scoring, route.chosen), (RouteScoring::Sigmoid, 2));
    assert_eq!(route.groups, Some(RouteGroups { count: 3, kept: 2 }));
    assert!(route.normalized && route.bias.is_some());
    compile(&grouped()).expect("it compiles to a plan");

    let mut kept = grouped();
    kept.edit("free").input = ["mask/truth", "biased", "groups/least"]
        .map(String::from)
        .into();
    assert_eq!(routing(&kept), route);
}

#[test]
fn groups_that_are_chosen_otherwise_name_the_node() {
    let refused_at = |change: fn(&mut TestModel)| {
        let mut model = grouped();
        change(&mut model);
        refused(&model)[0].clone()
    };
    // The greatest one of each group; the least groups; groups kept and left exchanged; scores
    // that stay, or become zero; scores chosen by as weights; other scores.
    let single = |m: &mut TestModel| {
        m.ints("groups/single", &[1], &[1]);
        m.edit("pairs").input[1] = "groups/single".into();
    };
    assert_eq!(refused_at(single), "pairs");
    assert_eq!(refused_at(|m| set(m, "best", "largest", 0, 0.0)), "best");
    let exchanged = |m: &mut TestModel| m.edit("free").input[0] = "mask/truth".into();
    assert_eq!(refused_at(exchanged), "free");
    let unmasked = |m: &mut TestModel| m.edit("free").input[2] = "experts/scores".into();
    assert_eq!(refused_at(unmasked), "free");
    let zeros = |m: &mut TestModel| m.edit("free").input[1] = "experts/zero".into();
    assert_eq!(refused_at(zeros), "free");
    let chosen_by = |m: &mut TestModel| m.edit("own").input[0] = "biased".into();
    assert_eq!(refused_at(chosen_by), "own");
    let biased = |m: &mut TestModel| m.edit("experts/sum").input[0] = "chosen".into();
    assert_eq!(refused_at(biased), "experts/sum");
    let ones = |m: &mut TestModel| m.edit("mask").input[2] = "best".into();
    assert_eq!(refused_at(ones), "mask");
    let over = |m: &mut TestModel| set(m, "mask", "axis", 0, 0.0);
    assert_eq!(refused_at(over), "mask");
}

#[test]
fn experts_computed_for_every_token_are_run_for_those_that_are_routed_to_them() {
    let model = mixture();
    let (spec, route) = (spec(&model), routing(&model));
    assert_eq!((route.scoring, route.chosen), (RouteScoring::Softmax, 2));
    assert!(route.normalized && route.scale == 1.0 && route.bias.is_none());
    let experts = spec.ops.iter().find_map(|op| match op {
        Op::Experts(experts) => Some(*experts),
        _ => None,
    });
    let experts = experts.expect("it has a mixture");
    assert_eq!(
        (experts.width, experts.weights),
        (WIDTH as u32, route.logits)
    );
    let shape = |id: tealight_core::ops::TensorId| {
        let tensor = &spec.tensors[id.0 as usize];
        (tensor.rows as i64, tensor.cols as i64)
    };
    assert_eq!(shape(experts.gate_up), (EXPERTS * 2 * WIDTH, HIDDEN));
    assert_eq!(shape(experts.down), (EXPERTS * HIDDEN, WIDTH));
    compile(&model).expect("it compiles to a plan");
}

#[test]
fn experts_stored_output_by_output_are_the_same_plan() {
    let mut turned = mixture();
    for (name, [inputs, outputs]) in [
        ("experts/in", [HIDDEN, 2 * WIDTH]),
        ("experts/out", [WIDTH, HIDDEN]),
    ] {
        let stored = format!("{name}/stored");
        let value = |at: usize| {
            let (inputs, outputs) = (inputs as usize, outputs as usize);
            let (expert, at) = (at / (inputs * outputs), at % (inputs * outputs));
            let (output, input) = (at / inputs, at % inputs);
            weight((expert * inputs + input) * outputs + output)
        };
        turned
            .graph_mut()
            .initializer
            .retain(|tensor| tensor.name != name);
        turned.floats(&stored, &[EXPERTS, outputs, inputs], value);
        let node = turned.node("Transpose", &[&stored], &[name]);
        node.ints("perm", &[0, 2, 1]);
    }
    let (turned, plain) = (spec(&turned), spec(&mixture()));
    assert_eq!(turned.ops, plain.ops);
    assert_eq!(tensors(&turned), tensors(&plain));
}

#[test]
fn routers_stay_floats_when_weights_are_quantized() {
    let saved = mixture().save();
    let options = ImportOptions {
        context: None,
        quantize: Some(Quantize::Int4.into()),
        ..ImportOptions::default()
    };
    let spec = recognise(&saved.path, &options).expect("it is recognised");
    let floats = spec
        .tensors
        .iter()
        .filter(|tensor| !tensor.encoding.is_quantized());
    let floats: Vec<&str> = floats.map(|tensor| tensor.name.as_str()).collect();
    assert!(floats.contains(&"router"), "{floats:?}");
    assert!(
        !floats.contains(&"experts/in") && !floats.contains(&"experts/out"),
        "{floats:?}"
    );
}

#[test]
fn what_is_not_a_routed_sum_names_the_node() {
    let mut least = mixture();
    set(&mut least, "chosen", "largest", 0, 0.0);
    assert_eq!(refused(&least)[0], "chosen");

    let mut other_axis = mixture();
    other_axis.edit("mixed").input[1] = "axis-1".into();
    assert_eq!(refused(&other_axis)[0], "mixed");

    let mut not_zero = mixture();
    not_zero
        .graph_mut()
        .initializer
        .retain(|tensor| tensor.name != "experts/zero");
    not_zero.floats("experts/zero", &[1], |_| 0.5);
    assert_eq!(refused(&not_zero)[0], "routed/weights");

    let mut other_sum = mixture();
    other_sum.edit("experts/sum").input[1] = "axis0".into();
    assert_eq!(refused(&other_sum)[0], "experts/sum");
}

#[test]
fn a_mixture_whose_experts_a_tracer_followed_is_told_from_others() {
    let mut traced = mixture();
    traced.ints("experts/on", &[2], &[0, 1]);
    let mask = ["places", "experts/count", "experts/on"];
    traced.node("OneHot", &mask, &["experts/mask"]);
    assert_eq!(refused(&traced), ["experts/mask"]);

    traced.node("Gather", &["experts/mask", "axis0"], &["expert/mask"]);
    traced.node("NonZero", &["expert/mask"], &["expert/tokens"]);
    let Err(ImportError::TracedExperts { node }) = compile(&traced) else {
        panic!("taken for another");
    };
    assert_eq!(node, "expert/tokens");
}
