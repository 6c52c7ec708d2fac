//! Sums of vectors of halves, four at a time: attention's scores and its weighted values.

use core::arch::aarch64::*;

use half::f16;

use super::{Four, from_halves};
use crate::kernels::lanes::LANES;

/// `sums[q] = fma(numbers[q][k], vectors[stride · k], sums[q])` for one `k` after the other. A
/// register holds four of a row's numbers, and each product takes one by its lane.
///
/// # Panics
/// If the rows of numbers have different lengths or there are fewer vectors.
#[inline(never)]
pub(super) fn add<const Q: usize>(
    numbers: &[&[f32]; Q],
    vectors: &[[f16; LANES]],
    stride: usize,
    sums: &mut [Four; Q],
) {
    let count = numbers[0].len();
    if count == 0 {
        return;
    }
    assert!(numbers.iter().all(|numbers| numbers.len() == count));
    assert!((count - 1) * stride < vectors.len());
    let numbers = numbers.map(<[f32]>::as_ptr);
    let mut vector = vectors.as_ptr();
    let mut acc = *sums;
    let mut k = 0;
    // SAFETY: baseline instructions; numbers before `count` are read and their vectors, which are
    // there.
    unsafe {
        while k + 4 <= count {
            let numbers = numbers.map(|numbers| vld1q_f32(numbers.add(k)));
            step::<0, Q>(&mut acc, &numbers, vector);
            step::<1, Q>(&mut acc, &numbers, vector.wrapping_add(stride));
            step::<2, Q>(&mut acc, &numbers, vector.wrapping_add(2 * stride));
            step::<3, Q>(&mut acc, &numbers, vector.wrapping_add(3 * stride));
            vector = vector.wrapping_add(4 * stride);
            k += 4;
        }
        while k < count {
            let numbers = numbers.map(|numbers| vld1q_dup_f32(numbers.add(k)));
            step::<0, Q>(&mut acc, &numbers, vector);
            vector = vector.wrapping_add(stride);
            k += 1;
        }
    }
    *sums = acc;
}

/// Adds a vector times the numbers in lane `LANE`.
///
/// # Safety
/// The vector can be read.
#[inline(always)]
unsafe fn step<const LANE: i32, const Q: usize>(
    sums: &mut [Four; Q],
    numbers: &[float32x4_t; Q],
    vector: *const [f16; LANES],
) {
    // SAFETY: baseline instructions; the caller's promise.
    unsafe {
        let vector = vector.cast::<u16>();
        let [a, b] = from_halves(vld1q_u16(vector));
        let [c, d] = from_halves(vld1q_u16(vector.add(8)));
        let vector = [a, b, c, d];
        for q in 0..Q {
            for i in 0..4 {
                sums[q][i] = vfmaq_laneq_f32::<LANE>(sums[q][i], vector[i], numbers[q]);
            }
        }
    }
}
