//! Panels by `smmla`: 2 rows × 8 inputs with 8 inputs × 2 tokens an instruction.

use core::arch::aarch64::*;
use core::arch::asm;
use core::mem::MaybeUninit;

use super::{Product, Rows, STRETCH, Stretch, Sums, TILE};

/// Pairs of tokens of a tile.
const PAIRS: usize = TILE / 2;

/// In a block of weights `codes[i][h]` has inputs `8 · i ..` of rows `2 · h` and
/// `2 · h + 1`, and `scales[h]` has two lanes for each of them. Of a block of inputs register
/// `5 · i + p` has inputs `8 · i ..` of both tokens of pair `p`, and in `20 + p` their scales
/// alternate. Sums `2 · p + h` are of rows and tokens like that.
#[derive(Clone, Copy)]
pub(super) struct Smmla;

/// Blocks of the tokens of a tile.
type Inputs = [[int8x16_t; 5 * PAIRS]; STRETCH];

impl Product for Smmla {
    const TOKENS: usize = TILE;
    type Inputs = Inputs;

    #[inline(always)]
    fn codes(self, inputs: [int8x16_t; 2]) -> [int8x16_t; 2] {
        // SAFETY: baseline instructions.
        unsafe {
            let [low, high] = inputs.map(|inputs| vreinterpretq_s32_s8(inputs));
            [
                vreinterpretq_s8_s32(vzip1q_s32(low, high)),
                vreinterpretq_s8_s32(vzip2q_s32(low, high)),
            ]
        }
    }

    #[inline(always)]
    fn scales(self, scales: float32x4_t) -> [float32x4_t; 2] {
        // SAFETY: baseline instructions.
        unsafe { [vzip1q_f32(scales, scales), vzip2q_f32(scales, scales)] }
    }

