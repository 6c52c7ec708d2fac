//! GroupQueryAttention of Microsoft's domain: keys and values joined to the past, rotation,
//! repeated heads, causal mask and attention in one operator.

use std::num::NonZeroU32;

use tealight_core::ops::RopeStyle;

use super::{attention, rms_norm, rotary};
use crate::ImportError;
use crate::onnx::Node;
use crate::walk::dim::Dim;
use crate::walk::layout::Factor;
use crate::walk::network::RowOp;
use crate::walk::value::{Kept, Kind, Rows, Value};
use crate::walk::{Outcome, Walk};

/// Attributes with the only value that means plain attention.
const PLAIN: [(&str, i64); 2] = [("qk_output", 0), ("kv_cache_bit_width", 0)];
/// Every attribute that is understood.
const KNOWN: [&str; 14] = [
    "num_heads",
    "kv_num_heads",
    "scale",
    "softcap",
    "do_rotary",
    "rotary_interleaved",
    "smooth_softmax",
    "qk_output",
    "kv_cache_bit_width",
    "local_window_size",
    "k_quant_type",
    "v_quant_type",
    "qk_norm_epsilon",
    // A hint that a cache may forget what no window sees any more.
    "sliding_window_cache",
];

/// The input that holds a sink for each head.
const SINKS: usize = 11;

/// Inputs that hold weights to normalize each head of queries and of keys by, before they turn.
const NORMS: [usize; 2] = [14, 15];

/// Inputs: query (or query, key and value side by side), key, value, past key, past value,
/// last position, length, cosines, sines, positions; and where [`SINKS`] and [`NORMS`] say, sinks
/// and weights of norms.
pub(crate) fn rule(walk: &mut Walk, node: &Node) -> Outcome {
    let understood = node.attribute_names().all(|name| KNOWN.contains(&name))
        && PLAIN.iter().all(|&(name, plain)| {
            matches!(node.int_or(name, plain), value if value == plain || (value == -1 && plain == 0))
        })
        && (10..node.inputs.len())
            .all(|at| at == SINKS || NORMS.contains(&at) || node.input(at).is_none())
        && node.outputs.iter().skip(3).all(String::is_empty);
    let lengths = single(walk, node, 5)? == Dim::TOTAL.sub(Dim::ONE)
        && single(walk, node, 6)? == Some(Dim::TOTAL);
    let positions = node.input(9).is_none() || rotary::from_past(walk, node, 9)?;
    if !understood || !lengths || !positions {
        return Ok(None);
    }
    let limits = Limits {
        window: window(node)?,
        softcap: attention::softcap(node)?,
    };
    Ok(attend(walk, node, limits))
}

/// What keeps a token from seeing all there is as it is.
struct Limits {
    window: Option<NonZeroU32>,
    softcap: Option<f32>,
}

/// Positions that a token sees, its own included; -1 stands for all.
fn window(node: &Node) -> Result<Option<NonZeroU32>, ImportError> {
    match node.int_or("local_window_size", -1) {
        -1 => Ok(None),
        window => match u32::try_from(window).ok().and_then(NonZeroU32::new) {
            Some(window) => Ok(Some(window)),
            None => Err(ImportError::attribute(
                node,
                format!(
                    "its local_window_size is {window}; it has to be -1 or a number of positions"
                ),
            )),
        },
    }
}

/// The number that an input consists of.
fn single(walk: &Walk, node: &Node, index: usize) -> Result<Option<Dim>, ImportError> {
    if let Some(ints) = walk.ints(node, index)? {
        return Ok(ints.single());
    }
    Ok(None)
}

