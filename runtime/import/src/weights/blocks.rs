//! Weights quantized in blocks along their inputs, as MatMulNBits, GatherBlockQuantized and blocked
//! DequantizeLinear store them.

use tealight_core::layout::{self, BLOCK, Encoding, GROUP_ROWS};

use super::{CodedMatrix, FloatMatrix, Matrix, Sink, Table, fault};
use crate::ImportError;
use crate::onnx::DType;

/// `rows × cols` integers of 4 or 8 bits; a value is `(stored − zero point) · scale`. Stored integers
/// and zero points count from the least one that there is, so that those of signed tensors are moved up
/// by 8 or 128.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct BlockMatrix {
    /// Integers, `rows × cols`; rows may be filled up to whole blocks.
    pub(crate) values: Table,
    /// Floats, `rows × blocks`.
    pub(crate) scales: Table,
    pub(crate) zero_points: ZeroPoints,
    pub(crate) cols: usize,
    /// Values that share a scale.
    pub(crate) block: usize,
}

/// Which stored integers stand for zero.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ZeroPoints {
    /// The middle of the range.
    Middle,
    /// The least one, of unsigned integers.
    Least,
    /// One a block, `rows × blocks` or more: integers of the values' size, or floats.
    Each(Table),
}

impl BlockMatrix {
    /// Whether the tensors' types and sizes are those of such a matrix.
    pub(crate) fn is_sound(&self) -> bool {
        let (rows, blocks) = (self.values.rows, self.blocks());
        let zero_points = match &self.zero_points {
            ZeroPoints::Middle | ZeroPoints::Least => true,
            ZeroPoints::Each(table) => {
                let dtype = table.tensor.dtype;
                table.rows == rows
                    && table.cols >= blocks
                    && table.is_whole()
                    && (dtype.is_float() || dtype == self.values.tensor.dtype)
            }
        };
        let integers = matches!(
            self.values.tensor.dtype,
            DType::U4 | DType::I4 | DType::U8 | DType::I8
        );
        let filled = blocks.checked_mul(self.block);
        rows > 0
            && self.cols > 0
            && integers
            && (self.values.cols == self.cols || Some(self.values.cols) == filled)
            && self.values.is_whole()
            && self.scales.tensor.dtype.is_float()
            && (self.scales.rows, self.scales.cols) == (rows, blocks)
            && self.scales.is_whole()
            && zero_points
    }

    /// As it will be stored: blocks that do not fill the plan's, and zero points between integers, as
    /// floats.
    pub(crate) fn into_matrix(self) -> Matrix {
        let between = match &self.zero_points {
            ZeroPoints::Each(table) => table.tensor.dtype.is_float(),
            ZeroPoints::Middle | ZeroPoints::Least => false,
        };
        match between || !self.block.is_multiple_of(BLOCK) {
            true => Matrix::Float(FloatMatrix::Coded(CodedMatrix::Blocks(self))),
            false => Matrix::Blocks(self),
        }
    }

    pub(super) fn rows(&self) -> usize {
        self.values.rows
    }

    /// Blocks of a row.
    fn blocks(&self) -> usize {
        self.cols.div_ceil(self.block)
    }

    /// What the integers of signed tensors are moved up by.
    fn up(&self) -> u8 {
        match self.values.tensor.dtype {
            DType::I4 => 8,
            DType::I8 => 128,
            _ => 0,
        }
    }

    fn four_bits(&self) -> bool {
        self.values.tensor.dtype.per_byte() == 2
    }

    pub(super) fn encoding(&self) -> Encoding {
        let middle = self.zero_points == ZeroPoints::Middle;
        match (self.four_bits(), middle) {
            (true, true) => Encoding::Int4,
            (true, false) => Encoding::Int4ZeroPoint,
            (false, true) => Encoding::Int8,
            (false, false) => Encoding::Int8ZeroPoint,
        }
    }

    pub(super) fn greatest_scale(&self) -> Result<f32, ImportError> {
        let (mut greatest, mut scales) = (0.0f32, Vec::new());
        self.scales.for_groups(|bytes| {
            scales.clear();
            self.scales.tensor.to_f32(bytes, &mut scales);
            for scale in &scales {
                if !scale.is_finite() {
                    return Err(fault(
                        &self.scales.tensor,
                        "holds a scale that is no number",
                    ));
                }
                greatest = greatest.max(scale.abs());
            }
            Ok(())
        })?;
        Ok(greatest)
    }

