//! Mixtures of experts in one operator, MoE and QMoE.

use tealight_core::layout::Encoding;
use tealight_core::ops::{Activation, Bend, Experts, Op, RouteScoring};

use super::curves::set;
use super::mixtures::{EXPERTS, HIDDEN, WIDTH, mixture, routing, weight};
use super::{compile, refused, spec, tensors};
use crate::ImportError;
use crate::onnx::proto::AttributeProto;
use crate::testing::TestModel;

/// Experts, their outputs, and their inputs.
const FIRST: [usize; 3] = [EXPERTS as usize, 2 * WIDTH as usize, HIDDEN as usize];
const LAST: [usize; 3] = [EXPERTS as usize, HIDDEN as usize, WIDTH as usize];

/// Output by output what [`mixture`] holds input by input.
fn turned([_, outputs, inputs]: [usize; 3]) -> impl Fn(usize) -> f32 {
    move |at| {
        let (expert, at) = (at / (inputs * outputs), at % (inputs * outputs));
        weight((expert * inputs + at % inputs) * outputs + at / inputs)
    }
}

/// A row's number where gates and their factors lie in turn, from that where they are halves.
fn in_turn(row: usize) -> usize {
    row / 2 + row % 2 * WIDTH as usize
}

/// The same elements with the first map's rows in turn; `each` of them a row.
fn rows_in_turn<T>(each: usize, value: impl Fn(usize) -> T) -> impl Fn(usize) -> T {
    move |at| {
        let (row, col) = (at / each, at % each);
        let (expert, row) = (row / FIRST[1], row % FIRST[1]);
        value((expert * FIRST[1] + in_turn(row)) * each + col)
    }
}

fn shape(shape: [usize; 3]) -> [i64; 3] {
    shape.map(|size| size as i64)
}

fn text(model: &mut TestModel, name: &str, text: &str) {
    model.edit("experts").attribute.push(AttributeProto {
        name: name.into(),
        s: text.as_bytes().to_vec().into(),
        ..AttributeProto::default()
    });
}

/// The mixture with what `operator` makes of its router's logits in the place of its parts.
fn with(operator: &str, inputs: &[&str]) -> TestModel {
    let mut model = mixture();
    let inputs = [&["experts/tokens", "routed"], inputs].concat();
    model
        .node(&format!("com.microsoft.{operator}"), &inputs, &["experts"])
        .int("k", 2)
        .int("normalize_routing_weights", 1)
        .int("swiglu_fusion", 1);
    text(&mut model, "activation_type", "swiglu");
    model.edit("mixture").input[0] = "experts".into();
    model
}

fn moe() -> TestModel {
    let mut model = with("MoE", &["fc1", "", "fc2"]);
    model.floats("fc1", &shape(FIRST), rows_in_turn(FIRST[2], turned(FIRST)));
    model.floats("fc2", &shape(LAST), turned(LAST));
    model
}

fn experts(model: &TestModel) -> Experts {
    let found = spec(model).ops.into_iter().find_map(|op| match op {
        Op::Experts(experts) => Some(experts),
        _ => None,
    });
    found.expect("it has a mixture")
}

/// A mixture's first and last tensor.
fn weights(model: &TestModel) -> [(Encoding, Vec<u8>, f32); 2] {
    let (spec, experts) = (spec(model), experts(model));
    let all = tensors(&spec);
    [experts.gate_up, experts.down].map(|id| {
        let (bytes, scale) = all[id.0 as usize].clone();
        (spec.tensors[id.0 as usize].encoding, bytes, scale)
    })
}

#[test]
fn a_fused_mixture_is_the_plan_of_its_parts() {
    let plain = spec(&mixture());
    let same = |model: &TestModel| {
        let fused = spec(model);
        assert_eq!(fused.ops, plain.ops);
        assert_eq!(tensors(&fused), tensors(&plain));
    };
    same(&moe());

    let mut halves = with("MoE", &["fc1", "", "fc2"]);
    halves.floats("fc1", &shape(FIRST), turned(FIRST));
    halves.floats("fc2", &shape(LAST), turned(LAST));
    set(&mut halves, "experts", "swiglu_fusion", 2, 0.0);
    same(&halves);

    // Gates and their factors apart, and zeros for biases.
    let mut apart = with("MoE", &["fc1", "", "fc2", "zeros", "fc3"]);
    for (name, first) in [("fc1", 0), ("fc3", 1)] {
        let half = [FIRST[0], FIRST[1] / 2, FIRST[2]];
        apart.floats(name, &shape(half), |at| {
            let (expert, at) = (at / (half[1] * half[2]), at % (half[1] * half[2]));
            turned(FIRST)(((2 * expert + first) * half[1]) * half[2] + at)
        });
    }
    apart.floats("fc2", &shape(LAST), turned(LAST));
    apart.floats("no bias", &[EXPERTS, HIDDEN], |_| 0.0);
    apart.edit("experts").input[5] = "no bias".into();
    set(&mut apart, "experts", "swiglu_fusion", 0, 0.0);
    apart
        .edit("experts")
        .attribute
        .retain(|a| a.name != "activation_type");
    text(&mut apart, "activation_type", "silu");
    same(&apart);
}

