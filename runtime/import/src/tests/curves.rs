//! What bends or narrows attention and activations: windows, caps, curves, tables by length.

use std::num::NonZeroU32;

use tealight_core::ops::{Activation, Op};

use super::{compile, names, refused, spec, tensors};
use crate::onnx::proto::{AttributeProto, GraphProto, TensorProto, ValueInfoProto};
use crate::testing::{TestModel, decomposed, fused};
use crate::{ImportError, ImportOptions, recognise};

/// Sets an attribute of a node.
pub(super) fn set(model: &mut TestModel, node: &str, name: &str, i: i64, f: f32) {
    let attributes = &mut model.edit(node).attribute;
    attributes.retain(|attribute| attribute.name != name);
    attributes.push(AttributeProto {
        name: name.into(),
        i,
        f,
        ..AttributeProto::default()
    });
}

#[test]
fn limits_of_fused_attention_that_mean_nothing_name_the_node() {
    let limits = [
        ("local_window_size", 0, 0.0),
        ("local_window_size", -2, 0.0),
        ("local_window_size", i64::MAX, 0.0),
        ("softcap", 0, -1.0),
        ("softcap", 0, f32::NAN),
        ("softcap", 0, f32::INFINITY),
    ];
    for (name, i, f) in limits {
        let mut model = fused();
        set(&mut model, "attended", name, i, f);
        let error = compile(&model).expect_err(name);
        let text = error.to_string();
        assert!(matches!(error, ImportError::Attribute { .. }), "{text}");
        assert!(text.contains("`attended`") && text.contains(name), "{text}");
    }
}

/// Hides all but the last positions of the decomposed decoder's past.
pub(super) fn see_only(model: &mut TestModel, window: i64) {
    model.ints("window", &[], &[window]);
    model.node("Sub", &["query/column", "window"], &["window/start"]);
    model.node("Greater", &["key/row", "window/start"], &["inside"]);
    model.edit("mask/both").input[1] = "inside".into();
}

#[test]
fn a_window_is_read_off_the_mask_and_off_the_attribute() {
    let (mut spread, mut whole) = (decomposed(), fused());
    see_only(&mut spread, 8);
    set(&mut whole, "attended", "local_window_size", 8, 0.0);
    let spread = spec(&spread);
    assert_eq!(spread.ops, spec(&whole).ops);
    let Op::Attention(attention) = spread.ops[4] else {
        panic!()
    };
    assert_eq!(attention.window, NonZeroU32::new(8));
}

/// Puts `by · tanh(x / over)` behind the logits.
pub(super) fn cap_logits(model: &mut TestModel, over: f32, by: f32) {
    model.edit("logits").output[0] = "uncapped".into();
    model.floats("cap/over", &[], |_| over);
    model.floats("cap/by", &[], |_| by);
    model.node("Div", &["uncapped", "cap/over"], &["capped/over"]);
    model.node("Tanh", &["capped/over"], &["capped/tanh"]);
    model.node("Mul", &["capped/tanh", "cap/by"], &["logits"]);
}

#[test]
fn a_cap_on_the_logits_is_an_operator_of_the_head() {
    let mut model = fused();
    cap_logits(&mut model, 30.0, 30.0);
    let spec = spec(&model);
    let (Some(Op::Softcap(softcap)), Some(Op::Linear(head))) =
        (spec.ops.last(), spec.ops.get(spec.ops.len() - 2))
    else {
        panic!("{:?}", names(&spec))
    };
    assert_eq!((softcap.cap, softcap.values), (30.0, head.output));
}

#[test]
fn a_cap_on_scores_is_read_off_the_graph_and_off_the_attribute() {
    let (mut spread, mut whole) = (decomposed(), fused());
    spread.floats("cap", &[], |_| 8.0);
    spread.node("Div", &["scores", "cap"], &["scores/over"]);
    spread.node("Tanh", &["scores/over"], &["scores/tanh"]);
    spread.node("Mul", &["scores/tanh", "cap"], &["capped"]);
    spread.edit("masked").input[0] = "capped".into();
    set(&mut whole, "attended", "softcap", 0, 8.0);
    assert_eq!(spec(&spread).ops, spec(&whole).ops);
}

/// Replaces SiLU by `0.5 · x · (1 + tanh(√(2/π) · (x + cubic · x³)))`.
pub(super) fn gelu_out_of_parts(model: &mut TestModel, cubic: f32) {
    let numbers = [
        ("half", 0.5),
        ("unit", 1.0),
        ("three", 3.0),
        ("cubic", cubic),
    ];
    for (name, value) in numbers.into_iter().chain([("root", 0.797_884_6)]) {
        model.floats(name, &[], |_| value);
    }
    model.node("Pow", &["gate", "three"], &["curve/cube"]);
    model.node("Mul", &["cubic", "curve/cube"], &["curve/cubic"]);
    model.node("Add", &["gate", "curve/cubic"], &["curve/sum"]);
    model.node("Mul", &["curve/sum", "root"], &["curve/inner"]);
    model.node("Tanh", &["curve/inner"], &["curve/tanh"]);
    model.node("Add", &["curve/tanh", "unit"], &["curve/shifted"]);
    model.node("Mul", &["gate", "curve/shifted"], &["curve/twice"]);
    model.node("Mul", &["half", "curve/twice"], &["curve"]);
    model.edit("mlp").input[0] = "curve".into();
}

