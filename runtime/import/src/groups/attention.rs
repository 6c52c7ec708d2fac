//! Attention, spread out: keys and values joined to the past (Concat), heads repeated
//! (Unsqueeze, Expand, Reshape), scores (MatMul), scale, mask (Add or Where), Softmax, guarded
//! against rows without any key (IsNaN, Where), and the weighted sum (MatMul).
//!
//! The mask has to be exactly the causal one: a token sees itself and everything before it.

use crate::onnx::Node;
use crate::walk::dim::Dim;
use crate::walk::grid::{Content, Grid, Linear};
use crate::walk::layout::{Factor, Layout, columns};
use crate::walk::network::RowOp;
use crate::walk::value::{Kept, Kind, Rows, Value};
use crate::walk::{Outcome, Walk, one};

/// What masked scores are set to is at most this: far enough below any score that nothing
/// is left of them after the softmax.
const MASKED: f64 = -1e4;

/// A step on the way.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    /// `scale · q · kᵀ`
    Scores { scores: Scores, masked: bool },
    /// Their softmax.
    Weights(Scores),
    /// Where the softmax is no number: nowhere, since every token sees at least itself.
    Undefined(Scores),
}

/// `scale · q · kᵀ`, `[1, heads, sequence, total]`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scores {
    query: Rows,
    key: Kept,
    scale: f32,
    heads: usize,
}

impl Part {
    pub(crate) fn shape(&self) -> Option<Vec<Dim>> {
        let (Part::Scores { scores, .. } | Part::Weights(scores) | Part::Undefined(scores)) = self;
        Some(vec![
            Dim::ONE,
            Dim::from(scores.heads),
            Dim::SEQUENCE,
            Dim::TOTAL,
        ])
    }
}

fn part(walk: &Walk, node: &Node, index: usize) -> Option<Part> {
    match walk.value(node, index)? {
        Value::Attention(part) => Some(part.clone()),
        _ => None,
    }
}

fn kept(walk: &Walk, node: &Node, index: usize) -> Option<Kept> {
    match walk.value(node, index)? {
        Value::Kept(kept) => Some(kept.clone()),
        _ => None,
    }
}

fn step(part: Part) -> Outcome {
    one(Some(Value::Attention(part)))
}

/// `Concat(past, rows)` along the positions of `[1, heads, positions, head_dim]`.
pub(crate) fn keep(walk: &mut Walk, node: &Node) -> Outcome {
    let (Some(Value::Past(past)), Some(rows)) = (walk.value(node, 0), walk.rows(node, 1)) else {
        return Ok(None);
    };
    let layout = &rows.layout;
    let [batch, heads, tokens, head] = &layout.axes[..] else {
        return Ok(None);
    };
    let along_positions = layout.axis(node.int_or("axis", 0)) == Some(2);
    let shape = layout.shape().unwrap_or_default();
    let agrees = |size: Dim, given: Option<usize>| given.is_none_or(|given| size == given.into());
    let fits = node.inputs.len() == 2
        && along_positions
        && batch.is_empty()
        && tokens[..] == [Factor::Sequence]
        && agrees(shape[1], past.heads)
        && agrees(shape[3], past.head_dim);
    let mut joined = layout.clone();
    joined.axes = vec![vec![], heads.clone(), vec![Factor::Total], head.clone()];
    let kept = Kept {
        layer: past.layer,
        kind: past.kind,
        rows: rows.with_layout(joined),
    };
    one(fits.then_some(Value::Kept(kept)))
}

/// `q · kᵀ`, then `weights · v`.
pub(crate) fn matmul(walk: &mut Walk, node: &Node) -> Outcome {
    let Some(kept) = kept(walk, node, 1) else {
        return Ok(None);
    };
    if let Some(query) = walk.rows(node, 0).cloned() {
        return one(scores(query, kept).map(|scores| {
            Value::Attention(Part::Scores {
                scores,
                masked: false,
            })
        }));
    }
    match part(walk, node, 0) {
        Some(Part::Weights(scores)) => one(attend(walk, &scores, &kept).map(Value::Rows)),
        _ => Ok(None),
    }
}

