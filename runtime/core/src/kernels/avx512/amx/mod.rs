//! AMX: integer matrix products of sixteen rows of inputs with sixteen outputs, in tiles.
//!
//! A block of a packed group, its codes spread to signed bytes, is a tile of weights as it
//! stands. Stable Rust has no names for the instructions, so a part of a group is computed in
//! assembly.

use core::arch::x86_64::*;
use core::arch::{asm, global_asm};
use core::ops::Range;

use super::{Avx512, Lanes};
use crate::kernels::{Epilogue, QuantizedRows, Weight};
use crate::layout::{BLOCK, Encoding, GROUP_ROWS};

global_asm!(include_str!("tiles.s"), options(raw));

/// Rows of inputs in a tile.
const TOKENS: usize = 16;
/// Blocks of a group that are spread at a time: what leaves a first-level cache room for inputs.
const BLOCKS: usize = 32;
/// Tiles of inputs that meet a spread part.
const TILES: usize = 8;
/// Bytes of a cache line.
const LINE: usize = 64;

/// A part of a group and sixteen rows of inputs, as the assembly reads them.
#[repr(C)]
struct Part {
    /// Of the first row.
    inputs: *const [i8; BLOCK],
    /// Of the first row.
    input_scales: *const f32,
    /// Bytes from one row's scales to the next's; the rows themselves are eight times as far.
    scale_stride: usize,
    weights: *const Spread,
    blocks: usize,
    sums: *mut Sums,
}

// SAFETY: `tiles.s` keeps C's rules. It needs a thread that holds `Shapes`; inputs and their
// scales of sixteen rows, weights for as many blocks, and sums.
unsafe extern "sysv64" {
    fn tealight_amx_add(part: &Part);
}

/// Sums of sixteen rows of inputs.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Sums([[f32; GROUP_ROWS]; TOKENS]);

/// A block of a group, its codes less their zero points.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Spread {
    codes: [[i8; 4 * GROUP_ROWS]; BLOCK / 4],
    scales: [f32; GROUP_ROWS],
}

/// Whether the processor has AMX for int8 and the system lets this process use it: Linux keeps
/// the tiles only for processes that ask (<https://docs.kernel.org/arch/x86/xstate.html>).
pub(in crate::kernels) fn is_available() -> bool {
    const TILES_AND_INT8: u32 = 1 << 24 | 1 << 25;
    cfg!(feature = "std")
        && __cpuid(0).eax >= 7
        && __cpuid_count(7, 0).edx & TILES_AND_INT8 == TILES_AND_INT8
        && is_permitted()
}

fn is_permitted() -> bool {
    const ARCH_PRCTL: isize = 158;
    const ARCH_REQ_XCOMP_PERM: isize = 0x1023;
    const TILE_DATA: isize = 18;
    let result: isize;
    // SAFETY: a system call by its convention; it touches no memory of ours.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") ARCH_PRCTL => result,
            in("rdi") ARCH_REQ_XCOMP_PERM,
            in("rsi") TILE_DATA,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack, nomem),
        );
    }
    result == 0
}

/// Tiles of this thread, shaped for the assembly: dot products, inputs and weights, two each.
/// Dropping it gives their state back.
struct Shapes(());

/// What `ldtilecfg` reads.
#[repr(C, align(64))]
struct Config {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    row_bytes: [u16; 16],
    rows: [u8; 16],
}

impl Shapes {
    /// # Safety
    /// [`is_available`] was true.
    unsafe fn new() -> Shapes {
        let mut config = Config {
            palette: 1,
            start_row: 0,
            reserved: [0; 14],
            row_bytes: [0; 16],
            rows: [0; 16],
        };
        let (dots, inputs, weights) = (
            (TOKENS, 4 * GROUP_ROWS),
            (TOKENS, BLOCK),
            (BLOCK / 4, 4 * GROUP_ROWS),
        );
        let shapes = [dots, dots, inputs, inputs, weights, weights];
        for (tile, (rows, bytes)) in shapes.into_iter().enumerate() {
            config.rows[tile] = rows as u8;
            config.row_bytes[tile] = bytes as u16;
        }
        // SAFETY: the processor has the instruction, and these shapes are within its limits.
        unsafe { asm!("ldtilecfg [{}]", in(reg) &config, options(nostack, readonly)) };
        Shapes(())
    }
}

impl Drop for Shapes {
    fn drop(&mut self) {
        // SAFETY: the processor has the instruction.
        unsafe { asm!("tilerelease", options(nostack, nomem)) };
    }
}

