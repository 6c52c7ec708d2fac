//! The graph's inputs and outputs by their roles in a decoder.

use std::collections::{HashMap, HashSet};

use super::Walk;
use super::dim::Dim;
use super::grid::Grid;
use super::network::{Columns, Network, RowId, RowOp};
use super::value::{Kind, Past, Rows, Value};
use crate::ImportError;
use crate::groups::{convolution, recurrence};
use crate::onnx::Graph;

/// A recognised decoder.
#[derive(Debug)]
pub(crate) struct Decoder {
    pub(crate) network: Network,
    /// Makes what a position ends in.
    pub(crate) output: RowId,
    /// Whether those are hidden states rather than logits.
    pub(crate) hidden: bool,
    /// Whether a token sees those behind it too.
    pub(crate) whole: bool,
    /// Number of token ids.
    pub(crate) vocab: usize,
    /// Most positions for which this is what the graph computes, where it does not say the same
    /// for all.
    pub(crate) longest: Option<usize>,
}

/// Names of the last layer's hidden states, which embeddings are made of.
const HIDDEN: [&str; 2] = ["last_hidden_state", "token_embeddings"];

/// What exporters make of them besides. Plans keep the hidden states and pool those themselves.
const POOLED: [&str; 2] = ["pooler_output", "sentence_embedding"];

const CONVOLUTION: &str = "convolution";
const RECURRENCE: &str = "recurrence";

/// What states are called in the graph, and whose they are.
const STATES: [(&str, &str); 2] = [("conv", CONVOLUTION), ("recurrent", RECURRENCE)];

const PAST: [&str; 2] = ["past_key_values.", "past."];

/// Positions before the step.
pub(super) fn past(graph: &Graph) -> Dim {
    let has_past = graph
        .inputs
        .iter()
        .any(|port| kept(&port.name, &PAST).is_some());
    if has_past { Dim::PAST } else { Dim::default() }
}

/// The outputs that a plan is made for.
pub(super) fn wanted(graph: &Graph) -> impl Iterator<Item = &str> {
    let names = || graph.outputs.iter().map(String::as_str);
    let hidden = names().any(|name| HIDDEN.contains(&name));
    names().filter(move |name| !hidden || !POOLED.contains(name))
}

