//! Plans of little more than attention with windows.

#![allow(dead_code, reason = "only the test of windows has one")]

use std::num::NonZeroU32;

use tealight_core::layout::Encoding;
use tealight_core::ops::{
    Attention, CacheId, Convolution, Embed, InputPrecision, Linear, Op, Sinks, View,
};
use tealight_core::plan::format::{CacheRecord, Stage};

use super::{Builder, File, KV_HEADS, VOCAB};

/// What is kept beside keys and values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Beside {
    Nothing,
    Convolution,
    Recurrence,
}

/// Layers of attention, every second with sinks, each of which sees what the one before it made.
#[derive(Clone, Debug)]
pub struct Windowed {
    pub context: u32,
    /// Query heads for each of the two of keys and values.
    pub shared: u32,
    pub head_dim: u32,
    /// A layer's window; 0 for all positions.
    pub windows: Vec<u32>,
    /// What the caches' records say of it.
    pub kept: Vec<u32>,
    pub beside: Beside,
}

impl Windowed {
    pub fn new(context: usize, windows: &[u32]) -> Windowed {
        Windowed {
            context: context as u32,
            shared: 2,
            head_dim: 24,
            windows: windows.to_vec(),
            kept: windows.to_vec(),
            beside: Beside::Nothing,
        }
    }

    /// The same plan, whose caches keep all positions.
    pub fn keeping_all(&self) -> Windowed {
        Windowed {
            kept: vec![0; self.kept.len()],
            ..self.clone()
        }
    }

    pub fn file(&self) -> File {
        let mut plan = Builder {
            encoding: Encoding::F32,
            context: self.context,
            ..Builder::default()
        };
        let heads = KV_HEADS * self.shared;
        let [queries, keys] = [heads, KV_HEADS].map(|heads| heads * self.head_dim);
        let all = plan.buffer(queries + 2 * keys, Stage::Body);
        let seen = plan.buffer(queries, Stage::Body);
        let small = plan.buffer(48, Stage::Body);
        let picked = plan.buffer(16, Stage::Body);
        let logits = plan.buffer(VOCAB, Stage::Head);
        let part = |start, width| View {
            start,
            width,
            ..all
        };
        let table = plan.packed(VOCAB, all.width);
        let weight = plan.packed(all.width, queries);
        plan.ops.push(Op::Embed(Embed {
            output: all,
            table,
            scale: 1.0,
        }));
        for (layer, window) in (0..).zip(&self.windows) {
            plan.norm(all, all, all.width);
            match self.beside {
                Beside::Nothing => {}
                Beside::Convolution => {
                    let weight = plan.vector(3, small.width);
                    plan.ops.push(Op::Convolution(Convolution {
                        input: part(16, small.width),
                        before: None,
                        after: None,
                        output: small,
                        weight,
                        bias: None,
                        taps: 3,
                        history: layer * small.width,
                    }));
                    plan.add(part(0, small.width), small);
                }
                // There are two.
                Beside::Recurrence if layer > 1 => {}
                Beside::Recurrence => {
                    plan.recurrence(layer, all, picked, small);
                    plan.add(part(0, small.width), small);
                }
            }
            let attention = Attention {
                query: part(0, queries),
                key: part(queries, keys),
                value: part(queries + keys, keys),
                output: seen,
                cache: CacheId(layer),
                scale: 0.3,
                window: NonZeroU32::new(*window),
                softcap: None,
            };
            let op = match layer % 2 {
                0 => Op::Attention(attention),
                _ => Op::Sinks(Sinks {
                    attention,
                    sinks: plan.vector(1, heads),
                }),
            };
            plan.ops.push(op);
            plan.ops.push(Op::Linear(Linear {
                input: seen,
                output: all,
                weight,
                bias: None,
                residual: Some(all),
                precision: InputPrecision::Int8,
            }));
        }
        let head = plan.ops.len() as u32;
        plan.route(all, logits, table);
        let caches = plan.ops.iter().filter_map(|op| plan.cache(op));
        let caches = caches
            .zip(&self.kept)
            .map(|(cache, &window)| CacheRecord { window, ..cache });
        let caches: Vec<CacheRecord> = caches.collect();
        plan.file_of(head, logits.buffer.0, &caches)
    }
}