/// Appends attention of `[1, heads, sequence, head_dim]` to what is kept as
/// `[1, heads, total, head_dim]`; without a scale it is that of the head's width.
pub(super) fn whole(
    walk: &mut Walk,
    query: Rows,
    mut key: Kept,
    value: &Kept,
    scale: Option<f32>,
) -> Option<Rows> {
    let head_dim = query.layout.shape()?.last()?.size()?;
    key.rows.layout = key.rows.layout.transpose(&[0, 1, 3, 2])?;
    let mut scores = scores(query, key)?;
    scores.scale *= scale.unwrap_or_else(|| 1.0 / (head_dim as f32).sqrt());
    attend(walk, &scores, value)
}

/// Whether a mask, of truth values or to be added, is exactly the causal one.
pub(super) fn hides_the_future(mask: &Grid, of_truth: bool) -> bool {
    if of_truth {
        is_visible(mask)
    } else {
        is_causal(mask, 0.0)
    }
}

fn scores(query: Rows, mut key: Kept) -> Option<Scores> {
    // `[1, heads, head_dim, total]`, as the product needs it.
    key.rows.layout = key.rows.layout.transpose(&[0, 1, 3, 2])?;
    let shape = query.layout.shape()?;
    let (heads, head_dim) = (shape.get(1)?.size()?, shape.get(3)?.size()?);
    let plain = query.layout.packed() == Layout::heads_first(heads, head_dim);
    let (_, key_dim) = heads_of(&key.rows, heads)?;
    let scale = query.scale * key.rows.scale;
    (plain && key.kind == Kind::Key && key_dim == head_dim).then_some(Scores {
        query,
        key,
        scale,
        heads,
    })
}

/// The number of key-value heads and their width, if `heads` heads in
/// `[1, heads, total, head_dim]` are those, each repeated equally often in place.
fn heads_of(kept: &Rows, heads: usize) -> Option<(usize, usize)> {
    let [batch, found, positions, head] = &kept.layout.axes[..] else {
        return None;
    };
    let head_dim = kept.layout.shape()?[3].size()?;
    let kv_heads = match found[..] {
        [] | [Factor::Columns { stride: 0, .. }] => 1,
        [Factor::Columns { len, .. }] => len,
        [
            Factor::Columns { len, .. },
            Factor::Columns { stride: 0, .. },
        ] => len,
        _ => return None,
    };
    let repeats = heads
        .checked_div(kv_heads)
        .filter(|repeats| repeats * kv_heads == heads)?;
    let mut expected = columns(kv_heads, head_dim);
    expected.extend(columns(repeats, 0));
    let fits = batch.is_empty()
        && found[..] == expected
        && positions[..] == [Factor::Total]
        && head[..] == columns(head_dim, 1)[..];
    fits.then_some((kv_heads, head_dim))
}

/// `scores · factor` or `scores / divisor`; and the same of activations, as exporters put a
/// part of the scale on queries and keys.
pub(crate) fn scale(walk: &mut Walk, node: &Node) -> Outcome {
    let divide = node.op == "Div";
    for (this, other) in [(0, 1), (1, 0)] {
        if divide && this == 1 {
            break;
        }
        let Some(factor) = walk.float(node, other)? else {
            continue;
        };
        let factor = if divide { 1.0 / factor } else { factor };
        if !factor.is_finite() || factor == 0.0 {
            continue;
        }
        match walk.value(node, this).cloned() {
            Some(Value::Rows(rows)) => {
                let scale = rows.scale * factor;
                return one(Some(Value::Rows(Rows { scale, ..rows })));
            }
            Some(Value::Kept(mut kept)) => {
                kept.rows.scale *= factor;
                return one(Some(Value::Kept(kept)));
            }
            Some(Value::Attention(Part::Scores {
                mut scores,
                masked: false,
            })) => {
                scores.scale *= factor;
                return step(Part::Scores {
                    scores,
                    masked: false,
                });
            }
            _ => {}
        }
    }
    Ok(None)
}

/// `scores + mask`, where the mask is 0 for what a token sees and hugely negative elsewhere.
pub(crate) fn mask(walk: &mut Walk, node: &Node) -> Outcome {
    for (this, other) in [(0, 1), (1, 0)] {
        let Some(Part::Scores { scores, masked }) = part(walk, node, this) else {
            continue;
        };
        let Some(grid) = walk.grid(node, other)? else {
            continue;
        };
        // A mask that hides nothing, as some exporters add for padding.
        if grid.fill() == Some(0.0) {
            return step(Part::Scores { scores, masked });
        }
        if is_causal(&grid, 0.0) {
            return step(Part::Scores {
                scores,
                masked: true,
            });
        }
    }
    Ok(None)
}

