//! What is known about a value of the graph.

use std::rc::Rc;

use super::array::Array;
use super::dim::Dim;
use super::grid::Grid;
use super::layout::Layout;
use super::network::RowId;
use crate::groups::{
    attention, convolution, embedding, experts, gated_mlp, layer_norm, linear, position,
    recurrence, rms_norm, rotary, route, scaled,
};
use crate::onnx::{DType, Tensor};

/// What a value means. Values that a group of operators makes on its way are kept in that
/// group's own terms until the group is complete.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// A stored tensor, not read yet.
    Stored(Stored),
    /// Integers, known or linear in the step's sizes.
    Ints(Array<Dim>),
    Floats(Array<f32>),
    Bools(Array<bool>),
    /// Numbers that follow from shapes and positions.
    Grid(Grid),
    /// Truth values that do, as 1 and 0.
    Truth(Grid),
    /// Whole numbers of which only the shape is known.
    Indices(Vec<Dim>),
    /// The token ids of the step, under this shape.
    Tokens(Vec<Dim>),
    /// Activations.
    Rows(Rows),
    /// Keys or values of the positions before the step.
    Past(Past),
    /// Keys or values of all positions.
    Kept(Kept),
    Embedding(embedding::Part),
    RmsNorm(rms_norm::Part),
    LayerNorm(layer_norm::Part),
    Position(position::Part),
    Product(linear::Part),
    Rotary(rotary::Part),
    Attention(attention::Part),
    Gate(gated_mlp::Part),
    Route(route::Part),
    Experts(Box<experts::Part>),
    /// What a convolution saw before the step.
    Unconvolved(convolution::Past),
    Convolution(convolution::Part),
    /// What this layer's convolution has seen after the step.
    Convolved(usize),
    /// A layer's recurrent states before the step.
    States(recurrence::Past),
    /// This layer's recurrent states after the step.
    Recurred(usize),
    /// Logarithm of a recurrence's decay.
    Decay(recurrence::Decay),
    /// `tanh` of activations.
    Bent(Rows),
    Scaled(scaled::Scaled),
    Rounded(scaled::Rounded),
}

/// A stored tensor under another shape.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stored {
    pub(crate) tensor: Rc<Tensor>,
    pub(crate) shape: Vec<usize>,
    /// Whether the last two axes of `shape` are exchanged against the stored order.
    pub(crate) transposed: bool,
}

/// Activations, `scale` times what the rows hold.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rows {
    pub(crate) of: RowId,
    pub(crate) layout: Layout,
    pub(crate) scale: f32,
}

/// Which of the two an attention layer keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Key,
    Value,
}

/// What an attention layer kept of the positions before the step.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Past {
    pub(crate) layer: usize,
    pub(crate) kind: Kind,
    /// Heads and their width, where the graph gives them.
    pub(crate) heads: Option<usize>,
    pub(crate) head_dim: Option<usize>,
}

/// The keys or values of all positions: the past, then those of the step, which `rows` names.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Kept {
    pub(crate) layer: usize,
    pub(crate) kind: Kind,
    pub(crate) rows: Rows,
}

impl Rows {
    /// All columns of an operator's result as `[1, sequence, width]`.
    pub(crate) fn whole(of: RowId, width: usize) -> Rows {
        Rows {
            of,
            layout: Layout::rows(width),
            scale: 1.0,
        }
    }

    pub(crate) fn with_layout(&self, layout: Layout) -> Rows {
        Rows {
            layout,
            ..self.clone()
        }
    }
}

impl Stored {
    pub(crate) fn whole(tensor: Rc<Tensor>) -> Stored {
        let shape = tensor.shape.clone();
        Stored {
            tensor,
            shape,
            transposed: false,
        }
    }
}

impl Value {
    /// A grid of few whole numbers as those numbers, which sizes can be worked out from.
    pub(crate) fn settled(self) -> Value {
        match self {
            Value::Grid(grid) => match grid.to_ints() {
                Some(array) => Value::Ints(array),
                None => Value::Grid(grid),
            },
            other => other,
        }
    }

    /// Whether these are truth values.
    pub(crate) fn is_truth(&self) -> bool {
        match self {
            Value::Truth(_) | Value::Bools(_) => true,
            Value::Stored(stored) => stored.tensor.dtype == DType::Bool,
            _ => false,
        }
    }

    /// The same kind of value as this one, from a grid: truth values stay that.
    pub(crate) fn like(&self, grid: Grid) -> Value {
        if self.is_truth() {
            Value::Truth(grid)
        } else {
            Value::Grid(grid)
        }
    }

    /// How many numbers the value takes to keep, roughly.
    pub(crate) fn size(&self) -> usize {
        let own = match self {
            Value::Ints(array) => array.data.len(),
            Value::Floats(array) => array.data.len(),
            Value::Bools(array) => array.data.len(),
            Value::Rotary(part) => part.size(),
            _ => 1,
        };
        own + self.shape().map_or(0, |shape| shape.len())
    }

    /// The value's shape, where it is known.
    pub(crate) fn shape(&self) -> Option<Vec<Dim>> {
        let sizes = |shape: &[usize]| Some(shape.iter().map(|&size| Dim::from(size)).collect());
        match self {
            Value::Stored(stored) => sizes(&stored.shape),
            Value::Ints(array) => sizes(&array.shape),
            Value::Floats(array) => sizes(&array.shape),
            Value::Bools(array) => sizes(&array.shape),
            Value::Grid(grid) | Value::Truth(grid) => Some(grid.shape.clone()),
            Value::Tokens(shape) | Value::Indices(shape) => Some(shape.clone()),
            Value::Rows(rows) | Value::Bent(rows) => rows.layout.shape(),
            Value::Past(past) => Some(vec![
                Dim::ONE,
                past.heads?.into(),
                Dim::PAST,
                past.head_dim?.into(),
            ]),
            Value::Kept(kept) => kept.rows.layout.shape(),
            Value::Embedding(_) => None,
            Value::RmsNorm(part) => part.shape(),
            Value::LayerNorm(part) => part.shape(),
            Value::Position(part) => part.shape(),
            Value::Product(part) => part.shape(),
            Value::Rotary(part) => part.shape(),
            Value::Attention(part) => part.shape(),
            Value::Gate(part) => part.shape(),
            Value::Route(part) => part.shape(),
            Value::Experts(part) => part.shape(),
            Value::Scaled(scaled) => sizes(&scaled.values.shape),
            Value::Rounded(rounded) => rounded.value.shape(),
            Value::Convolution(part) => part.shape(),
            Value::Unconvolved(past) => {
                Some(vec![Dim::ONE, past.channels?.into(), past.rows?.into()])
            }
            Value::States(past) => past.dims(),
            Value::Decay(decay) => decay.step.as_ref()?.layout.shape(),
            Value::Convolved(_) | Value::Recurred(_) => None,
        }
    }
}
