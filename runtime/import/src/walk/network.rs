//! What the walk recognises: operators on rows of activations, in single assignment form.

use std::num::NonZeroU32;
use std::rc::Rc;

use tealight_core::ops::{Activation, Bend, RopeStyle, RouteGroups, RouteScoring, Update};

use crate::onnx::Tensor;
use crate::weights::{Matrix, PositionRows, PositionTable};

/// Index of an operator in a [`Network`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct RowId(pub(crate) usize);

/// Neighbouring columns of an operator's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Columns {
    pub(crate) of: RowId,
    pub(crate) start: usize,
    pub(crate) width: usize,
}

/// Operators in an order of execution; each makes rows of its own.
#[derive(Debug, Default)]
pub(crate) struct Network {
    pub(crate) rows: Vec<Row>,
}

/// One operator.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) op: RowOp,
    /// Columns of its result.
    pub(crate) width: usize,
}

/// What an operator does, in the terms of [`tealight_core::ops`].
#[derive(Clone, Debug)]
pub(crate) enum RowOp {
    Embed {
        table: Matrix,
        scale: f32,
    },
    RmsNorm {
        input: Columns,
        weight: Rc<Tensor>,
        epsilon: f32,
    },
    LayerNorm {
        input: Columns,
        weight: Rc<Tensor>,
        bias: Rc<Tensor>,
        epsilon: f32,
    },
    /// What a table holds for each token's position is added.
    Position {
        input: Columns,
        table: Rc<PositionRows>,
    },
    Activate {
        activation: Activation,
        input: Columns,
    },
    /// Weights that share an input, one below the other; a bias for each or for none.
    Linear {
        input: Columns,
        weights: Vec<Matrix>,
        bias: Vec<Rc<Tensor>>,
        residual: Option<Columns>,
    },
    Rope {
        input: Columns,
        head_dim: usize,
        style: RopeStyle,
        cos: Rc<PositionTable>,
        sin: Rc<PositionTable>,
    },
    Attention {
        query: Columns,
        key: Columns,
        value: Columns,
        layer: usize,
        kv_heads: usize,
        scale: f32,
        window: Option<NonZeroU32>,
        softcap: Option<f32>,
        /// Whether a token sees those behind it too.
        both_ways: bool,
        /// One score a head, which joins the softmax.
        sinks: Option<Rc<Tensor>>,
    },
    Gate {
        activation: Activation,
        gate: Columns,
        up: Columns,
    },
    Add {
        a: Columns,
        b: Columns,
    },
    Softcap {
        input: Columns,
        cap: f32,
    },
    Route {
        input: Columns,
        scoring: RouteScoring,
        chosen: usize,
        normalized: bool,
        epsilon: f32,
        scale: f32,
        bias: Option<Rc<Tensor>>,
        groups: Option<RouteGroups>,
    },
    /// With `weight` as `[channels, 1, taps]`.
    Convolution {
        input: Columns,
        before: Option<Columns>,
        after: Option<Columns>,
        layer: usize,
        weight: Rc<Tensor>,
        bias: Option<Rc<Tensor>>,
    },
    Recurrence {
        query: Columns,
        key: Columns,
        value: Columns,
        decay: Option<Columns>,
        beta: Option<Columns>,
        rate: Option<Rc<Tensor>>,
        /// How much of the values its outputs have besides.
        skip: Option<Rc<Tensor>>,
        scale: f32,
        states: usize,
        key_dim: usize,
        update: Update,
        layer: usize,
    },
    /// Each head by a number of its own, on the way into a recurrence or past it; where a `node` does
    /// that for anything else, plans do not have it.
    Weigh {
        input: Columns,
        by: Weights,
        node: String,
    },
    /// The first `width` of every `period` columns.
    Pick {
        input: Columns,
        width: usize,
        period: usize,
    },
    /// Each expert's gate and what is multiplied with it, in one matrix or in two; and its way
    /// back.
    Experts {
        input: Columns,
        weights: Columns,
        gate_up: Vec<Matrix>,
        down: Vec<Matrix>,
        /// Vectors that belong to the matrices, one after the other; none or for all.
        gate_up_bias: Vec<Rc<Tensor>>,
        down_bias: Vec<Rc<Tensor>>,
        activation: Activation,
        bend: Option<Bend>,
    },
}

/// A number for each head.
#[derive(Clone, Debug)]
pub(crate) enum Weights {
    /// Of each token.
    Step(Columns),
    /// The same for all of them.
    Vector(Rc<Tensor>),
}

impl Network {
    /// Appends an operator whose result is `width` columns wide.
    pub(crate) fn push(&mut self, op: RowOp, width: usize) -> RowId {
        self.rows.push(Row { op, width });
        RowId(self.rows.len() - 1)
    }

    /// What routings read, and what the decays and rates of recurrences are made of.
    pub(crate) fn routers(&self) -> Vec<RowId> {
        let behind = |columns: Columns| match self.row(columns.of).op {
            RowOp::Activate { input, .. } => input.of,
            _ => columns.of,
        };
        let inputs = self.rows.iter().flat_map(|row| match row.op {
            RowOp::Route { input, .. } => [Some(input), None],
            RowOp::Recurrence { decay, beta, .. } => [decay, beta],
            _ => [None; 2],
        });
        inputs.flatten().map(behind).collect()
    }

    pub(crate) fn row(&self, id: RowId) -> &Row {
        &self.rows[id.0]
    }

    /// All columns of an operator's result.
    pub(crate) fn whole(&self, id: RowId) -> Columns {
        Columns {
            of: id,
            start: 0,
            width: self.rows[id.0].width,
        }
    }
}

impl RowOp {
    /// Whether it keeps what later steps need.
    pub(crate) fn keeps(&self) -> bool {
        matches!(
            self,
            RowOp::Attention { .. } | RowOp::Convolution { .. } | RowOp::Recurrence { .. }
        )
    }

    /// Everything that the operator reads.
    pub(crate) fn inputs(&self) -> Vec<Columns> {
        self.clone()
            .inputs_mut()
            .into_iter()
            .map(|input| *input)
            .collect()
    }

    /// Everything that the operator reads, to be changed.
    pub(crate) fn inputs_mut(&mut self) -> Vec<&mut Columns> {
        match self {
            RowOp::Embed { .. } => vec![],
            RowOp::RmsNorm { input, .. }
            | RowOp::Rope { input, .. }
            | RowOp::Softcap { input, .. }
            | RowOp::LayerNorm { input, .. }
            | RowOp::Position { input, .. }
            | RowOp::Activate { input, .. }
            | RowOp::Pick { input, .. }
            | RowOp::Route { input, .. } => vec![input],
            RowOp::Linear {
                input, residual, ..
            } => std::iter::once(input).chain(residual).collect(),
            RowOp::Attention {
                query, key, value, ..
            } => vec![query, key, value],
            RowOp::Weigh { input, by, .. } => match by {
                Weights::Step(step) => vec![input, step],
                Weights::Vector(_) => vec![input],
            },
            RowOp::Gate { gate, up, .. } => vec![gate, up],
            RowOp::Add { a, b } => vec![a, b],
            RowOp::Experts { input, weights, .. } => vec![input, weights],
            RowOp::Convolution {
                input,
                before,
                after,
                ..
            } => [Some(input), before.as_mut(), after.as_mut()]
                .into_iter()
                .flatten()
                .collect(),
            RowOp::Recurrence {
                query,
                key,
                value,
                decay,
                beta,
                ..
            } => [query, key, value]
                .into_iter()
                .chain(decay)
                .chain(beta)
                .collect(),
        }
    }
}
