//! How to generate.

use std::hash::{BuildHasher, RandomState};

use tealight_core::sampling::SamplingParams;

use crate::defaults::GenerationDefaults;
use crate::{CancelToken, TokenId};

/// How a text is generated. Whatever is left open is the model's own default.
///
/// ```
/// let options = tealight::GenerateOptions::new()
///     .max_tokens(200)
///     .temperature(0.7)
///     .top_p(0.9)
///     .seed(7)
///     .stop("\n\n");
/// # let _ = options;
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct GenerateOptions {
    /// Most tokens that the model says; as many as the context has room for if absent. With 0
    /// the prompt is read and nothing is said.
    pub max_tokens: Option<usize>,
    /// See [`SamplingParams::temperature`]; 0 is greedy.
    pub temperature: Option<f32>,
    /// See [`SamplingParams::top_k`].
    pub top_k: Option<usize>,
    /// See [`SamplingParams::top_p`].
    pub top_p: Option<f32>,
    /// See [`SamplingParams::min_p`].
    pub min_p: Option<f32>,
    /// See [`SamplingParams::repetition_penalty`].
    pub repetition_penalty: Option<f32>,
    /// See [`SamplingParams::frequency_penalty`].
    pub frequency_penalty: Option<f32>,
    /// See [`SamplingParams::presence_penalty`].
    pub presence_penalty: Option<f32>,
    /// See [`SamplingParams::penalty_window`].
    pub penalty_window: Option<usize>,
    /// The same seed gives the same text; a new one each time if absent.
    pub seed: Option<u64>,
    /// The text ends before the first of these.
    pub stop: Vec<String>,
    /// Tokens that end the text, beside the model's own.
    pub stop_tokens: Vec<TokenId>,
    /// Goes on after tokens that end the text, and says what its model's answers are not held to,
    /// to measure speed.
    pub ignore_end_of_text: bool,
    /// Stops the generation when it is cancelled. Clones of the options share it.
    pub cancel: CancelToken,
}

impl GenerateOptions {
    /// The model's own defaults.
    pub fn new() -> GenerateOptions {
        GenerateOptions::default()
    }

    /// Always the likeliest token.
    pub fn greedy(self) -> GenerateOptions {
        self.temperature(0.0)
    }

    /// Most tokens that the model says.
    pub fn max_tokens(mut self, tokens: usize) -> GenerateOptions {
        self.max_tokens = Some(tokens);
        self
    }

    /// Sets [`temperature`](GenerateOptions::temperature).
    pub fn temperature(mut self, temperature: f32) -> GenerateOptions {
        self.temperature = Some(temperature);
        self
    }

    /// Sets [`top_k`](GenerateOptions::top_k).
    pub fn top_k(mut self, k: usize) -> GenerateOptions {
        self.top_k = Some(k);
        self
    }

    /// Sets [`top_p`](GenerateOptions::top_p).
    pub fn top_p(mut self, p: f32) -> GenerateOptions {
        self.top_p = Some(p);
        self
    }

    /// Sets [`min_p`](GenerateOptions::min_p).
    pub fn min_p(mut self, p: f32) -> GenerateOptions {
        self.min_p = Some(p);
        self
    }

    /// Sets [`repetition_penalty`](GenerateOptions::repetition_penalty).
    pub fn repetition_penalty(mut self, penalty: f32) -> GenerateOptions {
        self.repetition_penalty = Some(penalty);
        self
    }

    /// Sets [`frequency_penalty`](GenerateOptions::frequency_penalty).
    pub fn frequency_penalty(mut self, penalty: f32) -> GenerateOptions {
        self.frequency_penalty = Some(penalty);
        self
    }

    /// Sets [`presence_penalty`](GenerateOptions::presence_penalty).
    pub fn presence_penalty(mut self, penalty: f32) -> GenerateOptions {
        self.presence_penalty = Some(penalty);
        self
    }

    /// Sets [`penalty_window`](GenerateOptions::penalty_window).
    pub fn penalty_window(mut self, tokens: usize) -> GenerateOptions {
        self.penalty_window = Some(tokens);
        self
    }