fn bias(at: usize) -> f32 {
    at as f32 / 64.0
}

/// With biases and a bent gate, as gpt-oss has them.
pub(super) fn bent() -> TestModel {
    let mut model = moe();
    model.floats("b1", &[EXPERTS, 2 * WIDTH], rows_in_turn(1, bias));
    model.floats("b2", &[EXPERTS, HIDDEN], bias);
    model.edit("experts").input[3] = "b1".into();
    model.edit("experts").input.push("b2".into());
    for (name, value) in [
        ("activation_alpha", 1.5),
        ("activation_beta", 1.0),
        ("swiglu_limit", 7.0),
    ] {
        set(&mut model, "experts", name, 0, value);
    }
    model
}

#[test]
fn biases_and_bent_gates_are_those_of_every_expert() {
    let model = bent();
    let experts = experts(&model);
    assert_eq!(experts.activation, Activation::Silu);
    let bend = Bend {
        alpha: 1.5,
        beta: 1.0,
        limit: Some(7.0),
    };
    assert_eq!(experts.bend, Some(bend));
    let all = tensors(&spec(&model));
    let expected =
        |count: usize| -> Vec<u8> { (0..count).flat_map(|at| bias(at).to_le_bytes()).collect() };
    for (id, count) in [
        (experts.gate_up_bias, FIRST[0] * FIRST[1]),
        (experts.down_bias, LAST[0] * LAST[1]),
    ] {
        assert_eq!(all[id.expect("a bias").0 as usize].0, expected(count));
    }
    compile(&model).expect("it compiles to a plan");
}

fn integer(at: usize) -> u8 {
    (at * 7919 % 251) as u8
}

/// Weights of so many bits in blocks of 32, or one scale a row; rows as `first` has them.
fn qmoe(bits: i64, blocks: bool, zero_points: bool, fusion: i64) -> TestModel {
    let zeros = if zero_points { ["z1", "z2"] } else { ["", ""] };
    let none = [""; 3];
    let inputs = [&["q1", "s1", "", "q2", "s2", ""], &none[..], &zeros].concat();
    let mut model = with("QMoE", &inputs);
    set(&mut model, "experts", "expert_weight_bits", bits, 0.0);
    set(&mut model, "experts", "swiglu_fusion", fusion, 0.0);
    if blocks {
        set(&mut model, "experts", "block_size", 32, 0.0);
    }
    for (map, [experts, rows, cols]) in [(1, FIRST), (2, LAST)] {
        let moved = map == 1 && fusion == 1;
        let bytes = |each: usize| -> Vec<u8> {
            let count = experts * rows * each;
            match moved {
                true => (0..count).map(rows_in_turn(each, integer)).collect(),
                false => (0..count).map(integer).collect(),
            }
        };
        let each = cols * bits as usize / 8;
        let row = [experts as i64, rows as i64];
        model.tensor(
            &format!("q{map}"),
            2,
            &[row[0], row[1], each as i64],
            bytes(each),
        );
        model.tensor(&format!("z{map}"), 2, &[row[0], row[1], 1], bytes(1));
        let scale = |at: usize| (1 + at % 8) as f32 / 64.0;
        let shape = if blocks {
            vec![row[0], row[1], 1]
        } else {
            row.to_vec()
        };
        match moved {
            true => model.floats(&format!("s{map}"), &shape, rows_in_turn(1, scale)),
            false => model.floats(&format!("s{map}"), &shape, scale),
        }
    }
    model
}

#[test]
fn quantized_experts_stay_as_they_are() {
    for (bits, zero_points, encoding) in [
        (4, false, Encoding::Int4),
        (4, true, Encoding::Int4ZeroPoint),
        (8, false, Encoding::Int8),
        (8, true, Encoding::Int8ZeroPoint),
    ] {
        let [first, last] = weights(&qmoe(bits, true, zero_points, 1));
        assert_eq!((first.0, last.0), (encoding, encoding));
        // Whatever order rows lie in, and whether a block or a row has the scale.
        assert_eq!(weights(&qmoe(bits, true, zero_points, 2))[0], first);
        assert_eq!(weights(&qmoe(bits, false, zero_points, 1))[0], first);
        compile(&qmoe(bits, true, zero_points, 1)).expect("it compiles to a plan");
    }
}

