//! The embedded model does its job.

use std::fs;

use serde_json::Value;
use tealight::{GenerateOptions, Model};
use tealight_tests::command::Tealight;
use tealight_tests::models::root;
use tealight_tests::say;

/// The hand-written requests of `models/home`, with the share of exact answers that the model's
/// card states, less two hundredths.
const SETS: [(&str, f64); 5] = [
    ("eval_hand_a.jsonl", 0.974),
    ("eval_hand_b.jsonl", 0.965),
    ("eval_hand_c.jsonl", 0.964),
    ("eval_hand_d.jsonl", 0.946),
    ("eval_hand_e.jsonl", 0.899),
];

#[test]
fn the_embedded_model_answers_as_the_readme_says() {
    let tealight = Tealight::new();
    let answer = tealight.run(&["run", "turn off the lights in the kitchen"]);
    let expected = r#"{"device":"light","room":"kitchen","action":"off","value":null}"#;
    assert_eq!(answer.succeeds().trim(), expected);
}

#[test]
fn the_embedded_model_is_as_accurate_as_its_card_says() {
    let model = Model::embedded().expect("it is embedded");
    let mut chat = model.chat().expect("it chats");
    for (name, least) in SETS {
        let lines = fs::read_to_string(root().join("models/home").join(name)).expect("a set");
        let (mut right, mut all) = (0, 0);
        for line in lines.lines() {
            let case: Value = serde_json::from_str(line).expect("a case");
            let request = case["request"].as_str().expect("a request");
            let answer = chat
                .ask(request, &GenerateOptions::new())
                .expect("an answer");
            right += usize::from(
                serde_json::from_str::<Value>(&answer.text).ok().as_ref() == Some(&case["answer"]),
            );
            all += 1;
        }
        let share = f64::from(right as u32) / f64::from(all);
        say(format_args!(
            "{name}: {right} of {all}, {:.2} %",
            100.0 * share
        ));
        assert!(share >= least, "{name}: {share}");
    }
}
