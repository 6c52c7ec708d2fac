//! AVX-512 with VNNI: sixteen lanes are one register.

use core::arch::x86_64::*;
use core::ops::Range;

use super::lanes::{Kernel, LANES, Lanes};
use super::linear_int8::DotBlocks;
use super::{Epilogue, QuantizedRows, Weight};

#[cfg(target_os = "linux")]
mod amx;
mod linear_int8;

#[cfg(target_os = "linux")]
pub(super) use amx::is_available as has_amx;

/// Proof that the processor has the features of [`run`].
#[derive(Clone, Copy)]
pub(super) struct Avx512 {
    /// Whether it also has AMX, which only Linux gives.
    amx: bool,
}

/// Compiles and runs a kernel.
///
/// # Safety
/// The processor must have all the named features, and with `amx` AMX, on Linux.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c")]
pub(super) unsafe fn run<K: Kernel>(kernel: K, amx: bool) -> K::Output {
    kernel.run(Avx512 { amx })
}

/// An instruction that the token in `self` allows.
macro_rules! instruction {
    ($call:expr) => {
        // SAFETY: holding `Avx512` proves the features; pointers come from references to
        // arrays of the size that the instruction reads or writes.
        unsafe { $call }
    };
}

impl Lanes for Avx512 {
    type F = __m512;
    const MANY: bool = true;

    #[inline(always)]
    fn splat(self, x: f32) -> __m512 {
        instruction!(_mm512_set1_ps(x))
    }

    #[inline(always)]
    fn load(self, x: &[f32; LANES]) -> __m512 {
        instruction!(_mm512_loadu_ps(x.as_ptr()))
    }

    #[inline(always)]
    fn store(self, x: __m512, to: &mut [f32; LANES]) {
        instruction!(_mm512_storeu_ps(to.as_mut_ptr(), x));
    }

    #[inline(always)]
    fn load_f32(self, x: &[u8; 4 * LANES]) -> __m512 {
        instruction!(_mm512_loadu_ps(x.as_ptr().cast()))
    }

    #[inline(always)]
    fn load_f16(self, x: &[u8; 2 * LANES]) -> __m512 {
        instruction!(_mm512_cvtph_ps(_mm256_loadu_si256(x.as_ptr().cast())))
    }

    #[inline(always)]
    fn store_f16(self, x: __m512, to: &mut [u8; 2 * LANES]) {
        const NEAREST_EVEN: i32 = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
        instruction!(_mm256_storeu_si256(
            to.as_mut_ptr().cast(),
            _mm512_cvtps_ph::<NEAREST_EVEN>(x)
        ));
    }

    #[inline(always)]
    fn load_u8(self, x: &[u8; LANES]) -> __m512 {
        instruction!(_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(
            x.as_ptr().cast()
        ))))
    }

    #[inline(always)]
    fn prefetch(self, address: *const u8) {
        instruction!(_mm_prefetch::<_MM_HINT_T1>(address.cast()));
    }

    #[inline(always)]
    fn load_i8(self, x: &[i8; LANES]) -> __m512 {
        instruction!(_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(
            x.as_ptr().cast()
        ))))
    }

    #[inline(always)]
    fn load_codes(self, words: &[u8; 4 * LANES], shift: u32, mask: u32) -> __m512 {
        instruction!({
            let words = _mm512_loadu_si512(words.as_ptr().cast());
            let codes = _mm512_srl_epi32(words, _mm_cvtsi32_si128(shift as i32));
            _mm512_cvtepi32_ps(_mm512_and_si512(codes, _mm512_set1_epi32(mask as i32)))
        })
    }

    #[inline(always)]
    fn store_i8(self, x: __m512, to: &mut [i8; LANES]) {
        instruction!(_mm_storeu_si128(
            to.as_mut_ptr().cast(),
            _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(x))
        ));
    }

    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        instruction!(_mm512_add_ps(a, b))
    }

    #[inline(always)]
    fn sub(self, a: __m512, b: __m512) -> __m512 {
        instruction!(_mm512_sub_ps(a, b))
    }

    #[inline(always)]
    fn mul(self, a: __m512, b: __m512) -> __m512 {
        instruction!(_mm512_mul_ps(a, b))
    }

    #[inline(always)]
    fn div(self, a: __m512, b: __m512) -> __m512 {
        instruction!(_mm512_div_ps(a, b))
    }

    #[inline(always)]
    fn fma(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        instruction!(_mm512_fmadd_ps(a, b, c))
    }

    #[inline(always)]
    fn max(self, a: __m512, b: __m512) -> __m512 {
        instruction!(_mm512_max_ps(a, b))
    }

    #[inline(always)]
    fn min(self, a: __m512, b: __m512) -> __m512 {
        instruction!(_mm512_min_ps(a, b))
    }

    #[inline(always)]
    fn power_of_two(self, n: __m512) -> __m512 {
        let biased = self.add(n, self.splat(crate::math::ROUND + 127.0));
        instruction!(_mm512_castsi512_ps(_mm512_slli_epi32::<23>(
            _mm512_castps_si512(biased)
        )))
    }

    #[inline(always)]
    fn max_magnitude(self, a: __m512, b: __m512) -> __m512 {
        instruction!({
            let [a, b] = [_mm512_abs_ps(a), _mm512_abs_ps(b)];
            let max = _mm512_max_epu32(_mm512_castps_si512(a), _mm512_castps_si512(b));
            _mm512_castsi512_ps(max)
        })
    }

    #[inline(always)]
    fn sum(self, x: __m512) -> f32 {
        instruction!({
            let x = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps::<1>(x));
            let x = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps::<1>(x));
            let x = _mm_add_ps(x, _mm_movehl_ps(x, x));
            _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)))
        })
    }

    #[inline(always)]
    fn greatest(self, x: __m512) -> f32 {
        instruction!(_mm512_reduce_max_ps(x))
    }
}

impl DotBlocks for Avx512 {
    #[inline(always)]
    fn linear(
        self,
        weight: Weight<'_>,
        input: QuantizedRows<'_>,
        epilogue: &Epilogue<'_>,
        groups: Range<usize>,
    ) {
        // SAFETY: holding `Avx512` proves the features.
        unsafe {
            let done = match self.amx {
                #[cfg(target_os = "linux")]
                true => amx::linear(self, weight, input, epilogue, groups.clone()),
                _ => 0,
            };
            linear_int8::linear(self, weight, input, epilogue, groups, done);
        }
    }
}