/// Computes the outputs of `groups` for as many rows of `input` as fill whole tiles, from the
/// first one on; returns how many those are.
///
/// # Safety
/// [`is_available`] was true; the checks of [`crate::kernels::linear_int8()`] have passed.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c")]
pub(super) unsafe fn linear(
    lanes: Avx512,
    weight: Weight<'_>,
    input: QuantizedRows<'_>,
    epilogue: &Epilogue<'_>,
    groups: Range<usize>,
) -> usize {
    let rows = input.count() / TOKENS * TOKENS;
    // An int8's difference from its zero point does not fit a signed byte.
    if rows == 0 || groups.is_empty() || weight.encoding == Encoding::Int8ZeroPoint {
        return 0;
    }
    let block_bytes = weight
        .encoding
        .block_bytes()
        .expect("checked by the caller");
    let blocks = input.blocks();
    // SAFETY: the caller's promise.
    let shapes = unsafe { Shapes::new() };
    let mut spread = [Spread::ZERO; BLOCKS];
    for group in groups {
        let data = weight.group(group);
        assert_eq!(data.len(), blocks * block_bytes);
        for first_row in (0..rows).step_by(TILES * TOKENS) {
            let tiles = TILES.min((rows - first_row) / TOKENS);
            let mut sums = [Sums([[0.0; GROUP_ROWS]; TOKENS]); TILES];
            for (part, data) in data.chunks(BLOCKS * block_bytes).enumerate() {
                let count = data.len() / block_bytes;
                for (spread, stored) in spread.iter_mut().zip(data.chunks_exact(block_bytes)) {
                    // SAFETY: the block is whole.
                    unsafe { spread.fill(weight.encoding, stored.as_ptr()) };
                }
                let mut ahead = data.as_ptr_range().end;
                let lines = data.len().div_ceil(LINE * tiles);
                for (tile, sums) in sums[..tiles].iter_mut().enumerate() {
                    for _ in 0..lines {
                        lanes.prefetch(ahead);
                        ahead = ahead.wrapping_add(LINE);
                    }
                    let row = input.row(first_row + tile * TOKENS);
                    let part = Part {
                        inputs: &row.values[part * BLOCKS],
                        input_scales: &row.scales[part * BLOCKS],
                        scale_stride: size_of::<f32>() * blocks,
                        weights: spread.as_ptr(),
                        blocks: count,
                        sums,
                    };
                    // SAFETY: this thread's tiles have their shapes; sixteen rows from this one
                    // on and `count` blocks of each exist, and as many are spread.
                    unsafe { tealight_amx_add(&part) };
                }
            }
            let sums = sums[..tiles].iter().flat_map(|tile| &tile.0);
            for (t, sums) in (first_row..).zip(sums) {
                epilogue.finish(lanes, t, group, lanes.load(sums));
            }
        }
    }
    drop(shapes);
    rows
}

impl Spread {
    const ZERO: Spread = Spread {
        codes: [[0; 4 * GROUP_ROWS]; BLOCK / 4],
        scales: [0.0; GROUP_ROWS],
    };

    /// # Safety
    /// `block` has as many bytes as the encoding says.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,f16c")]
    unsafe fn fill(&mut self, encoding: Encoding, block: *const u8) {
        let chunk = 4 * GROUP_ROWS;
        // SAFETY: the caller's promise.
        unsafe {
            let scales = block.add(encoding.code_bytes());
            if encoding.is_int4() {
                let zero_points = match encoding.has_zero_points() {
                    false => _mm512_set1_epi8(8),
                    true => {
                        let stored = _mm_loadu_si128(scales.add(2 * GROUP_ROWS).cast());
                        // Each row's to all four of its bytes.
                        let ones = _mm512_set1_epi32(0x0101_0101);
                        _mm512_mullo_epi32(_mm512_cvtepu8_epi32(stored), ones)
                    }
                };
                let nibbles = _mm512_set1_epi8(15);
                for (c, codes) in self.codes.as_chunks_mut::<2>().0.iter_mut().enumerate() {
                    let both = _mm512_loadu_si512(block.add(c * chunk).cast());
                    let high = _mm512_srli_epi16::<4>(both);
                    for (codes, stored) in codes.iter_mut().zip([both, high]) {
                        let stored = _mm512_and_si512(stored, nibbles);
                        let less = _mm512_sub_epi8(stored, zero_points);
                        _mm512_storeu_si512(codes.as_mut_ptr().cast(), less);
                    }
                }
            } else {
                for (c, codes) in self.codes.iter_mut().enumerate() {
                    let stored = _mm512_loadu_si512(block.add(c * chunk).cast());
                    let less_128 = _mm512_xor_si512(stored, _mm512_set1_epi8(-128));
                    _mm512_storeu_si512(codes.as_mut_ptr().cast(), less_128);
                }
            }
            let scales = _mm512_cvtph_ps(_mm256_loadu_si256(scales.cast()));
            _mm512_storeu_ps(self.scales.as_mut_ptr(), scales);
        }
    }
}
