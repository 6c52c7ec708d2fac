//! Sizes and indices as linear forms in the positions that came before and the tokens of a step.

use std::fmt;

/// `constant + past · p + sequence · s`, with `p ≥ 0` positions before the step and `s ≥ 1`
/// tokens in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub(crate) struct Dim {
    pub(crate) constant: i64,
    pub(crate) past: i64,
    pub(crate) sequence: i64,
}

impl Dim {
    /// Positions before the step.
    pub(crate) const PAST: Dim = Dim {
        constant: 0,
        past: 1,
        sequence: 0,
    };
    /// Tokens of the step.
    pub(crate) const SEQUENCE: Dim = Dim {
        constant: 0,
        past: 0,
        sequence: 1,
    };
    /// Both together.
    pub(crate) const TOTAL: Dim = Dim {
        constant: 0,
        past: 1,
        sequence: 1,
    };
    pub(crate) const ONE: Dim = Dim::new(1);

    pub(crate) const fn new(constant: i64) -> Dim {
        Dim {
            constant,
            past: 0,
            sequence: 0,
        }
    }

    /// The number, if it is one.
    pub(crate) fn number(self) -> Option<i64> {
        (self.past == 0 && self.sequence == 0).then_some(self.constant)
    }

    /// The number as a size.
    pub(crate) fn size(self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    pub(crate) fn add(self, other: Dim) -> Option<Dim> {
        self.zip(other, i64::checked_add)
    }

    pub(crate) fn sub(self, other: Dim) -> Option<Dim> {
        self.zip(other, i64::checked_sub)
    }

    /// The product, where it is linear.
    pub(crate) fn mul(self, other: Dim) -> Option<Dim> {
        match (self.number(), other.number()) {
            (Some(factor), _) => other.zip(Dim::default(), |a, _| a.checked_mul(factor)),
            (_, Some(factor)) => self.zip(Dim::default(), |a, _| a.checked_mul(factor)),
            _ => None,
        }
    }

    /// The quotient of integers, where nothing is left over or both are numbers that are not
    /// negative.
    pub(crate) fn div(self, by: i64) -> Option<Dim> {
        if let (Some(number), true) = (self.number(), by > 0) {
            return (number >= 0).then(|| Dim::new(number / by));
        }
        let whole = |a: i64| a.checked_rem(by).filter(|&rest| rest == 0).map(|_| a / by);
        Some(Dim {
            constant: whole(self.constant)?,
            past: whole(self.past)?,
            sequence: whole(self.sequence)?,
        })
    }

    /// The greatest number that divides every part; 1 for zero.
    pub(crate) fn common_factor(self) -> i64 {
        let parts = [self.constant, self.past, self.sequence];
        let gcd = parts.into_iter().fold(0, |a, b| gcd(a, b.unsigned_abs()));
        i64::try_from(gcd).unwrap_or(1).max(1)
    }

    /// The least value it can take; `None` if there is no least one.
    pub(crate) fn least(self) -> Option<i64> {
        (self.past >= 0 && self.sequence >= 0)
            .then(|| self.constant.checked_add(self.sequence))
            .flatten()
    }

    /// The greatest value it can take; `None` if there is no greatest one.
    pub(crate) fn greatest(self) -> Option<i64> {
        (self.past <= 0 && self.sequence <= 0)
            .then(|| self.constant.checked_add(self.sequence))
            .flatten()
    }

    /// Whether the two are equal, if it is the same answer for every step.
    pub(crate) fn same(self, other: Dim) -> Option<bool> {
        let difference = self.sub(other)?;
        if difference == Dim::default() {
            return Some(true);
        }
        let apart = difference.least().is_some_and(|least| least > 0)
            || difference.greatest().is_some_and(|greatest| greatest < 0);
        apart.then_some(false)
    }

    fn zip(self, other: Dim, f: impl Fn(i64, i64) -> Option<i64>) -> Option<Dim> {
        Some(Dim {
            constant: f(self.constant, other.constant)?,
            past: f(self.past, other.past)?,
            sequence: f(self.sequence, other.sequence)?,
        })
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

impl From<usize> for Dim {
    /// Sizes of stored tensors, which fit by construction.
    fn from(size: usize) -> Dim {
        Dim::new(i64::try_from(size).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for Dim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.constant)?;
        for (factor, name) in [(self.past, "past"), (self.sequence, "sequence")] {
            match factor {
                0 => {}
                1 => write!(f, " + {name}")?,
                _ => write!(f, " + {factor}·{name}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_never_minus_one() {
        assert_eq!(Dim::TOTAL.same(Dim::new(-1)), Some(false));
        assert_eq!(Dim::TOTAL.same(Dim::TOTAL), Some(true));
        assert_eq!(Dim::SEQUENCE.same(Dim::ONE), None);
    }

    #[test]
    fn products_of_symbols_and_overflows_are_not_formed() {
        assert_eq!(Dim::PAST.mul(Dim::SEQUENCE), None);
        assert_eq!(Dim::new(i64::MAX).add(Dim::ONE), None);
        assert_eq!(Dim::TOTAL.mul(Dim::new(2)).map(|d| d.past), Some(2));
    }
}
