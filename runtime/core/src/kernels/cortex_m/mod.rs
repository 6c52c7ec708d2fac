//! Cortex-M with the DSP extension and single-precision VFP (M4F, M7, M33): integer products two
//! at a time, floats one by one. With Helium (M55) products are `helium`'s.
//!
//! The instructions have no names in stable Rust, whose inline assembly has no float registers
//! for these processors either, so a whole group of rows is computed in assembly.

#[cfg(feature = "helium")]
mod helium;

use core::arch::global_asm;
use core::ops::Range;

use super::as_scalar::as_scalar;
use super::lanes::{Kernel, LANES, Lanes, Scalar};
use super::linear_int8::DotBlocks;
use super::{Epilogue, QuantizedRows, Weight};
use crate::layout::{BLOCK, Encoding, GROUP_ROWS};

global_asm!(include_str!("dsp.s"), options(raw));

/// What a group's sums are made of, as the assembly reads it.
#[repr(C)]
struct Group {
    codes: *const u8,
    inputs: *const [i8; BLOCK],
    scales: *const f32,
    /// -8 times the sum of each block's inputs.
    sums: *const i32,
    /// At least one.
    blocks: usize,
    /// Sums of no blocks; becomes those of all.
    results: *mut [f32; GROUP_ROWS],
}

// SAFETY: `dsp.s` keeps C's rules. Codes are those of `blocks` blocks without zero points;
// inputs, scales and sums are as many.
unsafe extern "C" {
    fn tealight_dsp_int4(group: &Group);
    fn tealight_dsp_int8(group: &Group);
}

/// What multiplies integers. Floats are computed alike, so that flash holds them once.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Products {
    /// One by one.
    Scalar,
    /// Two at a time.
    Dsp,
    /// Sixteen at a time.
    #[cfg(feature = "helium")]
    Helium,
}

/// Runs a kernel.
pub(super) fn run<K: Kernel>(kernel: K, products: Products) -> K::Output {
    kernel.run(CortexM { products })
}

/// The lanes of these processors.
#[derive(Clone, Copy)]
pub(super) struct CortexM {
    products: Products,
}

type F = [f32; LANES];

impl Lanes for CortexM {
    type F = F;
    const QUERIES: usize = Scalar::QUERIES;

    as_scalar! {
        splat(x: f32) -> F;
        load(x: &[f32; LANES]) -> F;
        store(x: F, to: &mut [f32; LANES]);
        load_f32(x: &[u8; 4 * LANES]) -> F;
        load_f16(x: &[u8; 2 * LANES]) -> F;
        store_f16(x: F, to: &mut [u8; 2 * LANES]);
        load_u8(x: &[u8; LANES]) -> F;
        load_codes(words: &[u8; 4 * LANES], shift: u32, mask: u32) -> F;
        store_i8(x: F, to: &mut [i8; LANES]);
        add(a: F, b: F) -> F;
        sub(a: F, b: F) -> F;
        mul(a: F, b: F) -> F;
        div(a: F, b: F) -> F;
        fma(a: F, b: F, c: F) -> F;
        max(a: F, b: F) -> F;
        min(a: F, b: F) -> F;
        power_of_two(n: F) -> F;
        max_magnitude(a: F, b: F) -> F;
        sum(x: F) -> f32;
        greatest(x: F) -> f32;
        exp(x: F) -> F;
    }
}

impl DotBlocks for CortexM {
    fn linear(
        self,
        weight: Weight<'_>,
        input: QuantizedRows<'_>,
        epilogue: &Epilogue<'_>,
        groups: Range<usize>,
    ) {
        #[cfg(feature = "helium")]
        if self.products == Products::Helium && helium::is_exact(weight, input) {
            return helium::linear(self, weight, input, epilogue, groups);
        }
        let product = match (self.products, weight.encoding) {
            (Products::Scalar, _) => return Scalar.linear(weight, input, epilogue, groups),
            (_, Encoding::Int4) => tealight_dsp_int4,
            (_, Encoding::Int8) => tealight_dsp_int8,
            // Stored zero points are rare, and not worth more assembly.
            _ => return Scalar.linear(weight, input, epilogue, groups),
        };
        for group in groups {
            for t in 0..input.count() {
                let row = input.row(t);
                let codes = weight.group(group);
                let block_bytes = weight.encoding.block_bytes().expect("a quantized encoding");
                let blocks = codes.len() / block_bytes;
                assert!(row.values.len() == blocks && row.scales.len() == blocks);
                assert!(row.sums.len() == blocks && blocks > 0);
                let mut results = [0.0; GROUP_ROWS];
                let group_of_row = Group {
                    codes: codes.as_ptr(),
                    inputs: row.values.as_ptr(),
                    scales: row.scales.as_ptr(),
                    sums: row.sums.as_ptr(),
                    blocks,
                    results: &mut results,
                };
                // SAFETY: the lengths were just compared, and the encoding has no zero points;
                // the program was compiled for these instructions.
                unsafe { product(&group_of_row) };
                epilogue.finish(self, t, group, results);
            }
        }
    }
}
