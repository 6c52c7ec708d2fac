//! Scalar arithmetic that is the same on every target, with and without `std`.

#[cfg(any(
    test,
    all(target_arch = "arm", not(target_abi = "eabihf"), not(feature = "std"))
))]
mod whole_fma;

/// `a · b + c`, rounded once.
#[inline(always)]
pub(crate) fn fma(a: f32, b: f32, c: f32) -> f32 {
    #[cfg(any(test, feature = "std"))]
    return a.mul_add(b, c);

    #[cfg(all(
        not(any(test, feature = "std")),
        all(target_arch = "arm", target_abi = "eabihf", target_os = "none")
    ))]
    return arm::tealight_fmaf(a, b, c);

    #[cfg(all(
        not(any(test, feature = "std")),
        all(target_arch = "arm", not(target_abi = "eabihf"))
    ))]
    return whole_fma::fma(a, b, c);

    #[cfg(all(
        not(any(test, feature = "std")),
        not(all(target_arch = "arm", target_os = "none")),
        not(all(target_arch = "arm", not(target_abi = "eabihf")))
    ))]
    return libm::fmaf(a, b, c);
}

/// Microcontrollers whose ABI passes floats in registers have VFPv4's fused multiply-add, for
/// which stable Rust has no name: its inline assembly has single registers only where there
/// are double ones.
#[cfg(all(
    not(any(test, feature = "std")),
    all(target_arch = "arm", target_abi = "eabihf", target_os = "none")
))]
mod arm {
    core::arch::global_asm!(
        ".pushsection .text.tealight_fmaf, \"ax\", %progbits",
        ".fpu fpv4-sp-d16",
        ".globl tealight_fmaf",
        ".thumb_func",
        ".type tealight_fmaf, %function",
        "tealight_fmaf:",
        "vfma.f32 s2, s0, s1",
        "vmov.f32 s0, s2",
        "bx lr",
        ".size tealight_fmaf, . - tealight_fmaf",
        ".popsection",
    );

    // SAFETY: the ABI passes the three floats in s0 to s2 and takes the result from s0.
    unsafe extern "C" {
        pub(super) safe fn tealight_fmaf(a: f32, b: f32, c: f32) -> f32;
    }
}

/// The square root, correctly rounded.
#[inline(always)]
pub(crate) fn sqrt(x: f32) -> f32 {
    #[cfg(any(test, feature = "std"))]
    return x.sqrt();
    #[cfg(not(any(test, feature = "std")))]
    return libm::sqrtf(x);
}

/// 1.5 · 2²³: the sum of this and `x` has the units of `x`, rounded to nearest even, in its
/// low bits, for `|x|` below 2²².
pub(crate) const ROUND: f32 = 12_582_912.0;

/// Constants of [`exp()`], shared with its vector form.
pub(crate) mod exp {
    /// Below, the result is zero; above, it is infinite.
    pub(crate) const RANGE: (f32, f32) = (-105.0, 90.0);
    /// 1 / ln 2.
    pub(crate) const LOG2_E: f32 = core::f32::consts::LOG2_E;
    /// ln 2 as the nearest f32, and what that leaves out.
    pub(crate) const LN_2: (f32, f32) = (core::f32::consts::LN_2, -1.904_654_3e-9);
    /// `(eʳ − 1 − r) / r²` for `|r| ≤ ln 2 / 2`, highest power first (interpolated at
    /// Chebyshev nodes; 2e-9 from the truth).
    pub(crate) const POLYNOMIAL: [f32; 5] = [
        0.001_392_618_4,
        0.008_363_179,
        0.041_666_556,
        0.166_665_76,
        0.5,
    ];
}

/// `eˣ`, within 2 units in the last place; NaN stays NaN.
///
/// `x = n · ln 2 + r`; `eʳ` is a polynomial and `2ⁿ` is multiplied in as two factors, so
/// that denormal results round once.
pub(crate) fn exp(x: f32) -> f32 {
    let x = if exp::RANGE.0 > x { exp::RANGE.0 } else { x };
    let x = if exp::RANGE.1 < x { exp::RANGE.1 } else { x };
    let n = fma(x, exp::LOG2_E, ROUND) - ROUND;
    let r = fma(n, -exp::LN_2.1, fma(n, -exp::LN_2.0, x));
    let mut q = exp::POLYNOMIAL[0];
    for c in &exp::POLYNOMIAL[1..] {
        q = fma(q, r, *c);
    }
    let p = fma(q, r * r, r) + 1.0;
    let half = fma(n, 0.5, ROUND) - ROUND;
    p * power_of_two(half) * power_of_two(n - half)
}

/// 2ⁿ for a whole `n` in -126..=127.
pub(crate) fn power_of_two(n: f32) -> f32 {
    f32::from_bits((n + (ROUND + 127.0)).to_bits() << 23)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Distance from the true value in units of the last place of an f32.
    fn ulps(value: f32, truth: f64) -> f64 {
        let unit = (truth.abs() as f32).max(f32::MIN_POSITIVE);
        let unit = unit.next_up() as f64 - unit as f64;
        (value as f64 - truth).abs() / unit
    }

    #[test]
    fn exp_is_within_two_ulps_everywhere() {
        let mut worst = (0.0, 0.0);
        let mut x = -110.0f32;
        while x < 89.0 {
            let error = ulps(exp(x), (x as f64).exp());
            if error > worst.0 && exp(x).is_finite() {
                worst = (error, x);
            }
            x += 0.000_37;
        }
        assert!(worst.0 < 2.0, "{worst:?}");
    }

    #[test]
    fn exp_of_the_extremes() {
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(-0.0), 1.0);
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
        assert_eq!(exp(-1e30), 0.0);
        assert_eq!(exp(f32::INFINITY), f32::INFINITY);
        assert_eq!(exp(89.0), f32::INFINITY);
        assert!(exp(f32::NAN).is_nan());
        assert_eq!(exp(-103.0), (-103f64).exp() as f32);
    }
}
