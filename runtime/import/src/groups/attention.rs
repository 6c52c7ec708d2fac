//! Attention, spread out: keys and values joined to the past (Concat), heads repeated
//! (Unsqueeze, Expand, Reshape), scores (MatMul), scale, cap (Tanh, Mul), mask (Add or Where),
//! Softmax, guarded against rows without any key (IsNaN, Where), and the weighted sum (MatMul).
//!
//! The mask has to be exactly the causal one: a token sees itself and everything before it, or the
//! last few positions of that. A graph without a past attends to the keys and values of its own
//! tokens alone; where nothing is masked there, a token sees the whole text.

use std::num::NonZeroU32;
use std::rc::Rc;

use crate::ImportError;
use crate::onnx::{Node, Tensor};
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
    /// `scale · q · kᵀ`, capped where there is a cap.
    Scores {
        scores: Scores,
        masked: bool,
    },
    /// `tanh(scale · q · kᵀ)`
    Bent(Scores),
    /// Their softmax.
    Weights(Scores),
    /// One score a head, which joins the softmax (`sinks.rs`).
    Sinks(Rc<Tensor>),
    /// Masked scores and the sinks behind them, and the greatest of each row.
    Joined(Scores),
    Greatest(Scores),
    /// Their softmax, the sinks' weights included.
    JoinedWeights(Scores),
    /// Where the softmax is no number: nowhere, since every token sees at least itself.
    Undefined(Scores),
}

/// `scale · q · kᵀ`, `[1, heads, sequence, total]`; the keys are `[1, heads, head_dim, total]`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scores {
    query: Rows,
    key: Kept,
    scale: f32,
    pub(super) heads: usize,
    softcap: Option<f32>,
    window: Option<NonZeroU32>,
    both_ways: bool,
    pub(super) sinks: Option<Rc<Tensor>>,
}

/// How far back a mask lets a token see; itself is the first position.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Reach {
    All,
    Last(NonZeroU32),
    /// Not only back: the whole text.
    BothWays,
}

impl Reach {
    pub(super) fn window(self) -> Option<NonZeroU32> {
        match self {
            Reach::All | Reach::BothWays => None,
            Reach::Last(window) => Some(window),
        }
    }
}

impl Part {
    pub(crate) fn shape(&self) -> Option<Vec<Dim>> {
        let of = |scores: &Scores| Some((scores.heads, *scores.key.rows.layout.shape()?.last()?));
        let (heads, last) = match self {
            Part::Scores { scores, .. }
            | Part::Bent(scores)
            | Part::Weights(scores)
            | Part::Undefined(scores) => of(scores)?,
            Part::Joined(scores) | Part::JoinedWeights(scores) => {
                let (heads, total) = of(scores)?;
                (heads, total.add(Dim::ONE)?)
            }
            Part::Greatest(scores) => (scores.heads, Dim::ONE),
            Part::Sinks(sinks) => (sinks.len(), Dim::ONE),
        };
        Some(vec![Dim::ONE, Dim::from(heads), Dim::SEQUENCE, last])
    }

    /// The weights of the positions alone.
    pub(crate) fn cut(&self, axis: usize, from: Dim, to: Dim) -> Option<Part> {
        let Part::JoinedWeights(scores) = self else {
            return None;
        };
        let weights = Part::Weights(scores.clone());
        let positions = *weights.shape()?.last()?;
        let all = axis == 3 && from == Dim::new(0) && to == positions;
        all.then_some(weights)
    }
}

pub(super) fn part(walk: &Walk, node: &Node, index: usize) -> Option<Part> {
    match walk.value(node, index)? {
        Value::Attention(part) => Some(part.clone()),
        _ => None,
    }
}

/// Keys or values of all positions: in a graph without a past, those of the step. `layer` is the
/// one that attends to them, where that is known already.
pub(super) fn kept(
    walk: &mut Walk,
    node: &Node,
    index: usize,
    kind: Kind,
    layer: Option<usize>,
) -> Option<Kept> {
    match walk.value(node, index)?.clone() {
        Value::Kept(kept) => Some(kept),
        Value::Rows(rows) if walk.past == Dim::default() => Some(Kept {
            layer: layer.unwrap_or_else(|| walk.next_layer()),
            kind,
            rows,
        }),
        _ => None,
    }
}

