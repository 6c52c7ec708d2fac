//! A recognised decoder goes in, the specification of its plan comes out: linear maps joined,
//! sums put into them, every result in a buffer, every weight in a tensor.

mod buffers;
mod fuse;
mod precision;
mod tensors;

use std::num::NonZeroU32;
use std::rc::Rc;

use tealight_core::ops::{
    Activate, Add, Attention, CacheId, Convolution, Embed, Encode, Experts, Gate, InputPrecision,
    LayerNorm, Linear, Op, Pick, Position, Recurrence, RmsNorm, Rope, Route, Sinks, Softcap, View,
};
use tealight_core::plan::format::{CacheRecord, Stage};

use crate::ImportOptions;
use crate::onnx::Tensor;
use crate::spec::{BufferSpec, DecoderSpec};
use crate::walk::Decoder;
use crate::walk::network::{Columns, Network, RowId, RowOp};
use buffers::Buffers;
use tensors::Tensors;

/// Lowers a decoder. Its positions are as many as the shortest stored table has, else `declared`, at most as many as
/// the options say, which stand in for both where there is neither.
pub(crate) fn lower(
    decoder: Decoder,
    declared: Option<usize>,
    options: &ImportOptions,
) -> Result<DecoderSpec<'static>, String> {
    let Decoder {
        mut network,
        output,
        hidden,
        whole,
        vocab,
        longest,
    } = decoder;
    let output = fuse::all(&mut network, output);
    let weighs = network.rows.iter().find_map(|row| match &row.op {
        RowOp::Weigh { node, .. } => Some(node),
        _ => None,
    });
    if let Some(node) = weighs {
        return Err(format!(
            "`{node}` multiplies each head by a number where no recurrence takes that up"
        ));
    }
    let reached = tables_reach(&network);
    let context = match (reached.or(declared), options.context) {
        (Some(context), Some(most)) => context.min(most),
        (Some(context), None) => context,
        (None, Some(most)) => most,
        (None, None) => return Err(NO_CONTEXT.to_owned()),
    };
    let context = longest.map_or(context, |longest| context.min(longest));
    if context == 0 {
        return Err("its context is empty".to_owned());
    }
    check_widths(&network, vocab)?;
    let head = head(&network);
    let buffers = Buffers::assign(&network, head)?;
    let mut lowering = Lowering {
        buffers: &buffers,
        tensors: Tensors::new(context),
        caches: Vec::new(),
        history: 0,
        states: 0,
    };
    let precisions = precision::of_inputs(&network, head);
    let rows = network.rows.iter().zip(precisions).enumerate();
    let ops = rows.map(|(at, (row, precision))| {
        let output = buffers.view(network.whole(RowId(at)))?;
        lowering.op(&row.op, output, precision)
    });
    let ops = ops
        .collect::<Option<Vec<Op>>>()
        .ok_or("it is too large for a plan")?;
    let (ops, head) = join_rotations(ops, head);
    let Lowering {
        tensors, caches, ..
    } = lowering;
    let output = buffers
        .view(network.whole(output))
        .ok_or("it is too large for a plan")?;
    let buffers = buffers.into_specs();
    let at = output.buffer.0 as usize;
    let width = output.width as usize;
    if buffers[at]
        != (BufferSpec {
            width,
            stage: Stage::Head,
        })
    {
        return Err("nothing follows its last attention but what goes on with it".to_owned());
    }
    Ok(DecoderSpec {
        ops,
        head,
        output: at,
        hidden: hidden.then_some(width),
        whole,
        caches,
        tensors: tensors.into_specs(options.calibration.as_ref()),
        vocab,
        context,
        buffers,
    })
}

const NO_CONTEXT: &str = "nothing says how many positions it was made for: no config.json, no \
    genai_config.json and no table of positions; name a context";

/// Refuses what no plan could hold, before anything is allocated for it.
fn check_widths(network: &Network, vocab: usize) -> Result<(), String> {
    const MAX_WIDTH: usize = 1 << 18;
    const MAX_VOCAB: usize = 1 << 20;
    let widest = network
        .rows
        .iter()
        .map(|row| row.width)
        .filter(|&width| width != vocab)
        .max();
    match widest.filter(|&width| width > MAX_WIDTH) {
        Some(width) => Err(format!(
            "it has activations {width} wide; plans hold {MAX_WIDTH}"
        )),
        None if vocab > MAX_VOCAB => {
            Err(format!("it has {vocab} token ids; plans hold {MAX_VOCAB}"))
        }
        None => Ok(()),
    }
}

