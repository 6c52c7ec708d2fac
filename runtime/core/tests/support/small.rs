//! Plans of little more than one operator.

#![allow(dead_code, reason = "only tests of single operators have one")]

use bytemuck::cast_slice;
use tealight_core::layout::Encoding;
use tealight_core::ops::{
    Activation, Convolution, Embed, Experts, InputPrecision, Op, Recurrence, Route, RouteGroups,
    RouteScoring, Update, View,
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

/// Which decay a recurrence has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Decay {
    None,
    /// The same for all tokens.
    Fixed,
    PerState,
    PerValue,
}

/// Embeddings of which queries, keys and values go through a convolution to a recurrence, whose outputs
/// become the logits; all in f32.
#[derive(Clone, Debug)]
pub struct Recurrent {
    pub queries: u32,
    pub keys: u32,
    pub states: u32,
    pub key_dim: u32,
    pub value_dim: u32,
    pub context: u32,
    pub update: Update,
    pub decay: Decay,
    pub beta: bool,
    pub convolved: bool,
    /// Queries, keys, values, decays and betas.
    pub table: Vec<f32>,
    pub taps: Vec<f32>,
    pub rate: Vec<f32>,
    pub skip: Option<Vec<f32>>,
    pub head: Vec<f32>,
}

impl Recurrent {
    /// Heads of queries, of keys and of states; then the width of keys and of values.
    pub fn random(seed: u64, heads: [u32; 3], dims: [u32; 2], context: u32) -> Recurrent {
        let mut random = Builder {
            random: seed,
            ..Builder::default()
        };
        let [queries, keys, states] = heads;
        let [key_dim, value_dim] = dims;
        let mut model = Recurrent {
            queries,
            keys,
            states,
            key_dim,
            value_dim,
            context,
            update: [Update::Add, Update::Delta][seed as usize % 2],
            decay: [Decay::PerState, Decay::None, Decay::PerValue, Decay::Fixed]
                [seed as usize / 2 % 4],
            beta: !seed.is_multiple_of(3),
            convolved: !seed.is_multiple_of(5),
            table: vec![],
            taps: vec![],
            rate: vec![],
            skip: None,
            head: vec![],
        };
        let mut floats = |count: u32| (0..count).map(|_| random.unit()).collect::<Vec<f32>>();
        let width = model.width();
        model.table = floats(VOCAB * width);
        // Decays and what goes into a state are between 0 and 1 in models.
        let ends = model.ends().map(|end| end as usize);
        for row in model.table.chunks_exact_mut(width as usize) {
            let scale = 1.0 / (key_dim as f32).sqrt();
            row[..ends[1]].iter_mut().for_each(|x| *x *= scale);
            row[ends[2]..ends[3]].iter_mut().for_each(|x| *x = -x.abs());
            row[ends[3]..].iter_mut().for_each(|x| *x = x.abs());
        }
        model.taps = floats(3 * model.ends()[2]);
        model.rate = floats(states).iter().map(|x| 0.1 + x.abs()).collect();
        if model.decay == Decay::Fixed {
            model.rate.iter_mut().for_each(|x| *x = -*x);
        }
        model.skip = seed.is_multiple_of(7).then(|| floats(states));
        model.head = floats(VOCAB * model.outputs());
        model
    }

    /// Where queries, keys, values, decays and betas end.
    pub fn ends(&self) -> [u32; 5] {
        let decays = match self.decay {
            Decay::PerValue => self.states * self.key_dim,
            _ => self.states,
        };
        let mut end = 0;
        [
            self.queries * self.key_dim,
            self.keys * self.key_dim,
            self.states * self.value_dim,
            decays,
            self.states,
        ]
        .map(|width| {
            end += width;
            end
        })
    }

    pub fn width(&self) -> u32 {
        self.ends()[4]
    }

    pub fn outputs(&self) -> u32 {
        self.queries.max(self.states) * self.value_dim
    }

    pub fn file(&self) -> File {
        let mut plan = Builder {
            context: self.context,
            ..Builder::default()
        };
        let ends = self.ends();
        let all = plan.buffer(self.width(), Stage::Body);
        let seen = plan.buffer(ends[2], Stage::Body);
        let outputs = plan.buffer(self.outputs(), Stage::Body);
        let logits = plan.buffer(VOCAB, Stage::Head);
        let table = plan.floats(VOCAB, self.width(), &self.table);
        let head = plan.floats(VOCAB, self.outputs(), &self.head);
        let taps = plan.tensor(Encoding::Table, 3, ends[2], cast_slice(&self.taps));
        let mut vector = |values: &[f32]| {
            plan.tensor(Encoding::Table, 1, values.len() as u32, cast_slice(values))
        };
        let rated = !matches!(self.decay, Decay::None);
        let rate = rated.then(|| vector(&self.rate));
        let skip = self.skip.as_deref().map(&mut vector);
        let part = |of: View, at: usize| {
            let start = if at == 0 { 0 } else { ends[at - 1] };
            View {
                start,
                width: ends[at] - start,
                ..of
            }
        };
        plan.ops.push(Op::Embed(Embed {
            output: all,
            table,
            scale: 1.0,
        }));
        let from = if self.convolved { seen } else { all };
        if self.convolved {
            plan.ops.push(Op::Convolution(Convolution {
                input: View {
                    width: ends[2],
                    ..all
                },
                before: None,
                after: None,
                output: seen,
                weight: taps,
                bias: None,
                taps: 3,
                history: 0,
            }));
        }
        let given = matches!(self.decay, Decay::PerState | Decay::PerValue);
        plan.ops.push(Op::Recurrence(Recurrence {
            query: part(from, 0),
            key: part(from, 1),
            value: part(from, 2),
            output: outputs,
            decay: given.then(|| part(all, 3)),
            beta: self.beta.then(|| part(all, 4)),
            rate,
            skip,
            scale: 0.5,
            states: self.states,
            key_dim: self.key_dim,
            update: self.update,
            state: 0,
        }));
        let body = plan.ops.len() as u32;
        plan.route(outputs, logits, head);
        plan.file(body, logits.buffer.0)
    }
}
