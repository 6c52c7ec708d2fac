//! A real small model: Silero's voice detector (MIT licence), as its Python package carries it.
//!
//! Runs where the folder that `TEALIGHT_TEST_MODELS` names has `silero_vad_op18_ifless.onnx`.

use std::f32::consts::TAU;
use std::path::PathBuf;

use ndarray::Array;
use tealight_onnx::{ElementType, OnnxModel, Tensor};

/// Samples that the model hears at once, at 16 kHz.
const FRAME: usize = 576;

#[test]
fn a_voice_detector_hears_what_onnxruntime_hears() {
    let folder = std::env::var_os("TEALIGHT_TEST_MODELS").map(PathBuf::from);
    let path = folder.map(|folder| folder.join("silero_vad_op18_ifless.onnx"));
    let Some(path) = path.filter(|path| path.exists()) else {
        eprintln!("skipped: TEALIGHT_TEST_MODELS has no silero_vad_op18_ifless.onnx");
        return;
    };
    let model = OnnxModel::open(path).unwrap();
    let mut state = Tensor::zeros(ElementType::F32, &[2, 1, 128]);
    for (frame, expected) in [0.110_985, 0.218_221, 0.029_798].into_iter().enumerate() {
        let sound = (frame * FRAME..(frame + 1) * FRAME).map(sample).collect();
        let sound = Array::from_shape_vec((1, FRAME), sound).unwrap();
        let rate = Array::from_elem((), 16_000_i64);
        let inputs = [
            ("input", sound.into()),
            ("state", state),
            ("sr", rate.into()),
        ];
        let mut outputs = model.run(&inputs).unwrap();
        state = outputs.pop().unwrap().1;
        let heard = outputs[0].1.as_f32().unwrap()[[0, 0]];
        assert!(
            (heard - expected).abs() < 1e-3,
            "frame {frame}: {heard} beside {expected}"
        );
    }
}

/// A wavering tone that rises.
fn sample(n: usize) -> f32 {
    let n = n as f32;
    let pitch = 120.0 + 0.05 * n;
    0.4 * (TAU * pitch * n / 16_000.0).sin() * (0.6 + 0.4 * (TAU * 4.0 * n / 16_000.0).sin())
}
