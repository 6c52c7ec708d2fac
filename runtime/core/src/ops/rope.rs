//! Rotary position embedding (Su et al. 2021), in place.

use super::words::{Reader, Word, Writer};
use super::{TensorId, View};
use crate::executor::Run;
use crate::kernels;
use crate::plan::check::{Checker, OpFault};

/// Which two values of a head turn together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum RopeStyle {
    /// `i` and `i + rotary_dim / 2` (Llama, Qwen: "rotate half").
    Halves = 0,
    /// `2i` and `2i + 1` (GPT-J, GLM).
    Interleaved = 1,
}

impl Word for RopeStyle {
    fn put(&self, to: &mut Writer) {
        to.put(*self as u32);
    }

    fn get(from: &mut Reader<'_>) -> Option<RopeStyle> {
        match from.get::<u32>()? {
            0 => Some(RopeStyle::Halves),
            1 => Some(RopeStyle::Interleaved),
            _ => None,
        }
    }
}

/// Turns the first `rotary_dim` values of every head by the token's position.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rope {
    /// Heads side by side.
    pub heads: View,
    /// Width of one head.
    pub head_dim: u32,
    /// Even, at most `head_dim`.
    pub rotary_dim: u32,
    /// How values are paired.
    pub style: RopeStyle,
    /// `[positions, rotary_dim / 2]` in f32.
    pub cos: TensorId,
    /// As `cos`.
    pub sin: TensorId,
}

impl Word for Rope {
    fn put(&self, to: &mut Writer) {
        to.put(self.heads).put(self.head_dim).put(self.rotary_dim);
        to.put(self.style).put(self.cos).put(self.sin);
    }

    fn get(from: &mut Reader<'_>) -> Option<Rope> {
        Some(Rope {
            heads: from.get()?,
            head_dim: from.get()?,
            rotary_dim: from.get()?,
            style: from.get()?,
            cos: from.get()?,
            sin: from.get()?,
        })
    }
}

impl Rope {
    pub(super) fn check(&self, checker: &Checker<'_>) -> Result<(), OpFault> {
        checker.body_only()?;
        checker.writes(self.heads)?;
        checker.multiple(self.heads.width, self.head_dim)?;
        checker.multiple(self.rotary_dim, 2)?;
        checker.at_most(self.rotary_dim, self.head_dim)?;
        checker.table(self.cos, checker.context(), self.rotary_dim / 2)?;
        checker.table(self.sin, checker.context(), self.rotary_dim / 2)
    }

    pub(super) fn run(&self, run: &Run<'_>) {
        let (cos, sin) = (run.table(self.cos), run.table(self.sin));
        let half = self.rotary_dim as usize / 2;
        run.each_row(run.rows_mut(self.heads), |t, row| {
            let at = (run.position + t) * half..(run.position + t + 1) * half;
            let (cos, sin) = (&cos[at.clone()], &sin[at]);
            for head in row.chunks_exact_mut(self.head_dim as usize) {
                kernels::rope(run.isa, self.style, &mut head[..2 * half], cos, sin);
            }
        });
    }
}
