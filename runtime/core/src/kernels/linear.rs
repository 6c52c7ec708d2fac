//! What the matrix products share: the weight they read, and how a sum becomes an output.

#[cfg(target_arch = "aarch64")]
use core::ops::Range;

use super::lanes::{LANES, Lanes, load_up_to, store_up_to};
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
                y = lanes.add(y, load_up_to(lanes, &bias[columns.clone()]));
            }
            match &self.residual {
                Residual::None => {}
                Residual::InPlace => y = lanes.add(load_up_to(lanes, out), y),
                Residual::Rows(rows) => y = lanes.add(load_up_to(lanes, &rows.row(t)[columns]), y),
            }
        } else {
            y = lanes.add(load_up_to(lanes, out), y);
        }
        store_up_to(lanes, y, out);
    }

    /// What [`Epilogue::finish`] makes of the sums of all parts of a row, given what is added.
    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    fn finished<L: Lanes, const PARTS: usize>(
        &self,
        lanes: L,
        sums: [L::F; PARTS],
        bias: Option<L::F>,
        residual: Option<L::F>,
    ) -> L::F {
        let scale = lanes.splat(self.scale);
        let mut y = lanes.mul(sums[0], scale);
        if let Some(bias) = bias {
            y = lanes.add(y, bias);
        }
        if let Some(residual) = residual {
            y = lanes.add(residual, y);
        }
        for part in 1..PARTS {
            y = lanes.add(y, lanes.mul(sums[part], scale));
        }
        y
    }

    /// Finishes the outputs of one group for some rows of the input, of which row
    /// `rows.start + i` has `sums(i)`: what is the same for all is found once.
    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    pub(super) fn finish_rows<L: Lanes>(
        &self,
        lanes: L,
        rows: Range<usize>,
        group: usize,
        sums: impl Fn(usize) -> L::F,
    ) {
        let parts = self.precision.int8_rows();
        let outputs = rows.start / parts..rows.end / parts;
        let start = group * GROUP_ROWS;
        if start + GROUP_ROWS > self.output.width()
            || rows != (outputs.start * parts..outputs.end * parts)
        {
            for (i, t) in rows.enumerate() {
                self.finish(lanes, t, group, sums(i));
            }
            return;
        }
        match self.precision {
            InputPrecision::Int8 => {
                self.finish_whole(lanes, outputs, start, |i| [sums(i)]);
            }
            InputPrecision::Int16 => {
                self.finish_whole(lanes, outputs, start, |i| [sums(2 * i), sums(2 * i + 1)]);
            }
        }
    }

    /// The same for rows of the output, of which every column from `start` to the group's end is
    /// there.
    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    fn finish_whole<L: Lanes, const PARTS: usize>(
        &self,
        lanes: L,
        rows: Range<usize>,
        start: usize,
        sums: impl Fn(usize) -> [L::F; PARTS],
    ) {
        let bias = self
            .bias
            .map(|bias| load_up_to(lanes, &bias[start..][..LANES]));
        // SAFETY: groups are disjoint columns, and a group is given to one thread.
        let outputs = unsafe { self.output.arrays(rows.clone(), start) };
        match &self.residual {
            Residual::None => {
                for (i, out) in outputs.enumerate() {
                    lanes.store(self.finished(lanes, sums(i), bias, None), out);
                }
            }
            Residual::InPlace => {
                for (i, out) in outputs.enumerate() {
                    let residual = Some(lanes.load(out));
                    lanes.store(self.finished(lanes, sums(i), bias, residual), out);
                }
            }
            Residual::Rows(residual) => {
                for ((i, out), row) in outputs.enumerate().zip(residual.arrays(rows, start)) {
                    let residual = Some(lanes.load(row));
                    lanes.store(self.finished(lanes, sums(i), bias, residual), out);
                }
            }
        }
    }

    /// Finishes some groups of all rows of the input, whose sums `sums` computes. Where those are
    /// parts of one row, what groups have in common is found once.
    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    pub(super) fn finish_groups<L: Lanes, const ROWS: usize>(
        &self,
        lanes: L,
        groups: Range<usize>,
        mut sums: impl FnMut(usize) -> [L::F; ROWS],
    ) {
        if groups.is_empty() {
            return;
        }
        let one = self.output.count() == 1 && self.precision.int8_rows() == ROWS;
        let whole = if one {
            groups.end.min(self.output.width() / GROUP_ROWS)
        } else {
            groups.start
        };
        let columns = groups.start * GROUP_ROWS..whole * GROUP_ROWS;
        let residual = match &self.residual {
            Residual::Rows(rows) => &rows.row(0)[columns.clone()],
            Residual::None | Residual::InPlace => &[],
        };
        let mut residual = residual.as_chunks().0.iter();
        let bias = self.bias.map_or(&[][..], |bias| &bias[columns.clone()]);
        let mut bias = bias.as_chunks().0.iter();
        // SAFETY: groups are disjoint columns, and a group is given to one thread; those that are
        // finished otherwise are not among these.
        let out = unsafe { self.output.columns(0, columns) };
        let mut outputs = out.as_chunks_mut().0.iter_mut();
        for group in groups {
            let sums = sums(group);
            let Some(out) = outputs.next() else {
                for (t, sums) in sums.into_iter().enumerate() {
                    self.finish(lanes, t, group, sums);
                }
                continue;
            };
            let residual = match &self.residual {
                Residual::InPlace => Some(lanes.load(out)),
                _ => residual.next().map(|row| lanes.load(row)),
            };
            let bias = bias.next().map(|bias| lanes.load(bias));
            lanes.store(self.finished(lanes, sums, bias, residual), out);
        }
    }
}
