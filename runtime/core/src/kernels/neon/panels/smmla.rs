//! Panels by `smmla`: 2 rows × 8 inputs with 8 inputs × 2 tokens an instruction.

use core::arch::aarch64::*;
use core::arch::asm;
use core::mem::MaybeUninit;

use super::{Product, Rows, STRETCH, Sums, TILE, WeightBlock, sixteens};

/// Pairs of tokens of a tile.
const PAIRS: usize = TILE / 2;

/// In a block of weights `codes[2 · i + h]` are inputs `8 · i ..` of rows `2 · h` and
/// `2 · h + 1`, and `scales[h]` has two lanes for each of them. Of a block of inputs register
/// `5 · i + p` has inputs `8 · i ..` of both tokens of pair `p`, and in `20 + p` their scales
/// alternate. Sums `2 · p + h` are of rows and tokens like that.
#[derive(Clone, Copy)]
pub(super) struct Smmla;

/// A block of the tokens of a tile.
type InputBlock = [int8x16_t; 5 * PAIRS];

impl Product for Smmla {
    const TOKENS: usize = TILE;
    type InputBlock = InputBlock;

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
                    let out = out.as_mut_ptr().cast::<int8x16_t>().add(pair);
                    for (i, register) in registers.into_iter().enumerate() {
                        out.add(PAIRS * i).write(register);
                    }
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
                _ => multiply_tile(weights, inputs, sums),
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
            let input = input.as_ptr().cast::<int8x16_t>();
            let mut dots = [[vdupq_n_s32(0); 2]; P];
            for i in 0..4 {
                for p in 0..P {
                    let x = *input.add(PAIRS * i + p);
                    for h in 0..2 {
                        smmla(&mut dots[p][h], weight.codes[2 * i + h], x);
                    }
                }
            }
            for p in 0..P {
                let scales = vreinterpretq_f32_s8(*input.add(PAIRS * 4 + p));
                for h in 0..2 {
                    let scales = vmulq_f32(weight.scales[h], scales);
                    acc[p][h] = vfmaq_f32(acc[p][h], scales, vcvtq_f32_s32(dots[p][h]));
                }
            }
        }
        sums[..P].copy_from_slice(&acc);
    }
}

/// `smmla` of two pairs of rows with a pair of tokens.
macro_rules! smmla_pair {
    ($low:literal, $high:literal, $w_low:literal, $w_high:literal, $x:literal) => {
        concat!(
            "smmla v", $low, ".4s, v", $w_low, ".16b, v", $x, ".16b\n", "smmla v", $high, ".4s, v",
            $w_high, ".16b, v", $x, ".16b",
        )
    };
}

