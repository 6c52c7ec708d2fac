//! Makes fewer, larger operators: drops what nothing uses, joins linear maps of the same input,
//! and puts sums into the linear map before them.

use std::collections::HashMap;

use crate::walk::network::{Columns, Network, RowId, RowOp, Weights};

/// Applies everything, and returns the operator that makes the output now.
pub(super) fn all(network: &mut Network, output: RowId) -> RowId {
    let output = absorb_skips(network, output);
    let output = prune(network, output);
    join_linear_maps(network, output);
    let output = prune(network, output);
    let output = absorb_sums(network, output);
    prune(network, output)
}

/// Drops operators that neither the output nor what is kept depends on.
fn prune(network: &mut Network, output: RowId) -> RowId {
    let mut used = vec![false; network.rows.len()];
    used[output.0] = true;
    for at in (0..network.rows.len()).rev() {
        let op = &network.rows[at].op;
        if used[at] || op.keeps() {
            used[at] = true;
            for input in op.inputs() {
                used[input.of.0] = true;
            }
        }
    }
    let mut new_ids = vec![RowId(0); used.len()];
    let mut next = 0;
    for (id, &used) in new_ids.iter_mut().zip(&used) {
        *id = RowId(next);
        next += usize::from(used);
    }
    let mut keep = used.into_iter();
    network.rows.retain(|_| keep.next().unwrap_or(false));
    for row in &mut network.rows {
        for input in row.op.inputs_mut() {
            input.of = new_ids[input.of.0];
        }
    }
    new_ids[output.0]
}

/// Queries, keys and values; gate and up: each becomes one matrix, whose parts are views.
fn join_linear_maps(network: &mut Network, output: RowId) {
    let mut firsts: HashMap<Columns, Vec<usize>> = HashMap::new();
    for at in 0..network.rows.len() {
        // What was joined so far has to be seen through.
        let RowOp::Linear {
            input,
            weights,
            bias,
            residual: None,
        } = network.rows[at].op.clone()
        else {
            continue;
        };
        if at == output.0 {
            continue;
        }
        let candidates = firsts.entry(input).or_default();
        let found = candidates.iter().copied().find(|&first| {
            let RowOp::Linear {
                weights: others,
                bias: b,
                ..
            } = &network.rows[first].op
            else {
                return false;
            };
            let fits = others
                .iter()
                .chain(&weights)
                .all(|weight| weight.joins(&weights[0]));
            fits && b.is_empty() == bias.is_empty()
        });
        let Some(first) = found else {
            candidates.push(at);
            continue;
        };
        let (offset, width) = (network.rows[first].width, network.rows[at].width);
        if let RowOp::Linear {
            weights: all,
            bias: biases,
            ..
        } = &mut network.rows[first].op
        {
            all.extend(weights);
            biases.extend(bias);
        }
        network.rows[first].width = offset + width;
        for row in &mut network.rows {
            for input in row.op.inputs_mut() {
                if input.of.0 == at {
                    *input = Columns {
                        of: RowId(first),
                        start: input.start + offset,
                        width: input.width,
                    };
                }
            }
        }
    }
}

/// `Add(x, Linear(…))` becomes the linear map's residual.
fn absorb_sums(network: &mut Network, mut output: RowId) -> RowId {
    for at in 0..network.rows.len() {
        let RowOp::Add { a, b } = network.rows[at].op else {
            continue;
        };
        // The later of the two can take the other one in.
        let (early, late) = if a.of < b.of { (a, b) } else { (b, a) };
        let used_once = uses(network, late.of) == 1 && late.of != output;
        if late != network.whole(late.of) || !used_once || early.of >= late.of {
            continue;
        }
        let RowOp::Linear {
            residual: residual @ None,
            ..
        } = &mut network.rows[late.of.0].op
        else {
            continue;
        };
        *residual = Some(early);
        output = redirect(network, output, RowId(at), late.of);
    }
    output
}

/// `Add(recurrence, its values by head)` becomes the recurrence's own.
fn absorb_skips(network: &mut Network, mut output: RowId) -> RowId {
    for at in 0..network.rows.len() {
        let RowOp::Add { a, b } = network.rows[at].op else {
            continue;
        };
        for (of, passed) in [(a, b), (b, a)] {
            let RowOp::Weigh {
                input,
                by: Weights::Vector(by),
                ..
            } = network.row(passed.of).op.clone()
            else {
                continue;
            };
            let all = of == network.whole(of.of) && passed == network.whole(passed.of);
            let used_once = uses(network, of.of) == 1 && of.of != output;
            if let RowOp::Recurrence {
                value,
                skip: skip @ None,
                states,
                ..
            } = &mut network.rows[of.of.0].op
                && all
                && used_once
                && *value == input
                && *states == by.len()
            {
                *skip = Some(by);
                output = redirect(network, output, RowId(at), of.of);
                break;
            }
        }
    }
    output
}

/// Makes whoever reads one result read another one, and returns the output then.
fn redirect(network: &mut Network, output: RowId, from: RowId, to: RowId) -> RowId {
    for input in network.rows.iter_mut().flat_map(|row| row.op.inputs_mut()) {
        if input.of == from {
            input.of = to;
        }
    }
    if output == from { to } else { output }
}

fn uses(network: &Network, id: RowId) -> usize {
    network
        .rows
        .iter()
        .flat_map(|row| row.op.inputs())
        .filter(|input| input.of == id)
        .count()
}
