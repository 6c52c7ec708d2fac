//! Weights quantized to 8 bits with a scale for the whole or for each row, as the dynamic
//! quantizer stores them.

use tealight_core::layout::{self, BLOCK, Encoding, GROUP_ROWS};

use super::{Sink, Table, fault};
use crate::ImportError;
use crate::onnx::DType;

/// Integers, `rows × cols`; a value is `(stored − zero point) · scale`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Int8Matrix {
    /// Integers of 8 bits or fewer.
    pub(crate) values: Table,
    pub(crate) scale: PerRow<f32>,
    /// As unsigned values: those of signed tensors moved up by 128.
    pub(crate) zero_point: PerRow<u8>,
}

/// One number for all rows, or one for each.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum PerRow<T> {
    Same(T),
    Each(Vec<T>),
}

impl<T: Copy> PerRow<T> {
    /// From as many numbers as there are rows, or one.
    pub(crate) fn new(numbers: Vec<T>, rows: usize) -> Option<PerRow<T>> {
        match numbers[..] {
            [number] => Some(PerRow::Same(number)),
            _ => (numbers.len() == rows).then_some(PerRow::Each(numbers)),
        }
    }

    fn get(&self, row: usize) -> T {
        match self {
            PerRow::Same(number) => *number,
            PerRow::Each(numbers) => numbers[row],
        }
    }
}

impl Int8Matrix {
    pub(super) fn encoding(&self) -> Encoding {
        let middle = match &self.zero_point {
            PerRow::Same(zero) => *zero == 128,
            PerRow::Each(zeros) => zeros.iter().all(|&zero| zero == 128),
        };
        if middle {
            Encoding::Int8
        } else {
            Encoding::Int8ZeroPoint
        }
    }

    /// The factor of the whole tensor, if there is a single one: then all block scales are 1.
    pub(super) fn record_scale(&self) -> Option<f32> {
        match &self.scale {
            PerRow::Same(scale) => Some(*scale),
            PerRow::Each(_) => None,
        }
    }

    pub(super) fn greatest_scale(&self) -> Option<f32> {
        match &self.scale {
            PerRow::Same(_) => None,
            PerRow::Each(scales) => Some(scales.iter().fold(0.0, |a, b| b.abs().max(a))),
        }
    }

    pub(super) fn pack(&self, factor: f32, sink: Sink<'_>) -> Result<(), ImportError> {
        let encoding = self.encoding();
        let (rows, cols) = (self.values.rows, self.values.cols);
        let group_bytes = encoding.group_bytes(cols);
        let mut group =
            vec![0; group_bytes.ok_or_else(|| fault(&self.values.tensor, "is too large to pack"))?];
        let blocks = cols.div_ceil(BLOCK);
        let signed = matches!(self.values.tensor.dtype, DType::I8 | DType::I4);
        let (mut values, mut scales, mut zeros) = (Vec::new(), Vec::new(), Vec::new());
        let mut first = 0;
        self.values.for_groups(|bytes| {
            values.clear();
            values.extend(
                bytes
                    .iter()
                    .map(|&byte| if signed { byte ^ 128 } else { byte }),
            );
            scales.clear();
            zeros.clear();
            let last = (first + GROUP_ROWS).min(rows);
            for row in first..last {
                let scale = match &self.scale {
                    PerRow::Same(_) => 1.0,
                    PerRow::Each(scales) => scales[row] / factor,
                };
                scales.extend(std::iter::repeat_n(scale, blocks));
                if encoding.has_zero_points() {
                    zeros.extend(std::iter::repeat_n(self.zero_point.get(row), blocks));
                }
            }
            first = last;
            layout::pack_quantized(encoding, cols, &values, &scales, &zeros, &mut group);
            sink(&group)
        })
    }
}
