//! Panels by `sdot`: 4 rows × 4 inputs with 4 inputs of a token an instruction.

use core::arch::aarch64::*;
use core::arch::asm;
use core::mem::MaybeUninit;

use super::super::dots::sdots;
use super::{Product, Rows, STRETCH, Stretch, Sums, WeightBlock, sixteens};

/// Tokens of a tile.
const TOKENS: usize = 8;

/// In a block of weights `codes[i]` are inputs `4 · i ..` of all rows, and `scales[0]` their
/// scales. Of a block of inputs register `8 · h + t` has inputs `16 · h ..` of token `t`, and the
/// scales follow. Sums are in the order of the tokens.
#[derive(Clone, Copy)]
pub(super) struct Sdot;

/// A block of the tokens of a tile.
type InputBlock = [int8x16_t; 2 * TOKENS + TOKENS / 4];

impl Product for Sdot {
    const TOKENS: usize = TOKENS;
    type InputBlock = InputBlock;

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
        weights: &[Stretch],
        inputs: &[MaybeUninit<InputBlock>],
        sums: &mut [Sums],
    ) {
        // SAFETY: the caller's promise.
        unsafe {
            match tokens {
                ..=4 => multiply::<{ TOKENS / 2 }>(weights, inputs, sums),
                _ => multiply_tile(weights, inputs, sums),
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
    weights: &[Stretch],
    inputs: &[MaybeUninit<InputBlock>],
    sums: &mut [Sums],
) {
    for (weights, sums) in weights.iter().zip(sums) {
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
}

/// An instruction for each token of a tile: `sdot dots, w, x[LANE]`.
macro_rules! sdot_tile {
    ($w:literal, $lane:literal) => {
        sdot_tile!($w, $lane; 8 20, 9 21, 10 22, 11 23, 12 24, 13 25, 14 26, 15 27)
    };
    ($w:literal, $lane:literal; $($dots:literal $x:literal),*) => {
        concat!($("sdot v", $dots, ".4s, v", $w, ".16b, v", $x, ".4b[", $lane, "]\n"),*)
    };
}

/// Half a block: sixteen inputs.
macro_rules! sdot_half {
    () => {
        concat!(
            "ld1 {{v16.16b, v17.16b, v18.16b, v19.16b}}, [{w}], #64\n",
            "ld1 {{v20.16b, v21.16b, v22.16b, v23.16b}}, [{x}], #64\n",
            "ld1 {{v24.16b, v25.16b, v26.16b, v27.16b}}, [{x}], #64\n",
            sdot_tile!(16, 0),
            sdot_tile!(17, 1),
            sdot_tile!(18, 2),
            sdot_tile!(19, 3),
        )
    };
}

/// For a whole tile: sums in registers 0–7, dot products in 8–15. Four registers a load, which
/// the compiler does not find by itself, make a tenth fewer instructions.
///
/// # Safety
/// As for [`Product::multiply`].
#[inline(always)]
unsafe fn multiply_tile(
    weights: &[Stretch],
    inputs: &[MaybeUninit<InputBlock>],
    sums: &mut [Sums],
) {
    let quarters = weights.len().min(sums.len());
    let blocks = inputs.len().min(STRETCH);
    if quarters == 0 || blocks == 0 {
        return;
    }
    // SAFETY: the caller's promise; so many blocks of so many quarters are read, and so many sums
    // are read and written.
    unsafe {
        asm!(
            "2:",
            "mov {w}, {weights}", "mov {x}, {inputs}", "mov {left}, {blocks}",
            "add {weights}, {weights}, #{stretch}",
            "ld1 {{v0.4s, v1.4s, v2.4s, v3.4s}}, [{sums}], #64",
            "ld1 {{v4.4s, v5.4s, v6.4s, v7.4s}}, [{sums}]",
            "sub {sums}, {sums}, #64",
            "3:",
            "movi v8.4s, #0", "movi v9.4s, #0", "movi v10.4s, #0", "movi v11.4s, #0",
            "movi v12.4s, #0", "movi v13.4s, #0", "movi v14.4s, #0", "movi v15.4s, #0",
            sdot_half!(),
            sdot_half!(),
            "ldr q16, [{w}], #32",
            "ld1 {{v20.4s, v21.4s}}, [{x}], #32",
            "subs {left}, {left}, #1",
            "fmul v24.4s, v16.4s, v20.s[0]", "fmul v25.4s, v16.4s, v20.s[1]",
            "fmul v26.4s, v16.4s, v20.s[2]", "fmul v27.4s, v16.4s, v20.s[3]",
            "fmul v28.4s, v16.4s, v21.s[0]", "fmul v29.4s, v16.4s, v21.s[1]",
            "fmul v30.4s, v16.4s, v21.s[2]", "fmul v31.4s, v16.4s, v21.s[3]",
            "scvtf v8.4s, v8.4s", "scvtf v9.4s, v9.4s",
            "scvtf v10.4s, v10.4s", "scvtf v11.4s, v11.4s",
            "scvtf v12.4s, v12.4s", "scvtf v13.4s, v13.4s",
            "scvtf v14.4s, v14.4s", "scvtf v15.4s, v15.4s",
            "fmla v0.4s, v24.4s, v8.4s", "fmla v1.4s, v25.4s, v9.4s",
            "fmla v2.4s, v26.4s, v10.4s", "fmla v3.4s, v27.4s, v11.4s",
            "fmla v4.4s, v28.4s, v12.4s", "fmla v5.4s, v29.4s, v13.4s",
            "fmla v6.4s, v30.4s, v14.4s", "fmla v7.4s, v31.4s, v15.4s",
            "b.ne 3b",
            "subs {quarters}, {quarters}, #1",
            "st1 {{v0.4s, v1.4s, v2.4s, v3.4s}}, [{sums}], #64",
            "st1 {{v4.4s, v5.4s, v6.4s, v7.4s}}, [{sums}], {unused}",
            "b.ne 2b",
            weights = inout(reg) weights.as_ptr() => _,
            sums = inout(reg) sums.as_mut_ptr() => _,
            quarters = inout(reg) quarters => _,
            inputs = in(reg) inputs.as_ptr(),
            blocks = in(reg) blocks,
            unused = in(reg) size_of::<Sums>() - TOKENS / 2 * size_of::<float32x4_t>(),
            w = out(reg) _,
            x = out(reg) _,
            left = out(reg) _,
            stretch = const size_of::<Stretch>(),
            out("v0") _, out("v1") _, out("v2") _, out("v3") _,
            out("v4") _, out("v5") _, out("v6") _, out("v7") _,
            out("v8") _, out("v9") _, out("v10") _, out("v11") _,
            out("v12") _, out("v13") _, out("v14") _, out("v15") _,
            out("v16") _, out("v17") _, out("v18") _, out("v19") _,
            out("v20") _, out("v21") _, out("v22") _, out("v23") _,
            out("v24") _, out("v25") _, out("v26") _, out("v27") _,
            out("v28") _, out("v29") _, out("v30") _, out("v31") _,
            options(nostack)
        );
    }
}
