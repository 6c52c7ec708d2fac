//! Tokens that may be drawn, and their weights.

use core::cmp::Ordering;

use crate::math;

/// A token that may be drawn: scratch space for a [`Sampler`](super::Sampler).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Candidate {
    /// The token's id.
    pub(super) token: u32,
    /// First its logit, then its weight: its probability in relation to the likeliest token's.
    pub(super) value: f32,
}

impl Candidate {
    /// The likelier first; among equals the lower id.
    pub(super) fn by_rank(&self, other: &Candidate) -> Ordering {
        other
            .value
            .total_cmp(&self.value)
            .then(self.token.cmp(&other.token))
    }
}

/// A logit as something that can be compared and subtracted; `None` if it is impossible.
pub(super) fn possible(logit: f32) -> Option<f32> {
    if logit.is_nan() || logit == f32::NEG_INFINITY {
        None
    } else {
        // Adding zero makes −0 equal to 0 in a total order.
        Some(logit.min(f32::MAX) + 0.0)
    }
}

/// Turns logits into weights at a temperature and returns their sum.
///
/// The sum runs in the order of `candidates`, which depends on nothing but the logits.
pub(super) fn weigh(candidates: &mut [Candidate], temperature: f32) -> f64 {
    let most = candidates
        .iter()
        .map(|c| c.value)
        .fold(f32::NEG_INFINITY, f32::max);
    let mut total = 0.0;
    for candidate in candidates {
        let below = (candidate.value - most) / temperature;
        // Below −87 the weight is less than the smallest normal number.
        candidate.value = if below > -87.0 { math::exp(below) } else { 0.0 };
        total += f64::from(candidate.value);
    }
    total
}

/// The candidates whose weight is at least `least`, in their order.
pub(super) fn keep_from(candidates: &mut [Candidate], least: f32) -> &mut [Candidate] {
    let mut kept = 0;
    for at in 0..candidates.len() {
        if candidates[at].value >= least {
            candidates[kept] = candidates[at];
            kept += 1;
        }
    }
    &mut candidates[..kept]
}
