//! Logits to log-probabilities.
//!
//! ```
//! use tealight::logprobs;
//!
//! let logits = [1.0, 3.0, 2.0];
//! let top = logprobs::top(&logits, 2);
//! assert_eq!((top[0].token, top[1].token), (1, 2));
//! assert_eq!(top[0].logprob, logprobs::of(&logits, 1));
//! ```

use crate::TokenId;

/// A token and the natural logarithm of its probability.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct LogProb {
    /// The token.
    pub token: TokenId,
    /// At most 0.
    pub logprob: f64,
}

/// The logarithm of the sum of the logits' exponentials, in double precision.
pub fn log_sum_exp(logits: &[f32]) -> f64 {
    let most = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    if !most.is_finite() {
        return most;
    }
    most + logits
        .iter()
        .map(|logit| (f64::from(*logit) - most).exp())
        .sum::<f64>()
        .ln()
}

/// The log-probability of one token; −∞ if there is no such token.
pub fn of(logits: &[f32], token: TokenId) -> f64 {
    match logits.get(token as usize) {
        Some(logit) => f64::from(*logit) - log_sum_exp(logits),
        None => f64::NEG_INFINITY,
    }
}

/// The `count` likeliest tokens, likeliest first; among equals the lower id.
pub fn top(logits: &[f32], count: usize) -> Vec<LogProb> {
    let mut order: Vec<TokenId> = (0..logits.len() as TokenId).collect();
    let by_rank = |a: &TokenId, b: &TokenId| {
        logits[*b as usize]
            .total_cmp(&logits[*a as usize])
            .then(a.cmp(b))
    };
    let count = count.min(order.len());
    if count < order.len() {
        order.select_nth_unstable_by(count, by_rank);
    }
    order.truncate(count);
    order.sort_unstable_by(by_rank);
    let total = log_sum_exp(logits);
    let entry = |token| LogProb {
        token,
        logprob: f64::from(logits[token as usize]) - total,
    };
    order.into_iter().map(entry).collect()
}
