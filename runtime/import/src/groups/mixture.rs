//! MoE and QMoE of Microsoft's domain: routing, experts and their sum in one operator.
//!
//! MoE takes a softmax over all experts and keeps the greatest; QMoE takes it over the greatest
//! alone. An expert's gate and what is multiplied with it lie in one tensor, row by row in turn
//! or one below the other, or in two.

use std::rc::Rc;

use tealight_core::ops::{Activation, Bend, RouteScoring};

use super::experts::{MOST_EXPERTS, lie_together};
use super::linear::float_matrix;
use super::linear_blocks::{packed, plain};
use super::route::{self, Choice};
use super::route_fused;
use crate::ImportError;
use crate::onnx::{Node, Tensor};
use crate::walk::network::RowOp;
use crate::walk::value::{Stored, Value};
use crate::walk::{Outcome, Walk, one};
use crate::weights::Matrix;

/// Every attribute that is understood.
const KNOWN: [&str; 17] = [
    "k",
    "activation_type",
    "activation_alpha",
    "activation_beta",
    "swiglu_fusion",
    "swiglu_limit",
    "normalize_routing_weights",
    "use_sparse_mixer",
    "expert_weight_bits",
    "fc1_expert_weight_bits",
    "fc2_expert_weight_bits",
    "fc3_expert_weight_bits",
    "block_size",
    "quant_type",
    "weights_prepacked",
    "accuracy_level",
    "tensor_shards",
];

/// Inputs of one of the experts' linear maps.
struct Places {
    bits: &'static str,
    weight: usize,
    scales: Option<usize>,
    bias: usize,
    zero_points: Option<usize>,
}

const fn places(bits: &'static str, weight: usize, bias: usize) -> Places {
    Places {
        bits,
        weight,
        scales: None,
        bias,
        zero_points: None,
    }
}

const fn quantized(bits: &'static str, weight: usize, zero_points: usize) -> Places {
    Places {
        bits,
        weight,
        scales: Some(weight + 1),
        bias: weight + 2,
        zero_points: Some(zero_points),
    }
}

/// The three linear maps of each operator.
const MOE: [Places; 3] = [places("", 2, 3), places("", 4, 5), places("", 6, 7)];
const QMOE: [Places; 3] = [
    quantized("fc1_expert_weight_bits", 2, 11),
    quantized("fc2_expert_weight_bits", 5, 12),
    quantized("fc3_expert_weight_bits", 8, 13),
];

/// Which of an expert's rows.
#[derive(Clone, Copy)]
enum Which {
    All,
    /// Every second one, from the first or from the second on.
    Alternate(bool),
}

/// Inputs: activations, the router's logits, and [`Places`] of the linear maps.
pub(crate) fn rule(walk: &mut Walk, node: &Node) -> Outcome {
    let maps = if node.op == "QMoE" { &QMOE } else { &MOE };
    let last = maps
        .iter()
        .flat_map(|map| [Some(map.bias), map.zero_points]);
    let last = last.flatten().max().unwrap_or_default();
    let understood = node.attribute_names().all(|name| KNOWN.contains(&name))
        && node.inputs.iter().skip(last + 1).all(String::is_empty);
    let (true, Some(choice)) = (understood, choice(walk, node)?) else {
        return Ok(None);
    };
    let gate = gate(node)?;
    mixture(walk, node, maps, &choice, gate)
}

/// What the operator makes of its router's logits.
fn choice(walk: &Walk, node: &Node) -> Result<Option<Choice>, ImportError> {
    let fault = |fault: &str| Err(ImportError::attribute(node, fault.to_owned()));
    let normalized = node.int_or("normalize_routing_weights", 0) != 0;
    if node.int_or("use_sparse_mixer", 0) != 0 {
        return fault("it chooses by a sparse mixer; only the greatest of a softmax are known");
    }
    if node.op == "QMoE" && !normalized {
        return fault(
            "its weights are not normalized, of which onnxruntime's processors and CUDA make \
             different sums",
        );
    }
    let chosen = usize::try_from(node.int_or("k", 1)).ok();
    let Some(chosen) = chosen.filter(|chosen| *chosen > 0) else {
        return Ok(None);
    };
    Ok(match walk.value(node, 1) {
        Some(Value::Route(route::Part::Fused(route_fused::Part::Among(choice))))
            if choice.chosen == chosen && normalized =>
        {
            Some(Choice {
                normalized,
                ..choice.clone()
            })
        }
        Some(Value::Rows(logits)) => {
            let scores = route::scores(logits.clone(), RouteScoring::Softmax);
            scores.map(|of| Choice {
                of,
                chosen,
                normalized,
                epsilon: 0.0,
                scale: 1.0,
            })
        }
        _ => None,
    })
}

