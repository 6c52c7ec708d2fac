//! Sixteen floats that every instruction set works on alike, and the scalar form that says
//! what each operation means.
//!
//! A kernel is written once, generic over [`Lanes`]; [`Isa::run`](super::Isa::run) compiles it
//! for each instruction set. That works by inlining: a lane operation inside a closure may be
//! left as a call, many times slower, so kernels use `#[inline(always)]` functions instead.
//! As every operation rounds as IEEE 754 says, all of them agree bit
//! for bit.

use bytemuck::{cast, cast_ref};
use half::f16;

use super::linear_int8::DotBlocks;
use crate::math;

/// Lanes in a vector.
pub const LANES: usize = 16;

/// A kernel's arguments; it runs on the lanes it is given.
pub(super) trait Kernel {
    type Output;

    /// Must be inlined, so that it is compiled for the lanes' instructions.
    fn run<L: DotBlocks>(self, lanes: L) -> Self::Output;
}

/// A token whose holder may use an instruction set, and what to use it for.
///
/// [`Scalar`] defines every operation.
pub(crate) trait Lanes: Copy {
    /// Sixteen floats.
    type F: Copy;
    /// Whether the registers hold sixteen vectors and some more.
    const MANY: bool = false;
    /// Whether [`Lanes::add_halves`] has a loop for anything. Where it has none, calls for it would
    /// only be in the way of the compiler.
    const ADDS_HALVES: bool = false;
    /// Most queries that share one pass over keys and values; each number of them takes a copy
    /// of the code.
    const QUERIES: usize = if cfg!(target_os = "none") {
        1
    } else if Self::MANY {
        8
    } else {
        4
    };

    fn splat(self, x: f32) -> Self::F;
    fn load(self, x: &[f32; LANES]) -> Self::F;
    fn store(self, x: Self::F, to: &mut [f32; LANES]);
    /// From little-endian f32.
    fn load_f32(self, x: &[u8; 4 * LANES]) -> Self::F;
    /// From little-endian f16.
    fn load_f16(self, x: &[u8; 2 * LANES]) -> Self::F;
    /// To little-endian f16, rounded to nearest even.
    fn store_f16(self, x: Self::F, to: &mut [u8; 2 * LANES]);
    fn load_u8(self, x: &[u8; LANES]) -> Self::F;
    /// Bits `shift..` of each little-endian word that are set in `mask`, as an integer.
    fn load_codes(self, words: &[u8; 4 * LANES], shift: u32, mask: u32) -> Self::F;
    /// Whole values in -128..=127.
    fn store_i8(self, x: Self::F, to: &mut [i8; LANES]);

