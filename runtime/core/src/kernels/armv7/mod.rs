//! ARMv7 with NEON and VFPv4: integer products by NEON, floats one by one.
//!
//! This processor's NEON flushes denormal floats to zero, so it cannot keep the arithmetic's
//! rules; VFP can, and has the fused multiply-add that the scalar form calls a library for.
//! Neither has names in stable Rust: the block products are assembly, the rest single
//! instructions.

use core::arch::{asm, global_asm};
use core::ops::Range;

use super::as_scalar::as_scalar;
use super::lanes::{Kernel, LANES, Lanes};
use super::linear_int8::{Dot, DotBlocks, linear_by_rows};
use super::{Epilogue, QuantizedRows, Weight};
use crate::layout::{BLOCK, GROUP_ROWS};

global_asm!(include_str!("blocks.s"), options(raw));

// SAFETY: `blocks.s` keeps C's rules. Codes are a block's, 256 or 512 bytes.
unsafe extern "C" {
    /// `dots = Σ stored · x` of each row, stored nibbles.
    fn tealight_neon_int4(codes: *const u8, x: &[i8; BLOCK], dots: &mut [i32; GROUP_ROWS]);
    /// `dots = Σ (stored − 128) · x` of each row, stored bytes.
    fn tealight_neon_int8(codes: *const u8, x: &[i8; BLOCK], dots: &mut [i32; GROUP_ROWS]);
}

/// Proof that the processor has NEON and VFPv4.
#[derive(Clone, Copy)]
pub(super) struct Neon(());

/// Runs a kernel.
///
/// # Safety
/// The processor must have NEON and VFPv4.
pub(super) unsafe fn run<K: Kernel>(kernel: K) -> K::Output {
    kernel.run(Neon(()))
}

/// Whether the processor has NEON and VFPv4, as Linux says.
pub(super) fn is_available() -> bool {
    const HARDWARE: usize = 16;
    const NEON: usize = 1 << 12;
    const VFP_4: usize = 1 << 16;
    // SAFETY: the C library of every Linux has it.
    unsafe extern "C" {
        safe fn getauxval(entry: usize) -> usize;
    }
    getauxval(HARDWARE) & (NEON | VFP_4) == NEON | VFP_4
}

type F = [f32; LANES];

impl Lanes for Neon {
    type F = F;

    as_scalar! {
        splat(x: f32) -> F;
        load(x: &[f32; LANES]) -> F;
        store(x: F, to: &mut [f32; LANES]);
        load_f32(x: &[u8; 4 * LANES]) -> F;
        store_f16(x: F, to: &mut [u8; 2 * LANES]);
        load_u8(x: &[u8; LANES]) -> F;
        load_codes(words: &[u8; 4 * LANES], shift: u32, mask: u32) -> F;
        store_i8(x: F, to: &mut [i8; LANES]);
        add(a: F, b: F) -> F;
        sub(a: F, b: F) -> F;
        mul(a: F, b: F) -> F;
        div(a: F, b: F) -> F;
        max(a: F, b: F) -> F;
        min(a: F, b: F) -> F;
        power_of_two(n: F) -> F;
        max_magnitude(a: F, b: F) -> F;
        sum(x: F) -> f32;
        greatest(x: F) -> f32;
    }

    #[inline(always)]
    fn load_f16(self, x: &[u8; 2 * LANES]) -> F {
        let mut out = [0.0; LANES];
        for (pair, out) in x.as_chunks().0.iter().zip(out.as_chunks_mut::<2>().0) {
            let pair = f32::from_bits(u32::from_le_bytes(*pair));
            // SAFETY: holding `Neon` proves VFPv4; only these registers are touched.
            unsafe {
                asm!(".fpu vfpv4", "vcvtb.f32.f16 {y}, {x}", x = in(sreg) pair,
                    y = out(sreg) out[0], options(pure, nomem, nostack, preserves_flags));
                asm!(".fpu vfpv4", "vcvtt.f32.f16 {y}, {x}", x = in(sreg) pair,
                    y = out(sreg) out[1], options(pure, nomem, nostack, preserves_flags));
            }
        }
        out
    }

    #[inline(always)]
    fn fma(self, a: F, b: F, mut c: F) -> F {
        for i in 0..LANES {
            // SAFETY: as above.
            unsafe {
                asm!(".fpu vfpv4", "vfma.f32 {c}, {a}, {b}", a = in(sreg) a[i],
                    b = in(sreg) b[i], c = inout(sreg) c[i],
                    options(pure, nomem, nostack, preserves_flags));
            }
        }
        c
    }
}

impl DotBlocks for Neon {
    fn linear(
        self,
        weight: Weight<'_>,
        input: QuantizedRows<'_>,
        epilogue: &Epilogue<'_>,
        groups: Range<usize>,
    ) {
        linear_by_rows::<Neon>(self, weight, input, epilogue, groups, [INT4, INT8]);
    }
}

const INT4: Dot = Dot {
    taken: 0,
    product: |codes, x| {
        let (mut dots, codes) = ([0; GROUP_ROWS], &codes[..GROUP_ROWS * BLOCK / 2]);
        // SAFETY: the processor has NEON, or these would not run; the codes are a whole block's.
        unsafe { tealight_neon_int4(codes.as_ptr(), x, &mut dots) };
        dots
    },
};

const INT8: Dot = Dot {
    taken: 128,
    product: |codes, x| {
        let (mut dots, codes) = ([0; GROUP_ROWS], &codes[..GROUP_ROWS * BLOCK]);
        // SAFETY: as above.
        unsafe { tealight_neon_int8(codes.as_ptr(), x, &mut dots) };
        dots
    },
};
