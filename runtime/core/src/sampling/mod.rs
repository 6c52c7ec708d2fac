//! From logits to the next token.
//!
//! A [`Sampler`] takes one row of logits and the tokens so far and returns a token id. Its
//! stages run in this order, each in its own file; a stage whose parameter is at its neutral
//! value is skipped:
//!
//! 1. [`penalties`](SamplingParams::repetition_penalty): repetition, then frequency and
//!    presence, change the logits of tokens that occur in the history;
//! 2. temperature: logits are divided by it; zero means greedy, and nothing below runs;
//! 3. top-k: only the `k` likeliest tokens stay;
//! 4. top-p: only the likeliest tokens that together reach probability `p` stay;
//! 5. min-p: only tokens at least `min_p` times as likely as the likeliest stay;
//! 6. one token is drawn from what is left.
//!
//! This is the order of `transformers`, whose `generation_config.json` supplies most models'
//! defaults. (llama.cpp truncates first and applies the temperature last, which keeps fewer
//! tokens when the temperature is above one.)
//!
//! Everything is computed with arithmetic that is the same on every processor, so the same
//! logits, parameters and seed give the same tokens on every machine. NaN logits count as
//! impossible. Nothing allocates: the caller lends a scratch slice.
//!
//! ```
//! use tealight_core::sampling::{Candidate, Sampler, SamplingParams};
//!
//! let mut sampler = Sampler::new(SamplingParams { top_k: 2, seed: 7, ..Default::default() });
//! let mut scratch = [Candidate::default(); 4];
//! let mut logits = [0.5, 3.0, -1.0, 2.9];
//! let token = sampler.sample(&mut logits, &[], &mut scratch);
//! assert!(token == 1 || token == 3);
//! ```

mod candidates;
mod draw;
mod greedy;
mod min_p;
mod penalties;
mod rng;
mod top_k;
mod top_p;

pub use candidates::Candidate;
pub use greedy::greedy;
pub use rng::Rng;

/// How tokens are chosen. The defaults sample from the model's own distribution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SamplingParams {
    /// Logits are divided by this. Zero, negative or NaN: greedy. Default 1.
    pub temperature: f32,
    /// How many of the likeliest tokens stay; 0 is all. Default 0.
    pub top_k: usize,
    /// Probability that the likeliest tokens must reach together; 1 or more is all. Default 1.
    pub top_p: f32,
    /// Least probability in relation to the likeliest token's; 0 is none. Default 0.
    pub min_p: f32,
    /// Positive logits of tokens in the history are divided by this, negative ones multiplied
    /// (Keskar et al. 2019, "CTRL"). Default 1.
    pub repetition_penalty: f32,
    /// Subtracted from a token's logit for every time it occurs in the history. Default 0.
    pub frequency_penalty: f32,
    /// Subtracted from a token's logit if it occurs in the history. Default 0.
    pub presence_penalty: f32,
    /// How many of the last tokens of the history the penalties look at; 0 is all. Default 0.
    pub penalty_window: usize,
    /// Chooses the sequence of random numbers. Default 0.
    pub seed: u64,
}

impl Default for SamplingParams {
    fn default() -> SamplingParams {
        SamplingParams {
            temperature: 1.0,
            top_k: 0,
            top_p: 1.0,
            min_p: 0.0,
            repetition_penalty: 1.0,
            frequency_penalty: 0.0,
            presence_penalty: 0.0,
            penalty_window: 0,
            seed: 0,
        }
    }
}

impl SamplingParams {
    /// Always the likeliest token.
    pub const fn greedy() -> SamplingParams {
        SamplingParams {
            temperature: 0.0,
            top_k: 0,
            top_p: 1.0,
            min_p: 0.0,
            repetition_penalty: 1.0,
            frequency_penalty: 0.0,
            presence_penalty: 0.0,
            penalty_window: 0,
            seed: 0,
        }
    }

    /// Whether the likeliest token is always taken.
    pub fn is_greedy(&self) -> bool {
        self.temperature.is_nan() || self.temperature <= 0.0 || self.top_k == 1
    }
}

/// Chooses tokens by [`SamplingParams`], with a random number generator of its own.
#[derive(Clone, Debug)]
pub struct Sampler {
    params: SamplingParams,
    rng: Rng,
}

impl Sampler {
    /// A sampler at the start of its seed's sequence.
    pub fn new(params: SamplingParams) -> Sampler {
        Sampler {
            params,
            rng: Rng::new(params.seed),
        }
    }

    /// What it was made with.
    pub fn params(&self) -> &SamplingParams {
        &self.params
    }

    /// The next token, given one row of logits and the tokens so far.
    ///
    /// `logits` are changed in place by the penalties. `scratch` bounds how many tokens take
    /// part in the draw: with fewer entries than logits only the likeliest do, as if `top_k`
    /// were its length; with none the choice is greedy. A vocabulary's worth of entries is
    /// never too little. Returns 0 if `logits` is empty or holds nothing but −∞ and NaN.
    pub fn sample(
        &mut self,
        logits: &mut [f32],
        history: &[u32],
        scratch: &mut [Candidate],
    ) -> u32 {
        penalties::apply(&self.params, logits, history, scratch);
        if self.params.is_greedy() || scratch.is_empty() {
            return greedy(logits);
        }
        let mut kept = top_k::select(logits, self.params.top_k, scratch);
        let total = candidates::weigh(kept, self.params.temperature);
        kept = top_p::keep(kept, total, self.params.top_p);
        kept = min_p::keep(kept, self.params.min_p);
        match draw::draw(kept, &mut self.rng) {
            Some(token) => token,
            None => greedy(logits),
        }
    }
}

#[cfg(test)]
mod tests;
