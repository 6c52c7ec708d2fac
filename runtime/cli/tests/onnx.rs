//! Other ONNX models, in a build that has tract.
#![cfg(feature = "tract")]

mod helper;

use helper::tealight;

fn model(name: &str) -> String {
    format!("{}/../onnx/tests/data/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn inputs_outputs_and_a_timing_are_shown() {
    let out = tealight(&["onnx", &model("small.onnx"), "--dim", "length=8"]).prints();
    for words in [
        "sound: f32 [batch, 2, length], fed [1, 2, 8]",
        "scores: f32",
        "first call",
    ] {
        assert!(out.contains(words), "{words} is missing in {out}");
    }
}

#[test]
fn inputs_may_be_numbers_and_nested_arrays() {
    let model = model("small.onnx");
    let sound = "sound=[[[0.5, 1, -1, 0], [1, 1, 1, 1]]]";
    let told = tealight(&["onnx", &model, "-i", sound, "-i", "speaker=2", "--json"]).json();
    assert_eq!(told["inputs"][0]["shape"], serde_json::json!([1, 2, 4]));
    assert_eq!(told["outputs"][0]["values"].as_array().unwrap().len(), 3);
    assert_eq!(told["outputs"][1]["values"], serde_json::json!([1, 4, 2]));
    let shaped = tealight(&[
        "onnx",
        &model,
        "-s",
        "sound=1,2,6",
        "-i",
        "sound=0.5",
        "--json",
    ])
    .json();
    assert_eq!(shaped["inputs"][0]["shape"], serde_json::json!([1, 2, 6]));
}

#[test]
fn a_numpy_file_feeds_an_input() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npy");
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 4), }\n";
    let length = (header.len() as u16).to_le_bytes();
    let parts = [
        b"\x93NUMPY\x01\x00",
        &length[..],
        header.as_bytes(),
        &[0; 16],
    ];
    std::fs::write(&path, parts.concat()).unwrap();
    let input = format!("x=@{}", path.display());
    let told = tealight(&["onnx", &model("external.onnx"), "-i", &input, "--json"]).json();
    assert_eq!(
        told["outputs"][0]["values"],
        serde_json::json!([0.0, 0.0, 0.0])
    );
}

#[test]
fn what_cannot_be_run_says_so() {
    tealight(&["onnx", &model("unknown.onnx")]).fails(3, "Glimmer (y)");
    tealight(&["onnx", "nowhere.onnx"]).fails(3, "nowhere.onnx");
    tealight(&["onnx", &model("small.onnx"), "-i", "noise=1"]).fails(2, "sound, speaker");
    tealight(&["onnx", &model("small.onnx"), "-i", "sound=[1]"]).fails(2, "[batch, 2, length]");
    tealight(&["onnx", &model("small.onnx"), "-d", "depth=1"]).fails(2, "depth");
}
