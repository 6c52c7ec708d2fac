//! What a recurrence takes up by its steps and what passes it by (Mamba-2), and decays that are the
//! same for all tokens (lightning attention).

use tealight_core::ops::{Op, Recurrence, Update};

use super::{compile, refused, spec, tensors};
use crate::ImportError;
use crate::testing::{TestModel, fused};

const HIDDEN: i64 = 32;
const HEADS: i64 = 2;
const KEY: i64 = 8;
const WIDTH: i64 = 16;

fn weight(at: usize) -> f32 {
    ((at * 7919) % 251) as f32 / 251.0 - 0.5
}

fn number(at: usize) -> f32 {
    -0.25 - at as f32
}

/// Puts a recurrence beside the decoder's MLP; `decide` makes `taken` and `decay` of `values` and `h2`,
/// and `leave` makes `y` of `read`.
fn around(decide: fn(&mut TestModel), leave: fn(&mut TestModel)) -> TestModel {
    let mut model = fused();
    let state = "past.1.recurrent";
    model.input(state, &[0, HEADS, KEY, WIDTH]);
    model.output("present.1.recurrent");
    model.floats("into", &[HIDDEN, 2 * KEY + HEADS * WIDTH], weight);
    model.floats("out", &[HEADS * WIDTH, HIDDEN], weight);
    model.floats("of/rates", &[HEADS], number);
    model.ints("of/sizes", &[3], &[KEY, KEY, HEADS * WIDTH]);
    model.ints("by_head", &[4], &[0, 0, HEADS, WIDTH]);
    model.ints("of/joined", &[3], &[0, 0, HEADS * WIDTH]);
    model.node("MatMul", &["h2", "into"], &["of/all"]);
    model
        .node(
            "Split",
            &["of/all", "of/sizes"],
            &["of/query", "of/key", "of/values"],
        )
        .int("axis", 2);
    decide(&mut model);
    model
        .node(
            "com.microsoft.LinearAttention",
            &["of/query", "of/key", "of/taken", state, "of/decay"],
            &["of/read", "present.1.recurrent"],
        )
        .int("q_num_heads", 1)
        .int("kv_num_heads", HEADS)
        .float("scale", 1.0)
        .text("update_rule", "gated");
    leave(&mut model);
    model.node("MatMul", &["y", "out"], &["z"]);
    model.node("Add", &["down", "z"], &["down/all"]);
    model.edit("x2").input[0] = "down/all".into();
    model
}

/// As Mamba-2 takes up its values.
fn by_steps(model: &mut TestModel) {
    model.floats("step/weight", &[HIDDEN, HEADS], weight);
    model.floats("step/bias", &[HEADS], weight);
    model.floats("of/ones", &[HEADS], |_| 1.0);
    model.ints("state/last", &[1], &[-1]);
    model.node("MatMul", &["h2", "step/weight"], &["a"]);
    model.node(
        "com.microsoft.LinearAttentionGate",
        &["a", "step/bias", "of/ones"],
        &["step"],
    );
    model.node("Mul", &["step", "of/rates"], &["of/decay"]);
    model.node("Unsqueeze", &["step", "state/last"], &["step/each"]);
    model.node("Reshape", &["of/values", "by_head"], &["each"]);
    model.node("Mul", &["each", "step/each"], &["taken/each"]);
    model.node("Reshape", &["taken/each", "of/joined"], &["of/taken"]);
}

/// As MiniMax forgets.
fn at_fixed_rates(model: &mut TestModel) {
    model.ints("state/one", &[1], &[1]);
    model.ints("of/heads", &[1], &[HEADS]);
    model.node("Shape", &["h2"], &["of/shape"]);
    model.node("Gather", &["of/shape", "state/one"], &["of/tokens"]);
    model
        .node(
            "Concat",
            &["state/one", "of/tokens", "of/heads"],
            &["decay/shape"],
        )
        .int("axis", 0);
    model.node("Expand", &["of/rates", "decay/shape"], &["of/decay"]);
    model.node("Sigmoid", &["of/values"], &["values/sigmoid"]);
    model.node("Mul", &["of/values", "values/sigmoid"], &["of/taken"]);
}

fn as_it_is(model: &mut TestModel) {
    model.node("Identity", &["of/read"], &["y"]);
}

fn with_a_skip(model: &mut TestModel) {
    model.floats("skip", &[HEADS, 1], weight);
    model.node("Mul", &["skip", "each"], &["passed/each"]);
    model.node("Reshape", &["passed/each", "of/joined"], &["passed"]);
    model.node("Add", &["of/read", "passed"], &["y"]);
}

fn recurrence(model: &TestModel) -> Recurrence {
    let ops = spec(model).ops;
    let mut found = ops.iter().filter_map(|op| match op {
        Op::Recurrence(op) => Some(*op),
        _ => None,
    });
    let only = found.next().expect("it has a recurrence");
    assert_eq!(found.next(), None);
    only
}

#[test]
fn steps_and_skips_are_the_recurrences_own() {
    let model = around(by_steps, with_a_skip);
    let op = recurrence(&model);
    assert_eq!((op.update, op.states, op.key_dim), (Update::Add, 2, 8));
    assert_eq!((op.value.width, op.output.width), (32, 32));
    assert_eq!(op.value.buffer, op.query.buffer);
    assert!(op.beta.is_some() && op.beta == op.decay);
    let tensors = tensors(&spec(&model));
    let floats = |id: tealight_core::ops::TensorId| -> Vec<f32> {
        bytemuck::cast_slice(&tensors[id.0 as usize].0)[..2].to_vec()
    };
    assert_eq!(op.rate.map(floats), Some(vec![number(0), number(1)]));
    assert_eq!(op.skip.map(floats), Some(vec![weight(0), weight(1)]));
}

#[test]
fn a_decay_that_every_token_brings_is_a_rate_alone() {
    let op = recurrence(&around(at_fixed_rates, as_it_is));
    assert_eq!((op.decay, op.beta, op.skip), (None, None, None));
    assert!(op.rate.is_some());
}

#[test]
fn what_is_weighed_for_anything_else_is_refused() {
    let fault = |model: TestModel| match compile(&model) {
        Err(ImportError::NotADecoder { fault, .. }) => fault,
        other => panic!("{other:?}"),
    };
    let mut of_others = around(by_steps, with_a_skip);
    of_others.ints("front", &[4], &[0, 0, HEADS, WIDTH]);
    of_others.node("Reshape", &["h2", "front"], &["h2/each"]);
    of_others.edit("passed/each").input[1] = "h2/each".into();
    assert!(fault(of_others).contains("`passed/each` multiplies each head"));

    let mut read_twice = around(by_steps, with_a_skip);
    read_twice.node("Add", &["down/all", "of/read"], &["down/more"]);
    read_twice.edit("x2").input[0] = "down/more".into();
    assert!(fault(read_twice).contains("`passed/each` multiplies each head"));

    // A step that was weighed already is none.
    let mut twice = around(by_steps, with_a_skip);
    twice.edit("step/each").input[0] = "of/decay".into();
    assert_eq!(refused(&twice)[0], "taken/each");
    let mut twice = around(by_steps, with_a_skip);
    twice.edit("step").input[2] = "of/rates".into();
    assert_eq!(refused(&twice), ["of/decay", "taken/each"]);

    let mut narrow = around(at_fixed_rates, as_it_is);
    narrow.edit("decay/shape").input[0] = "of/heads".into();
    assert_eq!(refused(&narrow)[0], "of/decay");
}
