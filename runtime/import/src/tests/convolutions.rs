//! Short convolutions: which graphs are one, and which only look like it.

use tealight_core::ops::{Convolution, Op};

use super::curves::set;
use super::{compile, refused, spec, tensors};
use crate::ImportError;
use crate::testing::{TestModel, fused};

const HIDDEN: i64 = 32;
const TAPS: i64 = 3;

pub(super) fn weight(at: usize) -> f32 {
    ((at * 7919) % 251) as f32 / 251.0 - 0.5
}

/// Puts a convolution beside the decoder's MLP; `convolve` makes `sums` and `state` of `seen`.
fn around(rows: i64, names: [&str; 2], convolve: fn(&mut TestModel, [&str; 2])) -> TestModel {
    let mut model = fused();
    model.input(names[0], &[0, HIDDEN, rows]);
    model.output(names[1]);
    model.floats("conv/in", &[HIDDEN, 3 * HIDDEN], weight);
    model.floats("conv/out", &[HIDDEN, HIDDEN], weight);
    model.floats("conv/taps", &[HIDDEN, 1, TAPS], weight);
    model.floats("conv/bias", &[HIDDEN], weight);
    model.ints("conv/sizes", &[3], &[HIDDEN; 3]);
    model.node("MatMul", &["h2", "conv/in"], &["all"]);
    model
        .node("Transpose", &["all"], &["all/turned"])
        .ints("perm", &[0, 2, 1]);
    let parts = ["before", "after", "input"];
    model
        .node("Split", &["all/turned", "conv/sizes"], &parts)
        .int("axis", 1);
    model.node("Mul", &["before", "input"], &["seen"]);
    convolve(&mut model, names);
    model.node("Mul", &["after", "sums"], &["convolved"]);
    model
        .node("Transpose", &["convolved"], &["convolved/turned"])
        .ints("perm", &[0, 2, 1]);
    model.node("MatMul", &["convolved/turned", "conv/out"], &["conv"]);
    model.node("Add", &["down", "conv"], &["down/all"]);
    model.edit("x2").input[0] = "down/all".into();
    model
}

/// As onnxruntime-genai's builder writes it.
fn whole() -> TestModel {
    around(
        TAPS - 1,
        ["past.1.conv", "present.1.conv"],
        |model, [past, present]| {
            let inputs = ["seen", "conv/taps", "conv/bias", past];
            model
                .node(
                    "com.microsoft.CausalConvWithState",
                    &inputs,
                    &["sums", present],
                )
                .int("ndim", 1)
                .int("state_window", 0);
        },
    )
}

/// As its older builders did, and exports made with them.
fn in_parts() -> TestModel {
    around(
        TAPS,
        ["past_conv.1", "present_conv.1"],
        |model, [past, present]| {
            model.ints("end", &[1], &[i64::MAX]);
            model.ints("along", &[1], &[2]);
            model.ints("minus", &[], &[-1]);
            model.ints("tokens", &[], &[1]);
            model.ints("front", &[1], &[0]);
            model.ints("state/from", &[1], &[-TAPS]);
            model
                .node("Concat", &[past, "seen"], &["joined"])
                .int("axis", 2);
            model
                .node("Conv", &["joined", "conv/taps", "conv/bias"], &["more"])
                .int("group", HIDDEN)
                .ints("kernel_shape", &[TAPS])
                .ints("pads", &[0, 0]);
            model.node("Shape", &["h2"], &["conv/shape"]);
            model.node("Gather", &["conv/shape", "tokens"], &["count"]);
            model.node("Mul", &["count", "minus"], &["back"]);
            model.node("Unsqueeze", &["back", "front"], &["sums/from"]);
            model.node("Slice", &["more", "sums/from", "end", "along"], &["sums"]);
            model.node(
                "Slice",
                &["joined", "state/from", "end", "along"],
                &[present],
            );
        },
    )
}

fn convolution(model: &TestModel) -> Convolution {
    let ops = spec(model).ops;
    let mut found = ops.iter().filter_map(|op| match op {
        Op::Convolution(op) => Some(*op),
        _ => None,
    });
    let only = found.next().expect("it has a convolution");
    assert_eq!(found.next(), None);
    only
}

#[test]
fn a_convolution_is_known_whole_and_in_parts() {
    let (whole, parts) = (whole(), in_parts());
    let op = convolution(&whole);
    assert_eq!((op.taps, op.history, op.output.width), (3, 0, 32));
    assert_eq!(
        op.before.map(|view| view.start + 2 * 32),
        Some(op.input.start)
    );
    assert_eq!(op.after.map(|view| view.start + 32), Some(op.input.start));
    let (whole, parts) = (spec(&whole), spec(&parts));
    assert_eq!(whole.ops, parts.ops);
    assert_eq!(tensors(&whole), tensors(&parts));

    // Channel after channel in the graph, tap after tap in the plan.
    let (bytes, _) = tensors(&whole).swap_remove(op.weight.0 as usize);
    let taps: &[f32] = bytemuck::cast_slice(&bytes);
    assert_eq!(taps[5], weight(5 * 3));
    assert_eq!(taps[32 + 5], weight(5 * 3 + 1));
}

#[test]
fn a_convolution_of_another_kind_names_the_node() {
    let refused_at = |mut model: TestModel, change: fn(&mut TestModel)| {
        change(&mut model);
        refused(&model)[0].clone()
    };
    let with = |change| refused_at(whole(), change);
    assert_eq!(with(|m| set(m, "sums", "ndim", 2, 0.0)), "sums");
    assert_eq!(with(|m| set(m, "sums", "state_window", 4, 0.0)), "sums");
    assert_eq!(with(|m| set(m, "sums", "dilation", 2, 0.0)), "sums");
    assert_eq!(with(|m| m.edit("sums").input[0] = "h2".into()), "sums");
    assert_eq!(
        with(|m| m.edit("convolved").input[0] = "h2".into()),
        "convolved"
    );

    let with = |change| refused_at(in_parts(), change);
    assert_eq!(with(|m| set(m, "more", "group", 1, 0.0)), "more");
    // The first sums instead of the last; sums that nothing was cut off.
    assert_eq!(with(|m| m.edit("sums").input[1] = "front".into()), "sums");
    assert_eq!(
        with(|m| m.edit("convolved").input[1] = "more".into()),
        "convolved"
    );
}

#[test]
fn a_state_that_is_not_what_was_seen_is_refused() {
    let fault = |model: TestModel| match compile(&model) {
        Err(ImportError::NotADecoder { fault, .. }) => fault,
        other => panic!("{other:?}"),
    };
    let mut unreturned = whole();
    unreturned.graph_mut().output.pop();
    assert!(fault(unreturned).contains("layer 1 does not return what its convolution has seen"));

    let mut of_another = whole();
    of_another.graph_mut().output.pop();
    of_another.output("present.4.conv");
    of_another.node("Identity", &["h2"], &["present.4.conv"]);
    assert!(fault(of_another).contains("`present.4.conv` is not what"));
}
