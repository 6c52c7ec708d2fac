//! Panels by `sdot`: 4 rows × 4 inputs with 4 inputs of a token an instruction.

use core::arch::aarch64::*;
use core::mem::MaybeUninit;

use super::super::dots::sdots;
use super::{InputBlock, Product, Rows, STRETCH, Sums, WeightBlock, sixteens};

/// Tokens of a tile.
const TOKENS: usize = 8;

/// In a block of weights `codes[i]` are inputs `4 · i ..` of all rows, and `scales[0]` their
/// scales. Of a block of inputs register `8 · h + t` has inputs `16 · h ..` of token `t`, and the
/// scales follow. Sums are in the order of the tokens.
#[derive(Clone, Copy)]
pub(super) struct Sdot;

impl Product for Sdot {
    const TOKENS: usize = TOKENS;

    #[inline(always)]
    fn weights(self, chunks: [[int8x16_t; 2]; 4], scales: float32x4_t) -> WeightBlock {
        let [[a, b], [c, d], [e, f], [g, h]] = chunks;
        WeightBlock {
            codes: [a, b, c, d, e, f, g, h],
            scales: [scales; 2],
        }
    }

    #[inline(always)]
    fn inputs(self, rows: Rows<'_>, out: &mut [MaybeUninit<InputBlock>; STRETCH]) {
        for t in 0..rows.count.next_multiple_of(TOKENS / 2) {
            let row = rows.row(t);
            for ((values, scale), out) in row.values.iter().zip(row.scales).zip(&mut *out) {
                let [low, high] = sixteens(values);
                let out = out.as_mut_ptr().cast::<int8x16_t>();
                // SAFETY: a block has room for two registers and a scale of each token.
                unsafe {
                    out.add(t).write(low);
                    out.add(TOKENS + t).write(high);
                    out.add(2 * TOKENS).cast::<f32>().add(t).write(*scale);
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn multiply(
        self,
        tokens: usize,
        weights: &[MaybeUninit<WeightBlock>],
        inputs: &[MaybeUninit<InputBlock>],
        sums: &mut Sums,
    ) {
        // SAFETY: the caller's promise.
        unsafe {
            match tokens {
                ..=4 => multiply::<{ TOKENS / 2 }>(weights, inputs, sums),
                _ => multiply::<TOKENS>(weights, inputs, sums),
            }
        }
    }

    #[inline(always)]
    fn by_token(self, _: &mut Sums) {}
}

/// For `T` tokens.
///
/// # Safety
/// As for [`Product::multiply`].
#[inline(always)]
unsafe fn multiply<const T: usize>(
    weights: &[MaybeUninit<WeightBlock>],
    inputs: &[MaybeUninit<InputBlock>],
    sums: &mut Sums,
) {
    // SAFETY: the caller's promise; of a block of inputs only the tokens are read.
    unsafe {
        let mut acc = [vdupq_n_f32(0.0); T];
        acc.copy_from_slice(&sums[..T]);
        for (weight, input) in weights.iter().zip(inputs) {
            let weight = weight.assume_init_ref();
            let values = input.as_ptr().cast::<int8x16_t>();
            let scales = values.add(2 * TOKENS).cast::<f32>();
            let mut dots = [vdupq_n_s32(0); T];
            for h in 0..2 {
                let mut x = [vdupq_n_s8(0); T];
                for t in 0..T {
                    x[t] = *values.add(TOKENS * h + t);
                }
                sdots::<0, T>(&mut dots, weight.codes[4 * h], &x);
                sdots::<1, T>(&mut dots, weight.codes[4 * h + 1], &x);
                sdots::<2, T>(&mut dots, weight.codes[4 * h + 2], &x);
                sdots::<3, T>(&mut dots, weight.codes[4 * h + 3], &x);
            }
            for t in 0..T {
                let scale = vmulq_n_f32(weight.scales[0], *scales.add(t));
                acc[t] = vfmaq_f32(acc[t], scale, vcvtq_f32_s32(dots[t]));
            }
        }
        sums[..T].copy_from_slice(&acc);
    }
}
