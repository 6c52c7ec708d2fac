//! Graphs with branches of which one is taken whatever the step.

use super::*;
use crate::onnx::proto::{AttributeProto, GraphProto, NodeProto, TensorProto, ValueInfoProto};

fn attribute(name: &str, graph: GraphProto) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        g: Some(Box::new(graph)),
        ..AttributeProto::default()
    }
}

fn outputs(names: &[String]) -> Vec<ValueInfoProto> {
    let port = |name: &String| ValueInfoProto {
        name: name.clone(),
        r#type: None,
    };
    names.iter().map(port).collect()
}

/// What begins a text, here nothing that anyone would recognise.
fn beginning(names: &[String]) -> GraphProto {
    GraphProto {
        node: vec![NodeProto {
            op_type: "Beginning".into(),
            output: names.to_vec(),
            ..NodeProto::default()
        }],
        output: outputs(names),
        ..GraphProto::default()
    }
}

/// The graph's nodes as the branch `taken` of an `If` on `condition`, which gives its outputs.
fn merge(model: &mut TestModel, condition: &str, taken: &str) {
    let graph = model.graph_mut();
    let names: Vec<String> = graph.output.iter().map(|port| port.name.clone()).collect();
    let branch = GraphProto {
        node: std::mem::take(&mut graph.node),
        output: outputs(&names),
        ..GraphProto::default()
    };
    let other = if taken == "then_branch" {
        "else_branch"
    } else {
        "then_branch"
    };
    graph.node.push(NodeProto {
        op_type: "If".into(),
        name: "choice".into(),
        input: vec![condition.into()],
        attribute: vec![
            attribute(other, beginning(&names)),
            attribute(taken, branch),
        ],
        output: names,
        ..NodeProto::default()
    });
}

fn choice(model: &mut TestModel) -> &mut NodeProto {
    let mut nodes = model.graph_mut().node.iter_mut();
    nodes.find(|node| node.name == "choice").expect("merged")
}

/// The branch that is taken.
fn branch(model: &mut TestModel) -> &mut GraphProto {
    choice(model).attribute[1].g.as_mut().expect("a graph")
}

fn merged() -> TestModel {
    let mut model = decomposed();
    model.input("use_cache_branch", &[1]);
    merge(&mut model, "use_cache_branch", "then_branch");
    model
}

fn same(model: &TestModel) {
    let (plain, spec) = (spec(&decomposed()), spec(model));
    assert_eq!(spec.ops, plain.ops);
    assert_eq!(tensors(&spec), tensors(&plain));
}

fn malformed(model: &TestModel) -> String {
    match compile(model) {
        Err(ImportError::Malformed { fault, .. }) => fault,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_merged_decoder_is_the_one_that_continues_texts() {
    same(&merged());
}

#[test]
fn constants_choose_branches_at_any_depth() {
    let mut model = decomposed();
    merge(&mut model, "no", "else_branch");
    merge(&mut model, "yes", "then_branch");
    model.tensor("yes", 9, &[], vec![1]);
    // A constant of a branch, behind the node that asks for it.
    branch(&mut model).node.push(NodeProto {
        op_type: "Constant".into(),
        output: vec!["no".into()],
        attribute: vec![AttributeProto {
            name: "value".into(),
            t: Some(Box::new(TensorProto {
                data_type: 9,
                raw_data: vec![0].into(),
                ..TensorProto::default()
            })),
            ..AttributeProto::default()
        }],
        ..NodeProto::default()
    });
    same(&model);
}

#[test]
fn names_of_a_branch_are_its_own() {
    let mut model = merged();
    // The outer graph has other values under names of the branch, and passes one through.
    model.node("Neg", &["embed"], &["q"]);
    let inner = branch(&mut model);
    inner.output.push(ValueInfoProto {
        name: "embed".into(),
        r#type: None,
    });
    choice(&mut model).output.push("table".into());
    model.node("Identity", &["table"], &["unused"]);
    same(&model);
}

#[test]
fn what_a_branch_asks_for_and_nobody_makes_is_refused() {
    let mut model = merged();
    branch(&mut model).node[0].input[0] = "nowhere".into();
    assert!(malformed(&model).contains("uses `nowhere`, which nobody makes"));
    let mut model = merged();
    choice(&mut model).output.push("more".into());
    model.node("Neg", &["more"], &["unused"]);
    assert!(malformed(&model).contains("uses `more`, which nobody makes"));
}

#[test]
fn circles_through_branches_are_refused() {
    let mut model = merged();
    branch(&mut model).node[0].input.push("circle".into());
    model.node("Neg", &["logits"], &["circle"]);
    assert!(malformed(&model).contains("circle"));
}

#[test]
fn names_that_a_branch_may_not_have_are_refused() {
    let mut model = merged();
    let node = &mut branch(&mut model).node[0];
    node.output.push("q§1".into());
    assert!(malformed(&model).contains("q§1"));
}

#[test]
fn branches_that_depend_on_the_text_are_refused() {
    let mut model = decomposed();
    merge(&mut model, "input_ids", "then_branch");
    assert_eq!(refused(&model), ["choice"]);
}

#[test]
fn branches_deeper_than_any_decoder_has_are_refused() {
    let mut model = decomposed();
    model.tensor("yes", 9, &[], vec![1]);
    for _ in 0..20 {
        merge(&mut model, "yes", "then_branch");
    }
    same(&model);
    for _ in 0..200 {
        merge(&mut model, "yes", "then_branch");
    }
    assert!(malformed(&model).contains("protobuf"));
}
