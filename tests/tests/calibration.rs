//! Weights of 4 bits rounded by what a text brings them.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::rc::Rc;

use tealight::import::{ImportOptions, Quantize, import_with};
use tealight::{Calibration, ModelOptions};
use tealight_core::plan::Plan;
use tealight_tests::families::Export;
use tealight_tests::models::Bytes;
use tealight_tests::run::{Settings, each_position};

/// Token ids of the tiny models.
const VOCAB: u32 = 96;

/// A tokenizer of so many words.
fn tokenizer() -> String {
    let words: Vec<String> = (0..VOCAB).map(|id| format!("\"w{id}\": {id}")).collect();
    format!(
        r#"{{"version": "1.0", "added_tokens": [], "normalizer": null, "post_processor": null, "decoder": null,
        "truncation": null, "padding": null, "pre_tokenizer": {{"type": "WhitespaceSplit"}},
        "model": {{"type": "WordLevel", "unk_token": "w0", "vocab": {{{}}}}}}}"#,
        words.join(", ")
    )
}

/// Few tokens often and many now and then, as in any text.
fn ids(count: usize) -> Vec<u32> {
    let mut state = 5u32;
    let mut draw = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 8) / f64::from(1 << 24)
    };
    (0..count)
        .map(|_| (f64::from(VOCAB).powf(draw()) - 1.0) as u32)
        .collect()
}

fn compiled(model: &Path, options: &ImportOptions) -> Bytes {
    let output = model.join("model.tea");
    import_with(model, &output, options, &mut |_| {}).expect("compiles");
    Bytes::new(&fs::read(&output).expect("it was written"))
}

/// Mean square of the logits' distance.
fn apart(plan: &Bytes, other: &Bytes, ids: &[u32]) -> f64 {
    let logits = |plan: &Bytes| {
        let plan = Plan::open(plan.as_ref()).expect("sound");
        let mut all = vec![];
        for window in ids.chunks(64) {
            each_position(&plan, Settings::exact(), window, |_, row| {
                all.extend_from_slice(row)
            });
        }
        all
    };
    let (these, those) = (logits(plan), logits(other));
    let squares = these
        .iter()
        .zip(&those)
        .map(|(a, b)| f64::from(a - b).powi(2));
    squares.sum::<f64>() / these.len() as f64
}

#[test]
fn a_model_calibrated_on_a_text_stays_nearer_to_itself_on_another_and_is_the_same_on_any_machine() {
    for (family, name) in [("qwen3", "optimum-fp32"), ("lfm2", "genai-fp32")] {
        let export = Export { family, name };
        let model = export.unpacked().expect("the export is there");
        fs::write(model.path().join("tokenizer.json"), tokenizer()).expect("room for it");
        let all = ids(4096);
        let (read, other) = all.split_at(3072);
        let mut text = String::new();
        for id in read {
            write!(text, "w{id} ").expect("memory takes every byte");
        }
        let exact = compiled(model.path(), &ImportOptions::default());
        for to in [Quantize::Int4, Quantize::Int4Asymmetric] {
            let mut options = ImportOptions::default();
            options.quantize = Some(to.into());
            let plain = compiled(model.path(), &options);
            let mut calibrated = |opened| {
                let calibration =
                    Calibration::new(model.path(), &text, read.len(), &opened, &mut |_| {});
                options.calibration = Some(Rc::new(calibration.expect("reads the text")));
                compiled(model.path(), &options)
            };
            let again = calibrated(ModelOptions::new().threads(1).isa("scalar"));
            let calibrated = calibrated(ModelOptions::new().threads(3));
            assert!(
                calibrated.as_ref() == again.as_ref(),
                "another machine, another file"
            );
            let (before, after) = (
                apart(&exact, &plain, other),
                apart(&exact, &calibrated, other),
            );
            assert!(after < 0.9 * before, "{family}: {after} against {before}");
        }
    }
}
