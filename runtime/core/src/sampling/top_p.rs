//! Keeps the likeliest tokens that together reach a probability (Holtzman et al. 2019,
//! "nucleus sampling").

use super::Candidate;
use super::candidates::keep_from;

/// How many tokens are sorted before their sum is tried for the first time.
const FIRST_TRY: usize = 64;

/// The shortest run of likeliest tokens whose weights reach `p · total`, likeliest first; at
/// least one. All candidates in their order if `p` is 1 or more.
pub(super) fn keep(candidates: &mut [Candidate], total: f64, p: f32) -> &mut [Candidate] {
    if p >= 1.0 || p.is_nan() {
        return candidates;
    }
    let wanted = total * f64::from(p.max(0.0));
    // All tokens below this weight together are less than what may be missing.
    let least = (total - wanted) / candidates.len() as f64;
    let candidates = keep_from(candidates, least as f32);
    let mut tried = FIRST_TRY;
    loop {
        let sorted = sort_first(candidates, tried);
        if let Some(count) = reach(&candidates[..sorted], wanted) {
            return &mut candidates[..count];
        }
        if sorted == candidates.len() {
            return candidates;
        }
        tried *= 8;
    }
}

/// Puts the `count` likeliest candidates in front, in order; returns how many there were.
fn sort_first(candidates: &mut [Candidate], count: usize) -> usize {
    let count = count.min(candidates.len());
    if count < candidates.len() {
        candidates.select_nth_unstable_by(count, Candidate::by_rank);
    }
    candidates[..count].sort_unstable_by(Candidate::by_rank);
    count
}

/// How many of the sorted candidates it takes to reach a sum.
fn reach(sorted: &[Candidate], wanted: f64) -> Option<usize> {
    let mut sum = 0.0;
    sorted
        .iter()
        .position(|candidate| {
            sum += f64::from(candidate.value);
            sum >= wanted
        })
        .map(|at| at + 1)
}
