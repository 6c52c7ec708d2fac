//! From arguments to generation options, and from a summary to words.

use tealight::{CancelToken, GenerateOptions, Summary};

use crate::args::AnswerArgs;

/// The options that the arguments ask for; what they leave out is the model's own default.
pub(crate) fn options(args: &AnswerArgs, cancel: &CancelToken) -> GenerateOptions {
    let mut options = GenerateOptions::new().cancel_token(cancel.clone());
    options.max_tokens = args.max_tokens;
    options.temperature = if args.greedy {
        Some(0.0)
    } else {
        args.temperature
    };
    options.top_k = args.top_k;
    options.top_p = args.top_p;
    options.min_p = args.min_p;
    options.repetition_penalty = args.repeat_penalty;
    options.frequency_penalty = args.frequency_penalty;
    options.presence_penalty = args.presence_penalty;
    options.seed = args.seed;
    options.stop = args.stop.clone();
    options
}

/// What an answer took, on one line. Speeds of nothing are left out.
pub(crate) fn stats(summary: &Summary) -> String {
    let usage = &summary.usage;
    let at = |speed: f64| match speed {
        speed if speed > 0.0 => format!(" at {speed:.1} tokens/s"),
        _ => String::new(),
    };
    let wait = usage.time_to_first_token.map_or(String::new(), |wait| {
        format!(", the first after {:.0} ms", wait.as_secs_f64() * 1e3)
    });
    format!(
        "[{} tokens read{} ({} more were known), {} said{}{wait}; {}]",
        usage.prompt_tokens - usage.reused_tokens,
        at(usage.prefill_tokens_per_second),
        usage.reused_tokens,
        usage.generated_tokens,
        at(usage.decode_tokens_per_second),
        summary.reason.name().replace('_', " "),
    )
}
