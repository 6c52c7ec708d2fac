//! Dot products of one block of weights with one block of inputs, for ARMv8.0 and dotprod.
//!
//! A *quarter* is four rows of a group: 16 bytes of each chunk.

use core::arch::aarch64::*;
use core::arch::asm;

use super::streams::{one_row, two_rows};
use crate::kernels::quantize::QuantizedRow;
use crate::layout::GROUP_ROWS;

/// Bytes of one chunk: 4 bytes of each row.
pub(super) const CHUNK: usize = 4 * GROUP_ROWS;

/// Products of `Q` quarters with the inputs of `T` tokens: one lane a row.
pub(super) type Dots<const Q: usize, const T: usize> = [[int32x4_t; T]; Q];

/// With what every arm64 processor has.
#[derive(Clone, Copy)]
pub(super) struct Base;

/// With `sdot`.
#[derive(Clone, Copy)]
pub(super) struct DotProd;

/// How blocks are multiplied. All of it must be inlined, so that it is compiled for the
/// instructions of the caller.
pub(super) trait Block: Copy {
    /// Whether there is a loop over whole groups.
    const STREAMS: bool = false;

    /// Adds `Σ stored · x` to `dots`.
    ///
    /// # Safety
    /// The processor has the instructions. `codes` points to the first quarter's bytes of an
    /// int4 block, with `Q` quarters in each of its chunks; each of `x` to 32 inputs within
    /// ±127.
    unsafe fn int4<const Q: usize, const T: usize>(
        self,
        codes: *const u8,
        x: [*const i8; T],
        dots: &mut Dots<Q, T>,
    );

    /// Adds `Σ (stored − 128) · x` to `dots`.
    ///
    /// # Safety
    /// As for [`Block::int4`], of an int8 block.
    unsafe fn int8<const Q: usize, const T: usize>(
        self,
        codes: *const u8,
        x: [*const i8; T],
        dots: &mut Dots<Q, T>,
    );

    /// Adds all blocks of an int4 group without zero points to the sums of `T` tokens, a quarter
    /// each. Only where [`Block::STREAMS`], for one token or two.
    ///
    /// # Safety
    /// The processor has the instructions. `group` points to as many blocks as each row has.
    #[inline(always)]
    unsafe fn int4_group<const T: usize>(
        self,
        _group: *const u8,
        _rows: &[QuantizedRow<'_>; T],
        _sums: &mut [[float32x4_t; 4]; T],
    ) {
        unreachable!("no loop over whole groups");
    }
}

/// Low and high nibbles of sixteen bytes.
#[inline(always)]
pub(super) fn nibbles(codes: uint8x16_t) -> [int8x16_t; 2] {
    // SAFETY: baseline instructions.
    unsafe {
        [
            vreinterpretq_s8_u8(vandq_u8(codes, vdupq_n_u8(15))),
            vreinterpretq_s8_u8(vshrq_n_u8::<4>(codes)),
        ]
    }
}

/// Four bytes as words.
#[inline(always)]
pub(super) fn words(bytes: u32) -> int32x4_t {
    // SAFETY: baseline instructions.
    unsafe {
        let halves = vmovl_u8(vcreate_u8(u64::from(bytes)));
        vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(halves)))
    }
}

/// Sixteen bytes less 128.
///
/// # Safety
/// They can be read.
#[inline(always)]
pub(super) unsafe fn signed(codes: *const u8) -> int8x16_t {
    // SAFETY: the caller's promise.
    unsafe { vreinterpretq_s8_u8(veorq_u8(vld1q_u8(codes), vdupq_n_u8(128))) }
}