    fn add(self, a: Self::F, b: Self::F) -> Self::F;
    fn sub(self, a: Self::F, b: Self::F) -> Self::F;
    fn mul(self, a: Self::F, b: Self::F) -> Self::F;
    fn div(self, a: Self::F, b: Self::F) -> Self::F;
    /// `a · b + c`, rounded once.
    fn fma(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    /// `a > b ? a : b`: with a NaN, `b`.
    fn max(self, a: Self::F, b: Self::F) -> Self::F;
    /// `a < b ? a : b`: with a NaN, `b`.
    fn min(self, a: Self::F, b: Self::F) -> Self::F;
    /// Within `low..=high`, which are not zero; NaN stays NaN.
    #[inline(always)]
    fn clamp(self, x: Self::F, low: f32, high: f32) -> Self::F {
        self.min(self.splat(high), self.max(self.splat(low), x))
    }
    /// 2ⁿ for a whole `n` in -126..=127.
    fn power_of_two(self, n: Self::F) -> Self::F;
    /// The greater magnitude; infinity is greater than any number, and NaN than infinity.
    fn max_magnitude(self, a: Self::F, b: Self::F) -> Self::F;
    /// Sum by a tree: lanes 8 apart, 4 apart, 2 apart, neighbours.
    fn sum(self, x: Self::F) -> f32;
    /// The greatest lane of lanes without NaN.
    fn greatest(self, x: Self::F) -> f32;

    /// `sums[q] = fma(numbers[q][k], vector k, sums[q])` for one `k` after the other, where vector
    /// `k` is `vectors[stride · k]`, if these lanes have a loop for so many sums; says whether.
    #[inline(always)]
    fn add_halves<const Q: usize>(
        self,
        _numbers: &[&[f32]; Q],
        _vectors: &[[f16; LANES]],
        _stride: usize,
        _sums: &mut [Self::F; Q],
    ) -> bool {
        false
    }

    /// Asks for the cache line at `address`, which need not be anyone's, to come into the cache.
    #[inline(always)]
    fn prefetch(self, _address: *const u8) {}

    #[inline(always)]
    fn load_i8(self, x: &[i8; LANES]) -> Self::F {
        let mut lanes = [0.0; LANES];
        for i in 0..LANES {
            lanes[i] = f32::from(x[i]);
        }
        self.load(&lanes)
    }

    /// The greatest lane, compared as bit patterns: infinity is greater than any number, and
    /// NaN than infinity. For lanes without a sign.
    #[inline(always)]
    fn greatest_bits(self, x: Self::F) -> f32 {
        let mut lanes = [0.0; LANES];
        self.store(x, &mut lanes);
        f32::from_bits(lanes.iter().fold(0, |max, x| max.max(x.to_bits())))
    }

    /// Up to sixteen values; lanes beyond them are zero.
    #[inline(always)]
    fn load_some(self, x: &[f32]) -> Self::F {
        let mut lanes = [0.0; LANES];
        lanes[..x.len()].copy_from_slice(x);
        self.load(&lanes)
    }

    /// As many lanes as `to` is long.
    #[inline(always)]
    fn store_some(self, x: Self::F, to: &mut [f32]) {
        let mut lanes = [0.0; LANES];
        self.store(x, &mut lanes);
        to.copy_from_slice(&lanes[..to.len()]);
    }

    /// The nearest whole number, ties to even, of `|x|` below 2²²; of a zero with either sign.
    #[inline(always)]
    fn round(self, x: Self::F) -> Self::F {
        let round = self.splat(math::ROUND);
        self.sub(self.add(x, round), round)
    }

    /// `cap · tanh(x / cap)`, rounded as `cap − 2 · cap / (1 + exp(x · (2 / cap)))`.
    #[inline(always)]
    fn softcap(self, x: Self::F, cap: f32) -> Self::F {
        let e = self.exp(self.mul(x, self.splat(2.0 / cap)));
        let rest = self.div(self.splat(2.0 * cap), self.add(self.splat(1.0), e));
        self.sub(self.splat(cap), rest)
    }

    /// [`math::exp()`] in each lane.
    #[inline(always)]
    fn exp(self, x: Self::F) -> Self::F {
        use math::exp::{LN_2, LOG2_E, POLYNOMIAL, RANGE};
        let round = self.splat(math::ROUND);
        let x = self.clamp(x, RANGE.0, RANGE.1);
        let n = self.sub(self.fma(x, self.splat(LOG2_E), round), round);
        let r = self.fma(n, self.splat(-LN_2.0), x);
        let r = self.fma(n, self.splat(-LN_2.1), r);
        let mut q = self.splat(POLYNOMIAL[0]);
        for coefficient in &POLYNOMIAL[1..] {
            q = self.fma(q, r, self.splat(*coefficient));
        }
        let p = self.add(self.fma(q, self.mul(r, r), r), self.splat(1.0));
        let half = self.sub(self.fma(n, self.splat(0.5), round), round);
        let p = self.mul(p, self.power_of_two(half));
        self.mul(p, self.power_of_two(self.sub(n, half)))
    }
}

/// Plain Rust, everywhere.
#[derive(Clone, Copy)]
pub(super) struct Scalar;

#[inline(always)]
fn each(f: impl FnMut(usize) -> f32) -> [f32; LANES] {
    core::array::from_fn(f)
}

impl Lanes for Scalar {
    type F = [f32; LANES];
    const QUERIES: usize = 1;

    #[inline(always)]
    fn splat(self, x: f32) -> Self::F {
        [x; LANES]
    }

