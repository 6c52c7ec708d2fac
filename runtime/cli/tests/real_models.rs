//! A real model, from its ONNX folder on; where `TEALIGHT_TEST_MODELS` says that there is one.

mod helper;

use std::io::Read;
use std::process::Stdio;

use helper::{command, tealight, tealight_told, test_model};

const SMOLLM2: &str = "smollm2-135m-instruct-int4";

#[test]
fn an_onnx_folder_answers() {
    let Some(model) = test_model(SMOLLM2) else {
        return;
    };
    let arguments = [
        "run",
        "--greedy",
        "--max-tokens",
        "20",
        "--model",
        &model,
        "What is the capital of France?",
    ];
    assert!(tealight(&arguments).prints().contains("Paris"));
}

#[test]
fn a_compiled_file_answers_as_its_folder_does() {
    let Some(model) = test_model(SMOLLM2) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.tea");
    let file = file.to_str().unwrap();
    tealight(&["compile", &model, "--output", file]).prints();
    let answer = |model: &str| {
        tealight(&[
            "run",
            "--greedy",
            "-n",
            "12",
            "--model",
            model,
            "Name a color.",
        ])
        .prints()
    };
    assert_eq!(answer(file), answer(&model));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_chat_remembers() {
    let Some(model) = test_model(SMOLLM2) else {
        return;
    };
    let said = "My name is Alice.\nWhat is my name?\n";
    let arguments = ["chat", "--greedy", "-n", "30", "--model", &model];
    assert!(
        tealight_told(&arguments, said)
            .prints()
            .lines()
            .last()
            .unwrap()
            .contains("Alice")
    );
}

#[test]
fn perplexity_is_near_the_exact_one() {
    let Some(model) = test_model(SMOLLM2) else {
        return;
    };
    let text = format!("{model}/reference_text.txt");
    let arguments = [
        "perplexity",
        "--json",
        "--max-tokens",
        "512",
        "--file",
        &text,
        "--model",
        &model,
    ];
    let told = tealight(&arguments).json();
    let perplexity = told["perplexity"].as_f64().unwrap();
    assert_eq!(told["tokens"], 512);
    assert!((perplexity / 57.26 - 1.0).abs() < 0.008, "{perplexity}");
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let Some(model) = test_model(SMOLLM2) else {
        return;
    };
    let arguments = [
        "run",
        "--greedy",
        "--model",
        &model,
        "Tell me a long story.",
    ];
    let mut child = command(&arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut [0; 8]).unwrap();
    drop(out);
    let left = child.wait_with_output().unwrap();
    assert_eq!(
        (left.status.code(), left.stderr.as_slice()),
        (Some(0), &b""[..])
    );
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_after_the_current_token() {
    let Some(model) = test_model(SMOLLM2) else {
        return;
    };
    let arguments = [
        "run",
        "--greedy",
        "--model",
        &model,
        "Tell me a long story.",
    ];
    let mut child = command(&arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = child.stdout.take().unwrap();
    let mut text = vec![0; 8];
    out.read_exact(&mut text).unwrap();
    let kill = std::process::Command::new("kill")
        .arg("-INT")
        .arg(child.id().to_string())
        .status();
    assert!(kill.unwrap().success());
    out.read_to_end(&mut text).unwrap();
    assert!(text.ends_with(b"\n"));
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn head_and_layers_are_quantized_each_in_their_own_way() {
    let Some(model) = test_model("tiny-llama/optimum-fp32") else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let (recipe, output) = (path("recipe.toml"), path("tiny.tea"));
    let text = "layers = 'int4'\nexceptions = [{ layers = [1], kind = 'int4-asymmetric' }]";
    std::fs::write(&recipe, text).expect("the file is written");
    let compile = ["compile", &model, "-o", &output, "--quantize", &recipe];
    let said = tealight(&[&compile[..], &["--quantize-head", "int8"]].concat()).prints();
    for kind in ["× int4 (", "× int4+zp (", "× int8 ("] {
        assert!(said.contains(kind), "{kind} in {said}");
    }
    tealight(&["verify", "--model", &output]).prints();
    std::fs::write(&recipe, text.replace("[1]", "[99]")).expect("the file is written");
    tealight(&compile).fails(3, "no layer 99");
}
