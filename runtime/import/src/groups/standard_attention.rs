//! Attention of ONNX's own domain, version 23 on: scores, mask, softmax and the weighted sum in
//! one operator; keys and values are joined to the past before it.

use super::attention;
use crate::onnx::Node;
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
    let understood = node.attribute_names().all(|name| KNOWN.contains(&name))
        && node.int_or("is_causal", 0) == 0
        && node.inputs.iter().skip(4).all(String::is_empty)
        && node.outputs.iter().skip(1).all(String::is_empty);
    let Some(mask) = walk.grid(node, 3)? else {
        return Ok(None);
    };
    let of_truth = walk.value(node, 3).is_some_and(Value::is_truth);
    let Some(reach) = attention::reach(walk.past, &mask, of_truth).filter(|_| understood) else {
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
