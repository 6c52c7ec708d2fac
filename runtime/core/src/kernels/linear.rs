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

/// How the rows of an input stand for the rows of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InputRows {
    /// One for one.
    Single,
    /// Two for one: the second holds what rounding took from the first, and its sums are
    /// added to what the first one's became.
    Twice,
}

impl InputRows {
    /// Rows of input for each row of output.
    pub(crate) fn per_output(self) -> usize {
        match self {
            InputRows::Single => 1,
            InputRows::Twice => 2,
        }
    }
}

/// How sums become outputs: `y = sum · scale`, `y = y + bias`, `y = residual + y`, each step
/// rounded once, in this order; then, for a second row of input, `y = y + sum · scale`.
pub(crate) struct Epilogue<'a> {
    pub(crate) input: InputRows,
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
        let (t, part) = match self.input {
            InputRows::Single => (t, 0),
            InputRows::Twice => (t / 2, t % 2),
        };
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