/// What each input of the graph means. Inputs without a role have no meaning; whatever
/// depends on them has none either.
pub(super) fn inputs(graph: &Graph) -> HashMap<String, Value> {
    let past = past(graph);
    let total = Dim {
        sequence: 1,
        ..past
    };
    let mut values = HashMap::new();
    for port in &graph.inputs {
        let value = match port.name.as_str() {
            "input_ids" => Value::Tokens(vec![Dim::ONE, Dim::SEQUENCE]),
            // One sequence without padding: every position counts.
            "attention_mask" => Value::Grid(Grid::filled(vec![Dim::ONE, total], 1.0)),
            // One text, not a pair.
            "token_type_ids" => Value::Grid(Grid::filled(vec![Dim::ONE, Dim::SEQUENCE], 0.0)),
            "position_ids" => {
                // Those in time, height and width (Qwen's models that see) are the same for text.
                let kinds = match port.shape[..] {
                    [Some(3), _, _] => vec![Dim::new(3)],
                    _ => vec![],
                };
                let shape = [&kinds[..], &[Dim::ONE, Dim::SEQUENCE]].concat();
                let steps = [&vec![0; kinds.len()][..], &[0, 1]].concat();
                Value::Grid(Grid::linear(shape, past, steps))
            }
            name => {
                let size = |axis: usize| port.shape.get(axis).copied().flatten();
                if let Some((layer, kind)) = kept(name, &PAST) {
                    Value::Past(Past {
                        layer,
                        kind,
                        heads: size(1),
                        head_dim: size(3),
                    })
                } else if let Some(layer) = convolution::layer(name, "past", "recurrent") {
                    Value::States(recurrence::Past {
                        layer,
                        shape: [size(1), size(2), size(3)],
                    })
                } else if let Some(layer) = convolution::layer(name, "past", "conv") {
                    Value::Unconvolved(convolution::Past {
                        layer,
                        channels: size(1),
                        rows: size(2),
                    })
                } else {
                    continue;
                }
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

/// Checks that the outputs are the logits, or the hidden states, and, for each layer, what its
/// attention or its convolution keeps.
pub(super) fn outputs(graph: &Graph, walk: Walk) -> Result<Decoder, ImportError> {
    let fail = |fault: String| ImportError::NotADecoder {
        path: graph.path.clone(),
        fault,
    };
    let mut output = None;
    let mut hidden = false;
    let mut returned: HashMap<(usize, Kind), Columns> = HashMap::new();
    let mut states = HashSet::new();
    for name in wanted(graph) {
        let value = walk.values.get(name);
        let of_hidden = HIDDEN.contains(&name);
        if of_hidden || name == "logits" {
            if output.is_some() {
                return Err(fail(format!("it makes `{name}` beside another result")));
            }
            let Some(Value::Rows(rows)) = value else {
                return Err(fail(meaningless(graph, &walk, name)));
            };
            if !is_whole(&walk.network, rows) || !of_hidden && !is_map(&walk.network, rows.of) {
                return Err(fail(match of_hidden {
                    true => format!("its `{name}` are not all that an operator makes"),
                    false => "its logits are not those of a linear map".into(),
                }));
            }
            (output, hidden) = (Some(rows.of), of_hidden);
            continue;
        }
        let state = STATES.into_iter().find_map(|(state, what)| {
            let layer = convolution::layer(name, "present", state)?;
            Some((what, layer))
        });
        if let Some(state) = state {
            let made = match value {
                Some(Value::Convolved(of)) => Some((CONVOLUTION, *of)),
                Some(Value::Recurred(of)) => Some((RECURRENCE, *of)),
                _ => None,
            };
            if made != Some(state) {
                return Err(fail(format!(
                    "its output `{name}` is not what that layer's {} has seen",
                    state.0
                )));
            }
            states.insert(state);
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
    let output = output.ok_or_else(|| {
        let known = HIDDEN.join("` or `");
        fail(format!("it has no output `logits`, `{known}`"))
    })?;
    if walk.past == Dim::PAST {
        check_layers(&walk.network, &returned).map_err(fail)?;
    }
    let whole = sees_all(&walk.network).map_err(fail)?;
    if whole && !hidden {
        let fault = "its logits are of tokens that see those behind them, so it continues no text";
        return Err(fail(fault.to_owned()));
    }
    check_states(&walk.network, states).map_err(fail)?;
    let rows = walk.network.row(output).width;
    let vocab = vocab(&walk.network, (!hidden).then_some(rows)).map_err(fail)?;
    Ok(Decoder {
        network: walk.network,
        output,
        hidden,
        whole,
        vocab,
        longest: walk.longest,
    })
}

/// Whether activations are all columns that an operator makes, a row a token.
fn is_whole(network: &Network, rows: &Rows) -> bool {
    let whole = rows.layout.is_rows() && rows.scale == 1.0 && rows.layout.start == 0;
    whole && rows.layout.columns() == Some((0, network.row(rows.of).width))
}

/// Whether an operator is a linear map, its result capped or not.
fn is_map(network: &Network, id: RowId) -> bool {
    match network.row(id).op {
        RowOp::Softcap { input, .. } => {
            let below = network.row(input.of);
            matches!(below.op, RowOp::Linear { .. }) && input.width == below.width
        }
        RowOp::Linear { .. } => true,
        _ => false,
    }
}

/// Why an output has no meaning although every operator has one.
fn meaningless(graph: &Graph, walk: &Walk, output: &str) -> String {
    let unbound: Vec<&str> = graph
        .inputs
        .iter()
        .map(|input| input.name.as_str())
        .filter(|name| !walk.values.contains_key(*name))
        .collect();
    match unbound[..] {
        [] => format!("its {output} do not come from its tokens"),
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
    match layers.is_empty() {
        true => Err("it has no attention with a cache".into()),
        false => Ok(()),
    }
}

/// Every layer convolves once and recurs once, and returns what it has seen.
fn check_states(
    network: &Network,
    mut returned: HashSet<(&'static str, usize)>,
) -> Result<(), String> {
    for row in &network.rows {
        let (what, layer) = match row.op {
            RowOp::Convolution { layer, .. } => (CONVOLUTION, layer),
            RowOp::Recurrence { layer, .. } => (RECURRENCE, layer),
            _ => continue,
        };
        if !returned.remove(&(what, layer)) {
            return Err(format!(
                "layer {layer} does not return what its {what} has seen, or has two"
            ));
        }
    }
    Ok(())
}

/// Whether attention is in both directions; all of it has to be alike.
fn sees_all(network: &Network) -> Result<bool, String> {
    let mut directions = network.rows.iter().filter_map(|row| match row.op {
        RowOp::Attention { both_ways, .. } => Some(both_ways),
        _ => None,
    });
    let first = directions.next().ok_or("it has no attention")?;
    match directions.all(|both_ways| both_ways == first) {
        true => Ok(first),
        false => Err("some of its attention is in both directions, some is causal".into()),
    }
}

/// How many token ids there are: as many as every embedding has rows, and as there are logits.
fn vocab(network: &Network, logits: Option<usize>) -> Result<usize, String> {
    let tables = network.rows.iter().filter_map(|row| match &row.op {
        RowOp::Embed { table, .. } => Some(table.rows()),
        _ => None,
    });
    let mut vocab = logits;
    for rows in tables {
        match vocab {
            Some(vocab) if vocab != rows => {
                let other = match logits {
                    Some(_) => "its logits",
                    None => "another embedding",
                };
                return Err(format!(
                    "its embedding knows {rows} tokens, {other} {vocab}"
                ));
            }
            _ => vocab = Some(rows),
        }
    }
    vocab.ok_or_else(|| "it looks no tokens up".to_owned())
}
