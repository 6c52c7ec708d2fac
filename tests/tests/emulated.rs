//! Emulated ARM processors compute the logits that this machine computes, bit for bit, on every
//! model of the parity tests: what those say of this machine's logits holds for theirs.
//!
//! `cargo xtask emulate` builds `logits`, an example of the core, for them and says in
//! `TEALIGHT_EMULATED` how to run it.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::Deserialize;
use tealight_core::plan::Plan;
use tealight_tests::agreement::Reference;
use tealight_tests::models::{compile, embedded, real_model};
use tealight_tests::run::{Settings, each_position};
use tealight_tests::say;

/// One emulated processor.
#[derive(Deserialize)]
struct Processor {
    name: String,
    /// The program and its first arguments.
    command: Vec<String>,
    /// Instruction sets that it has.
    isas: Vec<String>,
}

/// The processors, if this test was told of any. Without them a line says that it is skipped.
fn processors() -> Vec<Processor> {
    let Some(told) = std::env::var_os("TEALIGHT_EMULATED") else {
        say("skipped: run `cargo xtask emulate` to compare with emulated processors");
        return Vec::new();
    };
    serde_json::from_str(&told.to_string_lossy()).expect("what cargo xtask emulate tells")
}

/// The logits of all positions, computed by an emulated processor.
fn emulated(processor: &Processor, arguments: &[&str], ids: &[u32]) -> Vec<u8> {
    let mut program = Command::new(&processor.command[0]);
    program.args(&processor.command[1..]).args(arguments);
    program.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut program = program.spawn().expect("the emulator starts");
    let ids: Vec<u8> = ids.iter().flat_map(|id| id.to_le_bytes()).collect();
    let mut input = program.stdin.take().expect("a pipe");
    input.write_all(&ids).expect("the program reads");
    drop(input);
    let output = program.wait_with_output().expect("the emulator runs");
    assert!(output.status.success(), "{} {arguments:?}", processor.name);
    output.stdout
}

/// What linear maps compute in: quantized to int8, or everything in f32.
const KINDS: &[&str] = &["int8", "f32"];

/// Runs a text, cut into steps of `sizes`, on every processor with each of its instruction sets.
fn assert_same_bits<B: AsRef<[u8]>>(
    name: &str,
    path: &Path,
    plan: &Plan<B>,
    ids: &[u32],
    sizes: &str,
    kinds: &[&str],
) {
    let path = path.to_str().expect("a plain path");
    let processors = processors();
    for &kind in kinds {
        let settings = match kind {
            "f32" => Settings::exact(),
            _ => Settings::default(),
        };
        let mut expected = Vec::new();
        each_position(plan, settings, ids, |_, logits| {
            expected.extend(logits.iter().flat_map(|x| x.to_le_bytes()));
        });
        let compare = |processor: &Processor, isa: &str| {
            let logits = emulated(processor, &[path, isa, kind, "all", sizes], ids);
            let what = format!("{name} in {kind} on {} with {isa}", processor.name);
            assert!(logits == expected, "{what}");
            say(format_args!("{what}: the same {} logits", logits.len() / 4));
        };
        // An emulator keeps one core busy.
        std::thread::scope(|scope| {
            for processor in &processors {
                for isa in &processor.isas {
                    scope.spawn(|| compare(processor, isa));
                }
            }
        });
    }
}

#[test]
fn the_embedded_model_gives_the_same_bits_on_emulated_processors() {
    let file = tempfile::NamedTempFile::new().expect("room for a file");
    std::fs::write(file.path(), tealight_models::HOME).expect("the file can be written");
    let plan = embedded();
    let ids: Vec<u32> = (0..80)
        .map(|i| (i * 7919 + 11) % plan.model().vocab)
        .collect();
    // Longer than what shares unpacked weights, an odd piece, and single tokens.
    assert_same_bits("home", file.path(), &plan, &ids, "71,7,1,1", KINDS);
}

#[test]
fn tiny_models_give_the_same_bits_on_emulated_processors() {
    for name in ["tiny-qwen2", "tiny-qwen3", "tiny-llama"] {
        let Some(model) = real_model(&format!("{name}/genai-int4")) else {
            continue;
        };
        let ids = Reference::named(&format!("{name}-genai-int4")).ids;
        let compiled = compile(&model);
        let sizes = format!("{},1,1", ids.len() - 2);
        assert_same_bits(
            name,
            &compiled.path,
            &compiled.plan(),
            &ids,
            &sizes,
            &KINDS[..1],
        );
    }
}

#[test]
fn smollm2_gives_the_same_bits_on_emulated_processors() {
    let name = "smollm2-135m-instruct-int4";
    let Some(model) = real_model(name) else {
        return;
    };
    // Emulation takes a second for a few tokens, so only the text's beginning.
    let reference = Reference::read(&model.join("reference_exact.safetensors"));
    let compiled = compile(&model);
    let ids = &reference.ids[..15];
    assert_same_bits(
        name,
        &compiled.path,
        &compiled.plan(),
        ids,
        "13,1,1",
        &KINDS[..1],
    );
}