pub(super) fn step(part: Part) -> Outcome {
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
    if let Some(query) = walk.rows(node, 0).cloned() {
        let key = kept(walk, node, 1, Kind::Key, None);
        let scores = key.and_then(|key| scores(query, key));
        return one(scores.map(|scores| {
            Value::Attention(Part::Scores {
                scores,
                masked: false,
            })
        }));
    }
    let Some(Part::Weights(scores)) = part(walk, node, 0) else {
        return Ok(None);
    };
    let value = kept(walk, node, 1, Kind::Value, Some(scores.key.layer));
    one(value.and_then(|value| attend(walk, &scores, &value).map(Value::Rows)))
}

/// Appends attention of `[1, heads, sequence, head_dim]` to what is kept as
/// `[1, heads, total, head_dim]`; without a scale it is that of the head's width.
pub(super) fn whole(
    walk: &mut Walk,
    query: Rows,
    mut key: Kept,
    value: &Kept,
    scale: Option<f32>,
    reach: Reach,
    softcap: Option<f32>,
) -> Option<Rows> {
    let head_dim = query.layout.shape()?.last()?.size()?;
    key.rows.layout = key.rows.layout.transpose(&[0, 1, 3, 2])?;
    let mut scores = scores(query, key)?;
    scores.scale *= scale.unwrap_or_else(|| 1.0 / (head_dim as f32).sqrt());
    (scores.window, scores.softcap) = (reach.window(), softcap);
    scores.both_ways = reach == Reach::BothWays;
    attend(walk, &scores, value)
}

