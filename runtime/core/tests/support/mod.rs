//! A small decoder with pseudo-random weights, built in memory.

pub mod session;
mod small;
mod token_tables;
mod windowed;

use std::num::NonZeroU32;
use std::ops::Range;

use bytemuck::{Zeroable, bytes_of, cast_slice};
use tealight_core::executor::Line;
use tealight_core::layout::{BLOCK, Encoding, GROUP_ROWS, pack_float, pack_quantized};
use tealight_core::ops::{
    Activate, Activation, Add, Attention, Bend, BufferId, CacheId, Convolution, Embed, Experts,
    Gate, InputPrecision, Linear, Op, Pick, Recurrence, RmsNorm, Rope, RopeStyle, Route,
    RouteGroups, RouteScoring, Sinks, Softcap, TensorId, Update, View,
};
use tealight_core::plan::format::*;

#[allow(unused_imports, reason = "only tests of single operators have one")]
pub use small::{Convolved, Decay, Mixture, Recurrent};
#[allow(unused_imports, reason = "only the test of windows has one")]
pub use windowed::{Beside, Windowed};

pub const VOCAB: u32 = 80;
pub const CONTEXT: u32 = 48;
const HIDDEN: u32 = 72;
const MLP: u32 = 112;
const HEAD_DIM: u32 = 24;
const HEADS: u32 = 4;
const KV_HEADS: u32 = 2;
const LAYERS: u32 = 2;
const EXPERTS: u32 = 6;
/// Experts are whole groups of rows: not all of the hidden state comes from them.
const MIXED: u32 = 64;
const EXPERT: u32 = 40;
const CONVOLVED: u32 = 56;

/// A file in memory that starts on a 64-byte boundary.
#[derive(Clone)]
pub struct File {
    lines: Vec<Line>,
    len: usize,
}

impl File {
    pub fn new(bytes: &[u8]) -> File {
        let mut lines = vec![Line::ZERO; bytes.len().div_ceil(Line::BYTES)];
        bytemuck::cast_slice_mut(&mut lines)[..bytes.len()].copy_from_slice(bytes);
        File {
            lines,
            len: bytes.len(),
        }
    }
}

impl AsRef<[u8]> for File {
    fn as_ref(&self) -> &[u8] {
        &cast_slice(&self.lines)[..self.len]
    }
}

/// A decoder of every operator, its linear maps in `encoding`.
pub fn decoder(encoding: Encoding) -> File {
    Builder {
        encoding,
        ..Builder::default()
    }
    .decoder()
}

/// Working memory of so many lines.
#[allow(dead_code, reason = "not every test makes its own")]
pub fn lines(count: Result<usize, tealight_core::executor::MemoryError>) -> Vec<Line> {
    vec![Line::ZERO; count.expect("small")]
}

struct Builder {
    encoding: Encoding,
    context: u32,
    random: u64,
    tensors: Vec<TensorRecord>,
    weights: Vec<u8>,
    buffers: Vec<BufferRecord>,
    ops: Vec<Op>,
}

impl Default for Builder {
    fn default() -> Builder {
        Builder {
            encoding: Encoding::Int4,
            context: CONTEXT,
            random: 0x9e37_79b9_7f4a_7c15,
            tensors: Vec::new(),
            weights: Vec::new(),
            buffers: Vec::new(),
            ops: Vec::new(),
        }
    }
}

