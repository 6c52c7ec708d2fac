//! One step in progress, as its operators see it.

use core::ops::Range;

use super::Activations;
use super::arena::ArenaRegions;
use super::kv_cache::{Cache, KvRegions};
use crate::kernels::{self, InputPrecision, Isa, QuantizedRows, Weight};
use crate::layout::BLOCK;
use crate::ops::{CacheId, TensorId, View};
use crate::plan::Plan;
use crate::plan::format::Stage;
use crate::pool::Workers;
use crate::rows::{Rows, RowsMut};

/// Below this many floats, waking other threads costs more than it saves.
const WORTH_SPLITTING: usize = 8192;

/// The memory and the arguments of a step. Operators run one after the other, each through a
/// shared reference, so that its parts may run on several threads.
///
/// The plan's check makes the pointers below sound: views lie within their buffers, and what
/// an operator writes overlaps nothing that it reads, except where it is exactly the same view.
pub(crate) struct Run<'a> {
    pub(crate) plan: Plan<&'a [u8]>,
    pub(crate) workers: &'a dyn Workers,
    pub(crate) isa: Isa,
    pub(crate) activations: Activations,
    pub(crate) tokens: &'a [u32],
    /// Position of the first token.
    pub(crate) position: usize,
    /// Index of the first token that operators run for: 0 in the body.
    pub(crate) first_row: usize,
    pub(super) memory: ArenaRegions,
    pub(super) kv: KvRegions,
}

impl<'a> Run<'a> {
    /// A view to read.
    pub(crate) fn rows(&self, view: View) -> Rows<'_> {
        let (first, stride, count) = self.place(view);
        // SAFETY: `place` stays within the arena, and the plan's check keeps the operator
        // from writing what it reads.
        unsafe { Rows::new(first, stride, view.width as usize, count) }
    }

    /// A view to write.
    pub(crate) fn rows_mut(&self, view: View) -> RowsMut<'_> {
        let (first, stride, count) = self.place(view);
        // SAFETY: as for `rows`; each operator takes its output once.
        unsafe { RowsMut::new(first, stride, view.width as usize, count) }
    }

    /// The input, or `None` where it is the output itself and must not be read beside it.
    pub(crate) fn input_unless_same(&self, input: View, output: View) -> Option<Rows<'_>> {
        (input != output).then(|| self.rows(input))
    }

    /// A packed weight.
    pub(crate) fn weight(&self, id: TensorId) -> Weight<'_> {
        let tensor = self.plan.tensor(id);
        Weight::new(
            tensor.encoding,
            tensor.rows,
            tensor.cols,
            tensor.scale,
            tensor.data,
        )
    }

    /// A plain vector.
    pub(crate) fn vector(&self, id: TensorId) -> &[f32] {
        self.table(id)
    }

    /// A plain table, row after row.
    pub(crate) fn table(&self, id: TensorId) -> &[f32] {
        bytemuck::cast_slice(self.plan.tensor(id).data)
    }

    /// An attention operator's keys and values.
    pub(crate) fn cache(&self, id: CacheId) -> Cache {
        self.kv.cache(&self.plan, id, self.position)
    }

    /// Runs `job` for every row of `output`, on several threads where there are enough.
    pub(crate) fn each_row(&self, output: RowsMut<'_>, job: impl Fn(usize, &mut [f32]) + Sync) {
        let rows = |range: Range<usize>| {
            for t in range {
                // SAFETY: each row is in one range, and each range runs on one thread.
                job(t, unsafe { output.columns(t, 0..output.width()) });
            }
        };
        self.ranges(output.count(), output.width(), rows);
    }

    /// Runs `job` for ranges of `count` rows, on several threads where the rows are long enough.
    pub(crate) fn ranges(&self, count: usize, width: usize, job: impl Fn(Range<usize>) + Sync) {
        if count * width < WORTH_SPLITTING {
            job(0..count);
        } else {
            self.split(count, job);
        }
    }

    /// Runs `job` for ranges that together make up `0..count`, one a thread.
    pub(crate) fn split(&self, count: usize, job: impl Fn(Range<usize>) + Sync) {
        let threads = self.threads();
        self.workers.run(&|thread| {
            let range = count * thread / threads..count * (thread + 1) / threads;
            if !range.is_empty() {
                job(range);
            }
        });
    }

    /// Threads that the work is for.
    pub(crate) fn threads(&self) -> usize {
        self.workers.count()
    }

    /// Runs `job` for every item in `0..count`, dealt out to the threads in turn, each with
    /// room for the scores of [`kernels::QUERIES`] queries.
    pub(crate) fn deal(&self, count: usize, job: impl Fn(usize, &mut [f32]) + Sync) {
        let (threads, memory) = (self.threads(), self.memory);
        self.workers.run(&|thread| {
            // SAFETY: the arena was made for at least as many threads as there are workers,
            // and each takes its own part.
            let scores = unsafe { memory.scores_of(thread) };
            for item in (thread..count).step_by(threads) {
                job(item, scores);
            }
        });
    }

    /// The rows, quantized into the arena's scratch; for int16 each is followed by what the
    /// rounding took.
    pub(crate) fn quantize(&self, input: Rows<'_>, precision: InputPrecision) -> QuantizedRows<'_> {
        let blocks = input.width().div_ceil(BLOCK);
        let (memory, count) = (self.memory, input.count());
        let int8_rows = precision.int8_rows();
        assert!(count * int8_rows * blocks <= memory.quantized_blocks);
        let row = |t: usize| {
            // SAFETY: the arena has room, checked above; each row is written by one thread.
            let (values, scales, sums) = unsafe { memory.quantized_row(t, int8_rows * blocks) };
            kernels::quantize_row(self.isa, input.row(t), precision, values, scales, sums);
        };
        self.ranges(count, input.width(), |range| range.for_each(row));
        // SAFETY: as above; all rows have been written and are only read from here on.
        let (values, scales, sums) = unsafe { memory.quantized_rows(count * int8_rows, blocks) };
        QuantizedRows::new(values, scales, sums, count * int8_rows, blocks)
    }

    /// Where a view's first row in play lies, the floats between rows, and how many rows.
    fn place(&self, view: View) -> (*mut f32, usize, usize) {
        let buffer = self.plan.buffers()[view.buffer.0 as usize];
        let (width, start) = (buffer.width as usize, view.start as usize);
        let offset = buffer.offset as usize;
        let count = self.tokens.len() - self.first_row;
        let (region, first) = if buffer.stage == Stage::Body as u32 {
            (
                self.memory.body,
                offset * self.memory.step + self.first_row * width,
            )
        } else {
            (self.memory.head, offset * self.memory.logits)
        };
        // SAFETY: the region holds `offset + width` floats for each of its rows, the rows in
        // play are among them, and the view lies within the buffer's width.
        (unsafe { region.add(first + start) }, width, count)
    }
}
