//! Integer products by Helium, the vector extension of an M55, sixteen at a time.
//!
//! Helium flushes denormal floats to zero, which the arithmetic forbids, and yet it may add up
//! blocks' sums where no float can become denormal. A weight's scale is a half-precision number:
//! zero, or 2⁻²⁴ at least. Where an input's scale is zero or [`LEAST_SCALE`] at least, their
//! product is zero or 2⁻¹⁰² at least, and so a multiple of 2⁻¹²⁵. So then is every sum of integers
//! times such products, rounded or not: zero, or far from denormal.

use core::arch::global_asm;
use core::ops::Range;

use super::super::lanes::Lanes;
use super::super::quantize::QuantizedRow;
use super::super::{Epilogue, QuantizedRows, Weight};
use crate::layout::{BLOCK, Encoding, GROUP_ROWS};

global_asm!(include_str!("helium.s"), options(raw));

/// 2⁻⁷⁸.
const LEAST_SCALE: f32 = f32::from_bits((127 - 78) << 23);

/// What a group's sums are made of, as the assembly reads it. Pointers are to ends.
#[repr(C)]
struct Group {
    codes: *const u8,
    first: Ends,
    /// The first's again, for a product with one row of inputs.
    second: Ends,
    /// At least one.
    blocks: usize,
    /// Sums of no blocks; become those of all.
    results: *mut [[f32; GROUP_ROWS]; 2],
}

/// Where a row of inputs ends.
#[repr(C)]
struct Ends {
    inputs: *const [i8; BLOCK],
    scales: *const f32,
    sums: *const i32,
}

impl Ends {
    fn of(row: &QuantizedRow<'_>) -> Ends {
        Ends {
            inputs: row.values.as_ptr_range().end,
            scales: row.scales.as_ptr_range().end,
            sums: row.sums.as_ptr_range().end,
        }
    }
}

// SAFETY: `helium.s` keeps C's rules. Codes, inputs, scales and sums are those of `blocks` blocks,
// and the former two start at words.
unsafe extern "C" {
    fn tealight_helium_int4(group: &Group);
    fn tealight_helium_int4_two(group: &Group);
    fn tealight_helium_int4_stored(group: &Group);
    fn tealight_helium_int4_stored_two(group: &Group);
    fn tealight_helium_int8(group: &Group);
    fn tealight_helium_int8_two(group: &Group);
    fn tealight_helium_int8_stored(group: &Group);
    fn tealight_helium_int8_stored_two(group: &Group);
}

type Product = unsafe extern "C" fn(&Group);

/// Products with one row of inputs and with two.
fn products(encoding: Encoding) -> Option<[Product; 2]> {
    Some(match encoding {
        Encoding::Int4 => [tealight_helium_int4, tealight_helium_int4_two],
        Encoding::Int4ZeroPoint => [tealight_helium_int4_stored, tealight_helium_int4_stored_two],
        Encoding::Int8 => [tealight_helium_int8, tealight_helium_int8_two],
        Encoding::Int8ZeroPoint => [tealight_helium_int8_stored, tealight_helium_int8_stored_two],
        Encoding::Table | Encoding::F32 | Encoding::F16 => return None,
    })
}

/// Whether Helium gives the bits of the definition for these inputs.
pub(super) fn is_exact(weight: Weight<'_>, input: QuantizedRows<'_>) -> bool {
    let exact = |scale: &f32| *scale == 0.0 || (LEAST_SCALE..f32::INFINITY).contains(scale);
    weight.data.as_ptr().addr().is_multiple_of(4)
        && (0..input.count()).all(|t| {
            let row = input.row(t);
            row.values.as_ptr().addr().is_multiple_of(4) && row.scales.iter().all(exact)
        })
}

/// The product of `groups`, of inputs that [`is_exact`] holds for, two rows in one pass over the
/// weights.
pub(super) fn linear<L: Lanes<F = [f32; GROUP_ROWS]>>(
    lanes: L,
    weight: Weight<'_>,
    input: QuantizedRows<'_>,
    epilogue: &Epilogue<'_>,
    groups: Range<usize>,
) {
    let [one, two] = products(weight.encoding).expect("a quantized encoding");
    let block_bytes = weight.encoding.block_bytes().expect("a quantized encoding");
    for group in groups {
        let codes = weight.group(group);
        let blocks = codes.len() / block_bytes;
        assert!(blocks == input.blocks() && blocks > 0);
        for t in (0..input.count()).step_by(2) {
            let count = 2.min(input.count() - t);
            let (first, last) = (input.row(t), input.row(t + count - 1));
            let mut results = [[0.0; GROUP_ROWS]; 2];
            let group_of_rows = Group {
                codes: codes.as_ptr(),
                first: Ends::of(&first),
                second: Ends::of(&last),
                blocks,
                results: &mut results,
            };
            let product = if count == 2 { two } else { one };
            // SAFETY: a row has `input.blocks()` blocks, which were just compared; the program
            // was compiled for these instructions.
            unsafe { product(&group_of_rows) };
            for i in 0..count {
                epilogue.finish(lanes, t + i, group, results[i]);
            }
        }
    }
}
