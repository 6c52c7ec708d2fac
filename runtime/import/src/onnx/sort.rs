//! Brings nodes into an order of execution; exporters do not always.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::Node;

/// Indices of `nodes` such that each comes after those whose outputs it uses, otherwise in
/// the order of the file. `given` names what is there before any node runs.
pub(super) fn topological<'a>(
    nodes: &'a [Node],
    given: impl Iterator<Item = &'a str>,
) -> Result<Vec<usize>, String> {
    const GIVEN: usize = usize::MAX;
    let mut makers: HashMap<&str, usize> = given.map(|name| (name, GIVEN)).collect();
    for (index, node) in nodes.iter().enumerate() {
        for output in node.outputs.iter().filter(|name| !name.is_empty()) {
            if makers.insert(output, index).is_some() {
                return Err(format!(
                    "`{output}` is made twice, the second time by `{}`",
                    node.name
                ));
            }
        }
    }
    let mut waiting = vec![0usize; nodes.len()];
    let mut users: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    for (index, node) in nodes.iter().enumerate() {
        for input in node.inputs.iter().filter(|name| !name.is_empty()) {
            match makers.get(input.as_str()) {
                None => {
                    return Err(format!(
                        "`{}` uses `{input}`, which nobody makes",
                        node.name
                    ));
                }
                Some(&GIVEN) => {}
                Some(&maker) => {
                    users[maker].push(index);
                    waiting[index] += 1;
                }
            }
        }
    }
    let mut ready: BinaryHeap<Reverse<usize>> = (0..nodes.len())
        .filter(|&index| waiting[index] == 0)
        .map(Reverse)
        .collect();
    let mut order = Vec::with_capacity(nodes.len());
    while let Some(Reverse(index)) = ready.pop() {
        order.push(index);
        for &user in &users[index] {
            waiting[user] -= 1;
            if waiting[user] == 0 {
                ready.push(Reverse(user));
            }
        }
    }
    match waiting.iter().position(|&count| count > 0) {
        None => Ok(order),
        Some(index) => Err(format!(
            "its nodes form a circle through `{}`",
            nodes[index].name
        )),
    }
}

/// The nodes in the given order, which names each of them once.
pub(super) fn reorder(nodes: Vec<Node>, order: &[usize]) -> Vec<Node> {
    let mut nodes: Vec<Option<Node>> = nodes.into_iter().map(Some).collect();
    order
        .iter()
        .filter_map(|&index| nodes[index].take())
        .collect()
}
