//! Exports made of thousands of small standard operators give what onnxruntime gives on them.

use tealight_tests::agreement::{Agreement, Reference};
use tealight_tests::models::{compile, real_model};
use tealight_tests::run::Settings;
use tealight_tests::say;

/// Compares one export of SmolLM2, if it is there.
fn agreement(export: &str, settings: Settings) -> Option<Agreement> {
    let model = real_model(&format!("smollm2/optimum-{export}"))?;
    let reference = Reference::named(&format!("smollm2-optimum-{export}"));
    let agreement = reference.compare(&compile(&model).plan(), settings);
    say(format_args!("optimum-{export}: {agreement}"));
    Some(agreement)
}

fn assert_as_good_as_int8_activations(export: &str) {
    let Some(agreement) = agreement(export, Settings::default()) else {
        return;
    };
    assert!(agreement.top1 >= 0.975, "{export}: {agreement}");
    assert!(agreement.kl <= 0.0033, "{export}: {agreement}");
    assert!(
        agreement.perplexity_error() <= 0.008,
        "{export}: {agreement}"
    );
}

#[test]
fn fp32_agrees_but_for_rounding() {
    let Some(agreement) = agreement("fp32", Settings::exact()) else {
        return;
    };
    assert!(agreement.kl.abs() < 1e-5, "{agreement}");
}

#[test]
fn fp16_agrees() {
    assert_as_good_as_int8_activations("fp16");
}

#[test]
fn symmetric_int4_agrees() {
    assert_as_good_as_int8_activations("q4-sym");
}

#[test]
fn asymmetric_int4_agrees() {
    assert_as_good_as_int8_activations("q4-asym");
}

#[test]
fn dynamic_int8_agrees() {
    assert_as_good_as_int8_activations("int8-dynamic");
}