impl Builder {
    fn decoder(mut self) -> File {
        let qkv_width = (HEADS + 2 * KV_HEADS) * HEAD_DIM;
        let hidden = self.buffer(HIDDEN, Stage::Body);
        let normed = self.buffer(HIDDEN, Stage::Body);
        let qkv = self.buffer(qkv_width, Stage::Body);
        let mixed = self.buffer(HEADS * HEAD_DIM, Stage::Body);
        let gate_up = self.buffer(2 * MLP, Stage::Body);
        let gated = self.buffer(MLP, Stage::Body);
        let delta = self.buffer(HIDDEN, Stage::Body);
        let routed = self.buffer(EXPERTS, Stage::Body);
        let mixture = self.buffer(MIXED, Stage::Body);
        let convolved = self.buffer(CONVOLVED, Stage::Body);
        let picked = self.buffer(16, Stage::Body);
        let recurred = self.buffer(2 * 24, Stage::Body);
        let last = self.buffer(HIDDEN, Stage::Head);
        let last_routed = self.buffer(EXPERTS, Stage::Head);
        let last_mixture = self.buffer(MIXED, Stage::Head);
        let logits = self.buffer(VOCAB, Stage::Head);
        let columns = |view: View, columns: Range<u32>| View {
            start: columns.start,
            width: columns.end - columns.start,
            ..view
        };

        let table = self.packed(VOCAB, HIDDEN);
        let (cos, sin) = (
            self.vector(CONTEXT, HEAD_DIM / 2),
            self.vector(CONTEXT, HEAD_DIM / 2),
        );
        self.ops.push(Op::Embed(Embed {
            output: hidden,
            table,
            scale: 1.5,
        }));
        for layer in 0..LAYERS {
            self.norm(hidden, normed, HIDDEN);
            let weight = self.packed(qkv_width, HIDDEN);
            let bias = Some(self.vector(1, qkv_width));
            self.ops.push(Op::Linear(Linear {
                input: normed,
                output: qkv,
                weight,
                bias,
                residual: None,
                precision: InputPrecision::Int8,
            }));
            let query = columns(qkv, 0..HEADS * HEAD_DIM);
            let key = columns(qkv, HEADS * HEAD_DIM..(HEADS + KV_HEADS) * HEAD_DIM);
            let value = columns(qkv, (HEADS + KV_HEADS) * HEAD_DIM..qkv_width);
            for heads in [query, key] {
                self.norm(heads, heads, HEAD_DIM);
                let style = if layer == 0 {
                    RopeStyle::Halves
                } else {
                    RopeStyle::Interleaved
                };
                let rotary_dim = if layer == 0 { HEAD_DIM } else { HEAD_DIM / 2 };
                let (cos, sin) = if layer == 0 {
                    (cos, sin)
                } else {
                    (
                        self.vector(CONTEXT, rotary_dim / 2),
                        self.vector(CONTEXT, rotary_dim / 2),
                    )
                };
                let head_dim = HEAD_DIM;
                self.ops.push(Op::Rope(Rope {
                    heads,
                    head_dim,
                    rotary_dim,
                    style,
                    cos,
                    sin,
                }));
            }
            let cache = CacheId(layer);
            let attention = Attention {
                query,
                key,
                value,
                output: mixed,
                cache,
                scale: 0.2,
                window: NonZeroU32::new(layer * 7),
                softcap: (layer == 1).then_some(3.0),
            };
            let op = match layer {
                0 => Op::Attention(attention),
                _ => Op::Sinks(Sinks {
                    attention,
                    sinks: self.vector(1, HEADS),
                }),
            };
            self.ops.push(op);
            let weight = self.packed(HIDDEN, HEADS * HEAD_DIM);
            self.ops.push(Op::Linear(Linear {
                input: mixed,
                output: hidden,
                weight,
                bias: None,
                residual: Some(hidden),
                precision: InputPrecision::Int8,
            }));
            self.norm(hidden, normed, HIDDEN);
            let weight = self.packed(2 * MLP, HIDDEN);
            self.ops.push(Op::Linear(Linear {
                input: normed,
                output: gate_up,
                weight,
                bias: None,
                residual: None,
                precision: InputPrecision::Int8,
            }));
            self.ops.push(Op::Gate(Gate {
                activation: [Activation::Silu, Activation::GeluTanh][layer as usize],
                gate: columns(gate_up, 0..MLP),
                up: columns(gate_up, MLP..2 * MLP),
                output: gated,
            }));
            let weight = self.packed(HIDDEN, MLP);
            self.ops.push(Op::Linear(Linear {
                input: gated,
                output: delta,
                weight,
                bias: None,
                residual: Some(normed),
                precision: InputPrecision::Int16,
            }));
            self.add(hidden, delta);
            let part = |at: u32| columns(gate_up, at * CONVOLVED..(at + 1) * CONVOLVED);
            let weight = self.vector(2 + layer, CONVOLVED);
            let bias = (layer == 0).then(|| self.vector(1, CONVOLVED));
            self.ops.push(Op::Convolution(Convolution {
                input: part(0),
                before: Some(part(1)),
                after: Some(part(2)),
                output: convolved,
                weight,
                bias,
                taps: 2 + layer,
                history: layer * CONVOLVED,
            }));
            self.add(columns(hidden, 8..8 + CONVOLVED), convolved);
            self.recurrence(layer, gate_up, picked, recurred);
            self.add(columns(hidden, 8..8 + recurred.width), recurred);
            if layer == 1 {
                self.mixture(normed, routed, mixture, RouteScoring::Sigmoid);
                self.add(columns(hidden, 0..MIXED), mixture);
            }
        }
        let head = self.ops.len() as u32;
        self.norm(hidden, last, HIDDEN);
        self.mixture(last, last_routed, last_mixture, RouteScoring::Softmax);
        self.add(columns(last, 8..8 + MIXED), last_mixture);
        self.ops.push(Op::Linear(Linear {
            input: last,
            output: logits,
            weight: table,
            bias: None,
            residual: None,
            precision: InputPrecision::Int16,
        }));
        self.ops.push(Op::Softcap(Softcap {
            values: logits,
            cap: 5.0,
        }));
        self.file(head, logits.buffer.0)
    }