/// Adds the products of four rows of `w`, four inputs each, with four inputs of `x`.
///
/// # Safety
/// The processor has dotprod.
#[inline(always)]
unsafe fn sdot<const LANE: usize>(dots: &mut int32x4_t, w: int8x16_t, x: int8x16_t) {
    // SAFETY: the caller's promise; nothing but these registers is touched.
    unsafe {
        asm!(
            "sdot {dots:v}.4s, {w:v}.16b, {x:v}.4b[{lane}]",
            dots = inout(vreg) *dots,
            w = in(vreg) w,
            x = in(vreg) x,
            lane = const LANE,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
}

/// Adds four inputs of each token, lane `LANE` of `x`.
///
/// # Safety
/// The processor has dotprod.
#[inline(always)]
pub(super) unsafe fn sdots<const LANE: usize, const T: usize>(
    dots: &mut [int32x4_t; T],
    w: int8x16_t,
    x: &[int8x16_t; T],
) {
    for t in 0..T {
        // SAFETY: the caller's promise.
        unsafe { sdot::<LANE>(&mut dots[t], w, x[t]) };
    }
}

/// Adds a chunk of an int4 block: low nibbles with lane `LOW` of the inputs, high ones with lane
/// `HIGH`. No product waits for the one before it, which processors that work in order need.
///
/// # Safety
/// The processor has dotprod, and `codes` points to `Q` quarters of a chunk.
#[inline(always)]
unsafe fn int4_products<const LOW: usize, const HIGH: usize, const Q: usize, const T: usize>(
    codes: *const u8,
    inputs: &[int8x16_t; T],
    dots: &mut Dots<Q, T>,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut bytes = [[vdupq_n_s8(0); 2]; Q];
        for q in 0..Q {
            bytes[q] = nibbles(vld1q_u8(codes.add(16 * q)));
        }
        for q in 0..Q {
            sdots::<LOW, T>(&mut dots[q], bytes[q][0], inputs);
        }
        for q in 0..Q {
            sdots::<HIGH, T>(&mut dots[q], bytes[q][1], inputs);
        }
    }
}

impl Block for DotProd {
    const STREAMS: bool = true;

    #[inline(always)]
    unsafe fn int4_group<const T: usize>(
        self,
        group: *const u8,
        rows: &[QuantizedRow<'_>; T],
        sums: &mut [[float32x4_t; 4]; T],
    ) {
        // SAFETY: the caller's promise.
        unsafe {
            match (&rows[..], &mut sums[..]) {
                ([row], [sums]) => one_row(group, row, sums),
                ([one, two], [sums, more]) => two_rows(group, one, two, sums, more),
                _ => unreachable!("one token or two"),
            }
        }
    }

    #[inline(always)]
    unsafe fn int4<const Q: usize, const T: usize>(
        self,
        codes: *const u8,
        x: [*const i8; T],
        dots: &mut Dots<Q, T>,
    ) {
        // SAFETY: chunks and inputs lie within what the caller promises.
        unsafe {
            let inputs = sixteen(x, 0);
            int4_products::<0, 1, Q, T>(codes, &inputs, dots);
            int4_products::<2, 3, Q, T>(codes.add(CHUNK), &inputs, dots);
            let inputs = sixteen(x, 16);
            int4_products::<0, 1, Q, T>(codes.add(2 * CHUNK), &inputs, dots);
            int4_products::<2, 3, Q, T>(codes.add(3 * CHUNK), &inputs, dots);
        }
    }

    #[inline(always)]
    unsafe fn int8<const Q: usize, const T: usize>(
        self,
        codes: *const u8,
        x: [*const i8; T],
        dots: &mut Dots<Q, T>,
    ) {
        // SAFETY: as above.
        unsafe {
            for half in 0..2 {
                let inputs = sixteen(x, 16 * half);
                for q in 0..Q {
                    let codes = codes.add(4 * half * CHUNK + 16 * q);
                    sdots::<0, T>(&mut dots[q], signed(codes), &inputs);
                    sdots::<1, T>(&mut dots[q], signed(codes.add(CHUNK)), &inputs);
                    sdots::<2, T>(&mut dots[q], signed(codes.add(2 * CHUNK)), &inputs);
                    sdots::<3, T>(&mut dots[q], signed(codes.add(3 * CHUNK)), &inputs);
                }
            }
        }
    }
}

/// Sixteen inputs of each token.
///
/// # Safety
/// They can be read.
#[inline(always)]
unsafe fn sixteen<const T: usize>(x: [*const i8; T], from: usize) -> [int8x16_t; T] {
    // SAFETY: the caller's promise.
    unsafe {
        let mut inputs = [vdupq_n_s8(0); T];
        for t in 0..T {
            inputs[t] = vld1q_s8(x[t].add(from));
        }
        inputs
    }
}

/// Sums of products in 16 bits, four lanes a row: rows 0–1 and rows 2–3 of a quarter.
type Halves = [int16x8_t; 2];

/// Adds the products of bytes. As two instructions by name: where all rows meet the same inputs,
/// the compiler would see equal halves and move the other operand's upper half by itself.
#[inline(always)]
fn multiply_add(sums: &mut Halves, w: int8x16_t, x: int8x16_t) {
    // SAFETY: ARMv8.0 has the instructions; they touch nothing but these registers.
    unsafe {
        asm!("smlal {sums:v}.8h, {w:v}.8b, {x:v}.8b",
            sums = inout(vreg) sums[0], w = in(vreg) w, x = in(vreg) x,
            options(pure, nomem, nostack, preserves_flags));
        asm!("smlal2 {sums:v}.8h, {w:v}.16b, {x:v}.16b",
            sums = inout(vreg) sums[1], w = in(vreg) w, x = in(vreg) x,
            options(pure, nomem, nostack, preserves_flags));
    }
}

/// Adds a chunk of an int4 block, the one of inputs `8 · chunk ..`.
///
/// # Safety
/// As for [`Block::int4`].
#[inline(always)]
unsafe fn int4_chunk<const Q: usize, const T: usize>(
    codes: *const u8,
    x: [*const i8; T],
    chunk: usize,
    sums: &mut [[Halves; T]; Q],
) {
    // SAFETY: the caller's promise.
    unsafe {
        let inputs = repeated(x, 8 * chunk);
        for q in 0..Q {
            let codes = vld1q_u8(codes.add(chunk * CHUNK + 16 * q));
            let [low, high] = nibbles(codes);
            for t in 0..T {
                multiply_add(&mut sums[q][t], low, inputs[t][0]);
                multiply_add(&mut sums[q][t], high, inputs[t][1]);
            }
        }
    }
}

/// Inputs `from..from + 4` and the next four of each token, once for each row of a quarter.
///
/// # Safety
/// They can be read.
#[inline(always)]
unsafe fn repeated<const T: usize>(x: [*const i8; T], from: usize) -> [[int8x16_t; 2]; T] {
    // SAFETY: the caller's promise.
    unsafe {
        let mut inputs = [[vdupq_n_s8(0); 2]; T];
        for t in 0..T {
            for i in 0..2 {
                let four = x[t].add(from + 4 * i).cast();
                inputs[t][i] = vreinterpretq_s8_s32(vld1q_dup_s32(four));
            }
        }
        inputs
    }
}

impl Block for Base {
    #[inline(always)]
    unsafe fn int4<const Q: usize, const T: usize>(
        self,
        codes: *const u8,
        x: [*const i8; T],
        dots: &mut Dots<Q, T>,
    ) {
        // SAFETY: as above.
        unsafe {
            // 16-bit sums, four a row, rows 0–1 and rows 2–3. They hold a block of nibbles, and
            // so does the sum of two: 2 · 8 · 15 · 127 = 30,480.
            let mut sums = [[[vdupq_n_s16(0); 2]; T]; Q];
            int4_chunk(codes, x, 0, &mut sums);
            int4_chunk(codes, x, 1, &mut sums);
            int4_chunk(codes, x, 2, &mut sums);
            int4_chunk(codes, x, 3, &mut sums);
            for q in 0..Q {
                for t in 0..T {
                    let [low, high] = sums[q][t];
                    dots[q][t] = vpadalq_s16(dots[q][t], vpaddq_s16(low, high));
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn int8<const Q: usize, const T: usize>(
        self,
        codes: *const u8,
        x: [*const i8; T],
        dots: &mut Dots<Q, T>,
    ) {
        // SAFETY: as above.
        unsafe {
            // Two a row, rows 0–1 and rows 2–3.
            let mut sums = [[[vdupq_n_s32(0); 2]; T]; Q];
            for c in 0..4 {
                let inputs = repeated(x, 8 * c);
                for q in 0..Q {
                    let codes = codes.add(2 * c * CHUNK + 16 * q);
                    let [a, b] = [signed(codes), signed(codes.add(CHUNK))];
                    for t in 0..T {
                        // Two products fit 16 bits: 2 · 128 · 127 = 32,512.
                        let mut products = [vdupq_n_s16(0); 2];
                        multiply_add(&mut products, a, inputs[t][0]);
                        multiply_add(&mut products, b, inputs[t][1]);
                        let [low, high] = products;
                        let [low_sum, high_sum] = sums[q][t];
                        sums[q][t] = [vpadalq_s16(low_sum, low), vpadalq_s16(high_sum, high)];
                    }
                }
            }
            for q in 0..Q {
                for t in 0..T {
                    let [low, high] = sums[q][t];
                    dots[q][t] = vaddq_s32(dots[q][t], vpaddq_s32(low, high));
                }
            }
        }
    }
}
