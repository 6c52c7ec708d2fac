//! Attention of ONNX's own domain, version 23 on: scores, mask, softmax and the weighted sum in
//! one operator; keys and values are joined to the past before it.

use super::attention::{self, Reach};
use crate::onnx::Node;
use crate::walk::grid::Grid;
use crate::walk::value::{Kind, Value};
use crate::walk::{Outcome, Walk, one};

/// Every attribute that is understood. Head counts are those of the operands' shapes.
const KNOWN: [&str; 5] = [
    "scale",
    "softcap",
    "is_causal",
    "qk_matmul_output_mode",
    "softmax_precision",
];

/// Inputs: query, key and value as `[1, heads, positions, head_dim]`, and the mask.
pub(crate) fn rule(walk: &mut Walk, node: &Node) -> Outcome {
    // Its own causal mask starts at the first key, which is wrong behind a past.
    let is_causal = node.int_or("is_causal", 0) != 0;
    let understood = node.attribute_names().all(|name| KNOWN.contains(&name))
        && node.inputs.iter().skip(4).all(String::is_empty)
        && node.outputs.iter().skip(1).all(String::is_empty);
    let mask = match node.input(3) {
        Some(_) => walk.grid(node, 3)?,
        None => Some(Grid::filled(vec![], 0.0)),
    };
    let Some(mask) = mask.filter(|_| understood) else {
        return Ok(None);
    };
    let of_truth = walk.value(node, 3).is_some_and(Value::is_truth);
    let reach = match (attention::reach(walk.past, &mask, of_truth), is_causal) {
        (reach, false) => reach,
        (Some(Reach::BothWays), true) => Some(Reach::All),
        (_, true) => None,
    };
    let Some(reach) = reach else {
        return Ok(None);
    };
    let softcap = attention::softcap(node)?;
    let (Some(query), Some(key)) = (
        walk.rows(node, 0).cloned(),
        attention::kept(walk, node, 1, Kind::Key, None),
    ) else {
        return Ok(None);
    };
    let Some(value) = attention::kept(walk, node, 2, Kind::Value, Some(key.layer)) else {
        return Ok(None);
    };
    one(attention::whole(
        walk,
        query,
        key,
        &value,
        node.float("scale"),
        reach,
        softcap,
    )
    .map(Value::Rows))
}