/// The curve, what comes before it, and whether gate and factor lie in one tensor: one below the
/// other, or row by row in turn.
struct Gate {
    activation: Activation,
    bend: Option<Bend>,
    fused: Option<Fused>,
}

#[derive(Clone, Copy, PartialEq)]
enum Fused {
    Halves,
    InTurn,
}

fn gate(node: &Node) -> Result<Gate, ImportError> {
    let kind = node.text("activation_type").unwrap_or("relu");
    let fused = match node.int_or("swiglu_fusion", 0) {
        1 => Some(Fused::InTurn),
        2 => Some(Fused::Halves),
        _ => None,
    };
    let alone = node.input(if node.op == "QMoE" { 8 } else { 6 }).is_none();
    let activation = match kind {
        "swiglu" | "silu" => Activation::Silu,
        "gelu" => Activation::GeluTanh,
        other => {
            let fault = format!("its activation is {other}; silu, gelu and swiglu are known");
            return Err(ImportError::attribute(node, fault));
        }
    };
    if alone != fused.is_some() || (fused.is_some() && kind != "swiglu") {
        let fault = "its experts have no gate, or two".to_owned();
        return Err(ImportError::attribute(node, fault));
    }
    let number = |name, otherwise| node.float(name).unwrap_or(otherwise);
    let (alpha, beta) = (
        number("activation_alpha", 1.0),
        number("activation_beta", 0.0),
    );
    let limit = node.float("swiglu_limit").filter(|limit| limit.is_finite());
    if !(alpha > 0.0 && alpha.is_finite() && beta.is_finite() && limit.is_none_or(|l| l > 0.0)) {
        let fault = format!("alpha {alpha}, beta {beta} and the limit make no gate");
        return Err(ImportError::attribute(node, fault));
    }
    let plain = kind != "swiglu" || ((alpha, beta) == (1.0, 0.0) && limit.is_none());
    Ok(Gate {
        activation,
        bend: (!plain).then_some(Bend { alpha, beta, limit }),
        fused,
    })
}

fn mixture(
    walk: &mut Walk,
    node: &Node,
    maps: &[Places; 3],
    choice: &Choice,
    gate: Gate,
) -> Outcome {
    let plain = |rows: &&crate::walk::value::Rows| rows.layout.is_rows() && rows.scale == 1.0;
    let Some(x) = walk.rows(node, 0).filter(plain).cloned() else {
        return Ok(None);
    };
    let (Some(input), Some(experts)) = (walk.columns(&x), choice.of.experts()) else {
        return Ok(None);
    };
    let [first, down, up] = maps;
    let width = walk.stored(node, down.weight).and_then(|stored| {
        let [_, _, cols] = stored.shape[..] else {
            return None;
        };
        match down.scales {
            Some(_) => cols.checked_mul(8 / bits(node, down).ok()?),
            None => Some(cols),
        }
    });
    let Some(width) = width.filter(|_| experts <= MOST_EXPERTS) else {
        return Ok(None);
    };
    let rows = if gate.fused.is_some() {
        width.checked_mul(2)
    } else {
        Some(width)
    };
    let Some(rows) = rows else { return Ok(None) };
    let hidden = input.width;
    let parts = match gate.fused {
        Some(Fused::InTurn) => vec![
            (first, Which::Alternate(false)),
            (first, Which::Alternate(true)),
        ],
        Some(Fused::Halves) => vec![(first, Which::All)],
        None => vec![(first, Which::All), (up, Which::All)],
    };
    let mut loader = Loader {
        walk,
        node,
        experts,
    };
    let Some((gate_up, gate_up_bias)) = loader.map(&parts, rows, hidden)? else {
        return Ok(None);
    };
    let Some((down, down_bias)) = loader.map(&[(down, Which::All)], hidden, width)? else {
        return Ok(None);
    };
    let Some(weights) = route::weights(walk, choice).and_then(|rows| walk.columns(&rows)) else {
        return Ok(None);
    };
    let op = RowOp::Experts {
        input,
        weights,
        gate_up,
        down,
        gate_up_bias,
        down_bias,
        activation: gate.activation,
        bend: gate.bend,
    };
    let sum = walk.push(op, hidden).with_layout(x.layout.packed());
    one(Some(Value::Rows(sum)))
}

