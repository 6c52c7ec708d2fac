//! The likeliest token.

use super::candidates::possible;

/// The token with the highest logit; among equals the lowest id, 0 if none is possible.
pub fn greedy(logits: &[f32]) -> u32 {
    let mut best = 0;
    let mut most = f32::NEG_INFINITY;
    for (token, logit) in logits.iter().enumerate() {
        if let Some(logit) = possible(*logit)
            && logit > most
        {
            (best, most) = (token, logit);
        }
    }
    best as u32
}