    pub(super) fn pack(&self, factor: f32, sink: Sink<'_>) -> Result<(), ImportError> {
        let encoding = self.encoding();
        let group_bytes = encoding.group_bytes(self.cols);
        let mut group =
            vec![0; group_bytes.ok_or_else(|| fault(&self.values.tensor, "is too large to pack"))?];
        let zero_points = match &self.zero_points {
            ZeroPoints::Each(table) => Some((table.bytes()?, table.cols)),
            ZeroPoints::Least => Some((vec![0; self.rows() * self.blocks()], self.blocks())),
            ZeroPoints::Middle => None,
        };
        let scales = self.scales.floats()?;
        let (mut block_scales, mut block_zeros) = (Vec::new(), Vec::new());
        let mut first = 0;
        self.for_integers(|values| {
            let rows = first..(first + GROUP_ROWS).min(self.rows());
            block_scales.clear();
            block_zeros.clear();
            for row in rows.clone() {
                let scales = &scales[row * self.blocks()..][..self.blocks()];
                self.spread(scales.iter().map(|scale| scale / factor), &mut block_scales);
                if let Some((zeros, width)) = &zero_points {
                    let zeros = zeros[row * width..][..self.blocks()].iter();
                    self.spread(
                        zeros.map(|zero| zero.wrapping_add(self.up())),
                        &mut block_zeros,
                    );
                }
            }
            first = rows.end;
            layout::pack_quantized(
                encoding,
                self.cols,
                values,
                &block_scales,
                &block_zeros,
                &mut group,
            );
            sink(&group)
        })
    }

    /// Calls `each` with the stored integers of every group of rows, one a byte.
    fn for_integers(
        &self,
        mut each: impl FnMut(&[u8]) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        let mut values = Vec::new();
        self.values.for_groups(|bytes| {
            values.clear();
            for row in bytes.chunks_exact(self.values.cols) {
                let row = row[..self.cols].iter();
                values.extend(row.map(|byte| byte.wrapping_add(self.up())));
            }
            each(&values)
        })
    }

    /// Calls `each` with the values of every group of rows.
    pub(super) fn for_values(
        &self,
        mut each: impl FnMut(&[f32]) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        let (scales, blocks) = (self.scales.floats()?, self.blocks());
        let middle = if self.four_bits() { 8.0 } else { 128.0 };
        let (zero_points, width, up) = match &self.zero_points {
            ZeroPoints::Middle => (vec![middle; blocks], 0, 0.0),
            ZeroPoints::Least => (vec![0.0; blocks], 0, 0.0),
            ZeroPoints::Each(table) if table.tensor.dtype.is_float() => {
                (table.floats()?, table.cols, 0.0)
            }
            ZeroPoints::Each(table) => (table.floats()?, table.cols, f32::from(self.up())),
        };
        let (mut values, mut first) = (Vec::new(), 0);
        self.for_integers(|integers| {
            values.clear();
            for (row, integers) in (first..).zip(integers.chunks_exact(self.cols)) {
                let scales = &scales[row * blocks..][..blocks];
                let zeros = &zero_points[row * width..][..blocks];
                let blocks = integers.chunks(self.block).zip(scales.iter().zip(zeros));
                for (block, (scale, zero)) in blocks {
                    let decode = |&q: &u8| (f32::from(q) - (zero + up)) * scale;
                    values.extend(block.iter().map(decode));
                }
            }
            first += GROUP_ROWS;
            each(&values)
        })
    }

    /// Repeats what belongs to a row's blocks in the graph for the plan's shorter ones.
    fn spread<T: Copy>(&self, blocks: impl Iterator<Item = T>, out: &mut Vec<T>) {
        let (wanted, repeat) = (self.cols.div_ceil(BLOCK), self.block / BLOCK);
        for (at, value) in blocks.enumerate() {
            out.extend(std::iter::repeat_n(value, repeat.min(wanted - at * repeat)));
        }
    }
}
