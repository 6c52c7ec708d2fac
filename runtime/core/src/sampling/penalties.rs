//! Lowers the logits of tokens that have occurred.

use super::{Candidate, SamplingParams};

/// Changes `logits` for the tokens in the window of `history`; ids out of range are ignored.
///
/// `scratch` is used for counting; with fewer entries than the window has tokens, counting
/// takes time quadratic in the window instead.
pub(super) fn apply(
    params: &SamplingParams,
    logits: &mut [f32],
    history: &[u32],
    scratch: &mut [Candidate],
) {
    let neutral = params.repetition_penalty == 1.0
        && params.frequency_penalty == 0.0
        && params.presence_penalty == 0.0;
    if neutral {
        return;
    }
    let start = match params.penalty_window {
        0 => 0,
        window => history.len().saturating_sub(window),
    };
    for_each_count(&history[start..], scratch, |token, count| {
        if let Some(logit) = logits.get_mut(token as usize) {
            *logit = penalised(params, *logit, count);
        }
    });
}

fn penalised(params: &SamplingParams, logit: f32, count: usize) -> f32 {
    let repeated = if logit > 0.0 {
        logit / params.repetition_penalty
    } else {
        logit * params.repetition_penalty
    };
    let penalty = params.frequency_penalty * count as f32 + params.presence_penalty;
    repeated - penalty
}

/// Calls `f` once for each distinct token with how often it occurs.
fn for_each_count(tokens: &[u32], scratch: &mut [Candidate], mut f: impl FnMut(u32, usize)) {
    if let Some(sorted) = scratch.get_mut(..tokens.len()) {
        for (entry, token) in sorted.iter_mut().zip(tokens) {
            (entry.token, entry.value) = (*token, 0.0);
        }
        // By the tokens, as all are equally likely: flash needs only one order's code.
        sorted.sort_unstable_by(Candidate::by_rank);
        for run in sorted.chunk_by(|a, b| a.token == b.token) {
            f(run[0].token, run.len());
        }
    } else {
        for (at, token) in tokens.iter().enumerate() {
            if !tokens[..at].contains(token) {
                f(
                    *token,
                    tokens[at..].iter().filter(|other| *other == token).count(),
                );
            }
        }
    }
}
