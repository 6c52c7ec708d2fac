//! Which float weights become integers: the layers', the head's and the embedding's each by
//! themselves.

use std::collections::BTreeMap;

use crate::ImportError;
use crate::walk::network::{Network, Row, RowId, RowOp};
use crate::weights::{Matrix, Quantize};

/// What float weights of linear maps and embeddings are stored as. `None` stands for what they
/// are. Weights that the graph quantizes stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quantization {
    /// The layers'.
    pub layers: Option<Quantize>,
    /// The head's.
    pub head: Option<Quantize>,
    /// The embedding's, where it is another table than the head's.
    pub embedding: Option<Quantize>,
    /// Layers that differ, counted from 0.
    pub exceptions: BTreeMap<usize, Option<Quantize>>,
}

impl From<Quantize> for Quantization {
    /// Everything alike.
    fn from(to: Quantize) -> Quantization {
        Quantization {
            layers: Some(to),
            head: Some(to),
            embedding: Some(to),
            exceptions: BTreeMap::new(),
        }
    }
}

/// Whose a weight is.
#[derive(Clone, Copy)]
enum Owner {
    Embedding,
    Layer(usize),
    Head,
}

impl Network {
    /// Makes a head share the embedding's table where exporters wrote the same values twice.
    pub(crate) fn tie_head(&mut self) -> Result<(), ImportError> {
        let table = self.table().cloned();
        if let (Some(Matrix::Float(table)), Some([Matrix::Float(head)])) = (table, self.head_mut())
            && head.equals(&table)?
        {
            *head = table;
        }
        Ok(())
    }

    /// Marks float weights to be stored as integers. A network that makes hidden states has no
    /// head: its last linear map is a part of its last layer.
    pub(crate) fn quantize(
        &mut self,
        how: &Quantization,
        has_head: bool,
    ) -> Result<(), ImportError> {
        let layers = self.layers();
        if let Some((&layer, _)) = how.exceptions.range(layers..).next() {
            return Err(ImportError::NoSuchLayer { layer, layers });
        }
        let table = self.table().cloned();
        let tied = has_head && self.head_mut().and_then(|head| head.first()) == table.as_ref();
        let owners = self.owners(has_head);
        for (row, owner) in self.rows.iter_mut().zip(owners) {
            let to = match owner {
                Some(Owner::Embedding) if tied => how.head,
                Some(Owner::Embedding) => how.embedding,
                Some(Owner::Layer(layer)) => *how.exceptions.get(&layer).unwrap_or(&how.layers),
                Some(Owner::Head) => how.head,
                None => None,
            };
            let (weights, more) = match &mut row.op {
                RowOp::Embed { table, .. } => (std::slice::from_mut(table), &mut [][..]),
                RowOp::Linear { weights, .. } => (&mut weights[..], &mut [][..]),
                RowOp::Experts { gate_up, down, .. } => (&mut gate_up[..], &mut down[..]),
                _ => continue,
            };
            if let Some(to) = to {
                for weight in weights.iter_mut().chain(more) {
                    *weight = weight.clone().quantized(to);
                }
            }
        }
        Ok(())
    }

    /// How many layers there are.
    fn layers(&self) -> usize {
        let is_attention = |row: &&Row| matches!(row.op, RowOp::Attention { .. });
        self.rows.iter().filter(is_attention).count()
    }

    /// For each operator with weights to quantize, whose they are: a layer's are those that make its
    /// attention's inputs and all that follow but for routers', the last one's are the head's, where there is one.
    fn owners(&self, has_head: bool) -> Vec<Option<Owner>> {
        let mut owners = vec![None; self.rows.len()];
        let mut layers = 0;
        let mut last = None;
        for (at, row) in self.rows.iter().enumerate() {
            match &row.op {
                RowOp::Embed { .. } => owners[at] = Some(Owner::Embedding),
                RowOp::Linear { .. } | RowOp::Experts { .. } => {
                    owners[at] = Some(Owner::Layer(usize::max(layers, 1) - 1));
                    last = Some(at);
                }
                RowOp::Attention {
                    query, key, value, ..
                } => {
                    for input in [query, key, value] {
                        if let Some(linear) = self.linear_behind(input.of) {
                            owners[linear.0] = Some(Owner::Layer(layers));
                        }
                    }
                    layers += 1;
                }
                _ => {}
            }
        }
        if let Some(last) = last.filter(|_| has_head) {
            owners[last] = Some(Owner::Head);
        }
        // They are small, and another expert is another answer.
        for router in self.routers() {
            owners[router.0] = None;
        }
        owners
    }

    /// The linear map whose result comes to `id`, through norms and rotations.
    fn linear_behind(&self, mut id: RowId) -> Option<RowId> {
        while !matches!(self.row(id).op, RowOp::Linear { .. }) {
            id = self.row(id).op.inputs().first()?.of;
        }
        Some(id)
    }

    fn table(&self) -> Option<&Matrix> {
        self.rows.iter().find_map(|row| match &row.op {
            RowOp::Embed { table, .. } => Some(table),
            _ => None,
        })
    }

    /// The weights of the last linear map.
    fn head_mut(&mut self) -> Option<&mut [Matrix]> {
        let mut rows = self.rows.iter_mut().rev();
        rows.find_map(|row| match &mut row.op {
            RowOp::Linear { weights, .. } => Some(&mut weights[..]),
            _ => None,
        })
    }
}
