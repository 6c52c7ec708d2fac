//! The embedded model does its job.

use tealight_tests::command::Tealight;

#[test]
fn the_embedded_model_answers_as_the_readme_says() {
    let tealight = Tealight::new();
    let answer = tealight.run(&["run", "turn off the lights in the kitchen"]);
    let expected = r#"{"device":"light","room":"kitchen","action":"off","value":null}"#;
    assert_eq!(answer.succeeds().trim(), expected);
}
