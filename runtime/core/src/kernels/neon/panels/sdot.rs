//! Panels by `sdot`: 4 rows × 4 inputs with 4 inputs of a token an instruction.

use core::arch::aarch64::*;
use core::arch::asm;
use core::mem::MaybeUninit;

use super::super::dots::sdots;
use super::{Product, Rows, STRETCH, Stretch, Sums};

/// Tokens of a tile.
const TOKENS: usize = 8;

/// In a block of weights code `i` has inputs `4 · i ..` of all rows, and `scales[0]` their
/// scales. Of a block of inputs register `8 · h + t` has inputs `16 · h ..` of token `t`, and the
/// scales follow. Sums are in the order of the tokens.
#[derive(Clone, Copy)]
pub(super) struct Sdot;

/// Registers of a block of the tokens of a tile.
const BLOCK: usize = 2 * TOKENS + TOKENS / 4;

/// Blocks of the tokens of a tile.
type Inputs = [[int8x16_t; BLOCK]; STRETCH];

impl Product for Sdot {
    const TOKENS: usize = TOKENS;
    type Inputs = Inputs;

    #[inline(always)]
    fn codes(self, inputs: [int8x16_t; 2]) -> [int8x16_t; 2] {
        inputs
    }

    #[inline(always)]
    fn scales(self, scales: float32x4_t) -> [float32x4_t; 2] {
        [scales; 2]
    }

    #[inline(always)]
    fn inputs(self, rows: Rows<'_>, out: &mut MaybeUninit<Inputs>) {
        let blocks = rows.blocks();
        if blocks == 0 {
            return;
        }
        let out = out.as_mut_ptr().cast::<int8x16_t>();
        for t in (0..rows.count).step_by(4) {
            let [a, b, c, d] = rows.places(t);
            // SAFETY: baseline instructions; the rows have so many blocks, and there is room for
            // them and for as many tokens.
            unsafe {
                asm!(
                    "2:",
                    "ldp q0, q4, [{a}], #32", "ldp q1, q5, [{b}], #32",
                    "ldp q2, q6, [{c}], #32", "ldp q3, q7, [{d}], #32",
                    "ldr s16, [{a_scale}], #4", "ld1 {{v16.s}}[1], [{b_scale}], #4",
                    "ld1 {{v16.s}}[2], [{c_scale}], #4", "ld1 {{v16.s}}[3], [{d_scale}], #4",
                    "subs {blocks}, {blocks}, #1",
                    "st1 {{v0.16b, v1.16b, v2.16b, v3.16b}}, [{low}], {apart}",
                    "st1 {{v4.16b, v5.16b, v6.16b, v7.16b}}, [{high}], {apart}",
                    "st1 {{v16.4s}}, [{scale}], {apart}",
                    "b.ne 2b",
                    a = inout(reg) a.0 => _,
                    b = inout(reg) b.0 => _,
                    c = inout(reg) c.0 => _,
                    d = inout(reg) d.0 => _,
                    a_scale = inout(reg) a.1 => _,
                    b_scale = inout(reg) b.1 => _,
                    c_scale = inout(reg) c.1 => _,
                    d_scale = inout(reg) d.1 => _,
                    low = inout(reg) out.add(t) => _,
                    high = inout(reg) out.add(TOKENS + t) => _,
                    scale = inout(reg) out.add(2 * TOKENS + t / 4) => _,
                    blocks = inout(reg) blocks => _,
                    apart = in(reg) BLOCK * size_of::<int8x16_t>(),
                    out("v0") _, out("v1") _, out("v2") _, out("v3") _, out("v4") _, out("v5") _,
                    out("v6") _, out("v7") _, out("v16") _,
                    options(nostack)
                );
            }
        }
    }