/// Positions that the shortest stored table reaches.
fn tables_reach(network: &Network) -> Option<usize> {
    let tables = network.rows.iter().filter_map(|row| match &row.op {
        RowOp::Rope { cos, sin, .. } => [cos, sin].into_iter().filter_map(|t| t.positions()).min(),
        RowOp::Position { table, .. } => table.positions(),
        _ => None,
    });
    tables.min()
}

/// Index of the first operator behind which every position stands for itself.
fn head(network: &Network) -> usize {
    let needs_all = |op: &RowOp| {
        op.keeps()
            || matches!(
                op,
                RowOp::Embed { .. } | RowOp::Position { .. } | RowOp::Rope { .. }
            )
    };
    network
        .rows
        .iter()
        .rposition(|row| needs_all(&row.op))
        .map_or(0, |at| at + 1)
}

struct Lowering<'a> {
    buffers: &'a Buffers,
    tensors: Tensors,
    caches: Vec<CacheRecord>,
    /// Columns of what convolutions keep.
    history: u32,
    /// Vectors of recurrent states.
    states: u32,
}

impl Lowering<'_> {
    fn new_cache(&mut self, record: CacheRecord) -> Option<CacheId> {
        self.caches.push(record);
        u32::try_from(self.caches.len() - 1).ok().map(CacheId)
    }

    /// Where nothing is kept from one step to the next, layers of one shape use one cache.
    fn shared_cache(&mut self, record: CacheRecord) -> Option<CacheId> {
        match self.caches.iter().position(|known| *known == record) {
            Some(at) => u32::try_from(at).ok().map(CacheId),
            None => self.new_cache(record),
        }
    }

    /// One operator; `None` if a number does not fit the format.
    fn op(&mut self, op: &RowOp, output: View, precision: InputPrecision) -> Option<Op> {
        let view = |columns: &Columns| self.buffers.view(*columns);
        let given = |columns: &Option<Columns>| match columns {
            None => Some(None),
            Some(columns) => view(columns).map(Some),
        };
        Some(match op {
            RowOp::Embed { table, scale } => {
                let table = self.tensors.matrix(std::slice::from_ref(table))?;
                Op::Embed(Embed {
                    output,
                    table,
                    scale: *scale,
                })
            }
            RowOp::RmsNorm {
                input,
                weight,
                epsilon,
            } => Op::RmsNorm(RmsNorm {
                input: view(input)?,
                output,
                weight: self.tensors.vector(std::slice::from_ref(weight))?,
                epsilon: *epsilon,
            }),
            RowOp::LayerNorm {
                input,
                weight,
                bias,
                epsilon,
            } => Op::LayerNorm(LayerNorm {
                input: view(input)?,
                output,
                weight: self.tensors.vector(std::slice::from_ref(weight))?,
                bias: self.tensors.vector(std::slice::from_ref(bias))?,
                epsilon: *epsilon,
            }),
            RowOp::Position { table, .. } => Op::Position(Position {
                values: output,
                table: self.tensors.positions(table)?,
            }),
            RowOp::Activate { activation, .. } => Op::Activate(Activate {
                activation: *activation,
                values: output,
            }),
            RowOp::Linear {
                input,
                weights,
                bias,
                residual,
            } => Op::Linear(Linear {
                input: view(input)?,
                output,
                weight: self.tensors.matrix(weights)?,
                bias: self.tensors.any_vector(bias)?,
                residual: match residual {
                    None => None,
                    Some(residual) => Some(view(residual)?),
                },
                precision,
            }),
            RowOp::Rope {
                head_dim,
                style,
                cos,
                sin,
                ..
            } => Op::Rope(Rope {
                heads: output,
                head_dim: u32::try_from(*head_dim).ok()?,
                rotary_dim: u32::try_from(2 * cos.columns.len()).ok()?,
                style: *style,
                cos: self.tensors.table(cos, "rotary cosines")?,
                sin: self.tensors.table(sin, "rotary sines")?,
            }),
            RowOp::Attention {
                query,
                key,
                value,
                kv_heads,
                scale,
                window,
                softcap,
                both_ways,
                sinks,
                ..
            } => {
                let (query, key, value) = (view(query)?, view(key)?, view(value)?);
                let heads = u32::try_from(*kv_heads).ok()?;
                let record = CacheRecord {
                    heads,
                    key_dim: key.width / heads,
                    value_dim: value.width / heads,
                    window: window.map_or(0, NonZeroU32::get),
                };
                if *both_ways && sinks.is_none() {
                    return Some(Op::Encode(Encode {
                        query,
                        key,
                        value,
                        output,
                        cache: self.shared_cache(record)?,
                        scale: *scale,
                    }));
                }
                let cache = self.new_cache(record)?;
                let attention = Attention {
                    query,
                    key,
                    value,
                    output,
                    cache,
                    scale: *scale,
                    window: *window,
                    softcap: *softcap,
                };
                match self.tensors.any_vector(sinks.as_slice())? {
                    None => Op::Attention(attention),
                    Some(sinks) => Op::Sinks(Sinks { attention, sinks }),
                }
            }
            RowOp::Gate {
                activation,
                gate,
                up,
            } => Op::Gate(Gate {
                activation: *activation,
                gate: view(gate)?,
                up: view(up)?,
                output,
            }),
            RowOp::Add { a, b } => {
                let (mut a, mut b) = (view(a)?, view(b)?);
                if b == output {
                    std::mem::swap(&mut a, &mut b);
                }
                Op::Add(Add { a, b, output })
            }
            RowOp::Softcap { cap, .. } => Op::Softcap(Softcap {
                values: output,
                cap: *cap,
            }),
            RowOp::Route {
                scoring,
                chosen,
                normalized,
                epsilon,
                scale,
                bias,
                groups,
                ..
            } => Op::Route(Route {
                logits: output,
                scoring: *scoring,
                chosen: u32::try_from(*chosen).ok()?,
                normalized: *normalized,
                epsilon: *epsilon,
                scale: *scale,
                bias: self.tensors.any_vector(bias.as_slice())?,
                groups: *groups,
            }),
            RowOp::Convolution {
                input,
                before,
                after,
                weight,
                bias,
                ..
            } => {
                let history = self.history;
                self.history = history.checked_add(output.width)?;
                Op::Convolution(Convolution {
                    input: view(input)?,
                    before: given(before)?,
                    after: given(after)?,
                    output,
                    weight: self.tensors.taps(weight)?,
                    bias: self.tensors.any_vector(bias.as_slice())?,
                    taps: u32::try_from(*weight.shape.last()?).ok()?,
                    history,
                })
            }
            RowOp::Recurrence {
                query,
                key,
                value,
                decay,
                beta,
                rate,
                skip,
                scale,
                states,
                key_dim,
                update,
                ..
            } => {
                let mut vector = |given: &Option<Rc<Tensor>>| match given {
                    None => Some(None),
                    Some(vector) => self.tensors.vector(std::slice::from_ref(vector)).map(Some),
                };
                let (rate, skip) = (vector(rate)?, vector(skip)?);
                let op = Recurrence {
                    query: view(query)?,
                    key: view(key)?,
                    value: view(value)?,
                    output,
                    decay: given(decay)?,
                    beta: given(beta)?,
                    rate,
                    skip,
                    scale: *scale,
                    states: u16::try_from(*states).ok()?.into(),
                    key_dim: u16::try_from(*key_dim).ok()?.into(),
                    update: *update,
                    state: self.states,
                };
                self.states = u32::try_from(op.state_end()).ok()?;
                Op::Recurrence(op)
            }
            RowOp::Weigh { .. } => return None,
            RowOp::Pick {
                input,
                width,
                period,
            } => Op::Pick(Pick {
                input: view(input)?,
                output,
                width: u32::try_from(*width).ok()?,
                period: u32::try_from(*period).ok()?,
            }),
            RowOp::Experts {
                input,
                weights,
                gate_up,
                down,
                gate_up_bias,
                down_bias,
                activation,
                bend,
            } => Op::Experts(Experts {
                input: view(input)?,
                weights: view(weights)?,
                output,
                width: u32::try_from(down.first()?.cols()).ok()?,
                gate_up: self.tensors.matrix(gate_up)?,
                down: self.tensors.matrix(down)?,
                gate_up_bias: self.tensors.any_vector(gate_up_bias)?,
                down_bias: self.tensors.any_vector(down_bias)?,
                activation: *activation,
                bend: *bend,
                precision,
            }),
        })
    }
}

/// Queries and keys lie side by side, so that one operator turns both.
fn join_rotations(ops: Vec<Op>, head: usize) -> (Vec<Op>, usize) {
    let before = ops.len();
    let mut joined: Vec<Op> = Vec::with_capacity(before);
    for op in ops {
        if let (Some(Op::Rope(last)), Op::Rope(next)) = (joined.last_mut(), &op) {
            let adjacent = View {
                width: last.heads.width + next.heads.width,
                ..last.heads
            };
            let follows = next.heads.buffer == last.heads.buffer
                && next.heads.start == last.heads.start + last.heads.width;
            if follows
                && *last
                    == (Rope {
                        heads: last.heads,
                        ..*next
                    })
            {
                last.heads = adjacent;
                continue;
            }
        }
        joined.push(op);
    }
    // Rotations stand before the head.
    let head = head - (before - joined.len());
    (joined, head)
}

/// Which stage an operator's result belongs to.
fn stage(at: usize, head: usize) -> Stage {
    if at < head { Stage::Body } else { Stage::Head }
}
