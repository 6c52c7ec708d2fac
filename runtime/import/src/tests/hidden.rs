//! Graphs without a past, and graphs that end in hidden states.

use super::*;
use crate::onnx::proto::NodeProto;

/// The decoder without inputs and outputs for keys and values of a past.
fn without_past() -> TestModel {
    let mut model = decomposed();
    let graph = model.graph_mut();
    graph.input.retain(|input| !input.name.starts_with("past"));
    graph
        .output
        .retain(|output| !output.name.starts_with("present"));
    for (name, own) in [
        ("present.0.key", "k/turned"),
        ("present.0.value", "v/heads"),
    ] {
        let node = model.edit(name);
        let same = ("Identity".to_owned(), vec![own.to_owned()]);
        (node.op_type, node.input) = same;
        node.attribute.clear();
    }
    model
}

/// Ends in what the head reads, and in what exporters make of it besides.
fn ends_in_hidden_states(model: &mut TestModel) {
    model.node("Identity", &["h3"], &["last_hidden_state"]);
    model.node("Mystery", &["h3"], &["pooler_output"]);
    model
        .graph_mut()
        .output
        .retain(|output| output.name != "logits");
    model.output("last_hidden_state");
    model.output("pooler_output");
    // What nobody needs may be anything, if it is known.
    model.edit("pooler_output").op_type = "Tanh".into();
}

/// Takes the mask away.
fn unmask(model: &mut TestModel) {
    let NodeProto { input, .. } = model.edit("weights");
    *input = vec!["scores".into()];
}

#[test]
fn a_graph_without_a_past_is_the_same_decoder() {
    let (with, without) = (spec(&decomposed()), spec(&without_past()));
    assert_eq!(with.ops, without.ops);
    assert_eq!(tensors(&with), tensors(&without));
    assert!(!without.whole && without.hidden.is_none());
}

#[test]
fn hidden_states_take_the_place_of_logits() {
    let mut model = without_past();
    ends_in_hidden_states(&mut model);
    let hidden = spec(&model);
    let logits = spec(&decomposed());
    assert_eq!(hidden.ops[..], logits.ops[..logits.ops.len() - 1]);
    assert_eq!((hidden.vocab, hidden.head), (logits.vocab, logits.head));
    let width = hidden.hidden.expect("it makes hidden states");
    assert_eq!(hidden.buffers[hidden.output].width, width);
    assert!(!hidden.whole);
}

#[test]
fn what_nothing_masks_is_seen_whole_where_there_is_no_past() {
    let mut model = without_past();
    ends_in_hidden_states(&mut model);
    unmask(&mut model);
    let spec = spec(&model);
    assert!(spec.whole && names(&spec).contains(&"Encode"));

    // Behind a past it would be another model.
    let mut decoder = decomposed();
    unmask(&mut decoder);
    assert!(refused(&decoder).contains(&"weights".to_owned()));
    // No text can be continued by what sees its own answer.
    let mut logits = without_past();
    unmask(&mut logits);
    let error = compile(&logits).unwrap_err().to_string();
    assert!(error.contains("continues no text"), "{error}");
}

#[test]
fn logits_and_hidden_states_together_are_refused() {
    let mut model = without_past();
    ends_in_hidden_states(&mut model);
    model.output("logits");
    let error = compile(&model).unwrap_err().to_string();
    assert!(error.contains("beside another result"), "{error}");
}

/// Positions counted over what does not pad, as RoBERTa's are, less the one they begin with.
fn count_what_does_not_pad(model: &mut TestModel) {
    model.ints("pad", &[], &[1]);
    model.ints("first", &[], &[1]);
    model.node("Equal", &["input_ids", "pad"], &["pads"]);
    model.node("Not", &["pads"], &["counts"]);
    model
        .node("Cast", &["counts"], &["counts/i32"])
        .int("to", 6);
    model.node("CumSum", &["counts/i32", "pad"], &["counted"]);
    model.node("Mul", &["counted", "counts/i32"], &["places"]);
    model
        .node("Cast", &["places"], &["places/i64"])
        .int("to", 7);
    model.node("Sub", &["places/i64", "first"], &["from_0"]);
    model.edit("positions").input[0] = "from_0".into();
}

#[test]
fn positions_counted_over_what_does_not_pad_are_those_of_the_text() {
    let mut model = without_past();
    count_what_does_not_pad(&mut model);
    let (given, counted) = (spec(&without_past()), spec(&model));
    assert_eq!(given.ops, counted.ops);
    assert_eq!(tensors(&given), tensors(&counted));

    model.edit("counted").op_type = "Mystery".into();
    assert_eq!(refused(&model), ["counted"]);
    // Behind a past a step's own tokens say nothing of where they are.
    let mut decoder = decomposed();
    count_what_does_not_pad(&mut decoder);
    assert!(refused(&decoder).contains(&"pads".to_owned()));
}