fn attend(walk: &mut Walk, node: &Node, limits: Limits) -> Option<Vec<Value>> {
    let count = |name| {
        usize::try_from(node.int(name)?)
            .ok()
            .filter(|&count| count > 0)
    };
    let (heads, kv_heads) = (count("num_heads")?, count("kv_num_heads")?);
    if heads % kv_heads != 0 {
        return None;
    }
    let (mut query, mut key, value) = operands(walk, node, heads, kv_heads)?;
    let width = |rows: &Rows| rows.layout.shape()?.last()?.size();
    let head_dim = width(&query)? / heads;
    let value_dim = width(&value)? / kv_heads;
    let fits = head_dim > 0
        && width(&query)? == heads * head_dim
        && width(&key)? == kv_heads * head_dim
        && value_dim > 0
        && width(&value)? == kv_heads * value_dim;
    if !fits {
        return None;
    }
    for (rows, weight) in [&mut query, &mut key].into_iter().zip(NORMS) {
        if node.input(weight).is_some() {
            let epsilon = node.float("qk_norm_epsilon").unwrap_or(1e-6);
            let weight = walk.vector(node, weight).filter(|w| w.len() == head_dim)?;
            *rows = rms_norm::of_heads(walk, rows, weight, epsilon)?;
        }
    }
    let layer = past(walk, node, 3, Kind::Key, kv_heads, head_dim)?;
    if past(walk, node, 4, Kind::Value, kv_heads, value_dim)? != layer {
        return None;
    }
    if node.int_or("do_rotary", 0) != 0 {
        let interleaved = node.int_or("rotary_interleaved", 0) != 0;
        let style = if interleaved {
            RopeStyle::Interleaved
        } else {
            RopeStyle::Halves
        };
        let (cos, sin) = rotary::stored_tables(walk, node, 7)?;
        query = rotary::turn(walk, &query, head_dim, style, cos.clone(), sin.clone())?;
        key = rotary::turn(walk, &key, head_dim, style, cos, sin)?;
    }
    let scale = match node.float("scale").unwrap_or(0.0) {
        0.0 => 1.0 / (head_dim as f32).sqrt(),
        scale => scale,
    };
    let sinks = match (node.input(SINKS), node.int_or("smooth_softmax", 0)) {
        (Some(_), _) => Some(
            walk.vector(node, SINKS)
                .filter(|sinks| sinks.len() == heads)?,
        ),
        // One more in the sum, which is a sink of score 0.
        (None, 1) => Some(walk.make_vector(&node.name, &vec![0.0; heads])),
        (None, 0 | -1) => None,
        _ => return None,
    };
    let op = RowOp::Attention {
        query: walk.columns(&query)?,
        key: walk.columns(&key)?,
        value: walk.columns(&value)?,
        layer,
        kv_heads,
        scale: scale * query.scale * key.scale,
        window: limits.window,
        softcap: limits.softcap,
        both_ways: false,
        sinks,
    };
    let output = walk.push(op, heads * value_dim);
    let kept = |kind, rows: &Rows, head_dim| {
        let shape = [
            Dim::ONE,
            Dim::SEQUENCE,
            kv_heads.into(),
            Dim::from(head_dim),
        ];
        let layout = rows.layout.reshape(&shape, true)?;
        let mut layout = layout.transpose(&[0, 2, 1, 3])?;
        layout.axes[2] = vec![Factor::Total];
        Some(Value::Kept(Kept {
            layer,
            kind,
            rows: rows.with_layout(layout),
        }))
    };
    let key = kept(Kind::Key, &key, head_dim)?;
    let value = kept(Kind::Value, &value, value_dim)?;
    Some(vec![Value::Rows(output), key, value])
}

/// Query, key and value, `[1, sequence, heads · head_dim]` each.
fn operands(walk: &Walk, node: &Node, heads: usize, kv_heads: usize) -> Option<(Rows, Rows, Rows)> {
    let query = walk.rows(node, 0)?;
    let all = match (node.input(1), node.input(2)) {
        (Some(_), Some(_)) => (
            query.clone(),
            walk.rows(node, 1)?.clone(),
            walk.rows(node, 2)?.clone(),
        ),
        (None, None) => {
            let width = query.layout.shape()?.last()?.size()?;
            let head_dim = width / (heads + 2 * kv_heads);
            let ends = [0, heads, heads + kv_heads, heads + 2 * kv_heads];
            let [q, k, v] = [0, 1, 2].map(|at| {
                let [from, to] = [ends[at], ends[at + 1]].map(|end| Dim::from(end * head_dim));
                let layout = query.layout.slice(query.layout.axes.len() - 1, from, to)?;
                Some(query.with_layout(layout))
            });
            if head_dim * (heads + 2 * kv_heads) != width {
                return None;
            }
            (q?, k?, v?)
        }
        _ => return None,
    };
    let ordered = |rows: &Rows| rows.layout.axes.len() == 3 && rows.layout.is_rows();
    let fits = ordered(&all.0) && ordered(&all.1) && ordered(&all.2) && all.2.scale == 1.0;
    fits.then_some(all)
}

/// The layer whose past an input is.
fn past(
    walk: &Walk,
    node: &Node,
    index: usize,
    kind: Kind,
    heads: usize,
    head_dim: usize,
) -> Option<usize> {
    let Value::Past(past) = walk.value(node, index)? else {
        return None;
    };
    let agrees = |given: Option<usize>, found| given.is_none_or(|given| given == found);
    let fits = past.kind == kind && agrees(past.heads, heads) && agrees(past.head_dim, head_dim);
    fits.then_some(past.layer)
}
