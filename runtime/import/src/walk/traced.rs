//! Mixtures that a tracer followed: for each expert that the example's tokens were routed to, the
//! tokens of that expert. Nothing of the others is left in such a graph, so nobody can run it as
//! the model that it was.

use std::collections::HashMap;

use crate::onnx::{Graph, Node};

/// How a value came about, each out of one before.
const STAGES: [&str; 3] = ["TopK", "OneHot", "NonZero"];

/// The node that finds the tokens of an expert by the router's choice, if there is one.
pub(super) fn experts(graph: &Graph) -> Option<&Node> {
    let mut reached: HashMap<&str, usize> = HashMap::new();
    for node in &graph.nodes {
        let inputs = node.inputs.iter();
        let before = inputs.filter_map(|name| reached.get(name.as_str())).max();
        let before = before.copied().unwrap_or(0);
        let next = STAGES.get(before) == Some(&node.op.as_str());
        let stage = before + usize::from(next);
        if stage == STAGES.len() {
            return Some(node);
        }
        if stage > 0 {
            let outputs = node.outputs.iter().map(String::as_str);
            reached.extend(outputs.map(|name| (name, stage)));
        }
    }
    None
}
