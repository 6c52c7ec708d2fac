//! Weights in a code that plans do not have, which therefore become floats on their way into one, or
//! are quantized again where that is asked for.

use std::rc::Rc;

use super::{BlockMatrix, Table};
use crate::ImportError;
use crate::onnx::Tensor;

/// Where a matrix's floats come from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum CodedMatrix {
    /// Short blocks, or zero points that are no integers.
    Blocks(BlockMatrix),
    Codebook(CodebookMatrix),
}

/// Weights that are a codebook's values times the greatest magnitude of their block, as bitsandbytes
/// makes them. A block is so many values on end, whatever rows they belong to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CodebookMatrix {
    /// Places in the codebook, of 4 bits. Of two in a byte the first is in its high half.
    pub(crate) values: Table,
    /// Floats, one a block.
    pub(crate) greatest: Rc<Tensor>,
    pub(crate) block: usize,
    pub(crate) codebook: &'static [f32; 16],
}

/// NF4: the means of sixteen equally likely parts of a normal distribution, the greatest magnitude
/// being 1 (QLoRA, arXiv 2305.14314, appendix E).
pub(crate) const NF4: [f32; 16] = [
    -1.0,
    -0.696_192_8,
    -0.525_073_05,
    -0.394_917_5,
    -0.284_441_38,
    -0.184_773_43,
    -0.091_050_036,
    0.0,
    0.079_580_3,
    0.160_930_2,
    0.246_112_3,
    0.337_915_24,
    0.440_709_83,
    0.562_617,
    0.722_956_84,
    1.0,
];

/// FP4: a sign, two bits of exponent, one of mantissa, as bitsandbytes orders and scales them.
pub(crate) const FP4: [f32; 16] = [
    0.0,
    1.0 / 192.0,
    2.0 / 3.0,
    1.0,
    1.0 / 3.0,
    0.5,
    1.0 / 6.0,
    0.25,
    -0.0,
    -1.0 / 192.0,
    -2.0 / 3.0,
    -1.0,
    -1.0 / 3.0,
    -0.5,
    -1.0 / 6.0,
    -0.25,
];

impl CodedMatrix {
    pub(super) fn shape(&self) -> (usize, usize) {
        match self {
            CodedMatrix::Blocks(m) => (m.rows(), m.cols),
            CodedMatrix::Codebook(m) => (m.values.rows, m.values.cols),
        }
    }

    pub(super) fn tensor(&self) -> &Rc<Tensor> {
        match self {
            CodedMatrix::Blocks(m) => &m.values.tensor,
            CodedMatrix::Codebook(m) => &m.values.tensor,
        }
    }

    pub(super) fn for_values(
        &self,
        each: impl FnMut(&[f32]) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        match self {
            CodedMatrix::Blocks(m) => m.for_values(each),
            CodedMatrix::Codebook(m) => m.for_values(each),
        }
    }
}

impl CodebookMatrix {
    /// Whether the tensors' types and sizes are those of such a matrix. Rows of an odd width would
    /// share bytes.
    pub(crate) fn is_sound(&self) -> bool {
        let (rows, cols) = (self.values.rows, self.values.cols);
        let count = rows.checked_mul(cols).filter(|&count| count > 0);
        cols.is_multiple_of(2)
            && self.block > 0
            && self.values.tensor.dtype.per_byte() == 2
            && self.values.is_whole()
            && self.greatest.dtype.is_float()
            && count.map(|count| count.div_ceil(self.block)) == Some(self.greatest.len())
    }

    fn for_values(
        &self,
        mut each: impl FnMut(&[f32]) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        let greatest = self.greatest.floats()?;
        let (mut values, mut first) = (Vec::new(), 0);
        self.values.for_groups(|places| {
            values.clear();
            let turned = places.chunks_exact(2).flat_map(|pair| [pair[1], pair[0]]);
            values.extend((first..).zip(turned).map(|(at, place)| {
                self.codebook[usize::from(place & 15)] * greatest[at / self.block]
            }));
            first += places.len();
            each(&values)
        })
    }
}