#[test]
fn fused_mixtures_that_are_not_understood_name_the_node() {
    let fault = |change: fn(&mut TestModel)| {
        let mut model = qmoe(4, true, false, 1);
        change(&mut model);
        match compile(&model) {
            Err(ImportError::Attribute { node, .. }) => node,
            Err(ImportError::Unrecognised(operators)) => operators[0].node.clone(),
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("recognised"),
        }
    };
    let attributes = [
        ("use_sparse_mixer", 1, 0.0),
        ("normalize_routing_weights", 0, 0.0),
        ("swiglu_fusion", 0, 0.0),
        ("expert_weight_bits", 2, 0.0),
        ("fc2_expert_weight_bits", 2, 0.0),
        ("weights_prepacked", 1, 0.0),
        ("activation_alpha", 0, -1.0),
        ("activation_alpha", 0, f32::NAN),
        ("swiglu_limit", 0, -1.0),
        ("k", 0, 0.0),
        ("k", EXPERTS + 1, 0.0),
        ("block_size", 16, 0.0),
        ("something", 0, 0.0),
    ];
    for (name, i, f) in attributes {
        let mut model = qmoe(4, true, false, 1);
        set(&mut model, "experts", name, i, f);
        assert!(compile(&model).is_err(), "{name} {i} {f}");
    }
    assert_eq!(fault(|m| text(m, "quant_type", "fp4")), "experts");
    // Routers' weights of their own; scales of the other map.
    assert_eq!(
        fault(|m| m
            .edit("experts")
            .input
            .extend(["", "routed"].map(String::from))),
        "experts"
    );
    assert_eq!(
        fault(|m| m.edit("experts").input[3] = "s2".into()),
        "experts"
    );
    assert_eq!(
        fault(|m| m.edit("experts").input[2] = "q2".into()),
        "experts"
    );
}

/// A router of sigmoids and a bias before a fused mixture, as the builder writes LFM2's.
fn logs() -> TestModel {
    let mut model = moe();
    model.floats("one/float", &[], |_| 1.0);
    model.floats("router/bias", &[EXPERTS], |at| 0.1 * at as f32);
    model.floats("least", &[], |_| 1e-30);
    model.floats("far", &[1], |_| -10_000.0);
    model.floats("epsilon", &[], |_| 1e-6);
    model.floats("factor", &[], |_| 1.5);
    model.ints("column", &[3], &[1, -1, 1]);
    model.node("Neg", &["routed"], &["sigmoid/negative"]);
    model.node("Exp", &["sigmoid/negative"], &["sigmoid/exp"]);
    model.node("Add", &["sigmoid/exp", "one/float"], &["sigmoid/below"]);
    model.node("Reciprocal", &["sigmoid/below"], &["sigmoids"]);
    model.node("Add", &["sigmoids", "router/bias"], &["biased"]);
    model.node("TopK", &["biased", "experts/chosen"], &["best", "best/at"]);
    model
        .node("GatherElements", &["sigmoids", "best/at"], &["own"])
        .int("axis", 1);
    model.node("ReduceSum", &["own", "axis-1"], &["own/sum"]);
    model.node("Add", &["own/sum", "epsilon"], &["own/more"]);
    model.node("Div", &["own/sum", "own/more"], &["fraction"]);
    model.node("Mul", &["fraction", "factor"], &["fraction/scaled"]);
    model.node(
        "Reshape",
        &["fraction/scaled", "column"],
        &["fraction/each"],
    );
    model.node("Clip", &["own", "least"], &["own/clipped"]);
    model.node("Log", &["own/clipped"], &["own/log"]);
    model.node("Expand", &["far", "zeros/shape"], &["far/all"]);
    model
        .node(
            "ScatterElements",
            &["far/all", "best/at", "own/log"],
            &["logs"],
        )
        .int("axis", 1);
    model.edit("experts").input[1] = "logs".into();
    model.node("Mul", &["mixture", "fraction/each"], &["mixture/scaled"]);
    model.edit("down/all").input[1] = "mixture/scaled".into();
    model
}

#[test]
fn a_router_that_feeds_logarithms_is_one_of_sigmoids() {
    let route = routing(&logs());
    assert_eq!((route.scoring, route.chosen), (RouteScoring::Sigmoid, 2));
    assert!(route.normalized && route.bias.is_some());
    assert_eq!((route.epsilon, route.scale), (1e-6, 1.5));
    compile(&logs()).expect("it compiles to a plan");
}

#[test]
fn logarithms_that_are_not_a_routers_name_the_node() {
    let refused_at = |change: fn(&mut TestModel)| {
        let mut model = logs();
        change(&mut model);
        refused(&model)[0].clone()
    };
    // Scores that are raised too far; others that come near; another number of experts; those
    // chosen by; what is divided by another sum, or spread over another axis.
    let raised = |m: &mut TestModel| m.edit("own/clipped").input[1] = "factor".into();
    assert_eq!(refused_at(raised), "own/clipped");
    let near = |m: &mut TestModel| m.edit("far/all").input[0] = "experts/zero".into();
    assert_eq!(refused_at(near), "logs");
    assert_eq!(refused_at(|m| set(m, "experts", "k", 3, 0.0)), "experts");
    let chosen_by = |m: &mut TestModel| m.edit("own").input[0] = "biased".into();
    assert_eq!(refused_at(chosen_by), "own");
    let other = |m: &mut TestModel| m.edit("fraction").input[1] = "own/sum".into();
    assert_eq!(
        routing(&{
            let mut m = logs();
            other(&mut m);
            m
        })
        .epsilon,
        0.0
    );
    let much = |m: &mut TestModel| m.edit("own/more").input[1] = "factor".into();
    assert_eq!(refused_at(much), "own/more");
    let wide = |m: &mut TestModel| m.edit("mixture/scaled").input[0] = "h2".into();
    assert_eq!(refused_at(wide), "mixture/scaled");
}
