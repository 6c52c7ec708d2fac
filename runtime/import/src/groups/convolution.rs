//! Causal short convolution of every channel, between two gates (LFM2).
//!
//! It comes as one operator that takes what it saw before and returns what it has seen, or as
//! Concat of the two, Conv in as many groups as channels, and Slice. Activations are
//! `[1, channels, sequence]` there.

use std::rc::Rc;

use tealight_core::ops::Activation;

use super::gated_mlp;
use crate::onnx::{Node, Tensor};
use crate::walk::dim::Dim;
use crate::walk::layout::Factor;
use crate::walk::network::{Columns, RowOp};
use crate::walk::value::{Rows, Value};
use crate::walk::{Outcome, Walk, one};

/// Taps that plans have.
const TAPS: std::ops::RangeInclusive<usize> = 2..=4;

/// What a layer's convolution saw before the step: `[1, channels, rows]`, where the graph gives
/// them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Past {
    pub(crate) layer: usize,
    pub(crate) channels: Option<usize>,
    pub(crate) rows: Option<usize>,
}

/// What a convolution sees of the step: `before · input`.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    before: Option<Rows>,
    input: Rows,
}

/// The weights of a layer's convolution.
#[derive(Clone, Debug)]
pub(crate) struct Taps {
    layer: usize,
    /// `[channels, 1, taps]`
    weight: Rc<Tensor>,
    bias: Option<Rc<Tensor>>,
}

/// A step on the way.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    Seen(Seen),
    /// So many rows of what was seen before the step, then those of the step.
    Joined {
        past: Past,
        rows: usize,
        seen: Seen,
    },
    /// The sums of the step's tokens, and before them those of so many earlier ones.
    Sums {
        taps: Taps,
        seen: Seen,
        more: usize,
    },
}

impl Part {
    pub(crate) fn shape(&self) -> Option<Vec<Dim>> {
        let (Part::Seen(seen) | Part::Joined { seen, .. } | Part::Sums { seen, .. }) = self;
        let more = match self {
            Part::Seen(_) => 0,
            Part::Joined { rows, .. } => *rows,
            Part::Sums { more, .. } => *more,
        };
        let mut shape = seen.input.layout.shape()?;
        *shape.get_mut(2)? = Dim::SEQUENCE.add(more.into())?;
        Some(shape)
    }

    /// The sums of the step alone; or the last rows that were seen, as many as were there before.
    pub(crate) fn cut(&self, axis: usize, from: Dim, to: Dim) -> Option<Value> {
        let whole = axis == 2 && to == *self.shape()?.get(2)?;
        match self {
            Part::Joined { past, .. } if whole && from == Dim::SEQUENCE => {
                Some(Value::Convolved(past.layer))
            }
            Part::Sums { taps, seen, more } if whole && from == Dim::from(*more) => {
                Some(Value::Convolution(Part::Sums {
                    taps: taps.clone(),
                    seen: seen.clone(),
                    more: 0,
                }))
            }
            _ => None,
        }
    }
}

fn part(walk: &Walk, node: &Node, index: usize) -> Option<Part> {
    match walk.value(node, index)? {
        Value::Convolution(part) => Some(part.clone()),
        _ => None,
    }
}

/// Activations `[1, channels, sequence]`.
fn channels_first(walk: &Walk, node: &Node, index: usize) -> Option<Rows> {
    let rows = walk.rows(node, index)?;
    let [batch, _, tokens] = &rows.layout.axes[..] else {
        return None;
    };
    let fits = batch.is_empty() && tokens[..] == [Factor::Sequence] && rows.scale == 1.0;
    (fits && walk.columns(rows).is_some()).then(|| rows.clone())
}

fn seen(walk: &Walk, node: &Node, index: usize) -> Option<Seen> {
    match part(walk, node, index) {
        Some(Part::Seen(seen)) => Some(seen),
        Some(_) => None,
        None => channels_first(walk, node, index).map(|input| Seen {
            before: None,
            input,
        }),
    }
}

fn past(walk: &Walk, node: &Node, index: usize) -> Option<Past> {
    match walk.value(node, index)? {
        Value::Unconvolved(past) => Some(past.clone()),
        _ => None,
    }
}

/// The weights of a convolution over `seen`, if they are of a kind that plans have.
fn taps(walk: &mut Walk, node: &Node, seen: &Seen, past: &Past) -> Option<(Taps, usize)> {
    let channels = seen.input.layout.shape()?.get(1)?.size()?;
    let stored = walk.stored(node, 1)?;
    let weight = stored.tensor.clone();
    let [outputs, 1, count] = weight.shape[..] else {
        return None;
    };
    let plain = !stored.transposed && stored.shape == weight.shape && weight.dtype.is_float();
    let bias = match node.input(2) {
        None => None,
        Some(_) => Some(walk.vector(node, 2)?),
    };
    let fits = plain
        && outputs == channels
        && TAPS.contains(&count)
        && bias.as_ref().is_none_or(|bias| bias.len() == channels)
        && past.channels.is_none_or(|given| given == channels);
    let layer = past.layer;
    fits.then_some((
        Taps {
            layer,
            weight,
            bias,
        },
        count,
    ))
}

/// `before · input`, and `after · sums`.
pub(crate) fn gate(walk: &mut Walk, node: &Node) -> Outcome {
    if let (Some(before), Some(input)) =
        (channels_first(walk, node, 0), channels_first(walk, node, 1))
    {
        let before = Some(before).filter(|gate| gate.layout.packed() == input.layout.packed());
        let seen = before.map(|before| Seen {
            before: Some(before),
            input,
        });
        return one(seen.map(|seen| Value::Convolution(Part::Seen(seen))));
    }
    for (this, other) in [(0, 1), (1, 0)] {
        if let (
            Some(Part::Sums {
                taps,
                seen,
                more: 0,
            }),
            Some(after),
        ) = (part(walk, node, this), channels_first(walk, node, other))
        {
            return one(convolve(walk, taps, &seen, Some(&after)).map(Value::Rows));
        }
    }
    Ok(None)
}

