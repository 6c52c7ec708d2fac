//! Which linear maps get their inputs rounded to int16 rather than to int8.

use tealight_core::ops::InputPrecision;

use crate::walk::network::{Network, RowId, RowOp};

/// The precision that the input of each operator needs, if it is a linear map.
///
/// Twice the multiplications pay where the rounding of int8 is felt most for its size: in the
/// head, whose errors go straight into the logits, and in the maps that make queries, keys and
/// values, whose errors the softmax raises to powers, and in routers, where another expert is
/// another answer. (Mean KL of SmolLM2's logits: 1.3e-3 with
/// the head alone, 6e-4 with both, 1e-3 with the head and the wide maps behind the gated MLPs.)
pub(super) fn of_inputs(network: &Network, head: usize) -> Vec<InputPrecision> {
    let rows = network.rows.len();
    let mut precisions = vec![InputPrecision::Int8; head];
    precisions.resize(rows, InputPrecision::Int16);
    let attentions = network.rows.iter().enumerate();
    let attentions = attentions
        .filter(|(_, row)| matches!(row.op, RowOp::Attention { .. } | RowOp::Recurrence { .. }));
    let mut seen = vec![false; rows];
    let mut open: Vec<RowId> = attentions.map(|(at, _)| RowId(at)).collect();
    while let Some(id) = open.pop() {
        for RowId(at) in network.row(id).op.inputs().into_iter().map(|i| i.of) {
            if std::mem::replace(&mut seen[at], true) {
                continue;
            }
            match network.rows[at].op {
                RowOp::Linear { .. } => precisions[at] = InputPrecision::Int16,
                // Rotations and the norms of heads stand between.
                _ => open.push(RowId(at)),
            }
        }
    }
    for RowId(at) in network.routers() {
        precisions[at] = InputPrecision::Int16;
    }
    precisions
}