    fn file(self, head: u32, logits: u32) -> File {
        let caches: Vec<CacheRecord> = self.ops.iter().filter_map(|op| self.cache(op)).collect();
        self.file_of(head, logits, &caches)
    }

    /// What an operator keeps, if it attends.
    fn cache(&self, op: &Op) -> Option<CacheRecord> {
        let attention = match op {
            Op::Attention(attention) => attention,
            Op::Sinks(sinks) => &sinks.attention,
            _ => return None,
        };
        Some(CacheRecord {
            heads: KV_HEADS,
            key_dim: attention.key.width / KV_HEADS,
            value_dim: attention.value.width / KV_HEADS,
            window: attention.window.map_or(0, NonZeroU32::get),
        })
    }

    fn file_of(self, head: u32, logits: u32, caches: &[CacheRecord]) -> File {
        let model = ModelRecord {
            vocab: VOCAB,
            context: self.context,
            head,
            logits,
            ..bytemuck::Zeroable::zeroed()
        };
        let ops: Vec<OpRecord> = self.ops.iter().map(Op::encode).collect();
        let tokens = token_tables::section();
        let sections: [(Section, &[u8]); 7] = [
            (Section::Model, bytes_of(&model)),
            (Section::Buffers, cast_slice(&self.buffers)),
            (Section::Caches, cast_slice(caches)),
            (Section::Tensors, cast_slice(&self.tensors)),
            (Section::Ops, cast_slice(&ops)),
            (Section::TokenTables, &tokens),
            (Section::Weights, &self.weights),
        ];
        let mut end = (size_of::<Header>() + sections.len() * size_of::<SectionRecord>()) as u64;
        let mut records = Vec::new();
        let mut body = Vec::new();
        for (section, bytes) in sections {
            let kind = section as u32;
            records.push(SectionRecord {
                kind,
                offset: end,
                len: bytes.len() as u64,
                ..SectionRecord::zeroed()
            });
            body.extend_from_slice(bytes);
            body.resize(body.len().next_multiple_of(ALIGNMENT), 0);
            end += bytes.len().next_multiple_of(ALIGNMENT) as u64;
        }
        let header = Header {
            magic: MAGIC,
            version: FORMAT_VERSION,
            layout: LAYOUT_VERSION,
            file_len: end,
            sections: records.len() as u32,
            reserved: [0; 9],
        };
        File::new(&[bytes_of(&header), cast_slice(&records), &body].concat())
    }

