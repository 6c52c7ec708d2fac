//! Block scales as f16: a power of two is taken out of a tensor's scales, so that all of them
//! lie well inside f16's normal range.

/// The greatest block scale becomes at least 2^this, and less than twice that: the middle of
/// f16's range, leaning to the small side, where most scales of a tensor are.
const GREATEST_EXPONENT: i32 = 8;

/// The power of two that the tensor's scales are divided by.
pub(super) fn factor(greatest: f32) -> f32 {
    if greatest == 0.0 || !greatest.is_finite() {
        return 1.0;
    }
    // Read off the bits: exact for every normal number, and good enough for smaller ones.
    let exponent = (greatest.to_bits() >> 23) as i32 - 127;
    let exponent = (exponent - GREATEST_EXPONENT).max(-126);
    f32::from_bits(((exponent + 127) as u32) << 23)
}

#[cfg(test)]
mod tests {
    use half::f16;

    use super::*;

    /// A scale as the plan will give it back.
    fn stored(scale: f32, factor: f32) -> f32 {
        f16::from_f32(scale / factor).to_f32() * factor
    }

    #[test]
    fn the_factor_is_a_power_of_two_that_keeps_scales_normal() {
        for greatest in [1e-38, 3e-7, 0.02, 1.0, 1000.0, 3e38] {
            let factor = factor(greatest);
            assert_eq!(factor.to_bits() & 0x007f_ffff, 0, "{greatest}");
            let ratio = greatest / factor;
            assert!(
                (256.0..512.0).contains(&ratio) || greatest < 1e-35,
                "{greatest}: {ratio}"
            );
        }
    }

    #[test]
    fn scales_that_are_f16_already_stay_exact() {
        for scale in [0.0123_f32, 0.5, 0.00031].map(|s| f16::from_f32(s).to_f32()) {
            assert_eq!(stored(scale, factor(0.7)), scale);
        }
    }
}
