//! Decoder graphs, whole: the answer that other engines are held against.
//!
//! Runs on the models under the folder that `TEALIGHT_TEST_MODELS` names, and not without it.

use std::path::PathBuf;

use ndarray::Array;
use serde_json::Value;
use tealight_onnx::{Dimension, ElementType, OnnxModel, Tensor};

#[test]
fn a_decomposed_decoder_agrees_with_torch() {
    for name in ["tiny-qwen2", "tiny-qwen3", "tiny-llama"] {
        let Some(folder) = model(name) else { continue };
        let reference = reference(&folder.join("reference_torch_hf4.json"));
        let prompt: Vec<i64> = list(&reference["prompt"], Value::as_i64);
        let model = OnnxModel::open(folder.join("optimum-fp32/model.onnx")).unwrap();

        let whole = last_logits(&model, &prompt, empty_past(&model));
        for entry in reference["top20"].as_array().unwrap() {
            let (token, logit) = (entry[0].as_u64().unwrap(), entry[1].as_f64().unwrap());
            let found = whole.0[token as usize];
            assert!(
                (f64::from(found) - logit).abs() < 2e-5,
                "{name}: {found} beside {logit}"
            );
        }

        // The same prompt in two steps: the second one with a past.
        let (start, rest) = prompt.split_at(3);
        let (_, past) = last_logits(&model, start, empty_past(&model));
        let (logits, _) = last_logits(&model, rest, past);
        for (a, b) in logits.iter().zip(&whole.0) {
            assert!((a - b).abs() < 2e-5, "{name}: {a} beside {b}");
        }
    }
}

/// The last position's logits after `tokens`, and the past for the next step.
fn last_logits(
    model: &OnnxModel,
    tokens: &[i64],
    past: Vec<(String, Tensor)>,
) -> (Vec<f32>, Vec<(String, Tensor)>) {
    let before = past[0].1.shape()[2];
    let total = before + tokens.len();
    let row =
        |values: Vec<i64>| Tensor::from(Array::from_shape_vec((1, values.len()), values).unwrap());
    let positions: Vec<i64> = (before as i64..total as i64).collect();
    let mut inputs = vec![
        ("input_ids", row(tokens.to_vec())),
        ("attention_mask", row(vec![1; total])),
        ("position_ids", row(positions)),
    ];
    inputs.extend(
        past.iter()
            .map(|(name, tensor)| (name.as_str(), tensor.clone())),
    );
    let mut outputs = model.run(&inputs).unwrap();
    let present = outputs.split_off(1);
    let logits = outputs[0].1.as_f32().unwrap();
    let last = logits.slice(ndarray::s![0, tokens.len() - 1, ..]).to_vec();
    let renamed = present
        .into_iter()
        .map(|(n, t)| (n.replace("present", "past_key_values"), t));
    (last, renamed.collect())
}

fn empty_past(model: &OnnxModel) -> Vec<(String, Tensor)> {
    let past = model
        .inputs()
        .iter()
        .filter(|info| info.name.starts_with("past_key_values"));
    past.map(|info| {
        let size = |index: usize| match info.shape.as_ref().unwrap()[index] {
            Dimension::Fixed(size) => size,
            _ => panic!("{info} has no size"),
        };
        let shape = [1, size(1), 0, size(3)];
        (info.name.clone(), Tensor::zeros(ElementType::F32, &shape))
    })
    .collect()
}

/// The folder of a model with its reference, where this machine has them.
fn model(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("TEALIGHT_TEST_MODELS").map(PathBuf::from);
    let folder = folder.map(|folder| folder.join(name));
    let found = folder.filter(|folder| folder.join("reference_torch_hf4.json").exists());
    if found.is_none() {
        eprintln!("skipped: TEALIGHT_TEST_MODELS has no {name}");
    }
    found
}

fn reference(path: &std::path::Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn list<T>(json: &Value, take: fn(&Value) -> Option<T>) -> Vec<T> {
    json.as_array()
        .unwrap()
        .iter()
        .map(|value| take(value).unwrap())
        .collect()
}
