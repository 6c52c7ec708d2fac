//! What convolutions have seen of earlier positions, for as long as a session may come back to
//! them.
//!
//! A convolution needs the few rows before a token, and a session may forget its last tokens at
//! any time. So a ring keeps the last [`SPAN`] rows, and of every `SPAN` positions the last few
//! rows, which a convolution needs to begin behind them, are kept for good: from any position it
//! is at most `SPAN − 1` tokens back to one that can be continued. That is the `1 / SPAN`-th part
//! of all rows for each row that a convolution looks back.
//!
//! Beside recurrent states, which go back to their copies only (`states.rs`), the ring has the rows
//! that are needed, their copies have theirs, and nothing is kept for good.

use core::marker::PhantomData;
use core::ops::Range;
use core::slice;

use super::Run;
use super::memory::{MemoryError, Regions};
use crate::plan::{HistorySize, Plan};

/// How many rows the ring keeps, and how far the positions are apart that can always be
/// continued.
pub(crate) const SPAN: usize = 64;

/// What all convolutions of a plan keep, and from where on the ring has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    /// Floats of one position.
    width: usize,
    /// Rows before a token that are needed.
    back: usize,
    /// Rows of the ring.
    span: usize,
    /// Whether rows are kept for good.
    kept: bool,
    /// The first position whose row the ring has, if it has any.
    first: usize,
}

impl Held {
    pub(super) fn of(plan: &Plan<&[u8]>) -> Held {
        let HistorySize { width, back, .. } = plan.history();
        #[cfg(feature = "recurrence")]
        let kept = plan.history().states == 0;
        #[cfg(not(feature = "recurrence"))]
        let kept = true;
        Held {
            width,
            back,
            span: if kept { SPAN } else { back.max(1) },
            kept,
            first: 0,
        }
    }

    /// Floats of the ring.
    #[cfg(feature = "recurrence")]
    pub(super) fn ring(&self) -> usize {
        self.span * self.width
    }

    /// Takes the ring and what is kept for good; where they start, in bytes.
    pub(super) fn place(
        &self,
        capacity: usize,
        regions: &mut Regions,
    ) -> Result<[usize; 2], MemoryError> {
        let row = if self.kept { self.width * 4 } else { 0 };
        let ring = regions.take(&[SPAN], row)?;
        let ends = regions.take(&[capacity.div_ceil(SPAN), self.back], row)?;
        Ok([ring, ends])
    }

    /// Goes back to `len` positions, or to the most below it that can be continued; how many.
    pub(super) fn back_to(&mut self, len: usize) -> usize {
        let needed = len.saturating_sub(self.back)..len;
        let there = |position| position >= self.first || end_row(position, self.back).is_some();
        let len = match self.width == 0 || needed.into_iter().all(there) {
            true => len,
            false => len - len % SPAN,
        };
        self.first = self.first.min(len);
        len
    }

    /// The session has `len` positions now.
    pub(super) fn advance(&mut self, len: usize) {
        if self.kept {
            self.first = self.first.max(len.saturating_sub(SPAN));
        }
    }
}

/// Which of the rows that are kept for good is that of a position.
fn end_row(position: usize, back: usize) -> Option<usize> {
    let at = (position % SPAN).checked_sub(SPAN - back)?;
    Some(position / SPAN * back + at)
}

/// Where all histories lie, for one step.
#[derive(Clone, Copy)]
pub(crate) struct HistoryRegions {
    pub(super) ring: *mut f32,
    pub(super) ends: *mut f32,
    /// As the plan says, with the session's `first`.
    pub(super) held: Held,
}

// SAFETY: the pointers stay valid while the step holds the cache mutably; `History` hands out
// what its callers keep apart.
unsafe impl Send for HistoryRegions {}
// SAFETY: as above.
unsafe impl Sync for HistoryRegions {}

impl HistoryRegions {
    pub(super) fn new(ring: *mut f32, ends: *mut f32, plan: &Plan<&[u8]>, session: Held) -> Self {
        let held = Held {
            first: session.first,
            ..Held::of(plan)
        };
        HistoryRegions { ring, ends, held }
    }
}