    fn mixture(&mut self, input: View, weights: View, output: View, scoring: RouteScoring) {
        let sigmoid = scoring == RouteScoring::Sigmoid;
        let weight = self.packed(EXPERTS, HIDDEN);
        self.route(input, weights, weight);
        let bias = sigmoid.then(|| self.vector(1, EXPERTS));
        self.ops.push(Op::Route(Route {
            logits: weights,
            scoring,
            chosen: 2,
            normalized: sigmoid,
            epsilon: 0.0,
            scale: 0.0005,
            bias,
            groups: sigmoid.then_some(RouteGroups { count: 3, kept: 2 }),
        }));
        let gate_up = self.packed(EXPERTS * 2 * EXPERT, HIDDEN);
        let down = self.packed(EXPERTS * MIXED, EXPERT);
        // As gpt-oss has them.
        let biased = !sigmoid;
        let mut bias = |rows| biased.then(|| self.vector(1, rows));
        let (gate_up_bias, down_bias) = (bias(EXPERTS * 2 * EXPERT), bias(EXPERTS * MIXED));
        self.ops.push(Op::Experts(Experts {
            input,
            weights,
            output,
            width: EXPERT,
            gate_up,
            down,
            gate_up_bias,
            down_bias,
            bend: biased.then_some(Bend {
                alpha: 1.5,
                beta: 1.0,
                limit: Some(2.0),
            }),
            activation: [Activation::Silu, Activation::GeluTanh][usize::from(sigmoid)],
            precision: [InputPrecision::Int8, InputPrecision::Int16][usize::from(sigmoid)],
        }));
    }

    fn route(&mut self, input: View, output: View, weight: TensorId) {
        self.ops.push(Op::Linear(Linear {
            input,
            output,
            weight,
            bias: None,
            residual: None,
            precision: InputPrecision::Int16,
        }));
    }

    fn add(&mut self, a: View, b: View) {
        self.ops.push(Op::Add(Add { a, b, output: a }));
    }

    fn norm(&mut self, input: View, output: View, width: u32) {
        let weight = self.vector(1, width);
        self.ops.push(Op::RmsNorm(RmsNorm {
            input,
            output,
            weight,
            epsilon: 1e-5,
        }));
    }

    fn buffer(&mut self, width: u32, stage: Stage) -> View {
        let buffer = BufferId(self.buffers.len() as u32);
        let of_stage = self.buffers.iter().filter(|b| b.stage == stage as u32);
        let offset = of_stage
            .map(|b| b.offset + b.width)
            .max()
            .unwrap_or(0)
            .next_multiple_of(16);
        self.buffers.push(BufferRecord {
            width,
            offset,
            stage: stage as u32,
            reserved: 0,
        });
        View {
            buffer,
            start: 0,
            width,
        }
    }

    /// Two states of 8 × 24, out of neighbouring columns of `from`.
    fn recurrence(&mut self, layer: u32, from: View, picked: View, output: View) {
        let part = |start, width| View {
            start,
            width,
            ..from
        };
        self.ops.push(Op::Pick(Pick {
            input: part(0, 24),
            output: picked,
            width: 8,
            period: 16,
        }));
        // Keys longer than 1 would let the delta rule grow without end.
        let weight = self.tensor(Encoding::Table, 1, 8, cast_slice(&[0.3f32; 8]));
        self.ops.push(Op::RmsNorm(RmsNorm {
            input: picked,
            output: picked,
            weight,
            epsilon: 1e-5,
        }));
        let (decay, beta) = (part(100, 2), part(102, 2));
        for (activation, values) in [(Activation::Softplus, decay), (Activation::Sigmoid, beta)] {
            self.ops.push(Op::Activate(Activate { activation, values }));
        }
        let rate = self.tensor(Encoding::Table, 1, 2, cast_slice(&[-0.5f32, -0.1]));
        self.ops.push(Op::Recurrence(Recurrence {
            query: part(30, 8),
            key: picked,
            value: part(40, 48),
            output,
            decay: Some(decay),
            beta: Some(beta),
            rate: Some(rate),
            skip: (layer == 0).then_some(rate),
            scale: 0.5,
            states: 2,
            key_dim: 8,
            update: [Update::Delta, Update::Add][layer as usize],
            state: layer * 2 * 2 * 8,
        }));
    }

