//! Keeps the tokens that are not much less likely than the likeliest (Nguyen et al. 2024).

use super::Candidate;
use super::candidates::keep_from;

/// The candidates whose weight is at least `min_p`, in their order. The likeliest has weight 1,
/// so at least one stays.
pub(super) fn keep(candidates: &mut [Candidate], min_p: f32) -> &mut [Candidate] {
    if min_p.is_nan() || min_p <= 0.0 {
        return candidates;
    }
    keep_from(candidates, min_p.min(1.0))
}