    #[inline(always)]
    fn load(self, x: &[f32; LANES]) -> Self::F {
        *x
    }

    #[inline(always)]
    fn store(self, x: Self::F, to: &mut [f32; LANES]) {
        *to = x;
    }

    #[inline(always)]
    fn load_f32(self, x: &[u8; 4 * LANES]) -> Self::F {
        let x: &[[u8; 4]; LANES] = cast_ref(x);
        x.map(f32::from_le_bytes)
    }

    #[inline(always)]
    fn load_f16(self, x: &[u8; 2 * LANES]) -> Self::F {
        each(|i| f16::from_le_bytes([x[2 * i], x[2 * i + 1]]).to_f32())
    }

    #[inline(always)]
    fn store_f16(self, x: Self::F, to: &mut [u8; 2 * LANES]) {
        *to = cast(x.map(|x| f16::from_f32(x).to_le_bytes()));
    }

    #[inline(always)]
    fn load_u8(self, x: &[u8; LANES]) -> Self::F {
        x.map(f32::from)
    }

    #[inline(always)]
    fn load_codes(self, words: &[u8; 4 * LANES], shift: u32, mask: u32) -> Self::F {
        let words: &[[u8; 4]; LANES] = cast_ref(words);
        each(|i| (u32::from_le_bytes(words[i]) >> shift & mask) as f32)
    }

    #[inline(always)]
    fn store_i8(self, x: Self::F, to: &mut [i8; LANES]) {
        *to = x.map(|x| x as i8);
    }

    #[inline(always)]
    fn add(self, a: Self::F, b: Self::F) -> Self::F {
        each(|i| a[i] + b[i])
    }

    #[inline(always)]
    fn sub(self, a: Self::F, b: Self::F) -> Self::F {
        each(|i| a[i] - b[i])
    }

    #[inline(always)]
    fn mul(self, a: Self::F, b: Self::F) -> Self::F {
        each(|i| a[i] * b[i])
    }

    #[inline(always)]
    fn div(self, a: Self::F, b: Self::F) -> Self::F {
        each(|i| a[i] / b[i])
    }

    #[inline(always)]
    fn fma(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F {
        each(|i| math::fma(a[i], b[i], c[i]))
    }

    #[inline(always)]
    fn max(self, a: Self::F, b: Self::F) -> Self::F {
        each(|i| if a[i] > b[i] { a[i] } else { b[i] })
    }

    #[inline(always)]
    fn min(self, a: Self::F, b: Self::F) -> Self::F {
        each(|i| if a[i] < b[i] { a[i] } else { b[i] })
    }

    #[inline(always)]
    fn power_of_two(self, n: Self::F) -> Self::F {
        n.map(math::power_of_two)
    }

    #[inline(always)]
    fn max_magnitude(self, a: Self::F, b: Self::F) -> Self::F {
        each(|i| f32::from_bits(a[i].abs().to_bits().max(b[i].abs().to_bits())))
    }

    #[inline(always)]
    fn sum(self, mut x: Self::F) -> f32 {
        for apart in [8, 4, 2, 1] {
            for i in 0..apart {
                x[i] += x[i + apart];
            }
        }
        x[0]
    }

    #[inline(always)]
    fn greatest(self, x: Self::F) -> f32 {
        x.into_iter()
            .fold(f32::NEG_INFINITY, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    fn exp(self, x: Self::F) -> Self::F {
        x.map(math::exp)
    }
}

/// One whole vector, or what there is of it.
#[inline(always)]
pub(super) fn load_up_to<L: Lanes>(lanes: L, x: &[f32]) -> L::F {
    match x.try_into() {
        Ok(x) => lanes.load(x),
        Err(_) => lanes.load_some(x),
    }
}

/// Stores a whole vector, or as much as there is room for.
#[inline(always)]
pub(super) fn store_up_to<L: Lanes>(lanes: L, x: L::F, to: &mut [f32]) {
    match <&mut [f32; LANES]>::try_from(&mut *to) {
        Ok(to) => lanes.store(x, to),
        Err(_) => lanes.store_some(x, to),
    }
}