/// One convolution's columns of all rows, during a step.
pub(crate) struct History<'a> {
    regions: HistoryRegions,
    columns: Range<usize>,
    /// The step's.
    positions: Range<usize>,
    /// What a copy made in this step has seen, and where its rows lie.
    copy: Option<(usize, *mut f32)>,
    memory: PhantomData<&'a mut [f32]>,
}

// SAFETY: as for the regions.
unsafe impl Sync for History<'_> {}

/// Where a row is kept: among which rows, and which of them.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    rows: *mut f32,
    row: usize,
}

impl Run<'_> {
    /// What was kept in these columns.
    pub(crate) fn history(&self, columns: Range<usize>) -> History<'_> {
        let regions = self.kv.history;
        assert!(columns.end <= regions.held.width);
        History {
            regions,
            columns,
            positions: self.position..self.position + self.tokens.len(),
            #[cfg(feature = "recurrence")]
            copy: self.copied_rows(),
            #[cfg(not(feature = "recurrence"))]
            copy: None,
            memory: PhantomData,
        }
    }
}

impl History<'_> {
    /// The row `back` positions before the step; empty before the first.
    ///
    /// # Safety
    /// As for `columns`.
    pub(crate) unsafe fn row(&self, back: usize) -> &[f32] {
        let held = self.regions.held;
        let Some(position) = self.positions.start.checked_sub(back) else {
            return &[];
        };
        let end = || end_row(position, held.back).filter(|_| position < held.first);
        let place = match end() {
            Some(row) => self.end(row),
            None => self.in_ring(self.regions.ring, position),
        };
        // SAFETY: the caller's promise.
        unsafe { self.columns(place, 0..self.columns.len()) }
    }

    fn in_ring(&self, rows: *mut f32, position: usize) -> Place {
        let row = position % self.regions.held.span;
        Place { rows, row }
    }

    fn end(&self, row: usize) -> Place {
        let rows = self.regions.ends;
        Place { rows, row }
    }

    /// Where the row of the step's token `t` is to be kept.
    pub(crate) fn places(&self, t: usize) -> [Option<Place>; 3] {
        let held = self.regions.held;
        let position = self.positions.start + t;
        let stays = position + held.span >= self.positions.end;
        let ring = stays.then(|| self.in_ring(self.regions.ring, position));
        let end = end_row(position, held.back).filter(|_| held.kept);
        let copied = |&(seen, _): &(usize, _)| position < seen && seen <= position + held.back;
        let copy = self.copy.filter(copied);
        let copy = copy.map(|(_, rows)| self.in_ring(rows, position));
        [ring, end.map(|row| self.end(row)), copy]
    }

    /// How many positions before the step the rows are that its copy needs, and where they go.
    pub(crate) fn carried(&self) -> impl Iterator<Item = (usize, Place)> {
        let start = self.positions.start;
        self.copy.into_iter().flat_map(move |(seen, rows)| {
            let first = seen.saturating_sub(self.regions.held.back);
            (first..start).map(move |position| (start - position, self.in_ring(rows, position)))
        })
    }

    /// Some columns of a kept row.
    ///
    /// # Safety
    /// While the slice lives, nobody else writes these columns of this convolution, or reads them
    /// while the slice is written.
    #[allow(clippy::mut_from_ref, reason = "the caller keeps the columns apart")]
    pub(crate) unsafe fn columns(&self, place: Place, columns: Range<usize>) -> &mut [f32] {
        assert!(columns.start <= columns.end && columns.end <= self.columns.len());
        let width = self.regions.held.width;
        let first = place.row * width + self.columns.start + columns.start;
        // SAFETY: places are of positions below the cache's capacity, for which the regions have
        // rows, and the columns are within a row; unshared by the caller's promise.
        unsafe { slice::from_raw_parts_mut(place.rows.add(first), columns.len()) }
    }
}
