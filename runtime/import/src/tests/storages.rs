//! Weights as integers, in the ways that graphs have them.

use tealight_core::layout::Encoding;

use super::{compile, refused, spec, tensors};
use crate::ImportError;
use crate::testing::{TestModel, fused};

/// Inputs and outputs of the map whose weight is stored otherwise.
const INPUTS: usize = 64;
const OUTPUTS: usize = 32;

/// 4-bit integers, as they are packed.
fn packed(integers: impl IntoIterator<Item = u8>) -> Vec<u8> {
    let integers: Vec<u8> = integers.into_iter().collect();
    integers
        .chunks(2)
        .map(|pair| pair[0] & 15 | pair[1] << 4)
        .collect()
}

fn integer(row: usize, col: usize) -> u8 {
    ((row * 31 + col * 7) % 16) as u8
}

fn scale(row: usize, block: usize) -> f32 {
    (1 + (row + 5 * block) % 8) as f32 / 64.0
}

/// The decoder with the MLP's last map as MatMulNBits.
fn in_bits() -> TestModel {
    let mut model = fused();
    let rows = (0..OUTPUTS).flat_map(|row| (0..INPUTS).map(move |col| integer(row, col)));
    model.tensor("bits", 2, &[OUTPUTS as i64, 2, 16], packed(rows));
    model.floats("scales", &[OUTPUTS as i64, 2], |at| scale(at / 2, at % 2));
    model
        .node(
            "com.microsoft.MatMulNBits",
            &["mlp", "bits", "scales"],
            &["down/bits"],
        )
        .int("K", INPUTS as i64)
        .int("N", OUTPUTS as i64)
        .int("bits", 4)
        .int("block_size", 32);
    instead(&mut model);
    model
}

/// The same as INT4 or UINT4 that lie the other way round, with DequantizeLinear.
fn in_elements(data_type: i32, axis: i64) -> TestModel {
    let mut model = fused();
    let cols = (0..INPUTS).flat_map(|col| (0..OUTPUTS).map(move |row| integer(row, col)));
    // INT4 counts from -8.
    let moved = if data_type == 22 { 8 } else { 0 };
    let shape = [INPUTS as i64, OUTPUTS as i64];
    model.tensor(
        "elements",
        data_type,
        &shape,
        packed(cols.map(|q| q ^ moved)),
    );
    model.floats("scales", &[2, OUTPUTS as i64], |at| {
        scale(at % OUTPUTS, at / OUTPUTS)
    });
    let mut inputs = vec!["elements", "scales"];
    if data_type == 21 {
        let zeros = packed(vec![8; 2 * OUTPUTS]);
        model.tensor("zeros", 21, &[2, OUTPUTS as i64], zeros);
        inputs.push("zeros");
    }
    model
        .node("DequantizeLinear", &inputs, &["weight"])
        .int("axis", axis)
        .int("block_size", 32);
    model.node("MatMul", &["mlp", "weight"], &["down/bits"]);
    instead(&mut model);
    model
}

/// Puts the new map where the old one was.
fn instead(model: &mut TestModel) {
    let nodes = &mut model.graph_mut().node;
    nodes.retain(|node| node.output[0] != "down");
    model.edit("down/bits").output[0] = "down".into();
}

#[test]
fn blocks_are_the_same_in_bytes_and_in_elements_of_four_bits() {
    let (bits, elements) = (spec(&in_bits()), spec(&in_elements(22, 0)));
    assert_eq!(bits.ops, elements.ops);
    assert_eq!(tensors(&bits), tensors(&elements));
    let with_zeros = spec(&in_elements(21, 0));
    let find = |encoding| with_zeros.tensors.iter().any(|t| t.encoding == encoding);
    assert!(find(Encoding::Int4ZeroPoint) && !find(Encoding::Int4));
}

#[test]
fn scales_along_the_outputs_of_a_block_are_refused() {
    assert_eq!(refused(&in_elements(22, 1)), ["down/bits"]);
}

