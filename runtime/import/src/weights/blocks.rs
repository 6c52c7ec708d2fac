//! Weights quantized in blocks, as MatMulNBits and GatherBlockQuantized store them.

use std::rc::Rc;

use tealight_core::layout::{self, BLOCK, Encoding, GROUP_ROWS};

use super::{Sink, fault};
use crate::ImportError;
use crate::onnx::Tensor;

/// `rows × cols` integers of 4 or 8 bits. Within a row, blocks follow each other, each filled
/// up to a whole block; two 4-bit values share a byte, the first in its low half.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct BlockMatrix {
    /// u8, `rows × blocks × block bytes`.
    pub(crate) values: Rc<Tensor>,
    /// Floats, `rows × blocks`.
    pub(crate) scales: Rc<Tensor>,
    /// u8, packed like the values, each row on its own; the middle of the range if there are none.
    pub(crate) zero_points: Option<Rc<Tensor>>,
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    /// 4 or 8.
    pub(crate) bits: usize,
    /// Values that share a scale: a multiple of [`BLOCK`].
    pub(crate) block: usize,
}

impl BlockMatrix {
    /// Whether the tensors' types and sizes are those of such a matrix.
    pub(crate) fn is_sound(&self) -> bool {
        use crate::onnx::DType;
        let blocks = self.blocks();
        let per_byte = 8 / self.bits;
        let Some(row) = blocks.checked_mul(self.block) else {
            return false;
        };
        let holds = |tensor: &Tensor, dtype: DType, row: usize| {
            tensor.dtype == dtype && self.rows.checked_mul(row) == Some(tensor.len())
        };
        holds(&self.values, DType::U8, row / per_byte)
            && self.scales.dtype.is_float()
            && self.rows.checked_mul(blocks) == Some(self.scales.len())
            && self
                .zero_points
                .as_ref()
                .is_none_or(|zero| holds(zero, DType::U8, blocks.div_ceil(per_byte)))
    }

    /// Blocks of a row.
    pub(crate) fn blocks(&self) -> usize {
        self.cols.div_ceil(self.block)
    }

    pub(super) fn encoding(&self) -> Encoding {
        match (self.bits, self.zero_points.is_some()) {
            (4, false) => Encoding::Int4,
            (4, true) => Encoding::Int4ZeroPoint,
            (_, false) => Encoding::Int8,
            (_, true) => Encoding::Int8ZeroPoint,
        }
    }

    pub(super) fn greatest_scale(&self) -> Result<f32, ImportError> {
        let mut greatest = 0.0f32;
        let (mut scales, count) = (Vec::new(), self.scales.len());
        for first in (0..count).step_by(1 << 20) {
            self.scales
                .read_f32(first, (count - first).min(1 << 20), &mut scales)?;
            for scale in &scales {
                if !scale.is_finite() {
                    return Err(fault(&self.scales, "holds a scale that is no number"));
                }
                greatest = greatest.max(scale.abs());
            }
        }
        Ok(greatest)
    }

    pub(super) fn pack(&self, factor: f32, sink: Sink<'_>) -> Result<(), ImportError> {
        let encoding = self.encoding();
        let group_bytes = encoding.group_bytes(self.cols);
        let mut group =
            vec![0; group_bytes.ok_or_else(|| fault(&self.values, "is too large to pack"))?];
        let (blocks, per_byte) = (self.blocks(), 8 / self.bits);
        let row_bytes = blocks * self.block / per_byte;
        let zero_row = blocks.div_ceil(per_byte);
        let mut bytes = vec![0; GROUP_ROWS.min(self.rows) * row_bytes];
        let mut zero_bytes = vec![0; GROUP_ROWS * zero_row];
        let (mut values, mut scales, mut zeros) = (Vec::new(), Vec::new(), Vec::new());
        let (mut block_scales, mut block_zeros) = (Vec::new(), Vec::new());
        for first in (0..self.rows).step_by(GROUP_ROWS) {
            let rows = GROUP_ROWS.min(self.rows - first);
            let bytes = &mut bytes[..rows * row_bytes];
            self.values.read(first * row_bytes, bytes)?;
            values.clear();
            for row in bytes.chunks_exact(row_bytes) {
                self.unpack(row, self.cols, &mut values);
            }
            self.scales
                .read_f32(first * blocks, rows * blocks, &mut scales)?;
            block_scales.clear();
            self.spread(scales.iter().map(|scale| scale / factor), &mut block_scales);
            block_zeros.clear();
            if let Some(tensor) = &self.zero_points {
                let bytes = &mut zero_bytes[..rows * zero_row];
                tensor.read(first * zero_row, bytes)?;
                zeros.clear();
                for row in bytes.chunks_exact(zero_row) {
                    self.unpack(row, blocks, &mut zeros);
                }
                self.spread(zeros.iter().copied(), &mut block_zeros);
            }
            layout::pack_quantized(
                encoding,
                self.cols,
                &values,
                &block_scales,
                &block_zeros,
                &mut group,
            );
            sink(&group)?;
        }
        Ok(())
    }

    /// The first `count` values of a row, one a byte.
    fn unpack(&self, row: &[u8], count: usize, out: &mut Vec<u8>) {
        if self.bits == 8 {
            out.extend_from_slice(&row[..count]);
        } else {
            out.extend(
                row.iter()
                    .flat_map(|byte| [byte & 15, byte >> 4])
                    .take(count),
            );
        }
    }

    /// Repeats what belongs to the graph's blocks for the plan's shorter ones.
    fn spread<T: Copy>(&self, blocks: impl Iterator<Item = T>, out: &mut Vec<T>) {
        let (wanted, repeat) = (self.cols.div_ceil(BLOCK), self.block / BLOCK);
        for (at, value) in blocks.enumerate() {
            let before = at % self.blocks() * repeat;
            out.extend(std::iter::repeat_n(value, repeat.min(wanted - before)));
        }
    }
}
