//! Gives every operator's result a place: a buffer of its own, or that of what it replaces.

use tealight_core::ops::{BufferId, View};

use super::stage;
use crate::spec::BufferSpec;
use crate::walk::network::{Columns, Network, RowOp};

/// Where every operator's result lies.
pub(super) struct Buffers {
    specs: Vec<BufferSpec>,
    /// One for each operator.
    places: Vec<Place>,
}

#[derive(Clone, Copy)]
struct Place {
    buffer: usize,
    start: usize,
}

impl Buffers {
    pub(super) fn assign(network: &Network, head: usize) -> Result<Buffers, String> {
        let mut buffers = Buffers {
            specs: Vec::new(),
            places: Vec::new(),
        };
        for (at, row) in network.rows.iter().enumerate() {
            let over = match &row.op {
                RowOp::RmsNorm { input, .. } | RowOp::LayerNorm { input, .. } => Some(*input),
                RowOp::Rope { input, .. }
                | RowOp::Softcap { input, .. }
                | RowOp::Position { input, .. }
                | RowOp::Activate { input, .. }
                | RowOp::Route { input, .. } => Some(*input),
                RowOp::Linear {
                    residual, input, ..
                } => {
                    // A map cannot write over what it still multiplies.
                    residual.filter(|residual| !buffers.overlap(*residual, *input))
                }
                RowOp::Add { a, b } => [*a, *b]
                    .into_iter()
                    .find(|x| buffers.free(network, *x, at, head)),
                RowOp::Embed { .. }
                | RowOp::Attention { .. }
                | RowOp::Gate { .. }
                | RowOp::Convolution { .. }
                | RowOp::Recurrence { .. }
                | RowOp::Pick { .. }
                | RowOp::Weigh { .. }
                | RowOp::Experts { .. } => None,
            };
            let over = over.filter(|columns| buffers.free(network, *columns, at, head));
            let place = match over {
                Some(columns) => {
                    let place = buffers.places[columns.of.0];
                    Place {
                        start: place.start + columns.start,
                        ..place
                    }
                }
                None if matches!(row.op, RowOp::Rope { .. }) => {
                    return Err("it needs queries or keys again after their rotation".into());
                }
                None if matches!(row.op, RowOp::Softcap { .. }) => {
                    return Err("it needs values again after they were capped".into());
                }
                None if matches!(row.op, RowOp::Route { .. }) => {
                    return Err("it needs a router's logits again after their routing".into());
                }
                None if matches!(row.op, RowOp::Position { .. } | RowOp::Activate { .. }) => {
                    return Err("it needs values again after they were changed in place".into());
                }
                None => {
                    buffers.specs.push(BufferSpec {
                        width: row.width,
                        stage: stage(at, head),
                    });
                    Place {
                        buffer: buffers.specs.len() - 1,
                        start: 0,
                    }
                }
            };
            buffers.places.push(place);
        }
        Ok(buffers)
    }

    /// The columns in their buffer; `None` if a number does not fit the format.
    pub(super) fn view(&self, columns: Columns) -> Option<View> {
        let place = self.places.get(columns.of.0)?;
        Some(View {
            buffer: BufferId(u32::try_from(place.buffer).ok()?),
            start: u32::try_from(place.start + columns.start).ok()?,
            width: u32::try_from(columns.width).ok()?,
        })
    }

    pub(super) fn into_specs(self) -> Vec<BufferSpec> {
        self.specs
    }

    /// Whether operator `at` may write over these columns: they are of its stage, and nothing
    /// after it needs what is there.
    fn free(&self, network: &Network, columns: Columns, at: usize, head: usize) -> bool {
        let place = self.places[columns.of.0];
        let same_stage = self.specs[place.buffer].stage == stage(at, head);
        same_stage && !self.needed_after(network, columns, at)
    }

    fn needed_after(&self, network: &Network, columns: Columns, at: usize) -> bool {
        let place = self.places[columns.of.0];
        let start = place.start + columns.start;
        let end = start + columns.width;
        let later = network.rows[at + 1..]
            .iter()
            .flat_map(|row| row.op.inputs());
        let mut overlapping = later.filter(|input| {
            // Results of this operator and later ones have no place yet.
            self.places.get(input.of.0).is_some_and(|other| {
                let from = other.start + input.start;
                other.buffer == place.buffer && from < end && start < from + input.width
            })
        });
        overlapping.next().is_some()
    }

    fn overlap(&self, a: Columns, b: Columns) -> bool {
        let (at_a, at_b) = (self.places[a.of.0], self.places[b.of.0]);
        let (from_a, from_b) = (at_a.start + a.start, at_b.start + b.start);
        at_a.buffer == at_b.buffer && from_a < from_b + b.width && from_b < from_a + a.width
    }
}
