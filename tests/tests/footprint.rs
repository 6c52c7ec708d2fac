//! How much memory the program takes, as the system counts it.
#![cfg(target_os = "linux")]

use tealight_core::executor::{Config, KvCache, Line};
use tealight_tests::command::{Tealight, peak_memory};
use tealight_tests::models::{compile, real_model};
use tealight_tests::say;

const MB: u64 = 1_000_000;
const SMOLLM2: &str = "smollm2-135m-instruct-int4";

#[test]
fn running_takes_the_plan_the_cache_and_little_else() {
    let Some(model) = real_model(SMOLLM2) else {
        return;
    };
    let compiled = compile(&model);
    let context = 512;
    let path = compiled.path.to_str().unwrap();
    let arguments = [
        "run",
        "Why is the sky blue?",
        "--model",
        path,
        "--context",
        "512",
        "-n",
        "64",
    ];
    let taken = peak_memory(Tealight::new().command(&arguments));
    let plan = compiled.plan();
    let cache = KvCache::lines(&plan, &Config::new(context)).unwrap() * Line::BYTES;
    let bound = plan.bytes().len() as u64 + cache as u64 + 40 * MB;
    say(format_args!(
        "{SMOLLM2} runs in {} MB of at most {}",
        taken / MB,
        bound / MB
    ));
    assert!(taken <= bound, "{taken} bytes of at most {bound}");
}

#[test]
fn importing_takes_the_largest_weight_and_little_else() {
    for name in [SMOLLM2, "smollm2/optimum-fp32", "smollm2/optimum-q4-asym"] {
        let Some(model) = real_model(name) else {
            continue;
        };
        let compiled = compile(&model);
        let largest = compiled
            .plan()
            .tensors()
            .map(|tensor| tensor.data.len())
            .max()
            .unwrap();
        let target = compiled.path.with_extension("again.tea");
        let (model, target) = (model.to_str().unwrap(), target.to_str().unwrap());
        let taken = peak_memory(Tealight::new().command(&["compile", model, "--output", target]));
        let bound = largest as u64 + 100 * MB;
        say(format_args!(
            "{name} compiles in {} MB of at most {}",
            taken / MB,
            bound / MB
        ));
        assert!(taken <= bound, "{name}: {taken} bytes of at most {bound}");
    }
}