/// The gate's curve, as the error function of `gate / divisor` makes it.
fn gelu_by_erf(divisor: f32) -> TestModel {
    let mut model = fused();
    for (name, value) in [("half", 0.5), ("unit", 1.0), ("divisor", divisor)] {
        model.floats(name, &[], |_| value);
    }
    model.node("Div", &["gate", "divisor"], &["curve/inner"]);
    model.node("Erf", &["curve/inner"], &["curve/erf"]);
    model.node("Add", &["curve/erf", "unit"], &["curve/shifted"]);
    model.node("Mul", &["gate", "curve/shifted"], &["curve/twice"]);
    model.node("Mul", &["curve/twice", "half"], &["curve"]);
    model.edit("mlp").input[0] = "curve".into();
    model
}

#[test]
fn gelu_is_recognised_whole_and_in_parts_with_tanh_and_with_the_error_function() {
    let mut by_tanh = fused();
    gelu_out_of_parts(&mut by_tanh, 0.044715);
    for (spread, approximate, expected) in [
        (by_tanh, "tanh", Activation::GeluTanh),
        (
            gelu_by_erf(std::f32::consts::SQRT_2),
            "none",
            Activation::Gelu,
        ),
    ] {
        let mut whole = fused();
        whole.node("Gelu", &["gate"], &["curve"]);
        whole.edit("mlp").input[0] = "curve".into();
        whole.edit("curve").attribute.push(AttributeProto {
            name: "approximate".into(),
            s: approximate.into(),
            ..AttributeProto::default()
        });
        let spread = spec(&spread);
        assert_eq!(spread.ops, spec(&whole).ops);
        let Op::Gate(gate) = spread.ops[8] else {
            panic!()
        };
        assert_eq!(gate.activation, expected);
    }
    assert_eq!(refused(&gelu_by_erf(1.5))[0], "curve/erf");
}

/// Beyond `longest` positions the cosines and sines are all 2.
fn turn_long_texts_otherwise(model: &mut TestModel, longest: i64) {
    model.ints("longest", &[], &[longest]);
    model.node("Greater", &["total64", "longest"], &["long"]);
    let short = model
        .graph_mut()
        .initializer
        .extract_if(.., |tensor| tensor.name.ends_with("_cache"));
    let short: Vec<TensorProto> = short.collect();
    let long = short.iter().cloned().map(|tensor| TensorProto {
        raw_data: 2f32.to_le_bytes().repeat(tensor.raw_data.len() / 4).into(),
        ..tensor
    });
    let branch = |name: &str, tensors: Vec<TensorProto>| AttributeProto {
        name: name.into(),
        g: Some(Box::new(GraphProto {
            output: ["cos_cache", "sin_cache"]
                .map(|name| ValueInfoProto {
                    name: name.into(),
                    ..ValueInfoProto::default()
                })
                .to_vec(),
            initializer: tensors,
            ..GraphProto::default()
        })),
        ..AttributeProto::default()
    };
    let branches = [
        branch("then_branch", long.collect()),
        branch("else_branch", short),
    ];
    model.node("If", &["long"], &["cos_cache", "sin_cache"]);
    model.edit("cos_cache").attribute.extend(branches);
}

#[test]
fn a_graph_that_turns_long_texts_otherwise_is_compiled_for_one_of_the_two() {
    let plain = tensors(&spec(&fused()));
    let mut model = fused();
    turn_long_texts_otherwise(&mut model, 16);
    let saved = model.save();
    let with = |context| {
        recognise(
            &saved.path,
            &ImportOptions {
                context,
                ..ImportOptions::default()
            },
        )
        .unwrap()
    };
    for (context, found) in [(None, 16), (Some(12), 12), (Some(16), 16)] {
        let short = with(context);
        assert_eq!(short.context, found);
        let pairs = tensors(&short).into_iter().zip(&plain);
        for ((short, _), (plain, _)) in pairs {
            assert!(plain.starts_with(&short));
        }
    }
    let long = with(Some(20));
    assert_eq!(long.context, 20);
    let twos = 2f32.to_le_bytes().repeat(20 * 8);
    assert_eq!(
        tensors(&long)
            .iter()
            .filter(|tensor| tensor.0 == twos)
            .count(),
        2
    );
}

#[test]
fn a_choice_of_anything_but_stored_tensors_is_refused() {
    let mut model = fused();
    turn_long_texts_otherwise(&mut model, 16);
    let branch = model.edit("cos_cache").attribute[0].g.as_mut().unwrap();
    branch.initializer.pop();
    assert_eq!(refused(&model)[0], "cos_cache");
}

/// Found by a fuzzer: such axes reach beyond a known tensor.
#[test]
fn a_transpose_that_names_an_axis_twice_is_refused() {
    let mut model = decomposed();
    model.floats("row", &[1, 1, 8], |at| at as f32);
    model
        .node("Transpose", &["row"], &["square"])
        .ints("perm", &[0, 2, 2]);
    model.edit("angles").input[0] = "square".into();
    assert!(refused(&model).contains(&"square".to_owned()));
}
