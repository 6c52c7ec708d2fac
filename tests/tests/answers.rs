//! Answers are what the files beside a model allow, however they are drawn.

use std::path::Path;

use serde_json::Value;
use tealight::{FinishReason, GenerateOptions, Model, ModelOptions};
use tealight_tests::models::{Export, compile, home_export};

/// Draws far from what the model finds likely.
fn wild(seed: u64) -> GenerateOptions {
    GenerateOptions::new().temperature(30.0).seed(seed)
}

#[test]
fn the_embedded_model_says_nothing_but_commands() {
    let model = Model::embedded().expect("it is embedded");
    let mut chat = model.chat().expect("it chats");
    let mut devices = Vec::new();
    for seed in 0..100 {
        let answer = chat
            .ask("colourless green ideas", &wild(seed))
            .expect("an answer");
        assert_eq!(
            answer.summary.reason,
            FinishReason::EndOfText,
            "{}",
            answer.text
        );
        let command: Value = serde_json::from_str(&answer.text).expect("JSON");
        devices.extend(command["device"].as_str().map(str::to_owned));
        match command["action"].as_str() {
            Some("set") => assert!(command["value"].is_number(), "{}", answer.text),
            Some(_) => assert!(command["value"].is_null(), "{}", answer.text),
            None => assert_eq!(answer.text, r#"{"error":"unsupported"}"#),
        }
    }
    devices.sort_unstable();
    devices.dedup();
    // They are drawn, not always the same.
    assert!(devices.len() > 3, "{devices:?}");
}

#[test]
fn a_model_answers_from_a_list() {
    let export = Export::copy(&home_export());
    export.remove("answers.schema.json");
    export.write(
        "answers.txt",
        b"lamp an\nlamp aus\n\xf0\x9f\x92\xa1 gr\xc3\xbcn\n",
    );
    let plan = compile(Path::new(export.path()));
    let model = Model::open_with(&plan.path, &ModelOptions::new()).expect("it was just compiled");
    let mut chat = model.chat().expect("it chats");
    let mut said = Vec::new();
    for seed in 0..30 {
        let answer = chat
            .ask("turn on the lamp", &wild(seed))
            .expect("an answer");
        assert_eq!(answer.summary.reason, FinishReason::EndOfText);
        said.push(answer.text);
    }
    said.sort_unstable();
    said.dedup();
    assert_eq!(said, ["lamp an", "lamp aus", "💡 grün"]);
}

#[test]
fn an_answer_that_no_token_ends_still_ends() {
    let export = Export::copy(&home_export());
    for name in ["config.json", "generation_config.json", "genai_config.json"] {
        let text = String::from_utf8(export.read(name)).expect("JSON");
        export.write(
            name,
            text.replace("eos_token_id", "eos_token_was").as_bytes(),
        );
    }
    let text = String::from_utf8(export.read("tokenizer_config.json")).expect("JSON");
    export.write(
        "tokenizer_config.json",
        text.replace("eos_token", "eos_was").as_bytes(),
    );
    let plan = compile(Path::new(export.path()));
    let model = Model::open_with(&plan.path, &ModelOptions::new()).expect("it was just compiled");
    let mut session = model.session().expect("a session");
    let prompt = "<|user|> turn on the lamp<|assistant|>";
    let generation = session
        .generate(prompt, &GenerateOptions::new())
        .expect("a prompt");
    let answer = generation.answer().expect("an answer");
    assert_eq!(answer.summary.reason, FinishReason::EndOfText);
    serde_json::from_str::<Value>(&answer.text).expect("JSON");
}
