//! Small models of `tests/data`, held against what onnxruntime answered on them.

use std::path::PathBuf;

use ndarray::{Array, ArrayD};
use serde_json::Value;
use tealight_onnx::{Dimension, ElementType, OnnxError, OnnxModel, Tensor};

#[test]
fn answers_equal_onnxruntime_for_every_shape() {
    for case in cases() {
        let model = open(case["model"].as_str().unwrap()).unwrap();
        let expected = tensors(&case["outputs"]);
        // The second call takes the plan that the first one made.
        for _ in 0..2 {
            let inputs = tensors(&case["inputs"]);
            let inputs: Vec<_> = inputs
                .iter()
                .map(|(n, t)| (n.as_str(), t.clone()))
                .collect();
            assert_close(&model.run(&inputs).unwrap(), &expected);
        }
    }
}

#[test]
fn inputs_may_come_in_any_order_and_plans_are_kept_apart() {
    let model = open("small.onnx").unwrap();
    let cases: Vec<_> = cases()
        .into_iter()
        .filter(|c| c["model"] == "small.onnx")
        .collect();
    for case in cases.iter().chain(&cases).chain(&cases) {
        let inputs = tensors(&case["inputs"]);
        let reversed: Vec<_> = inputs
            .iter()
            .rev()
            .map(|(n, t)| (n.as_str(), t.clone()))
            .collect();
        assert_close(&model.run(&reversed).unwrap(), &tensors(&case["outputs"]));
    }
}

#[test]
fn a_model_says_what_it_takes_and_gives() {
    let model = open("small.onnx").unwrap();
    let batch = Dimension::Symbol("batch".to_owned());
    let length = Dimension::Symbol("length".to_owned());
    assert_eq!(
        model.inputs()[0].shape,
        Some(vec![batch.clone(), Dimension::Fixed(2), length])
    );
    assert_eq!(model.inputs()[1].element, ElementType::I64);
    assert_eq!(
        model.outputs()[0].shape,
        Some(vec![batch, Dimension::Fixed(3)])
    );
    assert_eq!(
        model.inputs()[0].to_string(),
        "sound: f32 [batch, 2, length]"
    );
}

#[test]
fn threads_share_one_model() {
    let model = open("external.onnx").unwrap();
    let x = || Tensor::zeros(ElementType::F32, &[2, 4]);
    std::thread::scope(|scope| {
        let calls: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| model.run(&[("x", x())])))
            .collect();
        for call in calls {
            assert_eq!(call.join().unwrap().unwrap()[0].1.shape(), [2, 3]);
        }
    });
}

#[test]
fn a_wrong_call_is_a_typed_error() {
    let model = open("small.onnx").unwrap();
    let sound = Tensor::zeros(ElementType::F32, &[1, 2, 8]);
    let speaker = Tensor::zeros(ElementType::I64, &[1]);

    let missing = model.run(&[("sound", sound.clone())]).unwrap_err();
    assert!(matches!(&missing, OnnxError::MissingInput { name, .. } if name == "speaker"));
    assert_eq!(
        missing.to_string(),
        "input `speaker` is missing: it takes i64 [batch]"
    );

    let unknown = model.run(&[("noise", sound.clone())]).unwrap_err();
    assert!(
        matches!(unknown, OnnxError::UnknownInput { known, .. } if known == ["sound", "speaker"])
    );

    let twice = model
        .run(&[("sound", sound.clone()), ("sound", sound.clone())])
        .unwrap_err();
    assert!(matches!(twice, OnnxError::UnknownInput { .. }));

    let wrong_type = model.run(&[("sound", speaker.clone()), ("speaker", speaker.clone())]);
    assert!(matches!(
        wrong_type.unwrap_err(),
        OnnxError::WrongType {
            found: ElementType::I64,
            ..
        }
    ));

    let flat = Tensor::zeros(ElementType::F32, &[2, 8]);
    let wrong_shape = model
        .run(&[("sound", flat), ("speaker", speaker.clone())])
        .unwrap_err();
    assert_eq!(
        wrong_shape.to_string(),
        "input `sound` takes the shape [batch, 2, length], found [2, 8]"
    );

    let outside = Tensor::from(Array::from_vec(vec![9_i64]));
    let failed = model
        .run(&[("sound", sound), ("speaker", outside)])
        .unwrap_err();
    assert!(matches!(failed, OnnxError::Run { .. }), "{failed}");
}

