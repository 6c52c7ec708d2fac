//! A token's product with int4 weights by `sdot`: all blocks of a group in one loop.
//!
//! Written out because the compiler loads one or two registers at a time, where an instruction
//! loads four.

use core::arch::aarch64::*;
use core::arch::asm;

use crate::kernels::quantize::QuantizedRow;

/// Sums of a group, a quarter each.
type Sums = [float32x4_t; 4];

/// A chunk's codes, parted: low nibbles in registers 20–23, high ones in 16–19. The address goes on.
macro_rules! part_chunk {
    () => {
        concat!(
            "ld1 {{v16.16b, v17.16b, v18.16b, v19.16b}}, [{w}], #64\n",
            "and v20.16b, v16.16b, v31.16b\n",
            "and v21.16b, v17.16b, v31.16b\n",
            "and v22.16b, v18.16b, v31.16b\n",
            "and v23.16b, v19.16b, v31.16b\n",
            "ushr v16.16b, v16.16b, #4\n",
            "ushr v17.16b, v17.16b, #4\n",
            "ushr v18.16b, v18.16b, #4\n",
            "ushr v19.16b, v19.16b, #4\n",
        )
    };
}

/// Adds parted codes times inputs, lanes `low` and `high` of register `x`, to registers `dots`.
macro_rules! sdots {
    ($x:literal, $low:literal, $high:literal, $($dots:literal)*) => {
        concat!(
            sdots!(@ $x, $low, $($dots)*, 20 21 22 23),
            sdots!(@ $x, $high, $($dots)*, 16 17 18 19),
        )
    };
    (@ $x:literal, $lane:literal, $($dots:literal)*, $($w:literal)*) => {
        concat!($("sdot v", $dots, ".4s, v", $w, ".16b, v", $x, ".4b[", $lane, "]\n"),*)
    };
}

/// A group's scales in registers 20–23. The address goes on.
macro_rules! scales {
    () => {
        concat!(
            "ld1 {{v16.8h, v17.8h}}, [{w}], #32\n",
            "fcvtl v20.4s, v16.4h\n",
            "fcvtl2 v21.4s, v16.8h\n",
            "fcvtl v22.4s, v17.4h\n",
            "fcvtl2 v23.4s, v17.8h\n",
        )
    };
}

/// Adds dots times scales, of which the input's is lane `lane` of register `scale`, to sums.
macro_rules! add_scaled {
    ($scale:literal, $lane:literal, $($sum:literal $dots:literal $product:literal $weight:literal),*) => {
        concat!(
            $("fmul v", $product, ".4s, v", $weight, ".4s, v", $scale, ".s[", $lane, "]\n",)*
            $("scvtf v", $dots, ".4s, v", $dots, ".4s\n",)*
            $("fmla v", $sum, ".4s, v", $product, ".4s, v", $dots, ".4s\n"),*
        )
    };
}

/// A block of one row, whose inputs are in registers `low` and `high`.
macro_rules! block_of_one {
    ($low:literal, $high:literal, $lane:literal) => {
        concat!(
            "ld1r {{v4.4s}}, [{offset}], #4\n",
            "mov v5.16b, v4.16b\nmov v6.16b, v4.16b\nmov v7.16b, v4.16b\n",
            part_chunk!(),
            sdots!($low, 0, 1, 4 5 6 7),
            part_chunk!(),
            sdots!($low, 2, 3, 4 5 6 7),
            part_chunk!(),
            sdots!($high, 0, 1, 4 5 6 7),
            part_chunk!(),
            sdots!($high, 2, 3, 4 5 6 7),
            scales!(),
            add_scaled!(28, $lane, 0 4 20 20, 1 5 21 21, 2 6 22 22, 3 7 23 23),
        )
    };
}

/// A block of two rows.
macro_rules! block_of_two {
    ($lane:literal) => {
        concat!(
            "ld1r {{v8.4s}}, [{offset}], #4\n",
            "ld1r {{v12.4s}}, [{offset_2}], #4\n",
            "ld1 {{v24.16b, v25.16b}}, [{x}], #32\n",
            "ld1 {{v26.16b, v27.16b}}, [{x_2}], #32\n",
            "mov v9.16b, v8.16b\nmov v10.16b, v8.16b\nmov v11.16b, v8.16b\n",
            "mov v13.16b, v12.16b\nmov v14.16b, v12.16b\nmov v15.16b, v12.16b\n",
            part_chunk!(),
            sdots!(24, 0, 1, 8 9 10 11),
            sdots!(26, 0, 1, 12 13 14 15),
            part_chunk!(),
            sdots!(24, 2, 3, 8 9 10 11),
            sdots!(26, 2, 3, 12 13 14 15),
            part_chunk!(),
            sdots!(25, 0, 1, 8 9 10 11),
            sdots!(27, 0, 1, 12 13 14 15),
            part_chunk!(),
            sdots!(25, 2, 3, 8 9 10 11),
            sdots!(27, 2, 3, 12 13 14 15),
            scales!(),
            add_scaled!(28, $lane, 0 8 16 20, 1 9 17 21, 2 10 18 22, 3 11 19 23),
            add_scaled!(29, $lane, 4 12 20 20, 5 13 21 21, 6 14 22 22, 7 15 23 23),
        )
    };
}

