//! NEON: sixteen lanes are four registers.
//!
//! Floats are computed alike on every arm64 processor; integer products take the best form that
//! it has. Some instructions have no stable name in Rust and are written in assembly, one at a
//! time.

use core::arch::aarch64::*;
use core::arch::asm;
use core::ops::Range;

use half::f16;

use super::lanes::{Kernel, LANES, Lanes};
use super::linear_int8::DotBlocks;
use super::{Epilogue, QuantizedRows, Weight};

mod dots;
mod halves;
mod linear_int8;
mod panels;
mod streams;

/// Proof that the processor has the instructions of the integer products.
#[derive(Clone, Copy)]
pub(super) struct Neon(Products);

/// The forms of integer products.
#[derive(Clone, Copy)]
pub(super) enum Products {
    /// What every arm64 processor has.
    Base,
    /// `sdot`.
    DotProd,
    /// `smmla`, and `sdot`.
    I8mm,
}

/// Lanes 0–3, 4–7, 8–11 and 12–15.
type Four = [float32x4_t; 4];

/// Runs a kernel.
///
/// # Safety
/// The processor must have the instructions of the products.
pub(super) unsafe fn run<K: Kernel>(kernel: K, products: Products) -> K::Output {
    kernel.run(Neon(products))
}

/// An instruction that every arm64 processor has.
macro_rules! instruction {
    ($call:expr) => {
        // SAFETY: NEON is part of the architecture; pointers come from references to arrays of
        // the size that the instruction reads or writes.
        unsafe { $call }
    };
}

/// The same operation on each register.
macro_rules! each {
    ($i:ident => $call:expr) => {
        [
            {
                let $i = 0;
                instruction!($call)
            },
            {
                let $i = 1;
                instruction!($call)
            },
            {
                let $i = 2;
                instruction!($call)
            },
            {
                let $i = 3;
                instruction!($call)
            },
        ]
    };
}

/// Eight f16 as floats.
#[inline(always)]
fn from_halves(x: uint16x8_t) -> [float32x4_t; 2] {
    let (low, high);
    // SAFETY: ARMv8.0 has the instructions; they touch nothing but these registers.
    unsafe {
        asm!("fcvtl {y:v}.4s, {x:v}.4h", x = in(vreg) x, y = out(vreg) low,
            options(pure, nomem, nostack, preserves_flags));
        asm!("fcvtl2 {y:v}.4s, {x:v}.8h", x = in(vreg) x, y = out(vreg) high,
            options(pure, nomem, nostack, preserves_flags));
    }
    [low, high]
}

/// Four f16 as floats.
///
/// # Safety
/// They can be read.
#[inline(always)]
unsafe fn four_halves(x: *const u8) -> float32x4_t {
    let y;
    // SAFETY: as for `from_halves`, and the caller's promise.
    unsafe {
        asm!("fcvtl {y:v}.4s, {x:v}.4h", x = in(vreg) vld1_u8(x), y = out(vreg) y,
            options(pure, nomem, nostack, preserves_flags));
    }
    y
}

/// Eight floats as f16, rounded to nearest even.
#[inline(always)]
fn to_halves(x: [float32x4_t; 2]) -> uint16x8_t {
    let mut halves: uint16x8_t;
    // SAFETY: as for `from_halves`.
    unsafe {
        asm!("fcvtn {y:v}.4h, {x:v}.4s", x = in(vreg) x[0], y = out(vreg) halves,
            options(pure, nomem, nostack, preserves_flags));
        asm!("fcvtn2 {y:v}.8h, {x:v}.4s", x = in(vreg) x[1], y = inout(vreg) halves,
            options(pure, nomem, nostack, preserves_flags));
    }
    halves
}

impl Lanes for Neon {
    type F = Four;
    const ADDS_HALVES: bool = true;

    #[inline(always)]
    fn splat(self, x: f32) -> Four {
        instruction!([vdupq_n_f32(x); 4])
    }