#[test]
fn weights_in_the_order_of_another_device_are_refused() {
    let mut model = in_bits();
    super::curves::set(&mut model, "down", "weight_prepacked", 1, 0.0);
    let error = compile(&model).expect_err("another order");
    assert!(matches!(error, ImportError::Quantization { .. }), "{error}");
    assert!(error.to_string().contains("CUDA"), "{error}");
}

/// Rounds what goes into the MLP's last map, and restores it with this scale.
fn rounded(restored: f32) -> TestModel {
    let mut model = fused();
    model.floats("round/scale", &[], |_| 0.25);
    model.floats("restore/scale", &[], |_| restored);
    model.tensor("zero", 2, &[], vec![128]);
    let round = ["mlp", "round/scale", "zero"];
    model.node("QuantizeLinear", &round, &["mlp/integers"]);
    let restore = ["mlp/integers", "restore/scale", "zero"];
    model.node("DequantizeLinear", &restore, &["mlp/restored"]);
    model.edit("down").input[0] = "mlp/restored".into();
    model
}

#[test]
fn what_is_rounded_and_restored_alike_is_left_as_it_was() {
    let (plain, rounded_alike) = (spec(&fused()), spec(&rounded(0.25)));
    assert_eq!(plain.ops, rounded_alike.ops);
    assert_eq!(refused(&rounded(0.5)), ["mlp/restored"]);
}

#[test]
fn logits_of_the_last_token_are_those_of_every_token() {
    for axis_stays in [false, true] {
        let mut model = fused();
        if axis_stays {
            for (name, at) in [("from", -1), ("to", i64::MAX), ("axis", 1)] {
                model.ints(name, &[1], &[at]);
            }
            model.node("Slice", &["h3", "from", "to", "axis"], &["h3/last"]);
        } else {
            model.ints("at", &[], &[-1]);
            model.ints("place", &[1], &[1]);
            model
                .node("Gather", &["h3", "at"], &["h3/flat"])
                .int("axis", 1);
            model.node("Unsqueeze", &["h3/flat", "place"], &["h3/last"]);
        }
        model.edit("logits").input[0] = "h3/last".into();
        assert_eq!(spec(&model).ops, spec(&fused()).ops);
    }
}

#[test]
fn heads_may_be_normalized_inside_of_attention() {
    let (mut inside, mut before) = (fused(), fused());
    for (x, heads) in [("q", 4), ("k", 2)] {
        let weight = format!("{x}/norm");
        for model in [&mut inside, &mut before] {
            model.floats(&weight, &[16], |at| 1.0 + at as f32 / 16.0);
        }
        let names = ["split", "split/shape", "normal", "joined", "joined/shape"];
        let [split, split_shape, normal, joined, joined_shape] =
            names.map(|part| format!("{x}/{part}"));
        before.ints(&split_shape, &[4], &[0, 0, heads, 16]);
        before.ints(&joined_shape, &[3], &[0, 0, heads * 16]);
        before.node("Reshape", &[x, &split_shape], &[&split]);
        before
            .node(
                "SimplifiedLayerNormalization",
                &[&split, &weight],
                &[&normal],
            )
            .float("epsilon", 1e-6)
            .int("axis", -1);
        before.node("Reshape", &[&normal, &joined_shape], &[&joined]);
        let place = usize::from(x == "k");
        before.edit("attended").input[place] = joined;
    }
    let inputs = &mut inside.edit("attended").input;
    inputs.resize(14, String::new());
    inputs.extend(["q/norm".into(), "k/norm".into()]);
    super::curves::set(&mut inside, "attended", "qk_norm_epsilon", 0, 1e-6);
    let (inside, before) = (spec(&inside), spec(&before));
    assert_eq!(inside.ops, before.ops);
    assert_eq!(tensors(&inside), tensors(&before));
}
