//! Decoders that import does not recognise, in a build that has tract.
#![cfg(feature = "tract")]

mod helper;

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use helper::tealight;
use tealight::{Error, GenerateOptions, KvType, Model, ModelOptions, Session, TokenId};
use tempfile::TempDir;

/// Tokens of the prompt; transformers continued it.
const PROMPT: usize = 8;

fn references() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/reference/graphs")
}

/// An export as optimum leaves it, or changed.
fn export(name: &str, change: impl FnOnce(&mut Vec<u8>)) -> TempDir {
    let packed = File::open(references().join(format!("{name}.onnx.gz"))).unwrap();
    let mut model = Vec::new();
    GzDecoder::new(packed).read_to_end(&mut model).unwrap();
    change(&mut model);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("model.onnx"), model).unwrap();
    fs::write(folder.path().join("config.json"), r#"{"n_positions": 64}"#).unwrap();
    folder
}

fn open(folder: &TempDir, options: ModelOptions) -> Result<Model, Error> {
    let options = options.cache(folder.path().join("cache"));
    Model::open_with(folder.path(), &options)
}

fn continued(session: &mut Session, prompt: &[TokenId], tokens: usize) -> Vec<TokenId> {
    let mut options = GenerateOptions::new().greedy().max_tokens(tokens);
    options.ignore_end_of_text = true;
    let mut generation = session.generate(prompt, &options).unwrap();
    for event in generation.by_ref() {
        event.unwrap();
    }
    generation.generated().to_vec()
}

#[test]
fn decoders_without_a_plan_say_what_transformers_says() {
    let greedy = fs::read(references().join("greedy.json")).unwrap();
    let greedy: serde_json::Value = serde_json::from_slice(&greedy).unwrap();
    for (name, stands_in_the_way) in [
        ("gpt2", "Reshape at `/transformer/h.0/mlp/c_proj/Reshape`"),
        ("gpt-neox", "Concat"),
        ("falcon", "Trilu at `/transformer/Trilu`"),
    ] {
        let text: Vec<TokenId> = serde_json::from_value(greedy[name].clone()).unwrap();
        let (prompt, rest) = text.split_at(PROMPT);
        let folder = export(name, |_| {});
        let model = open(&folder, ModelOptions::new()).unwrap();
        let notice = model.notice().unwrap();
        assert!(notice.contains(stands_in_the_way), "{name}: {notice}");
        let mut session = model.session().unwrap();
        assert_eq!(continued(&mut session, prompt, rest.len()), rest, "{name}");
        // Back to where the prompt ended in other words, and the rest again.
        let kept = continued(&mut session, &text[..PROMPT + 4], rest.len() - 4);
        assert_eq!(kept, rest[4..], "{name}");
    }
}

#[test]
fn what_takes_a_plan_is_refused() {
    let folder = export("gpt-neox", |_| {});
    let model = open(&folder, ModelOptions::new()).unwrap();
    assert!(matches!(model.plan(), Err(Error::OnlyPlans { .. })));
    assert!(matches!(model.verify(), Err(Error::OnlyPlans { .. })));
    assert!(matches!(model.embedder(), Err(Error::NoEmbeddings { .. })));
    for options in [
        ModelOptions::new().threads(2),
        ModelOptions::new().kv(KvType::Int8),
        ModelOptions::new().isa("scalar"),
    ] {
        let refused = open(&folder, options);
        assert!(matches!(refused, Err(Error::OnlyPlans { .. })));
    }
}

#[test]
fn a_graph_that_neither_takes_is_refused_with_both_reasons() {
    let folder = export("falcon", |model| {
        while let Some(at) = model.windows(5).position(|bytes| bytes == b"Trilu") {
            model[at..at + 5].copy_from_slice(b"Truly");
        }
    });
    let error = open(&folder, ModelOptions::new()).unwrap_err();
    assert!(matches!(error, Error::NoEngine { .. }), "{error}");
    let said = error.to_string();
    for words in [
        "ScatterND at node",
        "Truly at node",
        "nor does tract run",
        "Truly (",
    ] {
        assert!(said.contains(words), "{words} is missing in {said}");
    }
}

#[test]
fn the_command_measures_and_inspects_such_models() {
    let folder = export("gpt-neox", |_| {});
    let path = folder.path().to_str().unwrap();
    let told = tealight(&["inspect", path]).prints();
    assert!(told.contains("runs on tract"), "{told}");
    let told = tealight(&["inspect", path, "--json"]).json();
    assert!(told["notice"].as_str().unwrap().contains("Concat"));
    let rows = tealight(&[
        "bench", "--model", path, "-p", "8", "-n", "4", "-r", "1", "--json",
    ]);
    assert_eq!(rows.json().as_array().unwrap().len(), 2);
}
