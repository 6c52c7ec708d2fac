//! Panels by `smmla`: 2 rows × 8 inputs with 8 inputs × 2 tokens an instruction.

use core::arch::aarch64::*;
use core::arch::asm;
use core::mem::MaybeUninit;

use super::{InputBlock, Product, Rows, STRETCH, Sums, TILE, WeightBlock, sixteens};

/// Pairs of tokens of a tile.
const PAIRS: usize = TILE / 2;

/// In a block of weights `codes[2 · i + h]` are inputs `8 · i ..` of rows `2 · h` and
/// `2 · h + 1`, and `scales[h]` has two lanes for each of them. Of a block of inputs every five
/// registers are a pair of tokens: the `i`th has inputs `8 · i ..` of both, and in the last one
/// their scales alternate. Sums `2 · p + h` are of rows and tokens like that.
#[derive(Clone, Copy)]
pub(super) struct Smmla;

impl Product for Smmla {
    const TOKENS: usize = TILE;

    #[inline(always)]
    fn weights(self, chunks: [[int8x16_t; 2]; 4], scales: float32x4_t) -> WeightBlock {
        // SAFETY: baseline instructions.
        unsafe {
            let mut codes = [vdupq_n_s8(0); 8];
            for i in 0..4 {
                let [low, high] = chunks[i].map(|chunk| vreinterpretq_s32_s8(chunk));
                codes[2 * i] = vreinterpretq_s8_s32(vzip1q_s32(low, high));
                codes[2 * i + 1] = vreinterpretq_s8_s32(vzip2q_s32(low, high));
            }
            let scales = [vzip1q_f32(scales, scales), vzip2q_f32(scales, scales)];
            WeightBlock { codes, scales }
        }
    }

    #[inline(always)]
    fn inputs(self, rows: Rows<'_>, out: &mut [MaybeUninit<InputBlock>; STRETCH]) {
        for pair in 0..rows.count.div_ceil(2) {
            let (x, y) = (rows.row(2 * pair), rows.row(2 * pair + 1));
            let values = x.values.iter().zip(y.values);
            let scales = x.scales.iter().zip(y.scales);
            for ((values, scales), out) in values.zip(scales).zip(&mut *out) {
                // SAFETY: baseline instructions; a block has room for as many pairs.
                unsafe {
                    let x = sixteens(values.0).map(|x| vreinterpretq_s64_s8(x));
                    let y = sixteens(values.1).map(|y| vreinterpretq_s64_s8(y));
                    let scales = vzip1q_f32(vdupq_n_f32(*scales.0), vdupq_n_f32(*scales.1));
                    let registers = [
                        vreinterpretq_s8_s64(vzip1q_s64(x[0], y[0])),
                        vreinterpretq_s8_s64(vzip2q_s64(x[0], y[0])),
                        vreinterpretq_s8_s64(vzip1q_s64(x[1], y[1])),
                        vreinterpretq_s8_s64(vzip2q_s64(x[1], y[1])),
                        vreinterpretq_s8_f32(scales),
                    ];
                    out.as_mut_ptr().cast::<[_; 5]>().add(pair).write(registers);
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
            match tokens.div_ceil(2) {
                1 => multiply::<1>(weights, inputs, sums),
                2 => multiply::<2>(weights, inputs, sums),
                3 => multiply::<3>(weights, inputs, sums),
                4 => multiply::<4>(weights, inputs, sums),
                _ => multiply::<PAIRS>(weights, inputs, sums),
            }
        }
    }

    #[inline(always)]
    fn by_token(self, sums: &mut Sums) {
        for [low, high] in sums.as_chunks_mut::<2>().0 {
            // SAFETY: baseline instructions.
            unsafe { [*low, *high] = [vuzp1q_f32(*low, *high), vuzp2q_f32(*low, *high)] };
        }
    }
}

/// For `P` pairs of tokens.
///
/// # Safety
/// As for [`Product::multiply`].
#[inline(always)]
unsafe fn multiply<const P: usize>(
    weights: &[MaybeUninit<WeightBlock>],
    inputs: &[MaybeUninit<InputBlock>],
    sums: &mut Sums,
) {
    let sums = sums.as_chunks_mut::<2>().0;
    // SAFETY: the caller's promise; of a block of inputs only the pairs are read.
    unsafe {
        let mut acc = [[vdupq_n_f32(0.0); 2]; P];
        acc.copy_from_slice(&sums[..P]);
        for (weight, input) in weights.iter().zip(inputs) {
            let weight = weight.assume_init_ref();
            let pairs = input.as_ptr().cast::<[int8x16_t; 5]>();
            let mut dots = [[vdupq_n_s32(0); 2]; P];
            for i in 0..4 {
                for p in 0..P {
                    let x = (*pairs.add(p))[i];
                    for h in 0..2 {
                        smmla(&mut dots[p][h], weight.codes[2 * i + h], x);
                    }
                }
            }
            for p in 0..P {
                let scales = vreinterpretq_f32_s8((*pairs.add(p))[4]);
                for h in 0..2 {
                    let scales = vmulq_f32(weight.scales[h], scales);
                    acc[p][h] = vfmaq_f32(acc[p][h], scales, vcvtq_f32_s32(dots[p][h]));
                }
            }
        }
        sums[..P].copy_from_slice(&acc);
    }
}

/// Adds the products of two rows of `w` with two rows of `x`, eight inputs each.
///
/// # Safety
/// The processor has i8mm.
#[inline(always)]
unsafe fn smmla(dots: &mut int32x4_t, w: int8x16_t, x: int8x16_t) {
    // SAFETY: the caller's promise; nothing but these registers is touched.
    unsafe {
        asm!(
            "smmla {dots:v}.4s, {w:v}.16b, {x:v}.16b",
            dots = inout(vreg) *dots,
            w = in(vreg) w,
            x = in(vreg) x,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
}
