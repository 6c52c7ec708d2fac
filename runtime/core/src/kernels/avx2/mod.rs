//! AVX2 with FMA and F16C: sixteen lanes are two registers.

use core::arch::x86_64::*;
use core::ops::Range;

use super::lanes::{Kernel, LANES, Lanes};
use super::linear_int8::DotBlocks;
use super::{Epilogue, QuantizedRows, Weight};

mod linear_int8;

/// Proof that the processor has the features of [`run`].
#[derive(Clone, Copy)]
pub(super) struct Avx2(());

/// Lanes 0–7 and 8–15.
type Pair = [__m256; 2];

/// Compiles and runs a kernel.
///
/// # Safety
/// The processor must have all the named features.
#[target_feature(enable = "avx2,fma,f16c")]
pub(super) unsafe fn run<K: Kernel>(kernel: K) -> K::Output {
    kernel.run(Avx2(()))
}

/// An instruction that the token in `self` allows.
macro_rules! instruction {
    ($call:expr) => {
        // SAFETY: holding `Avx2` proves the features; pointers come from references to arrays
        // of the size that the instruction reads or writes.
        unsafe { $call }
    };
}

impl Lanes for Avx2 {
    type F = Pair;

    #[inline(always)]
    fn splat(self, x: f32) -> Pair {
        instruction!([_mm256_set1_ps(x); 2])
    }

    #[inline(always)]
    fn load(self, x: &[f32; LANES]) -> Pair {
        instruction!([
            _mm256_loadu_ps(x.as_ptr()),
            _mm256_loadu_ps(x.as_ptr().add(8))
        ])
    }

    #[inline(always)]
    fn store(self, x: Pair, to: &mut [f32; LANES]) {
        instruction!({
            _mm256_storeu_ps(to.as_mut_ptr(), x[0]);
            _mm256_storeu_ps(to.as_mut_ptr().add(8), x[1]);
        });
    }

    #[inline(always)]
    fn load_f32(self, x: &[u8; 4 * LANES]) -> Pair {
        let x: *const f32 = x.as_ptr().cast();
        instruction!([_mm256_loadu_ps(x), _mm256_loadu_ps(x.add(8))])
    }

    #[inline(always)]
    fn load_f16(self, x: &[u8; 2 * LANES]) -> Pair {
        let x: *const __m128i = x.as_ptr().cast();
        instruction!([
            _mm256_cvtph_ps(_mm_loadu_si128(x)),
            _mm256_cvtph_ps(_mm_loadu_si128(x.add(1)))
        ])
    }

    #[inline(always)]
    fn store_f16(self, x: Pair, to: &mut [u8; 2 * LANES]) {
        let to: *mut __m128i = to.as_mut_ptr().cast();
        instruction!({
            _mm_storeu_si128(to, _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(x[0]));
            _mm_storeu_si128(
                to.add(1),
                _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(x[1]),
            );
        });
    }