    #[inline(always)]
    fn load(self, x: &[f32; LANES]) -> Four {
        each!(i => vld1q_f32(x.as_ptr().add(4 * i)))
    }

    #[inline(always)]
    fn store(self, x: Four, to: &mut [f32; LANES]) {
        let _: [(); 4] = each!(i => vst1q_f32(to.as_mut_ptr().add(4 * i), x[i]));
    }

    #[inline(always)]
    fn load_f32(self, x: &[u8; 4 * LANES]) -> Four {
        each!(i => vreinterpretq_f32_u8(vld1q_u8(x.as_ptr().add(16 * i))))
    }

    #[inline(always)]
    fn load_f16(self, x: &[u8; 2 * LANES]) -> Four {
        let low = instruction!(vreinterpretq_u16_u8(vld1q_u8(x.as_ptr())));
        let high = instruction!(vreinterpretq_u16_u8(vld1q_u8(x.as_ptr().add(16))));
        let ([a, b], [c, d]) = (from_halves(low), from_halves(high));
        [a, b, c, d]
    }

    #[inline(always)]
    fn store_f16(self, x: Four, to: &mut [u8; 2 * LANES]) {
        let [low, high] = [to_halves([x[0], x[1]]), to_halves([x[2], x[3]])];
        instruction!({
            vst1q_u8(to.as_mut_ptr(), vreinterpretq_u8_u16(low));
            vst1q_u8(to.as_mut_ptr().add(16), vreinterpretq_u8_u16(high));
        });
    }

    #[inline(always)]
    fn load_u8(self, x: &[u8; LANES]) -> Four {
        let words = instruction!({
            let x = vld1q_u8(x.as_ptr());
            let [low, high] = [vmovl_u8(vget_low_u8(x)), vmovl_high_u8(x)];
            [
                vmovl_u16(vget_low_u16(low)),
                vmovl_high_u16(low),
                vmovl_u16(vget_low_u16(high)),
                vmovl_high_u16(high),
            ]
        });
        each!(i => vcvtq_f32_u32(words[i]))
    }

    #[inline(always)]
    fn load_codes(self, words: &[u8; 4 * LANES], shift: u32, mask: u32) -> Four {
        each!(i => {
            let words = vreinterpretq_u32_u8(vld1q_u8(words.as_ptr().add(16 * i)));
            let codes = vshlq_u32(words, vdupq_n_s32(-(shift as i32)));
            vcvtq_f32_u32(vandq_u32(codes, vdupq_n_u32(mask)))
        })
    }

    #[inline(always)]
    fn store_i8(self, x: Four, to: &mut [i8; LANES]) {
        instruction!({
            let [a, b] = [eight_halves(x[0], x[1]), eight_halves(x[2], x[3])];
            vst1q_s8(to.as_mut_ptr(), vuzp1q_s8(a, b));
        });
    }

    #[inline(always)]
    fn add_halves<const Q: usize>(
        self,
        numbers: &[&[f32]; Q],
        vectors: &[[f16; LANES]],
        stride: usize,
        sums: &mut [Four; Q],
    ) -> bool {
        // More would not stay in registers.
        if Q <= 4 {
            halves::add(numbers, vectors, stride, sums);
        }
        Q <= 4
    }

    #[inline(always)]
    fn add(self, a: Four, b: Four) -> Four {
        each!(i => vaddq_f32(a[i], b[i]))
    }

    #[inline(always)]
    fn sub(self, a: Four, b: Four) -> Four {
        each!(i => vsubq_f32(a[i], b[i]))
    }

    #[inline(always)]
    fn mul(self, a: Four, b: Four) -> Four {
        each!(i => vmulq_f32(a[i], b[i]))
    }

    #[inline(always)]
    fn div(self, a: Four, b: Four) -> Four {
        each!(i => vdivq_f32(a[i], b[i]))
    }

    #[inline(always)]
    fn fma(self, a: Four, b: Four, c: Four) -> Four {
        each!(i => vfmaq_f32(c[i], a[i], b[i]))
    }

