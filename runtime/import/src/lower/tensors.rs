//! The plan's tensors: each weight once, however often the graph uses it.

use std::rc::Rc;

use tealight_core::layout::Encoding;
use tealight_core::ops::TensorId;

use crate::calibration::Calibration;
use crate::onnx::Tensor;
use crate::spec::{TensorSource, TensorSpec};
use crate::weights::{JoinedMatrix, Matrix, PositionRows, PositionTable, Taps, Vectors};

/// Collects tensors in the order in which operators name them.
pub(super) struct Tensors {
    context: usize,
    entries: Vec<Entry>,
}

enum Entry {
    Matrix(Vec<Matrix>),
    Vector(Vec<Rc<Tensor>>),
    Taps(Rc<Tensor>),
    Table(Rc<PositionTable>, &'static str),
    Positions(Rc<PositionRows>),
}

impl Tensors {
    /// Tables get `context` rows.
    pub(super) fn new(context: usize) -> Tensors {
        Tensors {
            context,
            entries: Vec::new(),
        }
    }

    /// Matrices, one below the other.
    pub(super) fn matrix(&mut self, parts: &[Matrix]) -> Option<TensorId> {
        self.find(
            |entry| matches!(entry, Entry::Matrix(known) if known == parts),
            || Entry::Matrix(parts.to_vec()),
        )
    }

    /// Vectors, one after the other.
    pub(super) fn vector(&mut self, parts: &[Rc<Tensor>]) -> Option<TensorId> {
        self.find(
            |entry| matches!(entry, Entry::Vector(known) if known == parts),
            || Entry::Vector(parts.to_vec()),
        )
    }

    /// The same, if there are any.
    pub(super) fn any_vector(&mut self, parts: &[Rc<Tensor>]) -> Option<Option<TensorId>> {
        match parts {
            [] => Some(None),
            _ => self.vector(parts).map(Some),
        }
    }

    /// A convolution's weight.
    pub(super) fn taps(&mut self, weight: &Rc<Tensor>) -> Option<TensorId> {
        self.find(
            |entry| matches!(entry, Entry::Taps(known) if known == weight),
            || Entry::Taps(weight.clone()),
        )
    }

    /// A table of positions.
    pub(super) fn table(
        &mut self,
        table: &Rc<PositionTable>,
        name: &'static str,
    ) -> Option<TensorId> {
        self.find(
            |entry| matches!(entry, Entry::Table(known, _) if Rc::ptr_eq(known, table)),
            || Entry::Table(table.clone(), name),
        )
    }

    /// A table of learned positions.
    pub(super) fn positions(&mut self, table: &Rc<PositionRows>) -> Option<TensorId> {
        self.find(
            |entry| matches!(entry, Entry::Positions(known) if known == table),
            || Entry::Positions(table.clone()),
        )
    }

    fn find(
        &mut self,
        known: impl FnMut(&Entry) -> bool,
        new: impl FnOnce() -> Entry,
    ) -> Option<TensorId> {
        let at = self.entries.iter().position(known).unwrap_or_else(|| {
            self.entries.push(new());
            self.entries.len() - 1
        });
        u32::try_from(at).ok().map(TensorId)
    }

    /// `calibration` knows what linear maps are given.
    pub(super) fn into_specs(
        self,
        calibration: Option<&Rc<dyn Calibration>>,
    ) -> Vec<TensorSpec<'static>> {
        let context = self.context;
        self.entries
            .into_iter()
            .map(|entry| entry.spec(context, calibration))
            .collect()
    }
}

impl Entry {
    fn spec(
        self,
        context: usize,
        calibration: Option<&Rc<dyn Calibration>>,
    ) -> TensorSpec<'static> {
        match self {
            Entry::Matrix(parts) => TensorSpec {
                name: names(parts.iter().map(Matrix::tensor)),
                encoding: parts.first().map_or(Encoding::F32, Matrix::encoding),
                rows: parts.iter().map(Matrix::rows).sum(),
                cols: parts.first().map_or(0, Matrix::cols),
                source: boxed(JoinedMatrix {
                    name: names(parts.iter().map(Matrix::tensor)),
                    calibration: calibration.cloned(),
                    parts,
                }),
            },
            Entry::Vector(parts) => TensorSpec {
                name: names(parts.iter()),
                encoding: Encoding::Table,
                rows: 1,
                cols: parts.iter().map(|part| part.len()).sum(),
                source: boxed(Vectors(parts)),
            },
            Entry::Positions(table) => TensorSpec {
                name: table.name(),
                encoding: Encoding::Table,
                rows: context,
                cols: table.width(),
                source: boxed(PositionRows::clone(&table)),
            },
            Entry::Taps(weight) => TensorSpec {
                name: weight.name.clone(),
                encoding: Encoding::Table,
                rows: weight.shape.last().copied().unwrap_or_default(),
                cols: weight.shape.first().copied().unwrap_or_default(),
                source: boxed(Taps(weight)),
            },
            Entry::Table(table, name) => TensorSpec {
                name: table.name(name),
                encoding: Encoding::Table,
                rows: context,
                cols: table.columns.len(),
                source: boxed(PositionTable::clone(&table)),
            },
        }
    }
}

fn boxed(source: impl TensorSource + 'static) -> Box<dyn TensorSource> {
    Box::new(source)
}

/// The parts' names, for people.
fn names<'a>(parts: impl Iterator<Item = &'a Rc<Tensor>>) -> String {
    let mut names: Vec<&str> = parts.map(|part| part.name.as_str()).collect();
    // Parts of one tensor.
    names.dedup();
    names.join(" + ")
}
