//! What a generation tells while it runs.

use std::time::Duration;

/// Something that happened in a generation.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// More text, in whole characters.
    Text(String),
    /// The last event.
    Done(Summary),
}

/// How a generation ended and what it took.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// Why it ended.
    pub reason: FinishReason,
    /// What it took.
    pub usage: Usage,
}

/// Why a generation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FinishReason {
    /// The model said a token that ends the text.
    EndOfText,
    /// The text reached one of the caller's stop strings, which is not part of it.
    StopString,
    /// The token budget was spent, or the context is full.
    Length,
    /// The caller's [`CancelToken`](crate::CancelToken) was cancelled.
    Cancelled,
}

impl FinishReason {
    /// `end_of_text`, `stop_string`, `length` or `cancelled`.
    pub fn name(self) -> &'static str {
        match self {
            FinishReason::EndOfText => "end_of_text",
            FinishReason::StopString => "stop_string",
            FinishReason::Length => "length",
            FinishReason::Cancelled => "cancelled",
        }
    }
}

/// Tokens and time that a generation took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Usage {
    /// Tokens of the prompt.
    pub prompt_tokens: usize,
    /// How many of them were still in the KV cache and cost nothing.
    pub reused_tokens: usize,
    /// Tokens that the model said, the one that ends the text included.
    pub generated_tokens: usize,
    /// Speed through the rest of the prompt, in tokens/s; 0 if it was not finished.
    pub prefill_tokens_per_second: f64,
    /// Speed after the first token, in tokens/s; 0 with fewer than two tokens.
    pub decode_tokens_per_second: f64,
    /// From the call to the first token; `None` if there was none.
    pub time_to_first_token: Option<Duration>,
}
