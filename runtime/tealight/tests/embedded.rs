//! The model that the library carries.
#![cfg(feature = "embedded")]

use tealight::{GenerateOptions, Model, ModelOptions};

#[test]
fn it_is_whole_and_answers_in_json() {
    let model = Model::embedded_with(&ModelOptions::new().threads(1)).unwrap();
    model.verify().unwrap();
    let mut chat = model.chat().unwrap();
    let answer = chat
        .ask(
            "turn off the lights in the kitchen",
            &GenerateOptions::new(),
        )
        .unwrap();
    let json: serde_json::Value = serde_json::from_str(&answer.text).unwrap();
    assert_eq!(json["device"], "light");
    assert_eq!(json["room"], "kitchen");
    assert_eq!(json["action"], "off");
}
