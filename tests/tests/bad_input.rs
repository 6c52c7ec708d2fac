//! What is wrong with an input is said in one line and an exit code, and nothing half-written
//! is left behind.

use std::fs;
use std::path::Path;

use tealight_tests::command::{Tealight, done};
use tealight_tests::models::{Export, SmallDisk, home_export};

/// The program's exit code for a wrong option.
const USAGE: i32 = 2;
/// The program's exit code for a model or a file that cannot be used.
const INPUT: i32 = 3;
/// For a text that does not fit.
const CONTEXT: i32 = 4;
/// For output that cannot be written.
const OUTPUT: i32 = 5;

/// Compiling this export fails with exit code 3 and these words, and leaves nothing.
fn does_not_compile(export: &Export, words: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("model.tea");
    let arguments = [
        "compile",
        export.path(),
        "--output",
        target.to_str().unwrap(),
    ];
    Tealight::new().run(&arguments).fails(INPUT, words);
    assert_eq!(files(folder.path()), [""; 0], "left behind");
}

fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn missing_external_data_is_named() {
    let export = Export::copy(&home_export());
    export.remove("model.onnx.data");
    does_not_compile(&export, &["model.onnx.data"]);
}

#[test]
fn truncated_external_data_is_named() {
    let export = Export::copy(&home_export());
    export.truncate("model.onnx.data", 1000);
    does_not_compile(&export, &["model.onnx.data"]);
}

#[test]
fn external_data_outside_the_folder_is_refused() {
    let export = Export::copy(&home_export());
    export.replace("model.onnx", b"model.onnx.data", b"../../model.dat");
    does_not_compile(&export, &["../../model.dat"]);
}

#[test]
fn a_truncated_graph_is_refused() {
    let export = Export::copy(&home_export());
    export.truncate("model.onnx", 1000);
    does_not_compile(&export, &["model.onnx"]);
}

#[test]
fn unknown_operators_are_all_listed_with_their_nodes() {
    let export = Export::copy(&home_export());
    export.replace("model.onnx", b"GroupQueryAttention", b"GroupQuirkAttention");
    does_not_compile(&export, &["GroupQuirkAttention", "layers.0", "layers.1"]);
}

#[test]
fn a_tokenizer_that_does_not_fit_the_model_is_refused() {
    let export = Export::copy(&home_export());
    let text = export.read("tokenizer.json");
    let mut tokenizer: serde_json::Value = serde_json::from_slice(&text).unwrap();
    tokenizer["model"]["vocab"]["far-away"] = 1_000_000.into();
    export.write("tokenizer.json", tokenizer.to_string().as_bytes());
    does_not_compile(&export, &["tokenizer", "1000000"]);
}

#[test]
fn a_schema_that_cannot_constrain_answers_is_refused() {
    let export = Export::copy(&home_export());
    export.write(
        "answers.schema.json",
        br#"{"type": "string", "pattern": "a*"}"#,
    );
    does_not_compile(&export, &["answers.schema.json", "pattern", "line 1"]);
    export.write("answers.schema.json", br#"{"enum": [[1]]}"#);
    does_not_compile(
        &export,
        &["answers.schema.json", "neither objects nor arrays"],
    );
}

#[test]
fn a_folder_without_a_model_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    Tealight::new()
        .run(&["run", "hello", "--model", path])
        .fails(INPUT, &[path]);
}

#[test]
fn a_file_that_is_no_plan_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.tea");
    fs::write(&path, b"not a plan").unwrap();
    let path = path.to_str().unwrap();
    Tealight::new()
        .run(&["run", "hello", "--model", path])
        .fails(INPUT, &["model.tea"]);
}

#[test]
fn a_prompt_longer_than_the_context_is_refused() {
    let prompt = "the kitchen light ".repeat(100);
    let arguments = ["run", &prompt, "--context", "64"];
    Tealight::new().run(&arguments).fails(CONTEXT, &["64"]);
}

#[test]
fn a_disk_that_fills_up_is_reported_and_left_clean() {
    let Some(disk) = SmallDisk::mount() else {
        return;
    };
    let target = disk.path().join("model.tea");
    let arguments = [
        "compile",
        home_export().to_str().unwrap(),
        "--output",
        target.to_str().unwrap(),
    ]
    .map(str::to_owned);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    Tealight::new()
        .run(&arguments)
        .fails(OUTPUT, &["model.tea"]);
    assert_eq!(files(disk.path()), [""; 0], "left behind");
}

#[test]
fn two_processes_import_the_same_model_at_once() {
    let tealight = Tealight::new();
    let model = home_export();
    let arguments = [
        "run",
        "lights on",
        "--greedy",
        "--model",
        model.to_str().unwrap(),
    ];
    let started = [(), ()].map(|()| {
        let mut command = tealight.command(&arguments);
        command
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped());
        command.spawn().unwrap()
    });
    let answers = started.map(|child| done(child.wait_with_output().unwrap()));
    assert_eq!(answers[0].succeeds(), answers[1].succeeds());
    let plans = files(&tealight.cache)
        .into_iter()
        .filter(|name| name.ends_with(".tea"));
    assert_eq!(plans.count(), 1, "{:?}", files(&tealight.cache));
    assert!(
        !files(&tealight.cache)
            .iter()
            .any(|name| name.starts_with('.')),
        "left behind"
    );
}

#[test]
fn an_instruction_set_is_forced_by_name_and_a_wrong_one_is_named() {
    let asked = |name: &str| {
        let tealight = Tealight::new();
        let mut command = tealight.command(&["run", "turn off the light"]);
        done(command.env("TEALIGHT_CPU", name).output().unwrap())
    };
    let plain = asked("").succeeds().to_owned();
    assert_eq!(asked("scalar").succeeds(), plain);
    asked("abacus").fails(USAGE, &["`abacus` is no instruction set", "scalar"]);
    let foreign = if cfg!(target_arch = "aarch64") {
        "avx2"
    } else {
        "i8mm"
    };
    asked(foreign).fails(USAGE, &["this processor has no", foreign, "scalar"]);
}