    #[inline(always)]
    fn inputs(self, rows: Rows<'_>, out: &mut MaybeUninit<Inputs>) {
        let blocks = rows.blocks();
        if blocks == 0 {
            return;
        }
        for pair in 0..rows.count.div_ceil(2) {
            let [(x, x_scale), (y, y_scale)] = rows.places(2 * pair);
            // SAFETY: baseline instructions; both rows have so many blocks, and there is room for
            // them and for as many pairs.
            unsafe {
                asm!(
                    "2:",
                    "ld1 {{v0.2d, v1.2d}}, [{x}], #32",
                    "ld1 {{v2.2d, v3.2d}}, [{y}], #32",
                    "ld1r {{v4.4s}}, [{x_scale}], #4",
                    "ld1r {{v5.4s}}, [{y_scale}], #4",
                    "subs {blocks}, {blocks}, #1",
                    "zip1 v6.2d, v0.2d, v2.2d",
                    "zip2 v7.2d, v0.2d, v2.2d",
                    "zip1 v16.2d, v1.2d, v3.2d",
                    "zip2 v17.2d, v1.2d, v3.2d",
                    "zip1 v18.4s, v4.4s, v5.4s",
                    "st1 {{v6.2d}}, [{out}], {apart}",
                    "st1 {{v7.2d}}, [{out}], {apart}",
                    "st1 {{v16.2d}}, [{out}], {apart}",
                    "st1 {{v17.2d}}, [{out}], {apart}",
                    "st1 {{v18.4s}}, [{out}], {apart}",
                    "b.ne 2b",
                    x = inout(reg) x => _,
                    y = inout(reg) y => _,
                    x_scale = inout(reg) x_scale => _,
                    y_scale = inout(reg) y_scale => _,
                    blocks = inout(reg) blocks => _,
                    out = inout(reg) out.as_mut_ptr().cast::<int8x16_t>().add(pair) => _,
                    apart = in(reg) PAIRS * size_of::<int8x16_t>(),
                    out("v0") _, out("v1") _, out("v2") _, out("v3") _, out("v4") _, out("v5") _,
                    out("v6") _, out("v7") _, out("v16") _, out("v17") _, out("v18") _,
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
            match rows.count.div_ceil(2) {
                1 => multiply::<1>(weights, inputs, blocks, sums),
                2 => multiply::<2>(weights, inputs, blocks, sums),
                3 => multiply::<3>(weights, inputs, blocks, sums),
                4 => multiply::<4>(weights, inputs, blocks, sums),
                _ => multiply_tile(weights, inputs, blocks, sums),
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
    weights: &[Stretch],
    inputs: *const int8x16_t,
    blocks: usize,
    sums: &mut [Sums],
) {
    for (weights, sums) in weights.iter().zip(sums) {
        let sums = sums.as_chunks_mut::<2>().0;
        // SAFETY: the caller's promise; of a block of inputs only the pairs are read.
        unsafe {
            let mut acc = [[vdupq_n_f32(0.0); 2]; P];
            acc.copy_from_slice(&sums[..P]);
            for (b, weight) in weights.iter().enumerate().take(blocks) {
                let weight = weight.assume_init_ref();
                let input = inputs.add(5 * PAIRS * b);
                let mut dots = [[vdupq_n_s32(0); 2]; P];
                for i in 0..4 {
                    for p in 0..P {
                        let x = *input.add(PAIRS * i + p);
                        for h in 0..2 {
                            smmla(&mut dots[p][h], weight.codes[i][h], x);
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

/// What dot products start from, four registers a load: in the loop below arithmetic is what there
/// is most of, so loads have time.
static ZEROS: [i32; 16] = [0; 16];

/// For a whole tile: sums in registers 0–9, dot products in 10–19. Four registers a load, which
/// the compiler does not find by itself, make a sixth fewer instructions.
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
            "2:",
            "mov {w}, {weights}", "mov {x}, {inputs}", "mov {left}, {blocks}",
            "add {weights}, {weights}, #{stretch}",
            "ld1 {{v0.4s, v1.4s, v2.4s, v3.4s}}, [{sums}], #64",
            "ld1 {{v4.4s, v5.4s, v6.4s, v7.4s}}, [{sums}], #64",
            "ld1 {{v8.4s, v9.4s}}, [{sums}]",
            "sub {sums}, {sums}, #128",
            "3:",
            "ld1 {{v10.4s, v11.4s, v12.4s, v13.4s}}, [{zeros}]",
            "ld1 {{v14.4s, v15.4s, v16.4s, v17.4s}}, [{zeros}]",
            "ld1 {{v18.4s, v19.4s}}, [{zeros}]",
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
            "subs {left}, {left}, #1", "fmul v22.4s, v20.4s, v24.4s",
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
            "b.ne 3b",
            "subs {quarters}, {quarters}, #1",
            "st1 {{v0.4s, v1.4s, v2.4s, v3.4s}}, [{sums}], #64",
            "st1 {{v4.4s, v5.4s, v6.4s, v7.4s}}, [{sums}], #64",
            "st1 {{v8.4s, v9.4s}}, [{sums}], #32",
            "b.ne 2b",
            weights = inout(reg) weights.as_ptr() => _,
            sums = inout(reg) sums.as_mut_ptr() => _,
            quarters = inout(reg) quarters => _,
            inputs = in(reg) inputs,
            blocks = in(reg) blocks,
            zeros = in(reg) &raw const ZEROS,
            w = out(reg) _,
            x = out(reg) _,
            left = out(reg) _,
            stretch = const size_of::<Stretch>(),
            out("v0") _, out("v1") _, out("v2") _, out("v3") _, out("v4") _, out("v5") _,
            out("v6") _, out("v7") _, out("v8") _, out("v9") _,
            out("v10") _, out("v11") _, out("v12") _, out("v13") _, out("v14") _, out("v15") _,
            out("v16") _, out("v17") _, out("v18") _, out("v19") _, out("v20") _, out("v21") _,
            out("v22") _, out("v23") _, out("v24") _, out("v25") _, out("v26") _, out("v27") _,
            out("v28") _, out("v29") _, out("v30") _, out("v31") _,
            options(nostack)
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