/// Bits of a quantized weight.
fn bits(node: &Node, map: &Places) -> Result<usize, ImportError> {
    match node
        .int(map.bits)
        .unwrap_or(node.int_or("expert_weight_bits", 4))
    {
        bits @ (4 | 8) => Ok(bits as usize),
        bits => {
            let fault = format!("its weights have {bits} bits; 4 and 8 are supported");
            Err(ImportError::attribute(node, fault))
        }
    }
}

/// Takes experts out of tensors that hold all of them.
struct Loader<'a> {
    walk: &'a mut Walk,
    node: &'a Node,
    experts: usize,
}

/// Matrices, expert by expert, and their biases.
type Mapped = Option<(Vec<Matrix>, Vec<Rc<Tensor>>)>;

impl Loader<'_> {
    /// The linear maps of all experts, `rows × cols` of each tensor; biases that are all zero are
    /// none.
    fn map(
        &mut self,
        parts: &[(&Places, Which)],
        rows: usize,
        cols: usize,
    ) -> Result<Mapped, ImportError> {
        let (mut matrices, mut biases) = (vec![], vec![]);
        let mut zero = true;
        for (places, _) in parts {
            if let Some(stored) = self.walk.stored(self.node, places.bias) {
                zero &= stored.tensor.dtype.is_float()
                    && stored.tensor.floats()?.iter().all(|bias| *bias == 0.0);
            }
        }
        for expert in 0..self.experts {
            for (places, which) in parts {
                let Some(matrix) = self.matrix(places, expert, rows, cols, *which)? else {
                    return Ok(None);
                };
                matrices.push(matrix);
                if zero {
                    continue;
                }
                match self.part(places.bias, expert, rows, *which) {
                    Some(bias) if bias.len() == matrices[matrices.len() - 1].rows() => {
                        biases.push(bias)
                    }
                    _ => return Ok(None),
                }
            }
        }
        Ok(lie_together(&matrices).then_some((matrices, biases)))
    }

    fn matrix(
        &mut self,
        places: &Places,
        expert: usize,
        rows: usize,
        cols: usize,
        which: Which,
    ) -> Result<Option<Matrix>, ImportError> {
        let Some(values) = self.part(places.weight, expert, rows, which) else {
            return Ok(None);
        };
        let left = values.shape[0];
        let Some(scales) = places.scales else {
            let whole = values.len() == left * cols;
            return Ok(float_matrix(&Stored::whole(values), true).filter(|_| whole));
        };
        self.check()?;
        let bits = bits(self.node, places)?;
        // Without blocks, a scale belongs to a whole row.
        let block = match self.node.int_or("block_size", 0) {
            ..=0 => cols,
            block => block as usize,
        };
        let zero_points = places
            .zero_points
            .filter(|at| self.node.input(*at).is_some());
        let zeros = zero_points.map(|at| self.part(at, expert, rows, which));
        let (Some(scales), false) = (
            self.part(scales, expert, rows, which),
            matches!(zeros, Some(None)),
        ) else {
            return Ok(None);
        };
        let matrix = packed(
            &values,
            &scales,
            zeros.flatten().as_ref(),
            bits,
            block,
            left,
            cols,
        );
        Ok(matrix.map(|matrix| matrix.into_matrix()))
    }

    /// Refuses what only other processors' kernels read.
    fn check(&self) -> Result<(), ImportError> {
        let kind = self.node.text("quant_type").unwrap_or("int");
        if kind != "int" || self.node.int_or("weights_prepacked", 0) > 0 {
            let fault = format!(
                "its weights are {kind}, as CUDA's kernels read them; export for another provider"
            );
            return Err(ImportError::attribute(self.node, fault));
        }
        Ok(())
    }

    /// Of `[experts, rows, …]` what belongs to an expert's rows.
    fn part(
        &mut self,
        input: usize,
        expert: usize,
        rows: usize,
        which: Which,
    ) -> Option<Rc<Tensor>> {
        let stored = plain(self.walk, self.node, input)?;
        let [experts, found, ..] = stored.shape[..] else {
            return None;
        };
        if (experts, found) != (self.experts, rows) || rows == 0 {
            return None;
        }
        let each = stored.len() / experts / rows;
        let all = self
            .walk
            .part_of(&stored, expert * rows * each, vec![rows, each])?;
        match which {
            Which::All => Some(all),
            Which::Alternate(second) => {
                self.walk
                    .alternate(&all, each, second, vec![rows / 2, each])
            }
        }
    }
}
