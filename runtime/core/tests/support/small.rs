//! Plans of little more than one operator.

#![allow(dead_code, reason = "only tests of single operators have one")]

use bytemuck::cast_slice;
use tealight_core::layout::Encoding;
use tealight_core::ops::{
    Activation, Convolution, Embed, Experts, InputPrecision, Op, Route, RouteGroups, RouteScoring,
    View,
};
use tealight_core::plan::format::Stage;

use super::{Builder, File, HIDDEN, VOCAB};

/// Embeddings that go through a mixture of experts, whose sums are the logits; all in f32.
pub struct Mixture {
    pub experts: u32,
    pub chosen: u32,
    pub width: u32,
    pub hidden: u32,
    pub scoring: RouteScoring,
    pub normalized: bool,
    pub groups: Option<RouteGroups>,
    pub table: Vec<f32>,
    pub router: Vec<f32>,
    pub gate_up: Vec<f32>,
    pub down: Vec<f32>,
}

impl Mixture {
    pub fn random(
        seed: u64,
        experts: u32,
        chosen: u32,
        width: u32,
        scoring: RouteScoring,
        normalized: bool,
    ) -> Mixture {
        let mut random = Builder {
            random: seed,
            ..Builder::default()
        };
        let mut floats = |count: u32| (0..count).map(|_| random.unit()).collect::<Vec<f32>>();
        Mixture {
            experts,
            chosen,
            width,
            hidden: HIDDEN,
            scoring,
            normalized,
            groups: None,
            table: floats(VOCAB * HIDDEN),
            router: floats(experts * HIDDEN),
            gate_up: floats(experts * 2 * width * HIDDEN),
            down: floats(experts * VOCAB * width),
        }
    }

    pub fn file(&self) -> File {
        let mut plan = Builder::default();
        let hidden = plan.buffer(HIDDEN, Stage::Body);
        let weights = plan.buffer(self.experts, Stage::Head);
        let logits = plan.buffer(VOCAB, Stage::Head);
        let table = plan.floats(VOCAB, HIDDEN, &self.table);
        let router = plan.floats(self.experts, HIDDEN, &self.router);
        let gate_up = plan.floats(self.experts * 2 * self.width, HIDDEN, &self.gate_up);
        let down = plan.floats(self.experts * VOCAB, self.width, &self.down);
        plan.ops.push(Op::Embed(Embed {
            output: hidden,
            table,
            scale: 1.0,
        }));
        plan.route(hidden, weights, router);
        plan.ops.push(Op::Route(Route {
            logits: weights,
            scoring: self.scoring,
            chosen: self.chosen,
            normalized: self.normalized,
            epsilon: 0.0,
            scale: 1.0,
            bias: None,
            groups: self.groups,
        }));
        plan.ops.push(Op::Experts(Experts {
            input: hidden,
            weights,
            output: logits,
            width: self.width,
            gate_up,
            down,
            gate_up_bias: None,
            down_bias: None,
            bend: None,
            activation: Activation::Silu,
            precision: InputPrecision::Int8,
        }));
        plan.file(1, logits.buffer.0)
    }
}

/// Embeddings that go through a convolution, whose sums become the logits; all in f32.
pub struct Convolved {
    pub channels: u32,
    pub taps: u32,
    pub context: u32,
    /// What the input is multiplied with, the input, and what the sums are multiplied with.
    pub table: Vec<f32>,
    pub gates: [bool; 2],
    pub weight: Vec<f32>,
    pub bias: Option<Vec<f32>>,
    pub head: Vec<f32>,
}

impl Convolved {
    pub fn random(seed: u64, channels: u32, taps: u32, context: u32) -> Convolved {
        let mut random = Builder {
            random: seed,
            ..Builder::default()
        };
        let mut floats = |count: u32| (0..count).map(|_| random.unit()).collect::<Vec<f32>>();
        Convolved {
            channels,
            taps,
            context,
            table: floats(VOCAB * 3 * channels),
            gates: [seed & 1 == 0, seed & 2 == 0],
            weight: floats(taps * channels),
            bias: (seed & 4 == 0).then(|| floats(channels)),
            head: floats(VOCAB * channels),
        }
    }

    pub fn file(&self) -> File {
        let mut plan = Builder {
            context: self.context,
            ..Builder::default()
        };
        let channels = self.channels;
        let all = plan.buffer(3 * channels, Stage::Body);
        let sums = plan.buffer(channels, Stage::Body);
        let logits = plan.buffer(VOCAB, Stage::Head);
        let table = plan.floats(VOCAB, 3 * channels, &self.table);
        let head = plan.floats(VOCAB, channels, &self.head);
        let weight = cast_slice(&self.weight);
        let weight = plan.tensor(Encoding::Table, self.taps, channels, weight);
        let bias = self.bias.as_deref().map(|bias| {
            let len = bias.len() as u32;
            plan.tensor(Encoding::Table, 1, len, cast_slice(bias))
        });
        let part = |at: u32| View {
            start: at * channels,
            width: channels,
            ..all
        };
        plan.ops.push(Op::Embed(Embed {
            output: all,
            table,
            scale: 1.0,
        }));
        plan.ops.push(Op::Convolution(Convolution {
            input: part(1),
            before: self.gates[0].then(|| part(0)),
            after: self.gates[1].then(|| part(2)),
            output: sums,
            weight,
            bias,
            taps: self.taps,
            history: 0,
        }));
        plan.route(sums, logits, head);
        plan.file(2, logits.buffer.0)
    }
}