    fn vector(&mut self, rows: u32, cols: u32) -> TensorId {
        let values: Vec<f32> = (0..rows * cols).map(|_| self.unit()).collect();
        self.tensor(Encoding::Table, rows, cols, cast_slice(&values))
    }

    /// A matrix of these floats.
    #[allow(dead_code, reason = "only the test of mixtures has one")]
    fn floats(&mut self, rows: u32, cols: u32, values: &[f32]) -> TensorId {
        let width = cols as usize;
        let mut data = Vec::new();
        for values in values.chunks(GROUP_ROWS * width) {
            let mut group = vec![0; Encoding::F32.group_bytes(width).expect("small")];
            pack_float(Encoding::F32, width, values, &mut group);
            data.extend_from_slice(&group);
        }
        self.tensor(Encoding::F32, rows, cols, &data)
    }

    fn packed(&mut self, rows: u32, cols: u32) -> TensorId {
        let encoding = self.encoding;
        let blocks = (cols as usize).div_ceil(BLOCK);
        let mut data = Vec::new();
        for first in (0..rows as usize).step_by(GROUP_ROWS) {
            let rows = GROUP_ROWS.min(rows as usize - first);
            let mut group = vec![0; encoding.group_bytes(cols as usize).expect("small")];
            if encoding.is_quantized() {
                let int8 = matches!(encoding, Encoding::Int8 | Encoding::Int8ZeroPoint);
                let levels = if int8 { 256 } else { 16 };
                let values: Vec<u8> = (0..rows * cols as usize)
                    .map(|_| (self.next() % levels) as u8)
                    .collect();
                let scales: Vec<f32> = (0..rows * blocks).map(|_| 0.02 * self.unit()).collect();
                let zero_points: Vec<u8> = match encoding.has_zero_points() {
                    true => (0..rows * blocks)
                        .map(|_| (self.next() % levels) as u8)
                        .collect(),
                    false => Vec::new(),
                };
                pack_quantized(
                    encoding,
                    cols as usize,
                    &values,
                    &scales,
                    &zero_points,
                    &mut group,
                );
            } else {
                let values: Vec<f32> = (0..rows * cols as usize)
                    .map(|_| 0.1 * self.unit())
                    .collect();
                pack_float(encoding, cols as usize, &values, &mut group);
            }
            data.extend_from_slice(&group);
        }
        self.tensor(encoding, rows, cols, &data)
    }

    fn tensor(&mut self, encoding: Encoding, rows: u32, cols: u32, data: &[u8]) -> TensorId {
        let id = TensorId(self.tensors.len() as u32);
        self.tensors.push(TensorRecord {
            encoding: encoding as u32,
            rows,
            cols,
            scale: 1.0,
            offset: self.weights.len() as u64,
            len: data.len() as u64,
            name_offset: 0,
            name_len: 0,
            reserved: [0; 6],
        });
        self.weights.extend_from_slice(data);
        self.weights
            .resize(self.weights.len().next_multiple_of(ALIGNMENT), 0);
        id
    }

    /// Marsaglia's xorshift64.
    fn next(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random >> 16
    }

    /// Between -1 and 1.
    fn unit(&mut self) -> f32 {
        (self.next() % 20_001) as f32 / 10_000.0 - 1.0
    }
}
