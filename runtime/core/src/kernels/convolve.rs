//! Causal convolution of every channel with its own few taps, between two gates.

use core::ops::Range;

use super::Isa;
use super::lanes::{Kernel, LANES, load_up_to, store_up_to};
use super::linear_int8::DotBlocks;
use crate::rows::{Rows, RowsMut};

/// Most taps of a convolution.
pub(crate) const MOST_TAPS: usize = 4;

/// A convolution of a step's rows, `tokens × channels`.
pub(crate) struct Convolution<'a> {
    pub(crate) input: Rows<'a>,
    /// What the input is multiplied with, if anything.
    pub(crate) before: Option<Rows<'a>>,
    /// What the sums are multiplied with, if anything.
    pub(crate) after: Option<Rows<'a>>,
    pub(crate) output: RowsMut<'a>,
    /// `taps × channels`, the tap of a token itself last.
    pub(crate) weight: &'a [f32],
    pub(crate) bias: Option<&'a [f32]>,
    pub(crate) taps: usize,
}

/// Convolves some channels of all tokens: with `seen = before · input`,
/// `output[t] = after[t] · (bias + Σ weight[k] · seen[t − taps + 1 + k])`. The sum begins with the
/// bias, or zero, and goes through the taps by fma, the oldest first.
///
/// `past` is what was seen before the step, the oldest row first, `taps − 1` of them; those before
/// the first position are empty and count as zeros.
///
/// # Safety
/// While it runs, nobody else uses these channels of the output.
///
/// # Panics
/// If there are no 2 to [`MOST_TAPS`] taps, or a row is shorter than the range.
pub(crate) unsafe fn convolve(
    isa: Isa,
    convolution: &Convolution<'_>,
    past: &[&[f32]],
    channels: Range<usize>,
) {
    match convolution.taps {
        2 => isa.run(Taps::<2>(convolution, past, channels)),
        3 => isa.run(Taps::<3>(convolution, past, channels)),
        4 => isa.run(Taps::<4>(convolution, past, channels)),
        taps => panic!("a convolution of {taps} taps"),
    }
}

struct Taps<'a, 'r, const TAPS: usize>(&'a Convolution<'r>, &'a [&'a [f32]], Range<usize>);

impl<const TAPS: usize> Kernel for Taps<'_, '_, TAPS> {
    type Output = ();

    #[inline(always)]
    fn run<L: DotBlocks>(self, lanes: L) {
        let Taps(of, past, channels) = self;
        assert!(past.len() == TAPS - 1);
        let width = of.input.width();
        let zero = lanes.splat(0.0);
        for first in channels.clone().step_by(LANES) {
            let at = first..channels.end.min(first + LANES);
            let mut weight = [zero; TAPS];
            for k in 0..TAPS {
                weight[k] = load_up_to(lanes, &of.weight[k * width..][..width][at.clone()]);
            }
            let bias = match of.bias {
                Some(bias) => load_up_to(lanes, &bias[at.clone()]),
                None => zero,
            };
            // What this token and those before it have seen, the oldest first.
            let mut seen = [zero; TAPS];
            for k in 0..TAPS - 1 {
                if !past[k].is_empty() {
                    seen[k] = load_up_to(lanes, &past[k][at.clone()]);
                }
            }
            for t in 0..of.input.count() {
                seen[TAPS - 1] = load_up_to(lanes, &of.input.row(t)[at.clone()]);
                if let Some(before) = of.before {
                    let gate = load_up_to(lanes, &before.row(t)[at.clone()]);
                    seen[TAPS - 1] = lanes.mul(gate, seen[TAPS - 1]);
                }
                let mut sum = bias;
                for k in 0..TAPS {
                    sum = lanes.fma(weight[k], seen[k], sum);
                }
                if let Some(after) = of.after {
                    sum = lanes.mul(load_up_to(lanes, &after.row(t)[at.clone()]), sum);
                }
                // SAFETY: the caller's promise.
                let out = unsafe { of.output.columns(t, at.clone()) };
                store_up_to(lanes, sum, out);
                for k in 0..TAPS - 1 {
                    seen[k] = seen[k + 1];
                }
            }
        }
    }
}

/// What a convolution sees of one token: `out = gate · x`, or `x`.
///
/// # Panics
/// If the lengths differ.
pub(crate) fn seen(x: &[f32], gate: Option<&[f32]>, out: &mut [f32]) {
    out.copy_from_slice(x);
    if let Some(gate) = gate {
        assert_eq!(gate.len(), out.len());
        for (out, gate) in out.iter_mut().zip(gate) {
            *out *= gate;
        }
    }
}
