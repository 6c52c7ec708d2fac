//! Sinks of attention, fused and spread out, and rotations of halves by themselves.

use tealight_core::ops::{Op, Sinks};

use super::curves::set;
use super::{compile, refused, spec, tensors};
use crate::testing::{TestModel, decomposed, fused};

const HEADS: i64 = 4;

fn sink(at: usize) -> f32 {
    at as f32 / 4.0 - 0.5
}

/// The fused decoder with an input of sinks.
fn whole() -> TestModel {
    let mut model = fused();
    model.floats("sinks", &[HEADS], sink);
    let inputs = &mut model.edit("attended").input;
    inputs.extend(["", "", "sinks"].map(String::from));
    model
}

/// The same spread out, as transformers computes it.
fn spread() -> TestModel {
    let mut model = decomposed();
    model.floats("sinks", &[1, HEADS, 1, 1], sink);
    model.ints("sinks/front", &[2], &[1, 1]);
    model.ints("sinks/one", &[1], &[1]);
    model.ints("sinks/from", &[1], &[0]);
    model.ints("sinks/last", &[1], &[3]);
    model.ints("sinks/behind", &[1], &[-1]);
    model.node(
        "Unsqueeze",
        &["mask/sequence", "sinks/from"],
        &["sinks/rows"],
    );
    let shape = ["sinks/front", "sinks/rows", "sinks/one"];
    model
        .node("Concat", &shape, &["sinks/shape"])
        .int("axis", 0);
    model.node("Expand", &["sinks", "sinks/shape"], &["sinks/all"]);
    model
        .node("Concat", &["masked", "sinks/all"], &["joined"])
        .int("axis", -1);
    model.node("ReduceMax", &["joined", "sinks/behind"], &["greatest"]);
    model.node("Sub", &["joined", "greatest"], &["lowered"]);
    model.edit("weights").input[0] = "lowered".into();
    let slice = ["weights", "sinks/from", "sinks/behind", "sinks/last"];
    model.node("Slice", &slice, &["weights/alone"]);
    model.edit("summed").input[0] = "weights/alone".into();
    model
}

fn attends(model: &TestModel) -> Sinks {
    let found = spec(model).ops.into_iter().find_map(|op| match op {
        Op::Sinks(sinks) => Some(sinks),
        _ => None,
    });
    found.expect("it has sinks")
}

#[test]
fn sinks_are_an_input_of_fused_attention_and_a_score_of_what_is_spread_out() {
    let (whole, spread) = (whole(), spread());
    assert_eq!(spec(&whole).ops, spec(&spread).ops);
    let sinks = attends(&whole).sinks.0 as usize;
    let expected: Vec<u8> = (0..4).flat_map(|at| sink(at).to_le_bytes()).collect();
    for model in [&whole, &spread] {
        assert_eq!(tensors(&spec(model))[sinks].0, expected);
        compile(model).expect("it compiles to a plan");
    }
}

#[test]
fn a_smooth_softmax_has_sinks_of_nothing() {
    let mut smooth = fused();
    set(&mut smooth, "attended", "smooth_softmax", 1, 0.0);
    let sinks = attends(&smooth).sinks.0 as usize;
    assert_eq!(tensors(&spec(&smooth))[sinks].0, [0; 16]);
    set(&mut smooth, "attended", "smooth_softmax", -1, 0.0);
    assert_eq!(spec(&smooth).ops, spec(&fused()).ops);
    set(&mut smooth, "attended", "smooth_softmax", 2, 0.0);
    assert_eq!(refused(&smooth)[0], "attended");
}

#[test]
fn scores_that_are_no_sinks_name_the_node() {
    let mut few = whole();
    few.floats("few", &[HEADS - 1], sink);
    few.edit("attended").input[11] = "few".into();
    assert_eq!(refused(&few)[0], "attended");

    let refused_at = |change: fn(&mut TestModel)| {
        let mut model = spread();
        change(&mut model);
        refused(&model)[0].clone()
    };
    // Before the mask; another's greatest; weights of the sinks as well, or without the first.
    let unmasked = |m: &mut TestModel| m.edit("joined").input[0] = "scores".into();
    assert_eq!(refused_at(unmasked), "joined");
    let of_rows = |m: &mut TestModel| m.edit("greatest").input[1] = "sinks/from".into();
    assert_eq!(refused_at(of_rows), "greatest");
    let all = |m: &mut TestModel| m.edit("summed").input[0] = "weights".into();
    assert_eq!(refused_at(all), "summed");
    let later = |m: &mut TestModel| m.edit("weights/alone").input[1] = "sinks/one".into();
    assert_eq!(refused_at(later), "weights/alone");
    let heads = |m: &mut TestModel| {
        m.floats("others", &[1, 1, 1, 1], sink);
        m.edit("sinks/all").input[0] = "others".into();
    };
    assert_eq!(refused_at(heads), "joined");
}

/// The halves of `x`'s heads turned each by itself.
fn cross(model: &mut TestModel, x: &str) {
    let name = |part: &str| format!("{x}/{part}");
    let [low, high, a, b, c, d] = ["low", "high", "a", "b", "c", "d"].map(name);
    let [lower, upper] = ["lower", "upper"].map(name);
    model.node("Mul", &[&low, "half/cos"], &[&a]);
    model.node("Mul", &[&high, "half/sin"], &[&b]);
    model.node("Sub", &[&a, &b], &[&lower]);
    model.node("Mul", &[&high, "half/cos"], &[&c]);
    model.node("Mul", &[&low, "half/sin"], &[&d]);
    model.node("Add", &[&c, &d], &[&upper]);
    let turned = model.edit(&name("turned"));
    turned.op_type = "Concat".into();
    turned.input = vec![lower, upper];
    set(model, &name("turned"), "axis", -1, 0.0);
}

fn crossed() -> TestModel {
    let mut model = decomposed();
    for (op, table) in [("Cos", "half/cos"), ("Sin", "half/sin")] {
        let wave = format!("{table}/3");
        model.node(op, &["angles/t"], &[&wave]);
        model.node("Unsqueeze", &[&wave, "at1"], &[table]);
    }
    cross(&mut model, "q");
    cross(&mut model, "k");
    model
}

#[test]
fn halves_that_are_turned_each_by_itself_are_a_rotation() {
    assert_eq!(spec(&crossed()).ops, spec(&decomposed()).ops);
    let mut swapped = crossed();
    swapped.edit("q/upper").input.reverse();
    assert_eq!(spec(&swapped).ops, spec(&decomposed()).ops);
}

#[test]
fn halves_that_are_turned_otherwise_name_the_node() {
    let refused_at = |change: fn(&mut TestModel)| {
        let mut model = crossed();
        change(&mut model);
        refused(&model)[0].clone()
    };
    // Back instead of forth; by other angles; the other half first.
    let back = |m: &mut TestModel| m.edit("q/lower").input.reverse();
    assert_eq!(refused_at(back), "q/turned");
    let other = |m: &mut TestModel| m.edit("q/d").input[1] = "half/cos".into();
    assert_eq!(refused_at(other), "q/turned");
    let first = |m: &mut TestModel| m.edit("q/turned").input.reverse();
    assert_eq!(refused_at(first), "q/turned");
}
