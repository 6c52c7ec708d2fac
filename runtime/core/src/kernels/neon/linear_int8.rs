//! Integer matrix product: quarters of groups against a few tokens at a time.

use core::arch::aarch64::*;
use core::ops::Range;

use super::dots::{Block, Dots, words};
use super::{Base, DotProd, I8mm, Neon, four_halves, panels};
use crate::kernels::lanes::Lanes;
use crate::kernels::{Epilogue, QuantizedRows, Weight};
use crate::layout::{BLOCK, Encoding, GROUP_ROWS};

/// From this many tokens on, unpacking weights for `smmla` costs less than it saves.
const PANEL: usize = 12;

/// [`crate::kernels::linear_int8()`], whose checks have passed.
pub(super) fn base(
    lanes: Neon<Base>,
    weight: Weight<'_>,
    input: QuantizedRows<'_>,
    epilogue: &Epilogue<'_>,
    groups: Range<usize>,
) {
    product(lanes, weight, input, epilogue, groups);
}

/// As [`base`].
#[target_feature(enable = "neon,dotprod")]
pub(super) fn dotprod(
    lanes: Neon<DotProd>,
    weight: Weight<'_>,
    input: QuantizedRows<'_>,
    epilogue: &Epilogue<'_>,
    groups: Range<usize>,
) {
    product(lanes, weight, input, epilogue, groups);
}

/// As [`base`].
#[target_feature(enable = "neon,dotprod,i8mm")]
pub(super) fn i8mm(
    lanes: Neon<I8mm>,
    weight: Weight<'_>,
    input: QuantizedRows<'_>,
    epilogue: &Epilogue<'_>,
    groups: Range<usize>,
) {
    if input.count() >= PANEL {
        panels::product(lanes, weight, input, epilogue, groups);
    } else {
        product(Neon(DotProd(())), weight, input, epilogue, groups);
    }
}

#[inline(always)]
fn product<P: Block>(
    lanes: Neon<P>,
    weight: Weight<'_>,
    input: QuantizedRows<'_>,
    epilogue: &Epilogue<'_>,
    groups: Range<usize>,
) where
    Neon<P>: Lanes<F = [float32x4_t; 4]>,
{
    let product = Product {
        lanes,
        weight,
        input,
        epilogue,
    };
    match weight.encoding {
        Encoding::Int4 => product.run::<true, false>(groups),
        Encoding::Int4ZeroPoint => product.run::<true, true>(groups),
        Encoding::Int8 => product.run::<false, false>(groups),
        Encoding::Int8ZeroPoint => product.run::<false, true>(groups),
        Encoding::Table | Encoding::F32 | Encoding::F16 => unreachable!("checked by the caller"),
    }
}

#[derive(Clone, Copy)]
struct Product<'a, P> {
    lanes: Neon<P>,
    weight: Weight<'a>,
    input: QuantizedRows<'a>,
    epilogue: &'a Epilogue<'a>,
}

impl<P: Block> Product<'_, P>
where
    Neon<P>: Lanes<F = [float32x4_t; 4]>,
{
    #[inline(always)]
    fn run<const INT4: bool, const ZERO_POINTS: bool>(self, groups: Range<usize>) {
        let count = self.input.count();
        for group in groups {
            let mut t = 0;
            while t < count {
                // As many quarters at a time as leave registers for the tokens.
                t += match count - t {
                    8.. => self.tokens::<INT4, ZERO_POINTS, 1, 8>(group, t),
                    4.. => self.tokens::<INT4, ZERO_POINTS, 2, 4>(group, t),
                    2.. => self.tokens::<INT4, ZERO_POINTS, 4, 2>(group, t),
                    _ => self.tokens::<INT4, ZERO_POINTS, 4, 1>(group, t),
                };
            }
        }
    }

    /// A group for `T` tokens from `t` on; returns `T`.
    #[inline(always)]
    fn tokens<const INT4: bool, const ZERO_POINTS: bool, const Q: usize, const T: usize>(
        self,
        group: usize,
        t: usize,
    ) -> usize {
        let mut sums = [self.lanes.splat(0.0); T];
        for first in (0..4).step_by(Q) {
            let quarters = self.tile::<INT4, ZERO_POINTS, Q, T>(group, first, t);
            for q in 0..Q {
                for i in 0..T {
                    sums[i][first + q] = quarters[q][i];
                }
            }
        }
        for i in 0..T {
            self.epilogue.finish(self.lanes, t + i, group, sums[i]);
        }
        T
    }

    /// The sums of `Q` quarters of a group, from quarter `first` on, for `T` tokens from `t` on.
    #[inline(always)]
    fn tile<const INT4: bool, const ZERO_POINTS: bool, const Q: usize, const T: usize>(
        self,
        group: usize,
        first: usize,
        t: usize,
    ) -> [[float32x4_t; T]; Q] {
        let code_bytes = const { GROUP_ROWS * BLOCK / if INT4 { 2 } else { 1 } };
        let block_bytes = code_bytes + if ZERO_POINTS { 3 } else { 2 } * GROUP_ROWS;
        let blocks = self.input.blocks();
        let rows: [_; T] = core::array::from_fn(|i| self.input.row(t + i));
        let group = self.weight.group(group);
        assert!(group.len() == blocks * block_bytes && first + Q <= 4);

        // SAFETY: baseline instructions.
        let mut sums = unsafe { [[vdupq_n_f32(0.0); T]; Q] };
        for b in 0..blocks {
            // SAFETY: holding `P` proves the features. The group holds `blocks` blocks of
            // `block_bytes` (asserted), every row holds `blocks` blocks of 32 inputs (see
            // `QuantizedRows::row`), and each pointer stays within block `b`.
            unsafe {
                let block = group.as_ptr().add(b * block_bytes);
                let x = rows.map(|row| row.values.as_ptr().add(b).cast::<i8>());
                let zero = rows.map(|row| *row.sums.as_ptr().add(b));

                let mut dots: Dots<Q, T> = [zero.map(|zero| {
                    // Only int4 without zero points is still off by its zero point.
                    vdupq_n_s32(if INT4 && !ZERO_POINTS { zero } else { 0 })
                }); Q];
                let codes = block.add(16 * first);
                if INT4 {
                    self.lanes.0.int4(codes, x, &mut dots);
                } else {
                    self.lanes.0.int8(codes, x, &mut dots);
                }

                let scales = block.add(code_bytes);
                for q in 0..Q {
                    let quarter = first + q;
                    if ZERO_POINTS {
                        let stored = scales.add(2 * GROUP_ROWS + 4 * quarter).cast::<u32>();
                        let taken = if INT4 { 0 } else { 128 };
                        let zero_points =
                            vsubq_s32(words(stored.read_unaligned()), vdupq_n_s32(taken));
                        for i in 0..T {
                            dots[q][i] = vmlaq_n_s32(dots[q][i], zero_points, zero[i] >> 3);
                        }
                    }
                    let scales = four_halves(scales.add(8 * quarter));
                    for i in 0..T {
                        let scale = vmulq_n_f32(scales, *rows[i].scales.as_ptr().add(b));
                        sums[q][i] = vfmaq_f32(sums[q][i], scale, vcvtq_f32_s32(dots[q][i]));
                    }
                }
            }
        }
        sums
    }
}