/// One row of inputs.
///
/// # Safety
/// The processor has dotprod, and `group` points to as many int4 blocks of a group, without zero
/// points, as the row has.
#[inline(always)]
pub(super) unsafe fn one_row(group: *const u8, row: &QuantizedRow<'_>, sums: &mut Sums) {
    let blocks = row.values.len();
    if blocks == 0 {
        return;
    }
    // SAFETY: the caller's promise; a row has a scale and a sum for each block.
    unsafe {
        asm!(
            "tbz {blocks}, #0, 2f",
            "ld1 {{v24.16b, v25.16b}}, [{x}], #32",
            "ldr s28, [{scale}], #4",
            block_of_one!(24, 25, 0),
            "subs {blocks}, {blocks}, #1",
            "b.eq 3f",
            "2:",
            "ld1 {{v24.16b, v25.16b, v26.16b, v27.16b}}, [{x}], #64",
            "ldr d28, [{scale}], #8",
            "subs {blocks}, {blocks}, #2",
            block_of_one!(24, 25, 0),
            block_of_one!(26, 27, 1),
            "b.ne 2b",
            "3:",
            w = inout(reg) group => _,
            x = inout(reg) row.values.as_ptr() => _,
            scale = inout(reg) row.scales.as_ptr() => _,
            offset = inout(reg) row.sums.as_ptr() => _,
            blocks = inout(reg) blocks => _,
            inout("v0") sums[0], inout("v1") sums[1], inout("v2") sums[2], inout("v3") sums[3],
            in("v31") vdupq_n_u8(15),
            out("v4") _, out("v5") _, out("v6") _, out("v7") _, out("v16") _, out("v17") _,
            out("v18") _, out("v19") _, out("v20") _, out("v21") _, out("v22") _, out("v23") _,
            out("v24") _, out("v25") _, out("v26") _, out("v27") _, out("v28") _,
            options(readonly, nostack)
        );
    }
}

/// Two rows of inputs, whose sums are `first` and `second`.
///
/// # Safety
/// As for [`one_row`]; both rows have as many blocks.
#[inline(always)]
pub(super) unsafe fn two_rows(
    group: *const u8,
    one: &QuantizedRow<'_>,
    two: &QuantizedRow<'_>,
    first: &mut Sums,
    second: &mut Sums,
) {
    let blocks = one.values.len().min(two.values.len());
    if blocks == 0 {
        return;
    }
    // SAFETY: as for `one_row`.
    unsafe {
        asm!(
            "tbz {blocks}, #0, 2f",
            "ldr s28, [{scale}], #4",
            "ldr s29, [{scale_2}], #4",
            block_of_two!(0),
            "subs {blocks}, {blocks}, #1",
            "b.eq 3f",
            "2:",
            "ldr d28, [{scale}], #8",
            "ldr d29, [{scale_2}], #8",
            "subs {blocks}, {blocks}, #2",
            block_of_two!(0),
            block_of_two!(1),
            "b.ne 2b",
            "3:",
            w = inout(reg) group => _,
            x = inout(reg) one.values.as_ptr() => _,
            x_2 = inout(reg) two.values.as_ptr() => _,
            scale = inout(reg) one.scales.as_ptr() => _,
            scale_2 = inout(reg) two.scales.as_ptr() => _,
            offset = inout(reg) one.sums.as_ptr() => _,
            offset_2 = inout(reg) two.sums.as_ptr() => _,
            blocks = inout(reg) blocks => _,
            inout("v0") first[0], inout("v1") first[1], inout("v2") first[2], inout("v3") first[3],
            inout("v4") second[0], inout("v5") second[1], inout("v6") second[2], inout("v7") second[3],
            in("v31") vdupq_n_u8(15),
            out("v8") _, out("v9") _, out("v10") _, out("v11") _, out("v12") _, out("v13") _,
            out("v14") _, out("v15") _, out("v16") _, out("v17") _, out("v18") _, out("v19") _,
            out("v20") _, out("v21") _, out("v22") _, out("v23") _, out("v24") _, out("v25") _,
            out("v26") _, out("v27") _, out("v28") _, out("v29") _,
            options(readonly, nostack)
        );
    }
}