    /// Sets [`ignore_end_of_text`](GenerateOptions::ignore_end_of_text).
    pub fn ignore_end_of_text(mut self, ignore: bool) -> GenerateOptions {
        self.ignore_end_of_text = ignore;
        self
    }

    /// Sets [`seed`](GenerateOptions::seed).
    pub fn seed(mut self, seed: u64) -> GenerateOptions {
        self.seed = Some(seed);
        self
    }

    /// Adds a stop string.
    pub fn stop(mut self, text: impl Into<String>) -> GenerateOptions {
        self.stop.push(text.into());
        self
    }

    /// Adds a token that ends the text.
    pub fn stop_token(mut self, token: TokenId) -> GenerateOptions {
        self.stop_tokens.push(token);
        self
    }

    /// Lets the caller stop the generation from elsewhere.
    pub fn cancel_token(mut self, token: CancelToken) -> GenerateOptions {
        self.cancel = token;
        self
    }

    /// The sampling parameters, with the model's defaults where nothing is set.
    ///
    /// A caller who sets a temperature, top-k, top-p or min-p wants to sample, even where the
    /// model's default is greedy.
    pub fn sampling(&self, defaults: &GenerationDefaults) -> SamplingParams {
        let wants_sampling = self.top_k.is_some() || self.top_p.is_some() || self.min_p.is_some();
        let mut params = defaults.sampling();
        if params.is_greedy() && wants_sampling {
            params.temperature = defaults.temperature.filter(|t| *t > 0.0).unwrap_or(1.0);
        }
        let own = |own: Option<f32>, default: f32| own.unwrap_or(default);
        SamplingParams {
            temperature: own(self.temperature, params.temperature),
            top_k: self.top_k.unwrap_or(params.top_k),
            top_p: own(self.top_p, params.top_p),
            min_p: own(self.min_p, params.min_p),
            repetition_penalty: own(self.repetition_penalty, params.repetition_penalty),
            frequency_penalty: own(self.frequency_penalty, params.frequency_penalty),
            presence_penalty: own(self.presence_penalty, params.presence_penalty),
            penalty_window: self.penalty_window.unwrap_or(params.penalty_window),
            // The hasher's keys are the standard library's only source of randomness.
            seed: self.seed.unwrap_or_else(|| RandomState::new().hash_one(())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn defaults(do_sample: Option<bool>) -> GenerationDefaults {
        GenerationDefaults {
            do_sample,
            temperature: Some(0.6),
            top_p: Some(0.9),
            repetition_penalty: Some(1.1),
            ..GenerationDefaults::default()
        }
    }

    #[test]
    fn a_model_that_does_not_ask_for_sampling_is_greedy() {
        for do_sample in [None, Some(false)] {
            let params = GenerateOptions::new().sampling(&defaults(do_sample));
            assert!(params.is_greedy());
            assert_eq!(params.repetition_penalty, 1.1);
        }
    }

    #[test]
    fn a_model_that_asks_for_sampling_gets_what_it_asks_for() {
        let params = GenerateOptions::new()
            .seed(3)
            .sampling(&defaults(Some(true)));
        assert_eq!(
            (params.temperature, params.top_k, params.top_p),
            (0.6, 50, 0.9)
        );
        assert_eq!(params.seed, 3);
    }

    #[test]
    fn what_the_caller_sets_comes_first() {
        let own = GenerateOptions::new()
            .temperature(0.2)
            .top_k(5)
            .repetition_penalty(1.0);
        let params = own.sampling(&defaults(Some(true)));
        assert_eq!(
            (params.temperature, params.top_k, params.top_p),
            (0.2, 5, 0.9)
        );
        assert_eq!(params.repetition_penalty, 1.0);
        assert!(
            own.clone()
                .greedy()
                .sampling(&defaults(Some(true)))
                .is_greedy()
        );
    }

    #[test]
    fn a_caller_who_truncates_wants_to_sample() {
        let params = GenerateOptions::new()
            .top_p(0.5)
            .sampling(&defaults(Some(false)));
        assert_eq!((params.temperature, params.top_p), (0.6, 0.5));
    }

    #[test]
    fn without_a_seed_every_generation_differs() {
        let seed = || {
            GenerateOptions::new()
                .sampling(&GenerationDefaults::default())
                .seed
        };
        assert_ne!(seed(), seed());
    }
}
