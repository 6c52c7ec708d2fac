//! Integer matrix product: quarters of groups against a few tokens at a time.

use core::arch::aarch64::*;
use core::ops::Range;

use super::dots::{Base, Block, DotProd, Dots, words};
use super::{Neon, four_halves, from_halves, panels};
use crate::kernels::lanes::Lanes;
use crate::kernels::{Epilogue, QuantizedRows, Weight};
use crate::layout::{BLOCK, Encoding, GROUP_ROWS};

/// From this many tokens on, unpacking weights for `smmla` costs less than it saves.
const SMMLA_PANEL: usize = 12;
/// The same for `sdot`.
const SDOT_PANEL: usize = 24;

/// [`crate::kernels::linear_int8()`], whose checks have passed.
pub(super) fn base(
    lanes: Neon,
    weight: Weight<'_>,
    input: QuantizedRows<'_>,
    epilogue: &Epilogue<'_>,
    groups: Range<usize>,
) {
    product(Base, lanes, weight, input, epilogue, groups);
}

/// As [`base`].
#[target_feature(enable = "neon,dotprod")]
pub(super) fn dotprod(
    lanes: Neon,
    weight: Weight<'_>,
    input: QuantizedRows<'_>,
    epilogue: &Epilogue<'_>,
    groups: Range<usize>,
) {
    if input.count() >= SDOT_PANEL && fits_panels(weight) {
        panels::dotprod(lanes, weight, input, epilogue, groups);
    } else {
        product(DotProd, lanes, weight, input, epilogue, groups);
    }
}

/// As [`base`].
#[target_feature(enable = "neon,dotprod,i8mm")]
pub(super) fn i8mm(
    lanes: Neon,
    weight: Weight<'_>,
    input: QuantizedRows<'_>,
    epilogue: &Epilogue<'_>,
    groups: Range<usize>,
) {
    if input.count() >= SMMLA_PANEL && fits_panels(weight) {
        panels::i8mm(lanes, weight, input, epilogue, groups);
    } else {
        dotprod(lanes, weight, input, epilogue, groups);
    }
}

/// Zero points of int8 do not fit the unpacked bytes.
fn fits_panels(weight: Weight<'_>) -> bool {
    weight.encoding != Encoding::Int8ZeroPoint
}

#[inline(always)]
fn product<P: Block>(
    block: P,
    lanes: Neon,
    weight: Weight<'_>,
    input: QuantizedRows<'_>,
    epilogue: &Epilogue<'_>,
    groups: Range<usize>,
) {
    let product = Product {
        block,
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
    block: P,
    lanes: Neon,
    weight: Weight<'a>,
    input: QuantizedRows<'a>,
    epilogue: &'a Epilogue<'a>,
}

impl<P: Block> Product<'_, P> {
    #[inline(always)]
    fn run<const INT4: bool, const ZERO_POINTS: bool>(self, groups: Range<usize>) {
        let count = self.input.count();
        if P::STREAMS && INT4 && !ZERO_POINTS {
            match count {
                1 => return self.stream::<1>(groups),
                2 => return self.stream::<2>(groups),
                _ => {}
            }
        }
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

    /// All groups for all `T` rows of the input.
    #[inline(always)]
    fn stream<const T: usize>(self, groups: Range<usize>) {
        let rows = core::array::from_fn(|t| self.input.row(t));
        let bytes = self.input.blocks() * (GROUP_ROWS * BLOCK / 2 + 2 * GROUP_ROWS);
        let data = &self.weight.data[groups.start * bytes..groups.end * bytes];
        let (first, lanes) = (groups.start, self.lanes);
        self.epilogue.finish_groups(lanes, groups, |group| {
            let mut sums = [lanes.splat(0.0); T];
            // SAFETY: whoever made the product has the instructions of `P`. The group holds as
            // many blocks as each row.
            unsafe {
                let blocks = data.as_ptr().add((group - first) * bytes);
                self.block.int4_group(blocks, &rows, &mut sums);
            }
            sums
        });
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
        self.finish(group, t, sums);
        T
    }

    #[inline(always)]
    fn finish<const T: usize>(self, group: usize, t: usize, sums: [[float32x4_t; 4]; T]) {
        for i in 0..T {
            self.epilogue.finish(self.lanes, t + i, group, sums[i]);
        }
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
        let group = &self.weight.data[group * blocks * block_bytes..][..blocks * block_bytes];
        assert!(first + Q <= 4);

        // SAFETY: baseline instructions.
        let mut sums = unsafe { [[vdupq_n_f32(0.0); T]; Q] };
        for b in 0..blocks {
            // SAFETY: whoever made the product has the instructions of `P`. The group holds `blocks` blocks of
            // `block_bytes`, every row holds `blocks` blocks of 32 inputs (see
            // `QuantizedRows::row`), and each pointer stays within block `b`.
            unsafe {
                let block = group.as_ptr().add(b * block_bytes);
                let mut x = [core::ptr::null(); T];
                let mut dots: Dots<Q, T> = [[vdupq_n_s32(0); T]; Q];
                for i in 0..T {
                    x[i] = rows[i].values.as_ptr().add(b).cast();
                    if INT4 && !ZERO_POINTS {
                        // What the zero point of 8 takes off.
                        let offset = vld1q_dup_s32(rows[i].sums.as_ptr().add(b));
                        for q in 0..Q {
                            dots[q][i] = offset;
                        }
                    }
                }
                let codes = block.add(16 * first);
                if INT4 {
                    self.block.int4(codes, x, &mut dots);
                } else {
                    self.block.int8(codes, x, &mut dots);
                }

                let rest = block.add(code_bytes);
                let mut scales = [vdupq_n_f32(0.0); Q];
                if Q % 2 == 0 {
                    for q in 0..Q / 2 {
                        let halves = vld1q_u16(rest.add(8 * first + 16 * q).cast());
                        [scales[2 * q], scales[2 * q + 1]] = from_halves(halves);
                    }
                } else {
                    for q in 0..Q {
                        scales[q] = four_halves(rest.add(8 * (first + q)));
                    }
                }
                for q in 0..Q {
                    if ZERO_POINTS {
                        let stored = rest.add(2 * GROUP_ROWS + 4 * (first + q)).cast::<u32>();
                        let taken = if INT4 { 0 } else { 128 };
                        let zero_points =
                            vsubq_s32(words(stored.read_unaligned()), vdupq_n_s32(taken));
                        for i in 0..T {
                            let minus_sum = *rows[i].sums.as_ptr().add(b) >> 3;
                            dots[q][i] = vmlaq_n_s32(dots[q][i], zero_points, minus_sum);
                        }
                    }
                    for i in 0..T {
                        let scale = vmulq_n_f32(scales[q], *rows[i].scales.as_ptr().add(b));
                        sums[q][i] = vfmaq_f32(sums[q][i], scale, vcvtq_f32_s32(dots[q][i]));
                    }
                }
            }
        }
        sums
    }
}