    #[inline(always)]
    fn load_u8(self, x: &[u8; LANES]) -> Pair {
        instruction!({
            let x = _mm_loadu_si128(x.as_ptr().cast());
            let [low, high] = [x, _mm_srli_si128::<8>(x)];
            [
                _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(low)),
                _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(high)),
            ]
        })
    }

    #[inline(always)]
    fn prefetch(self, address: *const u8) {
        instruction!(_mm_prefetch::<_MM_HINT_T1>(address.cast()));
    }

    #[inline(always)]
    fn load_i8(self, x: &[i8; LANES]) -> Pair {
        instruction!({
            let x = _mm_loadu_si128(x.as_ptr().cast());
            let [low, high] = [x, _mm_srli_si128::<8>(x)];
            [
                _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(low)),
                _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(high)),
            ]
        })
    }

    #[inline(always)]
    fn load_codes(self, words: &[u8; 4 * LANES], shift: u32, mask: u32) -> Pair {
        let words: *const __m256i = words.as_ptr().cast();
        instruction!({
            let shift = _mm_cvtsi32_si128(shift as i32);
            let mask = _mm256_set1_epi32(mask as i32);
            let low = _mm256_srl_epi32(_mm256_loadu_si256(words), shift);
            let high = _mm256_srl_epi32(_mm256_loadu_si256(words.add(1)), shift);
            [
                _mm256_cvtepi32_ps(_mm256_and_si256(low, mask)),
                _mm256_cvtepi32_ps(_mm256_and_si256(high, mask)),
            ]
        })
    }

    #[inline(always)]
    fn store_i8(self, x: Pair, to: &mut [i8; LANES]) {
        instruction!({
            let [low, high] = [_mm256_cvtps_epi32(x[0]), _mm256_cvtps_epi32(x[1])];
            // Packing works in 128-bit halves: lanes 0–3, 8–11 and 4–7, 12–15.
            let words = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packs_epi32(low, high));
            let [low, high] = [
                _mm256_castsi256_si128(words),
                _mm256_extracti128_si256::<1>(words),
            ];
            _mm_storeu_si128(to.as_mut_ptr().cast(), _mm_packs_epi16(low, high));
        });
    }

    #[inline(always)]
    fn add(self, a: Pair, b: Pair) -> Pair {
        instruction!([_mm256_add_ps(a[0], b[0]), _mm256_add_ps(a[1], b[1])])
    }

    #[inline(always)]
    fn sub(self, a: Pair, b: Pair) -> Pair {
        instruction!([_mm256_sub_ps(a[0], b[0]), _mm256_sub_ps(a[1], b[1])])
    }

    #[inline(always)]
    fn mul(self, a: Pair, b: Pair) -> Pair {
        instruction!([_mm256_mul_ps(a[0], b[0]), _mm256_mul_ps(a[1], b[1])])
    }

    #[inline(always)]
    fn div(self, a: Pair, b: Pair) -> Pair {
        instruction!([_mm256_div_ps(a[0], b[0]), _mm256_div_ps(a[1], b[1])])
    }

    #[inline(always)]
    fn fma(self, a: Pair, b: Pair, c: Pair) -> Pair {
        instruction!([
            _mm256_fmadd_ps(a[0], b[0], c[0]),
            _mm256_fmadd_ps(a[1], b[1], c[1])
        ])
    }

    #[inline(always)]
    fn max(self, a: Pair, b: Pair) -> Pair {
        instruction!([_mm256_max_ps(a[0], b[0]), _mm256_max_ps(a[1], b[1])])
    }

    #[inline(always)]
    fn min(self, a: Pair, b: Pair) -> Pair {
        instruction!([_mm256_min_ps(a[0], b[0]), _mm256_min_ps(a[1], b[1])])
    }

    #[inline(always)]
    fn power_of_two(self, n: Pair) -> Pair {
        let biased = self.add(n, self.splat(crate::math::ROUND + 127.0));
        instruction!([
            _mm256_castsi256_ps(_mm256_slli_epi32::<23>(_mm256_castps_si256(biased[0]))),
            _mm256_castsi256_ps(_mm256_slli_epi32::<23>(_mm256_castps_si256(biased[1])))
        ])
    }

    #[inline(always)]
    fn max_magnitude(self, a: Pair, b: Pair) -> Pair {
        instruction!({
            let sign = _mm256_set1_ps(-0.0);
            let bits = |x| _mm256_castps_si256(_mm256_andnot_ps(sign, x));
            [
                _mm256_castsi256_ps(_mm256_max_epu32(bits(a[0]), bits(b[0]))),
                _mm256_castsi256_ps(_mm256_max_epu32(bits(a[1]), bits(b[1]))),
            ]
        })
    }

    #[inline(always)]
    fn sum(self, x: Pair) -> f32 {
        instruction!({
            let x = _mm256_add_ps(x[0], x[1]);
            let x = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps::<1>(x));
            let x = _mm_add_ps(x, _mm_movehl_ps(x, x));
            _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)))
        })
    }

    #[inline(always)]
    fn greatest(self, x: Pair) -> f32 {
        instruction!({
            let x = _mm256_max_ps(x[0], x[1]);
            let x = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps::<1>(x));
            let x = _mm_max_ps(x, _mm_movehl_ps(x, x));
            _mm_cvtss_f32(_mm_max_ss(x, _mm_movehdup_ps(x)))
        })
    }
}

impl DotBlocks for Avx2 {
    #[inline(always)]
    fn linear(
        self,
        weight: Weight<'_>,
        input: QuantizedRows<'_>,
        epilogue: &Epilogue<'_>,
        groups: Range<usize>,
    ) {
        // SAFETY: holding `Avx2` proves the features.
        unsafe { linear_int8::linear(self, weight, input, epilogue, groups) }
    }
}
