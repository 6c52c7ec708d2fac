//! The working memory of a step: buffers, quantized inputs, attention scores.

use core::slice;

use super::memory::{Config, Line, MemoryError, Regions, large_enough};
use crate::kernels::{QUERIES, scores_len};
use crate::layout::BLOCK;
use crate::plan::Plan;
use crate::plan::format::Stage;

/// Working memory for steps of one plan, reused by every step.
#[derive(Debug)]
pub struct Arena<M> {
    pub(super) config: Config,
    memory: M,
}

/// Where each part of an arena starts, in bytes.
struct Layout {
    body: usize,
    head: usize,
    quantized: usize,
    scales: usize,
    sums: usize,
    scores: usize,
    scores_len: usize,
    quantized_blocks: usize,
    #[cfg(feature = "experts")]
    scratch: usize,
    #[cfg(feature = "experts")]
    scratch_len: usize,
    lines: usize,
}

impl Layout {
    fn new(plan: &Plan<&[u8]>, config: &Config) -> Result<Layout, MemoryError> {
        let most = plan.model().context as usize;
        if config.context == 0 || config.context > most {
            return Err(MemoryError::Context {
                asked: config.context,
                most,
            });
        }
        for (room, what) in [(config.step, "a step"), (config.threads, "a thread")] {
            if room == 0 {
                return Err(MemoryError::Nothing { what });
            }
        }
        let width = |stage: Stage| {
            let of_stage = plan.buffers().iter().filter(|b| b.stage == stage as u32);
            of_stage
                .map(|b| b.offset as usize + b.width as usize)
                .max()
                .unwrap_or(0)
        };
        let rows = |stage: Stage| match stage {
            Stage::Body => config.step,
            Stage::Head => config.logits,
        };
        let quantized_blocks = plan
            .quantized_inputs()
            .map(|(stage, width, precision)| {
                let blocks = (width as usize).div_ceil(BLOCK);
                rows(stage)
                    .checked_mul(precision.int8_rows())?
                    .checked_mul(blocks)
            })
            .try_fold(0, |most, blocks| Some(blocks?.max(most)))
            .ok_or(MemoryError::Overflow)?;
        let scores = scores_len(QUERIES, config.context).ok_or(MemoryError::Overflow)?;
        #[cfg(feature = "experts")]
        let scratch_len = plan
            .mixtures()
            .map(|(stage, mixture)| rows(stage).checked_mul(mixture.scratch().into_iter().sum()))
            .try_fold(0, |most, floats| Some(floats?.max(most)))
            .ok_or(MemoryError::Overflow)?;
        let mut regions = Regions::new();
        Ok(Layout {
            body: regions.take(&[config.step, width(Stage::Body)], 4)?,
            head: regions.take(&[config.logits, width(Stage::Head)], 4)?,
            quantized: regions.take(&[quantized_blocks], BLOCK)?,
            scales: regions.take(&[quantized_blocks], 4)?,
            sums: regions.take(&[quantized_blocks], 4)?,
            scores: regions.take(&[config.threads, scores], 4)?,
            scores_len: scores,
            quantized_blocks,
            #[cfg(feature = "experts")]
            scratch: regions.take(&[scratch_len], 4)?,
            #[cfg(feature = "experts")]
            scratch_len,
            lines: regions.lines(),
        })
    }
}

/// Pointers into an arena, for one step.
#[derive(Clone, Copy)]
pub(crate) struct ArenaRegions {
    pub(super) body: *mut f32,
    pub(super) head: *mut f32,
    /// Where the head's region starts, in bytes.
    pub(super) head_offset: usize,
    quantized: *mut i8,
    scales: *mut f32,
    sums: *mut i32,
    scores: *mut f32,
    /// Tokens that body buffers have rows for.
    pub(super) step: usize,
    /// Tokens that head buffers have rows for.
    pub(super) logits: usize,
    /// Quantized blocks of inputs that there is room for.
    pub(super) quantized_blocks: usize,
    /// Floats in one thread's scores.
    scores_len: usize,
    /// What mixtures of experts work in, floats and whole numbers.
    #[cfg(feature = "experts")]
    pub(super) scratch: *mut f32,
    #[cfg(feature = "experts")]
    pub(super) scratch_len: usize,
}

// SAFETY: the pointers stay valid while the step holds the arena mutably, and `Run` hands out
// disjoint parts of it.
unsafe impl Send for ArenaRegions {}
// SAFETY: as above.
unsafe impl Sync for ArenaRegions {}

