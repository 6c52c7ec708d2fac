//! The graph's inputs and outputs by their roles in a decoder.

use std::collections::HashMap;

use super::Walk;
use super::dim::Dim;
use super::grid::Grid;
use super::network::{Columns, Network, RowId, RowOp};
use super::value::{Kind, Past, Value};
use crate::ImportError;
use crate::onnx::Graph;

/// A recognised decoder.
#[derive(Debug)]
pub(crate) struct Decoder {
    pub(crate) network: Network,
    /// Makes the logits.
    pub(crate) logits: RowId,
    /// Number of token ids.
    pub(crate) vocab: usize,
    /// Most positions for which this is what the graph computes, where it does not say the same
    /// for all.
    pub(crate) longest: Option<usize>,
}

/// What each input of the graph means. Inputs without a role have no meaning; whatever
/// depends on them has none either.
pub(super) fn inputs(graph: &Graph) -> HashMap<String, Value> {
    let mut values = HashMap::new();
    for port in &graph.inputs {
        let value = match port.name.as_str() {
            "input_ids" => Value::Tokens(vec![Dim::ONE, Dim::SEQUENCE]),
            // One sequence without padding: every position counts.
            "attention_mask" => Value::Grid(Grid::filled(vec![Dim::ONE, Dim::TOTAL], 1.0)),
            "position_ids" => {
                let shape = vec![Dim::ONE, Dim::SEQUENCE];
                Value::Grid(Grid::linear(shape, Dim::PAST, vec![0, 1]))
            }
            name => {
                let Some((layer, kind)) = kept(name, &["past_key_values.", "past."]) else {
                    continue;
                };
                let size = |axis: usize| port.shape.get(axis).copied().flatten();
                Value::Past(Past {
                    layer,
                    kind,
                    heads: size(1),
                    head_dim: size(3),
                })
            }
        };
        values.insert(port.name.clone(), value);
    }
    values
}

/// The layer and what it keeps, from names like `past_key_values.3.key`.
fn kept(name: &str, prefixes: &[&str]) -> Option<(usize, Kind)> {
    let rest = prefixes
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix))?;
    let (layer, kind) = rest.split_once('.')?;
    let kind = match kind {
        "key" => Kind::Key,
        "value" => Kind::Value,
        _ => return None,
    };
    Some((layer.parse().ok()?, kind))
}

/// Checks that the outputs are the logits and, for each layer, what its attention keeps.
pub(super) fn outputs(graph: &Graph, walk: Walk) -> Result<Decoder, ImportError> {
    let fail = |fault: String| ImportError::NotADecoder {
        path: graph.path.clone(),
        fault,
    };
    let mut logits = None;
    let mut returned: HashMap<(usize, Kind), Columns> = HashMap::new();
    for name in &graph.outputs {
        let value = walk.values.get(name);
        if name == "logits" {
            let Some(Value::Rows(rows)) = value else {
                return Err(fail(no_logits(graph, &walk)));
            };
            let whole = rows.layout.is_rows() && rows.scale == 1.0 && rows.layout.start == 0;
            let row = walk.network.row(rows.of);
            let from_map = match row.op {
                RowOp::Softcap { input, .. } => {
                    let below = walk.network.row(input.of);
                    matches!(below.op, RowOp::Linear { .. }) && input.width == below.width
                }
                RowOp::Linear { .. } => true,
                _ => false,
            };
            let columns = rows.layout.columns();
            if !whole || !from_map || columns != Some((0, row.width)) {
                return Err(fail("its logits are not those of a linear map".into()));
            }
            logits = Some(rows.of);
            continue;
        }
        let Some(at) = kept(name, &["present.", "present_key_values."]) else {
            return Err(fail(format!("nobody knows what its output `{name}` means")));
        };
        match value {
            Some(Value::Kept(kept)) if (kept.layer, kept.kind) == at => {
                let mut rows = kept.rows.clone();
                for axis in &mut rows.layout.axes {
                    for factor in axis {
                        if *factor == super::layout::Factor::Total {
                            *factor = super::layout::Factor::Sequence;
                        }
                    }
                }
                if let Some(columns) = walk.columns(&rows) {
                    returned.insert(at, columns);
                }
            }
            _ => {
                return Err(fail(format!(
                    "its output `{name}` is not what that layer keeps"
                )));
            }
        }
    }
    let logits = logits.ok_or_else(|| fail("it has no output `logits`".into()))?;
    let vocab = walk.network.row(logits).width;
    check_layers(&walk.network, &returned).map_err(fail)?;
    check_vocab(&walk.network, vocab).map_err(fail)?;
    Ok(Decoder {
        network: walk.network,
        logits,
        vocab,
        longest: walk.longest,
    })
}

/// Why the logits have no meaning although every operator has one.
fn no_logits(graph: &Graph, walk: &Walk) -> String {
    let unbound: Vec<&str> = graph
        .inputs
        .iter()
        .map(|input| input.name.as_str())
        .filter(|name| !walk.values.contains_key(*name))
        .collect();
    match unbound[..] {
        [] => "its logits do not come from its tokens".to_owned(),
        _ => format!("nobody knows what its inputs mean: {}", unbound.join(", ")),
    }
}

/// Every layer attends once, to the keys and values that it returns.
fn check_layers(
    network: &Network,
    returned: &HashMap<(usize, Kind), Columns>,
) -> Result<(), String> {
    let mut layers: HashMap<usize, usize> = HashMap::new();
    for row in &network.rows {
        let RowOp::Attention {
            key, value, layer, ..
        } = &row.op
        else {
            continue;
        };
        for (kind, columns) in [(Kind::Key, key), (Kind::Value, value)] {
            if returned.get(&(*layer, kind)) != Some(columns) {
                return Err(format!("layer {layer} does not return what it attends to"));
            }
        }
        *layers.entry(*layer).or_default() += 1;
    }
    if let Some((layer, _)) = layers.iter().find(|&(_, &count)| count > 1) {
        return Err(format!("layer {layer} attends more than once"));
    }
    if layers.is_empty() {
        return Err("it has no attention with a cache".into());
    }
    Ok(())
}

fn check_vocab(network: &Network, vocab: usize) -> Result<(), String> {
    for row in &network.rows {
        if let RowOp::Embed { table, .. } = &row.op
            && table.rows() != vocab
        {
            let rows = table.rows();
            return Err(format!(
                "its embedding knows {rows} tokens, its logits {vocab}"
            ));
        }
    }
    Ok(())
}