#[test]
fn unknown_operators_are_all_listed_with_their_nodes() {
    let Err(OnnxError::UnsupportedOperators { operators, .. }) = open("unknown.onnx") else {
        panic!("opened a model that cannot be run");
    };
    let listed: Vec<_> = operators.iter().map(ToString::to_string).collect();
    assert_eq!(listed, ["house.made.Shimmer (then/shimmer)", "Glimmer (y)"]);
}

#[test]
fn files_that_are_not_sound_are_refused() {
    assert!(matches!(
        open("nowhere.onnx").unwrap_err(),
        OnnxError::Read { .. }
    ));
    assert!(matches!(
        open("make_fixtures.py").unwrap_err(),
        OnnxError::Malformed { .. }
    ));
    assert!(matches!(
        OnnxModel::from_bytes(&[]).unwrap_err(),
        OnnxError::Malformed { .. }
    ));
    let escape = open("escape.onnx").unwrap_err();
    assert!(
        escape
            .to_string()
            .contains("escape.onnx cannot be prepared"),
        "{escape}"
    );
}

#[test]
fn a_truncated_or_damaged_file_never_panics() {
    let whole = std::fs::read(data("small.onnx")).unwrap();
    for length in 0..whole.len() {
        let _ = OnnxModel::from_bytes(&whole[..length]);
    }
    let mut damaged = whole.clone();
    for at in 0..whole.len() {
        damaged[at] ^= 0x5a;
        if let Ok(model) = OnnxModel::from_bytes(&damaged) {
            let sound = Tensor::zeros(ElementType::F32, &[1, 2, 8]);
            let speaker = Tensor::zeros(ElementType::I64, &[1]);
            let _ = model.run(&[("sound", sound), ("speaker", speaker)]);
        }
        damaged[at] = whole[at];
    }
}

#[test]
fn external_data_that_is_missing_is_refused() {
    let folder = std::env::temp_dir().join(format!("tealight-onnx-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::copy(data("external.onnx"), folder.join("model.onnx")).unwrap();
    let missing = OnnxModel::open(folder.join("model.onnx")).unwrap_err();
    std::fs::write(folder.join("external.bin"), [0; 20]).unwrap();
    let truncated = OnnxModel::open(folder.join("model.onnx")).unwrap_err();
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(matches!(missing, OnnxError::Prepare { .. }), "{missing}");
    assert!(
        matches!(truncated, OnnxError::Prepare { .. }),
        "{truncated}"
    );
}

fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

fn open(name: &str) -> Result<OnnxModel, OnnxError> {
    OnnxModel::open(data(name))
}

fn cases() -> Vec<Value> {
    let text = std::fs::read_to_string(data("expected.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn tensors(part: &Value) -> Vec<(String, Tensor)> {
    let named = part.as_object().unwrap().iter();
    named
        .map(|(name, tensor)| (name.clone(), tensor_of(tensor)))
        .collect()
}

fn tensor_of(json: &Value) -> Tensor {
    let numbers = |key: &str| json[key].as_array().unwrap().clone();
    let shape: Vec<usize> = numbers("shape")
        .iter()
        .map(|n| n.as_u64().unwrap() as usize)
        .collect();
    match json["type"].as_str().unwrap() {
        "f32" => {
            let values = numbers("values")
                .iter()
                .map(|n| n.as_f64().unwrap() as f32)
                .collect();
            Tensor::F32(ArrayD::from_shape_vec(shape, values).unwrap())
        }
        _ => {
            let values = numbers("values")
                .iter()
                .map(|n| n.as_i64().unwrap())
                .collect();
            Tensor::I64(ArrayD::from_shape_vec(shape, values).unwrap())
        }
    }
}

fn assert_close(found: &[(String, Tensor)], expected: &[(String, Tensor)]) {
    assert_eq!(found.len(), expected.len());
    for (name, expected) in expected {
        let (_, found) = found
            .iter()
            .find(|(n, _)| n == name)
            .expect("an output of that name");
        match (found, expected) {
            (Tensor::F32(a), Tensor::F32(b)) => {
                assert_eq!(a.shape(), b.shape());
                for (a, b) in a.iter().zip(b) {
                    assert!(
                        (a - b).abs() <= 1e-5 * b.abs().max(1.0),
                        "{name}: {a} beside {b}"
                    );
                }
            }
            _ => assert_eq!(found, expected, "{name}"),
        }
    }
}
