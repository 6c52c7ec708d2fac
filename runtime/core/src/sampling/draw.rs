//! Draws one token.

use super::{Candidate, Rng};

/// A token with probability proportional to its weight; `None` if there is nothing to draw.
pub(super) fn draw(candidates: &[Candidate], rng: &mut Rng) -> Option<u32> {
    let total: f64 = candidates.iter().map(|c| f64::from(c.value)).sum();
    let aim = rng.unit() * total;
    let mut sum = 0.0;
    for candidate in candidates {
        sum += f64::from(candidate.value);
        if sum > aim {
            return Some(candidate.token);
        }
    }
    None
}