    // NEON's own maximum and minimum of a NaN are NaN.
    #[inline(always)]
    fn max(self, a: Four, b: Four) -> Four {
        each!(i => vbslq_f32(vcgtq_f32(a[i], b[i]), a[i], b[i]))
    }

    #[inline(always)]
    fn min(self, a: Four, b: Four) -> Four {
        each!(i => vbslq_f32(vcltq_f32(a[i], b[i]), a[i], b[i]))
    }

    #[inline(always)]
    fn clamp(self, x: Four, low: f32, high: f32) -> Four {
        each!(i => vminq_f32(vmaxq_f32(x[i], vdupq_n_f32(low)), vdupq_n_f32(high)))
    }

    #[inline(always)]
    fn round(self, x: Four) -> Four {
        each!(i => vrndnq_f32(x[i]))
    }

    #[inline(always)]
    fn power_of_two(self, n: Four) -> Four {
        let biased = self.add(n, self.splat(crate::math::ROUND + 127.0));
        each!(i => vreinterpretq_f32_u32(vshlq_n_u32::<23>(vreinterpretq_u32_f32(biased[i]))))
    }

    #[inline(always)]
    fn max_magnitude(self, a: Four, b: Four) -> Four {
        each!(i => {
            let [a, b] = [vabsq_f32(a[i]), vabsq_f32(b[i])];
            vreinterpretq_f32_u32(vmaxq_u32(vreinterpretq_u32_f32(a), vreinterpretq_u32_f32(b)))
        })
    }

    #[inline(always)]
    fn sum(self, x: Four) -> f32 {
        instruction!({
            let x = add_4_apart(x);
            let x = vadd_f32(vget_low_f32(x), vget_high_f32(x));
            vget_lane_f32::<0>(vpadd_f32(x, x))
        })
    }

    #[inline(always)]
    fn greatest_bits(self, x: Four) -> f32 {
        instruction!({
            let low = vmaxq_u32(vreinterpretq_u32_f32(x[0]), vreinterpretq_u32_f32(x[1]));
            let high = vmaxq_u32(vreinterpretq_u32_f32(x[2]), vreinterpretq_u32_f32(x[3]));
            f32::from_bits(vmaxvq_u32(vmaxq_u32(low, high)))
        })
    }

    #[inline(always)]
    fn greatest(self, x: Four) -> f32 {
        instruction!(vmaxvq_f32(vmaxq_f32(
            vmaxq_f32(x[0], x[1]),
            vmaxq_f32(x[2], x[3])
        )))
    }
}

/// The low halves of eight whole numbers.
#[inline(always)]
fn eight_halves(a: float32x4_t, b: float32x4_t) -> int8x16_t {
    instruction!({
        let (a, b) = (vcvtq_s32_f32(a), vcvtq_s32_f32(b));
        vreinterpretq_s8_s16(vuzp1q_s16(
            vreinterpretq_s16_s32(a),
            vreinterpretq_s16_s32(b),
        ))
    })
}

/// Lanes 8 apart, then lanes 4 apart.
#[inline(always)]
fn add_4_apart(x: Four) -> float32x4_t {
    instruction!(vaddq_f32(vaddq_f32(x[0], x[2]), vaddq_f32(x[1], x[3])))
}

impl DotBlocks for Neon {
    #[inline(always)]
    fn linear(
        self,
        weight: Weight<'_>,
        input: QuantizedRows<'_>,
        epilogue: &Epilogue<'_>,
        groups: Range<usize>,
    ) {
        match self.0 {
            Products::Base => linear_int8::base(self, weight, input, epilogue, groups),
            // SAFETY: holding `DotProd` proves the features.
            Products::DotProd => unsafe {
                linear_int8::dotprod(self, weight, input, epilogue, groups);
            },
            // SAFETY: holding `I8mm` proves the features.
            Products::I8mm => unsafe {
                linear_int8::i8mm(self, weight, input, epilogue, groups);
            },
        }
    }
}