/// `Where(mask, scores, hugely negative)`; and `Where(undefined, 0, weights)`.
pub(crate) fn select(walk: &mut Walk, node: &Node) -> Outcome {
    if let Some(Part::Undefined(scores)) = part(walk, node, 0) {
        return match part(walk, node, 2) {
            Some(Part::Weights(weights)) if weights == scores => step(Part::Weights(weights)),
            _ => Ok(None),
        };
    }
    let Some(Part::Scores { scores, .. }) = part(walk, node, 1) else {
        return Ok(None);
    };
    let (Some(seen), Some(hidden)) = (walk.grid(node, 0)?, walk.grid(node, 2)?) else {
        return Ok(None);
    };
    let causal = hidden.fill().is_some_and(|value| value <= MASKED) && is_visible(&seen);
    if causal {
        step(Part::Scores {
            scores,
            masked: true,
        })
    } else {
        Ok(None)
    }
}

/// Whether a grid is `seen` where a key is not after the query, and hides everything else.
fn is_causal(grid: &Grid, seen: f64) -> bool {
    match &grid.content {
        Content::Choice { when, yes, no } if *yes == seen && *no <= MASKED => {
            is_causal_condition(&grid.shape, when)
        }
        Content::Choice { when, yes, no } if *no == seen && *yes <= MASKED => {
            let [hidden] = &when[..] else { return false };
            hidden
                .opposite()
                .is_some_and(|seen| is_causal_condition(&grid.shape, &[seen]))
        }
        _ => false,
    }
}

/// Whether a truth value holds exactly where a key is not after the query.
fn is_visible(grid: &Grid) -> bool {
    matches!(&grid.content, Content::Choice { when, yes, no }
        if *yes != 0.0 && *no == 0.0 && is_causal_condition(&grid.shape, when))
}

/// `past + i − j ≥ 0` over `[…, sequence, total]`, the same for every head.
fn is_causal_condition(shape: &[Dim], when: &[Linear]) -> bool {
    let ([front @ .., Dim::SEQUENCE, Dim::TOTAL], [condition]) = (shape, when) else {
        return false;
    };
    let mut steps = vec![0; front.len()];
    steps.extend([1, -1]);
    *condition
        == Linear {
            base: Dim::PAST,
            steps,
        }
        && front.iter().all(|&size| size == Dim::ONE)
}

/// `Softmax(scores)` over the positions.
pub(crate) fn softmax(walk: &mut Walk, node: &Node) -> Outcome {
    // Before version 13 the axis was another one where none was named.
    let axis = node.int("axis").or((walk.opset >= 13).then_some(-1));
    match part(walk, node, 0) {
        Some(Part::Scores {
            scores,
            masked: true,
        }) if matches!(axis, Some(-1 | 3)) => step(Part::Weights(scores)),
        _ => Ok(None),
    }
}

/// `IsNaN(weights)`.
pub(crate) fn is_nan(walk: &mut Walk, node: &Node) -> Outcome {
    match part(walk, node, 0) {
        Some(Part::Weights(scores)) => step(Part::Undefined(scores)),
        _ => Ok(None),
    }
}

/// Appends the attention that ends in `weights · v`.
fn attend(walk: &mut Walk, scores: &Scores, value: &Kept) -> Option<Rows> {
    let mut key = scores.key.rows.clone();
    let (kv_heads, _) = heads_of(&key, scores.heads)?;
    let (value_heads, value_dim) = heads_of(&value.rows, scores.heads)?;
    let fits = value.kind == Kind::Value
        && value.layer == scores.key.layer
        && value_heads == kv_heads
        && value.rows.scale == 1.0;
    if !fits {
        return None;
    }
    let mut kept = value.rows.clone();
    for rows in [&mut key, &mut kept] {
        // What is kept of the step itself: each head once, a row a token.
        rows.layout.axes[1].retain(|f| !matches!(f, Factor::Columns { stride: 0, .. }));
        rows.layout.axes[2] = vec![Factor::Sequence];
    }
    let op = RowOp::Attention {
        query: walk.columns(&scores.query)?,
        key: walk.columns(&key)?,
        value: walk.columns(&kept)?,
        layer: value.layer,
        kv_heads,
        scale: scores.scale,
    };
    let heads = scores.heads;
    Some(
        walk.push(op, heads * value_dim)
            .with_layout(Layout::heads_first(heads, value_dim)),
    )
}
