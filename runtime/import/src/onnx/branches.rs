//! Puts the branch that an `If` takes in its place, where that is known before anything runs.
//!
//! Merged decoders are one `If` on their input `use_cache_branch`: one branch begins a text, the other
//! continues it. The latter, with a past of no positions, begins one as well, and is what is taken. A
//! graph with such branches goes in, one without them comes out; names of a branch stay its own.

use std::collections::{HashMap, HashSet};
use std::vec::IntoIter;

use super::proto::{AttributeProto, GraphProto, NodeProto, TensorProto};

/// The input of merged decoders that says whether a text is continued.
const CONTINUES: &str = "use_cache_branch";

/// Between a name of a branch and the branch's number.
const MARK: char = '§';

/// ONNX's number of truth values.
const BOOL: i32 = 9;

/// Puts branches that are known to be taken in the place of their `If`, at any depth.
pub(super) fn put_in_place(graph: &mut GraphProto) -> Result<(), String> {
    if !graph.node.iter().any(is_choice) {
        return Ok(());
    }
    let nodes = std::mem::take(&mut graph.node);
    let mut truths = HashMap::new();
    if graph.input.iter().any(|port| port.name == CONTINUES) {
        truths.insert(CONTINUES.to_owned(), true);
    }
    let mut scopes = vec![Scope::default()];
    scopes[0].learn(&nodes, &graph.initializer, &mut truths);
    scopes[0].nodes = nodes.into_iter();
    let mut entered = 0;
    while let Some(scope) = scopes.last_mut() {
        let Some(mut node) = scope.nodes.next() else {
            scopes.pop();
            continue;
        };
        for name in node.input.iter_mut().chain(&mut node.output) {
            rename(&scopes, name);
        }
        let condition = node.input.first().filter(|_| is_choice(&node));
        let truth = condition.and_then(|name| truths.get(name));
        let taken = truth.map(|&truth| if truth { "then_branch" } else { "else_branch" });
        let mut attributes = node.attribute.iter_mut();
        let branch = attributes.find(|a| Some(&a.name[..]) == taken);
        let Some(branch) = branch.and_then(|a| a.g.take()) else {
            graph.node.push(node);
            continue;
        };
        entered += 1;
        let mut scope = Scope::of(&branch, entered)?;
        for (own, result) in branch.output.iter().zip(node.output) {
            if result.is_empty() {
                continue;
            }
            let mut input = own.name.clone();
            if scope.own.contains(&input) && !scope.results.contains_key(&input) {
                scope.results.insert(input, result);
                continue;
            }
            // From outside of the branch, or given twice.
            if !scope.rename(&mut input) {
                rename(&scopes, &mut input);
            }
            graph.node.push(NodeProto {
                name: format!("{}/{}", node.name, own.name),
                input: vec![input],
                output: vec![result],
                op_type: "Identity".into(),
                ..NodeProto::default()
            });
        }
        scope.learn(&branch.node, &branch.initializer, &mut truths);
        for mut tensor in branch.initializer {
            scope.rename(&mut tensor.name);
            graph.initializer.push(tensor);
        }
        scope.nodes = branch.node.into_iter();
        scopes.push(scope);
    }
    Ok(())
}

/// A graph whose nodes are being moved.
#[derive(Default)]
struct Scope {
    number: usize,
    nodes: IntoIter<NodeProto>,
    /// Names that it defines.
    own: HashSet<String>,
    /// What those are called that the `If` gives.
    results: HashMap<String, String>,
}

impl Scope {
    fn of(branch: &GraphProto, number: usize) -> Result<Scope, String> {
        let made = branch.node.iter().flat_map(|node| &node.output);
        let stored = branch.initializer.iter().map(|tensor| &tensor.name);
        let own: HashSet<String> = made
            .chain(stored)
            .filter(|name| !name.is_empty())
            .cloned()
            .collect();
        match own.iter().find(|name| name.contains(MARK)) {
            Some(name) => Err(format!("`{name}` in a branch has a `{MARK}` in its name")),
            None => Ok(Scope {
                number,
                own,
                ..Scope::default()
            }),
        }
    }

    /// Gives a name of this scope the one that it has outside; whether it is one.
    fn rename(&self, name: &mut String) -> bool {
        let own = self.own.contains(name);
        match self.results.get(name) {
            Some(result) => name.clone_from(result),
            None if own => *name = format!("{name}{MARK}{}", self.number),
            None => {}
        }
        own
    }

    /// Remembers which constants are truth values.
    fn learn(
        &self,
        nodes: &[NodeProto],
        tensors: &[TensorProto],
        truths: &mut HashMap<String, bool>,
    ) {
        let constants = nodes.iter().filter(|node| node.op_type == "Constant");
        let constants = constants.filter_map(|node| {
            let name = node.output.first()?;
            Some((name, truth_in(&node.attribute)?))
        });
        let stored = tensors
            .iter()
            .filter_map(|tensor| Some((&tensor.name, truth_of(tensor)?)));
        for (name, truth) in constants.chain(stored) {
            let mut name = name.clone();
            self.rename(&mut name);
            truths.insert(name, truth);
        }
    }
}

fn is_choice(node: &NodeProto) -> bool {
    node.op_type == "If" && matches!(&node.domain[..], "" | "ai.onnx")
}

/// Gives a name the one that it has outside of the innermost scope that defines it.
fn rename(scopes: &[Scope], name: &mut String) {
    let mut inner = scopes.iter().rev();
    while inner.next().is_some_and(|scope| !scope.rename(name)) {}
}

fn truth_in(attributes: &[AttributeProto]) -> Option<bool> {
    let value = attributes.iter().find(|a| a.name == "value")?;
    truth_of(value.t.as_deref()?)
}

/// The value of a tensor that is one truth value.
fn truth_of(tensor: &TensorProto) -> Option<bool> {
    let one = tensor.data_type == BOOL && tensor.dims.iter().all(|&size| size == 1);
    match (&tensor.raw_data[..], &tensor.int32_data[..]) {
        (&[byte], []) if one => Some(byte != 0),
        ([], &[number]) if one => Some(number != 0),
        _ => None,
    }
}
