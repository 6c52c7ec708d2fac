//! What the matrix products share: the weight they read, and how a sum becomes an output.

use super::lanes::{LANES, Lanes};
use crate::layout::{Encoding, GROUP_ROWS};
use crate::rows::{Rows, RowsMut};

const _: () = assert!(
    LANES == GROUP_ROWS,
    "a vector holds one value of each row of a group"
);

/// A packed weight.
#[derive(Clone, Copy)]
pub(crate) struct Weight<'a> {
    pub(crate) encoding: Encoding,
    /// Outputs.
    pub(crate) rows: usize,
    /// Inputs.
    pub(crate) cols: usize,
    /// Factor on every value.
    pub(crate) scale: f32,
    pub(crate) data: &'a [u8],
}

impl<'a> Weight<'a> {
    /// `rows` outputs by `cols` inputs.
    ///
    /// # Panics
    /// If `data` is not as long as the encoding says.
    pub(crate) fn new(
        encoding: Encoding,
        rows: usize,
        cols: usize,
        scale: f32,
        data: &'a [u8],
    ) -> Weight<'a> {
        assert_eq!(Some(data.len()), encoding.tensor_bytes(rows, cols));
        Weight {
            encoding,
            rows,
            cols,
            scale,
            data,
        }
    }

    /// Rows from `index · rows` on, which are whole groups.
    ///
    /// # Panics
    /// If the weight has no such rows.
    #[cfg(feature = "experts")]
    pub(crate) fn part(&self, index: usize, rows: usize) -> Weight<'a> {
        let bytes = self.encoding.tensor_bytes(rows, self.cols);
        let bytes = bytes.expect("a part of a checked plan's weight");
        Weight {
            rows,
            data: &self.data[index * bytes..][..bytes],
            ..*self
        }
    }

    /// Groups of 16 rows, the last one perhaps partly filled.
    pub(crate) fn groups(&self) -> usize {
        self.rows.div_ceil(GROUP_ROWS)
    }

    /// The bytes of a group.
    ///
    /// # Panics
    /// If the weight is shorter than its shape says, which opening a plan rules out.
    pub(super) fn group(&self, group: usize) -> &'a [u8] {
        let bytes = self
            .encoding
            .group_bytes(self.cols)
            .expect("the shape of a checked plan");
        &self.data[group * bytes..][..bytes]
    }
}

/// What an output is added to.
pub(crate) enum Residual<'a> {
    None,
    /// What stands in the output.
    InPlace,
    Rows(Rows<'a>),
}

/// What an input is rounded to before it meets an integer weight, with a scale for each 32
/// values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum InputPrecision {
    /// int8.
    Int8 = 8,
    /// int8 twice: what the first rounding took is rounded again, and both are multiplied in
    /// one pass over the weight.
    Int16 = 16,
}

impl InputPrecision {
    /// Rows of int8 that stand for one row of input.
    pub(crate) fn int8_rows(self) -> usize {
        match self {
            InputPrecision::Int8 => 1,
            InputPrecision::Int16 => 2,
        }
    }
}

/// How sums become outputs: `y = sum · scale`, `y = y + bias`, `y = residual + y`, each step
/// rounded once, in this order; then, for the second row of an int16 input,
/// `y = y + sum · scale`.
pub(crate) struct Epilogue<'a> {
    pub(crate) precision: InputPrecision,
    pub(crate) scale: f32,
    /// One value an output.
    pub(crate) bias: Option<&'a [f32]>,
    pub(crate) residual: Residual<'a>,
    pub(crate) output: RowsMut<'a>,
}

impl Epilogue<'_> {
    /// Finishes the outputs of one group for row `t` of the input. Rows come in order.
    #[inline(always)]
    pub(super) fn finish<L: Lanes>(&self, lanes: L, t: usize, group: usize, sums: L::F) {
        let start = group * GROUP_ROWS;
        let columns = start..self.output.width().min(start + GROUP_ROWS);
        let int8_rows = self.precision.int8_rows();
        let (t, part) = (t / int8_rows, t % int8_rows);
        // SAFETY: groups are disjoint columns, and a group is given to one thread.
        let out = unsafe { self.output.columns(t, columns.clone()) };
        let mut y = lanes.mul(sums, lanes.splat(self.scale));
        if part == 0 {
            if let Some(bias) = self.bias {
                y = lanes.add(y, load(lanes, &bias[columns.clone()]));
            }
            match &self.residual {
                Residual::None => {}
                Residual::InPlace => y = lanes.add(load(lanes, out), y),
                Residual::Rows(rows) => y = lanes.add(load(lanes, &rows.row(t)[columns]), y),
            }
        } else {
            y = lanes.add(load(lanes, out), y);
        }
        match <&mut [f32; LANES]>::try_from(&mut *out) {
            Ok(out) => lanes.store(y, out),
            Err(_) => lanes.store_some(y, out),
        }
    }
}

/// One whole vector, or what there is of it.
#[inline(always)]
fn load<L: Lanes>(lanes: L, x: &[f32]) -> L::F {
    match x.try_into() {
        Ok(x) => lanes.load(x),
        Err(_) => lanes.load_some(x),
    }
}
