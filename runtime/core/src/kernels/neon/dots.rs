//! Dot products of one block of weights with one block of inputs, for ARMv8.0 and dotprod.
//!
//! A *quarter* is four rows of a group: 16 bytes of each chunk.

use core::arch::aarch64::*;
use core::arch::asm;

use super::{Base, DotProd};
use crate::layout::GROUP_ROWS;

/// Bytes of one chunk: 4 bytes of each row.
pub(super) const CHUNK: usize = 4 * GROUP_ROWS;

/// Products of `Q` quarters with the inputs of `T` tokens: one lane a row.
pub(super) type Dots<const Q: usize, const T: usize> = [[int32x4_t; T]; Q];

/// How blocks are multiplied. All of it must be inlined, so that it is compiled for the
/// instructions of the caller.
pub(super) trait Block: Copy {
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
}

/// Low and high nibbles of sixteen bytes.
///
/// # Safety
/// They can be read.
#[inline(always)]
pub(super) unsafe fn nibbles(codes: *const u8) -> [int8x16_t; 2] {
    // SAFETY: the caller's promise.
    unsafe {
        let codes = vld1q_u8(codes);
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

impl Block for DotProd {
    #[inline(always)]
    unsafe fn int4<const Q: usize, const T: usize>(
        self,
        codes: *const u8,
        x: [*const i8; T],
        dots: &mut Dots<Q, T>,
    ) {
        // SAFETY: chunks, quarters and inputs lie within what the caller promises.
        unsafe {
            for half in 0..2 {
                let x = x.map(|x| vld1q_s8(x.add(16 * half)));
                let chunk = codes.add(2 * half * CHUNK);
                for q in 0..Q {
                    let [low, high] = nibbles(chunk.add(16 * q));
                    for t in 0..T {
                        sdot::<0>(&mut dots[q][t], low, x[t]);
                    }
                    for t in 0..T {
                        sdot::<1>(&mut dots[q][t], high, x[t]);
                    }
                }
                let chunk = chunk.add(CHUNK);
                for q in 0..Q {
                    let [low, high] = nibbles(chunk.add(16 * q));
                    for t in 0..T {
                        sdot::<2>(&mut dots[q][t], low, x[t]);
                    }
                    for t in 0..T {
                        sdot::<3>(&mut dots[q][t], high, x[t]);
                    }
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
            for half in 0..2 {
                let x = x.map(|x| vld1q_s8(x.add(16 * half)));
                let chunk = codes.add(4 * half * CHUNK);
                for q in 0..Q {
                    let codes = [0, 1, 2, 3].map(|c| signed(chunk.add(c * CHUNK + 16 * q)));
                    for t in 0..T {
                        sdot::<0>(&mut dots[q][t], codes[0], x[t]);
                        sdot::<1>(&mut dots[q][t], codes[1], x[t]);
                        sdot::<2>(&mut dots[q][t], codes[2], x[t]);
                        sdot::<3>(&mut dots[q][t], codes[3], x[t]);
                    }
                }
            }
        }
    }
}

/// Four inputs, once for each row of a quarter.
///
/// # Safety
/// They can be read.
#[inline(always)]
unsafe fn repeated(x: *const i8) -> int8x16_t {
    // SAFETY: the caller's promise.
    unsafe { vreinterpretq_s8_s32(vld1q_dup_s32(x.cast())) }
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
            for c in 0..4 {
                let x = x.map(|x| [repeated(x.add(8 * c)), repeated(x.add(8 * c + 4))]);
                for q in 0..Q {
                    let codes = nibbles(codes.add(c * CHUNK + 16 * q));
                    for t in 0..T {
                        for (w, x) in codes.into_iter().zip(x[t]) {
                            let [low, high] = sums[q][t];
                            sums[q][t] = [
                                vmlal_s8(low, vget_low_s8(w), vget_low_s8(x)),
                                vmlal_high_s8(high, w, x),
                            ];
                        }
                    }
                }
            }
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
                let x = x.map(|x| [repeated(x.add(8 * c)), repeated(x.add(8 * c + 4))]);
                for q in 0..Q {
                    let codes = codes.add(2 * c * CHUNK + 16 * q);
                    let [a, b] = [signed(codes), signed(codes.add(CHUNK))];
                    for t in 0..T {
                        // Two products fit 16 bits: 2 · 128 · 127 = 32,512.
                        let [x, y] = x[t];
                        let low = vmull_s8(vget_low_s8(a), vget_low_s8(x));
                        let low = vmlal_s8(low, vget_low_s8(b), vget_low_s8(y));
                        let high = vmlal_high_s8(vmull_high_s8(a, x), b, y);
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