impl ArenaRegions {
    /// One thread's room for the scores of [`Config::context`] positions for [`QUERIES`].
    ///
    /// # Safety
    /// `thread` is below [`Config::threads`], and nobody else holds its scores.
    pub(super) unsafe fn scores_of<'a>(&self, thread: usize) -> &'a mut [f32] {
        // SAFETY: the region holds this many floats for each thread.
        unsafe {
            slice::from_raw_parts_mut(self.scores.add(thread * self.scores_len), self.scores_len)
        }
    }

    /// Room for the values, scales and sums of quantized row `t`, rows lying densely.
    ///
    /// # Safety
    /// `t + 1` times `blocks` is at most `quantized_blocks`, and nobody else holds the row.
    pub(super) unsafe fn quantized_row<'a>(
        &self,
        t: usize,
        blocks: usize,
    ) -> (&'a mut [i8], &'a mut [f32], &'a mut [i32]) {
        // SAFETY: the regions hold `quantized_blocks` blocks.
        unsafe {
            (
                slice::from_raw_parts_mut(self.quantized.add(t * blocks * BLOCK), blocks * BLOCK),
                slice::from_raw_parts_mut(self.scales.add(t * blocks), blocks),
                slice::from_raw_parts_mut(self.sums.add(t * blocks), blocks),
            )
        }
    }

    /// The values, scales and sums of the first `rows` quantized rows.
    ///
    /// # Safety
    /// `rows` times `blocks` is at most `quantized_blocks`, and nobody writes the rows.
    pub(super) unsafe fn quantized_rows<'a>(
        &self,
        rows: usize,
        blocks: usize,
    ) -> (&'a [i8], &'a [f32], &'a [i32]) {
        // SAFETY: as for one row.
        unsafe {
            (
                slice::from_raw_parts(self.quantized, rows * blocks * BLOCK),
                slice::from_raw_parts(self.scales, rows * blocks),
                slice::from_raw_parts(self.sums, rows * blocks),
            )
        }
    }
}

impl Arena<()> {
    /// Lines of memory that steps of `plan` under `config` work in.
    pub fn lines<B: AsRef<[u8]>>(plan: &Plan<B>, config: &Config) -> Result<usize, MemoryError> {
        Ok(Layout::new(&plan.borrowed(), config)?.lines)
    }
}

impl<M: AsMut<[Line]>> Arena<M> {
    /// Takes `memory`, of at least [`Arena::lines`] lines.
    pub fn new<B: AsRef<[u8]>>(
        plan: &Plan<B>,
        config: &Config,
        mut memory: M,
    ) -> Result<Arena<M>, MemoryError> {
        large_enough(memory.as_mut().len(), Arena::lines(plan, config)?)?;
        Ok(Arena {
            config: *config,
            memory,
        })
    }

    /// What the arena was made for.
    pub fn config(&self) -> &Config {
        &self.config
    }

    pub(super) fn regions(&mut self, plan: &Plan<&[u8]>) -> Result<ArenaRegions, MemoryError> {
        let layout = Layout::new(plan, &self.config)?;
        let memory = self.memory.as_mut();
        large_enough(memory.len(), layout.lines)?;
        let base = memory.as_mut_ptr().cast::<u8>();
        // SAFETY: each region starts inside the memory, whose length was just compared.
        let at = |offset: usize| unsafe { base.add(offset) };
        Ok(ArenaRegions {
            body: at(layout.body).cast(),
            head: at(layout.head).cast(),
            head_offset: layout.head,
            quantized: at(layout.quantized).cast(),
            scales: at(layout.scales).cast(),
            sums: at(layout.sums).cast(),
            scores: at(layout.scores).cast(),
            step: self.config.step,
            logits: self.config.logits,
            quantized_blocks: layout.quantized_blocks,
            scores_len: layout.scores_len,
            #[cfg(feature = "experts")]
            scratch: at(layout.scratch).cast(),
            #[cfg(feature = "experts")]
            scratch_len: layout.scratch_len,
        })
    }

    /// The first `rows` rows of the plan's logits, in the head's region at byte `head`.
    pub(super) fn logits(&mut self, plan: &Plan<&[u8]>, head: usize, rows: usize) -> &mut [f32] {
        let model = plan.model();
        let offset = plan.buffers()[model.logits as usize].offset as usize;
        let floats: &mut [f32] = bytemuck::cast_slice_mut(self.memory.as_mut());
        &mut floats[head / 4 + offset * self.config.logits..]
            [..rows * model.output_width() as usize]
    }
}