    #[inline(always)]
    unsafe fn multiply(
        self,
        rows: Rows<'_>,
        weights: &[Stretch],
        inputs: &MaybeUninit<Inputs>,
        sums: &mut [Sums],
    ) {
        let (inputs, blocks) = (inputs.as_ptr().cast(), rows.blocks());
        // SAFETY: the caller's promise.
        unsafe {
            match rows.count {
                ..=4 => multiply::<{ TOKENS / 2 }>(weights, inputs, blocks, sums),
                _ => multiply_tile(weights, inputs, blocks, sums),
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
    inputs: *const int8x16_t,
    blocks: usize,
    sums: &mut [Sums],
) {
    for (weights, sums) in weights.iter().zip(sums) {
        // SAFETY: the caller's promise; of a block of inputs only the tokens are read.
        unsafe {
            let mut acc = [vdupq_n_f32(0.0); T];
            acc.copy_from_slice(&sums[..T]);
            for (b, weight) in weights.iter().enumerate().take(blocks) {
                let weight = weight.assume_init_ref();
                let values = inputs.add(BLOCK * b);
                let scales = values.add(2 * TOKENS).cast::<f32>();
                let mut dots = [vdupq_n_s32(0); T];
                for h in 0..2 {
                    let mut x = [vdupq_n_s8(0); T];
                    for t in 0..T {
                        x[t] = *values.add(TOKENS * h + t);
                    }
                    let [[a, b], [c, d]] = [weight.codes[2 * h], weight.codes[2 * h + 1]];
                    sdots::<0, T>(&mut dots, a, &x);
                    sdots::<1, T>(&mut dots, b, &x);
                    sdots::<2, T>(&mut dots, c, &x);
                    sdots::<3, T>(&mut dots, d, &x);
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

/// An instruction for each token of a tile, or for its first or second half:
/// `sdot dots, w, x[LANE]`.
macro_rules! sdot_tile {
    ($w:literal, $lane:literal) => {
        concat!(sdot_tile!($w, $lane, first), sdot_tile!($w, $lane, second))
    };
    ($w:literal, $lane:literal, first) => {
        sdot_tile!($w, $lane; 8 20, 9 21, 10 22, 11 23)
    };
    ($w:literal, $lane:literal, second) => {
        sdot_tile!($w, $lane; 12 24, 13 25, 14 26, 15 27)
    };
    ($w:literal, $lane:literal; $($dots:literal $x:literal),*) => {
        concat!($("sdot v", $dots, ".4s, v", $w, ".16b, v", $x, ".4b[", $lane, "]\n"),*)
    };
}

/// A block: what is loaded comes as early as registers are free for it, and dots are zero before
/// it and after it. Zeros for four of them are one load; of its two forms processors that work in
/// order prefer the second, others the first, and all do well with one of each.
macro_rules! block {
    () => {
        concat!(
            "ld1 {{v16.16b, v17.16b, v18.16b, v19.16b}}, [{w}], #64\n",
            "ld1 {{v20.16b, v21.16b, v22.16b, v23.16b}}, [{x}], #64\n",
            "ld1 {{v24.16b, v25.16b, v26.16b, v27.16b}}, [{x}], #64\n",
            sdot_tile!(16, 0),
            "ld1 {{v28.16b, v29.16b, v30.16b, v31.16b}}, [{w}], #64\n",
            sdot_tile!(17, 1),
            sdot_tile!(18, 2),
            sdot_tile!(19, 3, first),
            "ld1 {{v20.16b, v21.16b, v22.16b, v23.16b}}, [{x}], #64\n",
            sdot_tile!(19, 3, second),
            "ld1 {{v24.16b, v25.16b, v26.16b, v27.16b}}, [{x}], #64\n",
            sdot_tile!(28, 0),
            "ldr q16, [{w}], #32\n",
            "ld1 {{v17.4s, v18.4s}}, [{x}], #32\n",
            sdot_tile!(29, 1),
            sdot_tile!(30, 2),
            sdot_tile!(31, 3),
            "fmul v24.4s, v16.4s, v17.s[0]\nfmul v25.4s, v16.4s, v17.s[1]\n",
            "fmul v26.4s, v16.4s, v17.s[2]\nfmul v27.4s, v16.4s, v17.s[3]\n",
            "fmul v28.4s, v16.4s, v18.s[0]\nfmul v29.4s, v16.4s, v18.s[1]\n",
            "fmul v30.4s, v16.4s, v18.s[2]\nfmul v31.4s, v16.4s, v18.s[3]\n",
            "scvtf v16.4s, v8.4s\nscvtf v17.4s, v9.4s\n",
            "scvtf v18.4s, v10.4s\nscvtf v19.4s, v11.4s\n",
            "ld1 {{v8.4s, v9.4s, v10.4s, v11.4s}}, [{zeros}]\n",
            "scvtf v20.4s, v12.4s\nscvtf v21.4s, v13.4s\n",
            "scvtf v22.4s, v14.4s\nscvtf v23.4s, v15.4s\n",
            "ld4r {{v12.4s, v13.4s, v14.4s, v15.4s}}, [{zeros}]\n",
            "fmla v0.4s, v24.4s, v16.4s\nfmla v1.4s, v25.4s, v17.4s\n",
            "fmla v2.4s, v26.4s, v18.4s\nfmla v3.4s, v27.4s, v19.4s\n",
            "fmla v4.4s, v28.4s, v20.4s\nfmla v5.4s, v29.4s, v21.4s\n",
            "fmla v6.4s, v30.4s, v22.4s\nfmla v7.4s, v31.4s, v23.4s\n",
        )
    };
}

/// What four registers at a time are made zero from.
static ZEROS: [i32; 16] = [0; 16];

/// For a whole tile: sums in registers 0–7, dot products in 8–15.
///
/// # Safety
/// As for [`Product::multiply`].
#[inline(always)]
unsafe fn multiply_tile(
    weights: &[Stretch],
    inputs: *const int8x16_t,
    blocks: usize,
    sums: &mut [Sums],
) {
    let quarters = weights.len().min(sums.len());
    if quarters == 0 || blocks == 0 {
        return;
    }
    // SAFETY: the caller's promise; so many blocks of so many quarters are read, and so many sums
    // are read and written.
    unsafe {
        asm!(
            "ld4r {{v8.4s, v9.4s, v10.4s, v11.4s}}, [{zeros}]",
            "ld4r {{v12.4s, v13.4s, v14.4s, v15.4s}}, [{zeros}]",
            "2:",
            "mov {w}, {weights}", "mov {x}, {inputs}", "mov {left}, {blocks}",
            "add {weights}, {weights}, #{stretch}",
            "ld1 {{v0.4s, v1.4s, v2.4s, v3.4s}}, [{sums}], #64",
            "ld1 {{v4.4s, v5.4s, v6.4s, v7.4s}}, [{sums}]",
            "sub {sums}, {sums}, #64",
            "tbz {left}, #0, 3f",
            block!(),
            "subs {left}, {left}, #1",
            "b.eq 4f",
            "3:",
            block!(),
            "subs {left}, {left}, #2",
            block!(),
            "b.ne 3b",
            "4:",
            "subs {quarters}, {quarters}, #1",
            "st1 {{v0.4s, v1.4s, v2.4s, v3.4s}}, [{sums}], #64",
            "st1 {{v4.4s, v5.4s, v6.4s, v7.4s}}, [{sums}], {unused}",
            "b.ne 2b",
            weights = inout(reg) weights.as_ptr() => _,
            sums = inout(reg) sums.as_mut_ptr() => _,
            quarters = inout(reg) quarters => _,
            inputs = in(reg) inputs,
            blocks = in(reg) blocks,
            zeros = in(reg) &raw const ZEROS,
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