/// Sums that go through SiLU, without a gate behind them.
fn bend(walk: &mut Walk, taps: Taps, seen: &Seen) -> Option<Rows> {
    let sums = convolve(walk, taps, seen, None)?;
    gated_mlp::activate(walk, &sums, Activation::Silu)
}

fn convolve(walk: &mut Walk, taps: Taps, seen: &Seen, after: Option<&Rows>) -> Option<Rows> {
    let layout = seen.input.layout.packed();
    if after.is_some_and(|after| layout != after.layout.packed()) {
        return None;
    }
    let columns = |rows: &Rows| walk.columns(rows);
    let input: Columns = columns(&seen.input)?;
    let before = match &seen.before {
        None => None,
        Some(before) => Some(columns(before)?),
    };
    let op = RowOp::Convolution {
        input,
        before,
        after: match after {
            None => None,
            Some(after) => Some(columns(after)?),
        },
        layer: taps.layer,
        weight: taps.weight,
        bias: taps.bias,
    };
    Some(walk.push(op, input.width).with_layout(layout))
}

/// CausalConvWithState of Microsoft's domain. Inputs: activations, weight, bias, what was seen.
pub(crate) fn fused(walk: &mut Walk, node: &Node) -> Outcome {
    let understood = node.attribute_names().all(|name| match name {
        "ndim" => node.int("ndim") == Some(1),
        "activation" => matches!(node.text(name), Some("none" | "" | "silu" | "swish")),
        // Of how many tokens the state is returned; 0 is the last alone.
        "state_window" => node.int(name) == Some(0),
        _ => false,
    });
    if !understood || node.inputs.iter().skip(4).any(|name| !name.is_empty()) {
        return Ok(None);
    }
    let (Some(seen), Some(past)) = (seen(walk, node, 0), past(walk, node, 3)) else {
        return Ok(None);
    };
    let Some((taps, count)) = taps(walk, node, &seen, &past) else {
        return Ok(None);
    };
    if past.rows.is_some_and(|rows| rows != count - 1) {
        return Ok(None);
    }
    let layer = Value::Convolved(taps.layer);
    if matches!(node.text("activation"), Some("silu" | "swish")) {
        let bent = bend(walk, taps, &seen);
        return Ok(bent.map(|rows| vec![Value::Rows(rows), layer]));
    }
    let sums = Part::Sums {
        taps,
        seen,
        more: 0,
    };
    Ok(Some(vec![Value::Convolution(sums), layer]))
}

/// `Concat(what was seen, what the step sees)`.
pub(crate) fn join(walk: &mut Walk, node: &Node) -> Outcome {
    let (Some(past), Some(seen)) = (past(walk, node, 0), seen(walk, node, 1)) else {
        return Ok(None);
    };
    let along_positions = matches!(node.int_or("axis", 0), 2 | -1) && node.inputs.len() == 2;
    let rows = past.rows.filter(|_| along_positions);
    one(rows.map(|rows| Value::Convolution(Part::Joined { past, rows, seen })))
}

/// `Conv` with a group a channel, of what was joined.
pub(crate) fn conv(walk: &mut Walk, node: &Node) -> Outcome {
    let Some(Part::Joined { past, rows, seen }) = part(walk, node, 0) else {
        return Ok(None);
    };
    let Some((taps, count)) = taps(walk, node, &seen, &past) else {
        return Ok(None);
    };
    let all = |name: &str, value: i64| {
        let given = node.ints(name);
        given.is_none_or(|given| given.iter().all(|&item| item == value))
    };
    let plain = matches!(node.text("auto_pad"), None | Some("NOTSET"))
        && node.int("group") == i64::try_from(taps.weight.shape[0]).ok()
        && all("pads", 0)
        && all("strides", 1)
        && all("dilations", 1)
        && all("kernel_shape", count as i64);
    let more = rows.checked_sub(count - 1).filter(|_| plain);
    one(more.map(|more| Value::Convolution(Part::Sums { taps, seen, more })))
}

/// The layer that a state's input belongs to, from names like `past.3.conv` or `past_conv.3`;
/// `state` is `conv` or `recurrent`.
pub(crate) fn layer(name: &str, side: &str, state: &str) -> Option<usize> {
    let rest = name.strip_prefix(side)?;
    let behind = |rest: &'_ str| Some(rest.strip_prefix('_')?.strip_prefix(state)?.len());
    let number = match behind(rest) {
        Some(len) => rest[rest.len() - len..].strip_prefix('.')?,
        None => {
            let rest = rest.strip_prefix("_key_values").unwrap_or(rest);
            let rest = rest.strip_prefix('.')?.strip_suffix(state)?;
            rest.strip_suffix('.')?
        }
    };
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::layer;

    #[test]
    fn states_are_known_by_the_names_that_exporters_give_them() {
        assert_eq!(layer("past.3.conv", "past", "conv"), Some(3));
        assert_eq!(layer("past_conv.12", "past", "conv"), Some(12));
        assert_eq!(layer("present_conv.0", "present", "conv"), Some(0));
        assert_eq!(layer("past_key_values.2.conv", "past", "conv"), Some(2));
        assert_eq!(layer("past.3.key", "past", "conv"), None);
        assert_eq!(layer("past.3.recurrent", "past", "recurrent"), Some(3));
        assert_eq!(layer("past.3.recurrent", "past", "conv"), None);
        assert_eq!(layer("past_conv.x", "past", "conv"), None);
    }
}
