//! gpt-oss's experts, spread out: biases, gates and factors in turn, bent before they meet, and a
//! softmax over the greatest logits alone.

use super::fused_mixtures::bent as fused;
use super::mixtures::{EXPERTS, HIDDEN, WIDTH, mixture, weight};
use super::{compile, refused, spec, tensors};
use crate::testing::TestModel;

/// Where a column of gates and factors in turn is from where they are halves.
fn in_turn(at: usize) -> usize {
    let (row, col) = (at / (2 * WIDTH as usize), at % (2 * WIDTH as usize));
    row * 2 * WIDTH as usize + col / 2 + col % 2 * WIDTH as usize
}

fn bent() -> TestModel {
    let mut model = mixture();
    model.floats("in/turned", &[EXPERTS, HIDDEN, 2 * WIDTH], |at| {
        weight(in_turn(at))
    });
    model.floats("b1", &[EXPERTS, 1, 2 * WIDTH], |at| {
        in_turn(at) as f32 / 64.0
    });
    model.floats("b2", &[EXPERTS, 1, HIDDEN], |at| at as f32 / 64.0);
    for (name, value) in [
        ("most", 7.0),
        ("least", -7.0),
        ("alpha", 1.5),
        ("beta", 1.0),
    ] {
        model.floats(name, &[], |_| value);
    }
    for (name, value) in [
        ("from0", 0),
        ("from1", 1),
        ("end", i64::MAX),
        ("axis2", 2),
        ("two", 2),
    ] {
        model.ints(name, &[1], &[value]);
    }
    model.edit("both").input[1] = "in/turned".into();
    model.node("Add", &["both", "b1"], &["both/biased"]);
    for (name, from) in [("gates", "from0"), ("factors", "from1")] {
        model.node(
            "Slice",
            &["both/biased", from, "end", "axis2", "two"],
            &[name],
        );
    }
    model.node("Clip", &["gates", "", "most"], &["gates/within"]);
    model.node("Clip", &["factors", "least", "most"], &["factors/within"]);
    model.node("Mul", &["gates/within", "alpha"], &["gates/steep"]);
    model.node("Add", &["factors/within", "beta"], &["factors/more"]);
    model.edit("expert/sigmoid").input[0] = "gates/steep".into();
    model.edit("expert/silu").input[0] = "gates/within".into();
    model.edit("expert/gated").input = ["factors/more", "expert/silu"].map(String::from).into();
    model.node("Add", &["expert/down", "b2"], &["expert/biased"]);
    model.edit("weighed").input[0] = "expert/biased".into();
    // The greatest logits, and their softmax.
    model.edit("chosen").input[0] = "routed".into();
    let normalized = model.edit("normalized");
    normalized.op_type = "Softmax".into();
    normalized.input = vec!["chosen".into()];
    model
}

#[test]
fn bent_gates_spread_out_are_the_plan_of_the_fused_ones() {
    let (spread, fused) = (spec(&bent()), spec(&fused()));
    assert_eq!(spread.ops, fused.ops);
    assert_eq!(tensors(&spread), tensors(&fused));
    compile(&bent()).expect("it compiles to a plan");
}

#[test]
fn gates_that_are_bent_otherwise_name_the_node() {
    let refused_at = |change: fn(&mut TestModel)| {
        let mut model = bent();
        change(&mut model);
        refused(&model)[0].clone()
    };
    // Other limits; a factor that is scaled; gates from the second column; a bias of the other
    // map; the curve of what is not the gate.
    let unlike = |m: &mut TestModel| m.edit("factors/within").input[2] = "beta".into();
    assert_eq!(refused_at(unlike), "mixed");
    let unbounded = |m: &mut TestModel| m.edit("gates/within").input[2] = String::new();
    assert_eq!(refused_at(unbounded), "mixed");
    let scaled = |m: &mut TestModel| m.edit("factors/more").input[0] = "gates/steep".into();
    assert_eq!(refused_at(scaled), "factors/more");
    let second = |m: &mut TestModel| m.edit("gates").input[1] = "from1".into();
    assert_eq!(refused_at(second), "mixed");
    let other = |m: &mut TestModel| m.edit("both/biased").input[1] = "router".into();
    assert_eq!(refused_at(other), "both/biased");
    let uncurved = |m: &mut TestModel| m.edit("expert/silu").input[0] = "factors/within".into();
    assert_eq!(refused_at(uncurved), "expert/silu");
    // Logits themselves for weights.
    let logits = |m: &mut TestModel| m.edit("routed/weights").input[2] = "chosen".into();
    assert_eq!(refused_at(logits), "routed/weights");
}