/// How far a mask, of truth values or to be added, lets a token see, if it is a causal one, or hides
/// nothing of a whole text.
pub(super) fn reach(past: Dim, mask: &Grid, of_truth: bool) -> Option<Reach> {
    let hides_nothing = mask.fill() == Some(if of_truth { 1.0 } else { 0.0 });
    if hides_nothing {
        (past == Dim::default()).then_some(Reach::BothWays)
    } else if of_truth {
        visible(past, mask)
    } else {
        added(past, mask)
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
        softcap: None,
        window: None,
        both_ways: false,
        sinks: None,
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
        && matches!(positions[..], [Factor::Total | Factor::Sequence])
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
                // Once capped, they are what they are.
                if scores.softcap.is_some() {
                    continue;
                }
                scores.scale *= factor;
                return step(Part::Scores {
                    scores,
                    masked: false,
                });
            }
            // `cap · tanh(x)` is `cap · tanh(cap · x / cap)`.
            Some(Value::Attention(Part::Bent(mut scores))) if factor > 0.0 => {
                scores.scale *= factor;
                scores.softcap = Some(factor);
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

/// The cap that a fused operator puts on its scores; 0 stands for none.
pub(super) fn softcap(node: &Node) -> Result<Option<f32>, ImportError> {
    match node.float("softcap").unwrap_or(0.0) {
        0.0 => Ok(None),
        cap if cap > 0.0 && cap.is_finite() => Ok(Some(cap)),
        cap => Err(ImportError::attribute(
            node,
            format!("its softcap is {cap}; it has to be a positive number"),
        )),
    }
}

/// `tanh(scores)`, on the way to a cap.
pub(crate) fn bend(walk: &mut Walk, node: &Node) -> Outcome {
    match part(walk, node, 0) {
        Some(Part::Scores {
            scores,
            masked: false,
        }) if scores.softcap.is_none() => step(Part::Bent(scores)),
        _ => Ok(None),
    }
}

/// `scores + mask`, where the mask is 0 for what a token sees and hugely negative elsewhere.
pub(crate) fn mask(walk: &mut Walk, node: &Node) -> Outcome {
    for (this, other) in [(0, 1), (1, 0)] {
        let Some(Part::Scores { mut scores, masked }) = part(walk, node, this) else {
            continue;
        };
        let Some(grid) = walk.grid(node, other)? else {
            continue;
        };
        // A mask that hides nothing, as some exporters add for padding.
        if grid.fill() == Some(0.0) {
            return step(Part::Scores { scores, masked });
        }
        if let (Some(reach), false) = (added(walk.past, &grid), masked) {
            scores.window = reach.window();
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
    let Some(Part::Scores {
        mut scores,
        masked: false,
    }) = part(walk, node, 1)
    else {
        return Ok(None);
    };
    let (Some(seen), Some(hidden)) = (walk.grid(node, 0)?, walk.grid(node, 2)?) else {
        return Ok(None);
    };
    let hides = hidden.fill().is_some_and(|value| value <= MASKED);
    let Some(reach) = visible(walk.past, &seen).filter(|_| hides) else {
        return Ok(None);
    };
    scores.window = reach.window();
    step(Part::Scores {
        scores,
        masked: true,
    })
}

/// How far a mask lets a token see that is 0 there and hides everything else.
fn added(past: Dim, grid: &Grid) -> Option<Reach> {
    match &grid.content {
        Content::Choice { when, yes, no } if *yes == 0.0 && *no <= MASKED => {
            causal(past, &grid.shape, when)
        }
        Content::Choice { when, yes, no } if *no == 0.0 && *yes <= MASKED => {
            let [hidden] = &when[..] else { return None };
            causal(past, &grid.shape, &[hidden.opposite()?])
        }
        _ => None,
    }
}

/// How far a truth value holds.
fn visible(past: Dim, grid: &Grid) -> Option<Reach> {
    match &grid.content {
        Content::Choice { when, yes, no } if *yes != 0.0 && *no == 0.0 => {
            causal(past, &grid.shape, when)
        }
        _ => None,
    }
}

/// `past + i − j ≥ 0` over `[…, sequence, total]`, the same for every head; and for a window of
/// `n` positions `n − 1 − past − i + j ≥ 0`.
fn causal(past: Dim, shape: &[Dim], when: &[Linear]) -> Option<Reach> {
    let [front @ .., Dim::SEQUENCE, total] = shape else {
        return None;
    };
    if Some(*total) != past.add(Dim::SEQUENCE) {
        return None;
    }
    let ahead = |sign: i64| [vec![0; front.len()], vec![sign, -sign]].concat();
    let is_past = |condition: &Linear| condition.base == past && condition.steps == ahead(1);
    let window = |condition: &Linear| {
        let last = condition.base.add(past)?.number()?;
        let window = u32::try_from(last.checked_add(1)?).ok()?;
        NonZeroU32::new(window).filter(|_| condition.steps == ahead(-1))
    };
    if front.iter().any(|&size| size != Dim::ONE) {
        return None;
    }
    match when {
        [only] if is_past(only) => Some(Reach::All),
        [a, b] if is_past(a) => window(b).map(Reach::Last),
        [a, b] if is_past(b) => window(a).map(Reach::Last),
        _ => None,
    }
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
        Some(Part::Joined(scores)) if matches!(axis, Some(-1 | 3)) => {
            step(Part::JoinedWeights(scores))
        }
        Some(Part::Scores {
            mut scores,
            masked: false,
        }) if matches!(axis, Some(-1 | 3)) && may_see_all(walk, &scores) => {
            scores.both_ways = true;
            step(Part::Weights(scores))
        }
        _ => Ok(None),
    }
}

/// Whether scores that no mask hides are those of a whole text.
fn may_see_all(walk: &Walk, scores: &Scores) -> bool {
    walk.past == Dim::default() && scores.softcap.is_none()
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
        window: scores.window,
        softcap: scores.softcap,
        both_ways: scores.both_ways,
        sinks: scores.sinks.clone(),
    };
    let heads = scores.heads;
    Some(
        walk.push(op, heads * value_dim)
            .with_layout(Layout::heads_first(heads, value_dim)),
    )
}
