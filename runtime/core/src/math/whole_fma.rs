//! The fused multiply-add in integers of 64 bits, for processors without one: a double's
//! arithmetic, which is the other way, takes several times as long there.

/// Bits of a mantissa that are stored.
const STORED: u32 = 23;
/// The exponent's bits, all set.
const SPECIAL: u32 = 0xff;
/// Sums are rounded to 24 of 64 bits.
const BELOW: u32 = 64 - 24;

/// A finite number that is not zero: `±mantissa · 2^exponent`, the mantissa's bit 62 set.
#[derive(Clone, Copy)]
struct Number {
    negative: bool,
    exponent: i32,
    mantissa: u64,
}

impl Number {
    fn new(negative: bool, exponent: i32, mantissa: u64) -> Number {
        let shift = mantissa.leading_zeros() as i32 - 1;
        Number {
            negative,
            exponent: exponent - shift,
            mantissa: mantissa << shift,
        }
    }

    fn of(x: f32) -> Number {
        let (exponent, mantissa) = parts(x);
        Number::new(x.is_sign_negative(), exponent, mantissa.into())
    }
}

/// `a · b + c`, rounded once to nearest even.
pub(crate) fn fma(a: f32, b: f32, c: f32) -> f32 {
    if !a.is_finite() || !b.is_finite() || a == 0.0 || b == 0.0 {
        // The product is exact.
        return a * b + c;
    }
    if !c.is_finite() {
        return c;
    }
    if c == 0.0 {
        return a * b;
    }
    let ((a_exponent, a_mantissa), (b_exponent, b_mantissa)) = (parts(a), parts(b));
    let product = Number::new(
        a.is_sign_negative() != b.is_sign_negative(),
        a_exponent + b_exponent,
        u64::from(a_mantissa) * u64::from(b_mantissa),
    );
    add(product, Number::of(c))
}

/// The exponent and the mantissa, both whole, of a finite number.
fn parts(x: f32) -> (i32, u32) {
    let exponent = x.to_bits() >> STORED & SPECIAL;
    let stored = x.to_bits() & ((1 << STORED) - 1);
    if exponent == 0 {
        (1 - 150, stored)
    } else {
        (exponent as i32 - 150, stored | 1 << STORED)
    }
}

fn add(a: Number, b: Number) -> f32 {
    let a_is_greater = (a.exponent, a.mantissa) >= (b.exponent, b.mantissa);
    let (greater, less) = if a_is_greater { (a, b) } else { (b, a) };
    let apart = (greater.exponent - less.exponent) as u32;
    let shifted = shift_right(less.mantissa, apart);
    let sum = if greater.negative == less.negative {
        greater.mantissa + shifted
    } else {
        greater.mantissa - shifted
    };
    if sum == 0 {
        return 0.0;
    }
    round(greater.negative, greater.exponent, sum)
}

/// `±sum · 2^exponent`, to nearest even.
fn round(negative: bool, exponent: i32, sum: u64) -> f32 {
    let zeros = sum.leading_zeros();
    let sum = sum << zeros;
    // As f32 stores it, if the number is a normal one.
    let stored = exponent - zeros as i32 + 63 + 127;
    let sign = u32::from(negative) << 31;
    if stored >= SPECIAL as i32 {
        return f32::from_bits(sign | SPECIAL << STORED);
    }
    let (sum, stored) = if stored >= 1 {
        (sum, stored as u32 - 1)
    } else {
        (shift_right(sum, (1 - stored) as u32), 0)
    };
    // The leading bit, where it is, adds one to the exponent; so does a carry of the rounding.
    let kept = (sum >> BELOW) as u32;
    let rest = sum << (64 - BELOW);
    let half = 1 << 63;
    let up = rest > half || rest == half && kept & 1 == 1;
    f32::from_bits(sign | ((stored << STORED) + kept + u32::from(up)))
}

/// Shifts, and keeps in the lowest bit whether any bit was lost.
fn shift_right(x: u64, by: u32) -> u64 {
    match by {
        0 => x,
        1..64 => x >> by | u64::from(x << (64 - by) != 0),
        _ => u64::from(x != 0),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::fma;

    fn same(a: f32, b: f32, c: f32) {
        let (found, expected) = (fma(a, b, c), a.mul_add(b, c));
        assert!(
            found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan(),
            "{a:e} · {b:e} + {c:e} = {expected:e}, not {found:e}"
        );
    }

    #[test]
    fn edges_are_those_of_the_instruction() {
        let edges = [
            0.0,
            1.0,
            f32::MIN_POSITIVE,
            f32::from_bits(1),
            f32::from_bits(0x007f_ffff),
            f32::MAX,
            f32::INFINITY,
            f32::NAN,
            1.0 + f32::EPSILON,
            1.0 - f32::EPSILON / 2.0,
            8_388_609.0,
            2f32.powi(-75),
            1.5 * 2f32.powi(-74),
        ];
        let edges: Vec<f32> = edges.into_iter().flat_map(|x| [x, -x]).collect();
        for &a in &edges {
            for &b in &edges {
                for &c in &edges {
                    same(a, b, c);
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100_000))]

        #[test]
        fn any_three_numbers_give_the_bits_of_the_instruction(a: u32, b: u32, c: u32) {
            same(f32::from_bits(a), f32::from_bits(b), f32::from_bits(c));
        }

        #[test]
        fn sums_that_nearly_cancel_give_the_bits_of_the_instruction(
            a in 0.5f32..2.0,
            b in 0.5f32..2.0,
            ulps in -3i32..=3,
            scale in -30i32..=30,
        ) {
            let c = -f32::from_bits((a * b).to_bits().wrapping_add_signed(ulps));
            same(a, b, c);
            let scale = 2f32.powi(scale);
            same(a, b, c * scale);
        }

        #[test]
        fn denormal_results_give_the_bits_of_the_instruction(
            a: u32,
            b: u32,
            c in 0u32..0x0100_0000,
            apart in 100u32..160,
        ) {
            let number = |bits: u32, exponent: u32| {
                f32::from_bits(bits & 0x807f_ffff | exponent << 23)
            };
            same(number(a, apart / 2), number(b, 127 - apart / 3), f32::from_bits(c));
        }
    }
}