/// For a whole tile: sums in registers 0–9, dot products in 10–19. Four registers a load, which
/// the compiler does not find by itself, make a tenth fewer instructions.
///
/// # Safety
/// As for [`Product::multiply`].
#[inline(always)]
unsafe fn multiply_tile(
    weights: &[MaybeUninit<WeightBlock>],
    inputs: &[MaybeUninit<InputBlock>],
    sums: &mut Sums,
) {
    let blocks = weights.len().min(inputs.len());
    if blocks == 0 {
        return;
    }
    // SAFETY: the caller's promise; so many blocks are read and nothing else.
    unsafe {
        asm!(
            "2:",
            "movi v10.4s, #0", "movi v11.4s, #0", "movi v12.4s, #0", "movi v13.4s, #0",
            "movi v14.4s, #0", "movi v15.4s, #0", "movi v16.4s, #0", "movi v17.4s, #0",
            "movi v18.4s, #0", "movi v19.4s, #0",
            "ld1 {{v20.16b, v21.16b, v22.16b, v23.16b}}, [{w}], #64",
            "ld1 {{v24.16b, v25.16b, v26.16b, v27.16b}}, [{x}], #64",
            smmla_pair!(10, 11, 20, 21, 24),
            smmla_pair!(12, 13, 20, 21, 25),
            smmla_pair!(14, 15, 20, 21, 26),
            smmla_pair!(16, 17, 20, 21, 27),
            "ld1 {{v28.16b, v29.16b, v30.16b, v31.16b}}, [{x}], #64",
            smmla_pair!(18, 19, 20, 21, 28),
            smmla_pair!(10, 11, 22, 23, 29),
            smmla_pair!(12, 13, 22, 23, 30),
            smmla_pair!(14, 15, 22, 23, 31),
            "ld1 {{v24.16b, v25.16b, v26.16b, v27.16b}}, [{x}], #64",
            smmla_pair!(16, 17, 22, 23, 24),
            smmla_pair!(18, 19, 22, 23, 25),
            "ld1 {{v20.16b, v21.16b, v22.16b, v23.16b}}, [{w}], #64",
            smmla_pair!(10, 11, 20, 21, 26),
            smmla_pair!(12, 13, 20, 21, 27),
            "ld1 {{v28.16b, v29.16b, v30.16b, v31.16b}}, [{x}], #64",
            smmla_pair!(14, 15, 20, 21, 28),
            smmla_pair!(16, 17, 20, 21, 29),
            smmla_pair!(18, 19, 20, 21, 30),
            smmla_pair!(10, 11, 22, 23, 31),
            "ld1 {{v24.16b, v25.16b, v26.16b, v27.16b}}, [{x}], #64",
            smmla_pair!(12, 13, 22, 23, 24),
            smmla_pair!(14, 15, 22, 23, 25),
            smmla_pair!(16, 17, 22, 23, 26),
            smmla_pair!(18, 19, 22, 23, 27),
            "ld1 {{v20.4s, v21.4s}}, [{w}], #32",
            "ld1 {{v24.4s, v25.4s, v26.4s, v27.4s}}, [{x}], #64", "ldr q28, [{x}], #16",
            "subs {blocks}, {blocks}, #1", "fmul v22.4s, v20.4s, v24.4s",
            "fmul v23.4s, v21.4s, v24.4s", "fmul v29.4s, v20.4s, v25.4s",
            "fmul v30.4s, v21.4s, v25.4s", "fmul v31.4s, v20.4s, v26.4s",
            "scvtf v10.4s, v10.4s", "scvtf v11.4s, v11.4s", "scvtf v12.4s, v12.4s",
            "scvtf v13.4s, v13.4s", "scvtf v14.4s, v14.4s", "fmla v0.4s, v22.4s, v10.4s",
            "fmla v1.4s, v23.4s, v11.4s", "fmla v2.4s, v29.4s, v12.4s",
            "fmla v3.4s, v30.4s, v13.4s", "fmla v4.4s, v31.4s, v14.4s",
            "fmul v22.4s, v21.4s, v26.4s", "fmul v23.4s, v20.4s, v27.4s",
            "fmul v29.4s, v21.4s, v27.4s", "fmul v30.4s, v20.4s, v28.4s",
            "fmul v31.4s, v21.4s, v28.4s", "scvtf v15.4s, v15.4s", "scvtf v16.4s, v16.4s",
            "scvtf v17.4s, v17.4s", "scvtf v18.4s, v18.4s", "scvtf v19.4s, v19.4s",
            "fmla v5.4s, v22.4s, v15.4s", "fmla v6.4s, v23.4s, v16.4s",
            "fmla v7.4s, v29.4s, v17.4s", "fmla v8.4s, v30.4s, v18.4s",
            "fmla v9.4s, v31.4s, v19.4s",
            "b.ne 2b",
            w = inout(reg) weights.as_ptr() => _,
            x = inout(reg) inputs.as_ptr() => _,
            blocks = inout(reg) blocks => _,
            inout("v0") sums[0], inout("v1") sums[1], inout("v2") sums[2], inout("v3") sums[3],
            inout("v4") sums[4], inout("v5") sums[5], inout("v6") sums[6], inout("v7") sums[7],
            inout("v8") sums[8], inout("v9") sums[9],
            out("v10") _, out("v11") _, out("v12") _, out("v13") _, out("v14") _, out("v15") _,
            out("v16") _, out("v17") _, out("v18") _, out("v19") _, out("v20") _, out("v21") _,
            out("v22") _, out("v23") _, out("v24") _, out("v25") _, out("v26") _, out("v27") _,
            out("v28") _, out("v29") _, out("v30") _, out("v31") _,
            options(readonly, nostack)
        );
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
