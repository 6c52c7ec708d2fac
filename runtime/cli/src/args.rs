//! The arguments that several commands share. Each means the same wherever it appears.

use clap::{Args, ValueEnum};

/// Which model, and how it is run.
#[derive(Args, Clone, Debug)]
pub(crate) struct ModelArgs {
    /// A folder with an ONNX export, a .onnx or .tea file, or a name from the catalogue (looked
    /// for in the folder that TEALIGHT_MODELS names); the embedded model when left out
    #[arg(short, long, value_name = "PATH|NAME", env = "TEALIGHT_MODEL")]
    pub(crate) model: Option<String>,

    /// Most tokens of context [default: what the model allows, at most 4096]
    #[arg(short, long, value_name = "TOKENS", value_parser = at_least_one)]
    pub(crate) context: Option<usize>,

    /// What inputs of quantized layers are computed in; f32 is slow, for debugging
    #[arg(long, value_name = "TYPE", default_value = "int8")]
    pub(crate) activations: ActivationsArg,

    /// How keys and values are kept [default: f16]
    #[arg(long, value_name = "TYPE")]
    pub(crate) kv: Option<KvArg>,

    /// Instructions to compute with, such as scalar, avx2 or dotprod [default: what
    /// TEALIGHT_CPU names, else the best that this processor has]
    #[arg(long, value_name = "NAME")]
    pub(crate) isa: Option<String>,
}

/// How many threads compute.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct ThreadArgs {
    /// Threads to compute with, or auto: as few as are fastest, found out once
    #[arg(short, long, value_name = "N|auto", value_parser = threads, default_value = "auto")]
    pub(crate) threads: Threads,
}

/// A number of threads, or what suits the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Threads {
    Auto,
    Count(usize),
}

impl Threads {
    /// As the library takes it.
    pub(crate) fn count(self) -> Option<usize> {
        match self {
            Threads::Auto => None,
            Threads::Count(count) => Some(count),
        }
    }
}

/// How an answer is chosen, and when it ends. What is left out is the model's own default.
#[derive(Args, Clone, Debug)]
pub(crate) struct AnswerArgs {
    /// Most tokens of an answer [default: what the context has room for]
    #[arg(short = 'n', long, value_name = "TOKENS")]
    pub(crate) max_tokens: Option<usize>,

    /// Always take the likeliest token
    #[arg(long, conflicts_with_all = ["temperature", "top_k", "top_p", "min_p"])]
    pub(crate) greedy: bool,

    /// Where the random choices start; the same seed gives the same text [default: another
    /// one each time]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,

    /// Above 1 for more variety, below for less; 0 is greedy
    #[arg(long, value_name = "T", value_parser = not_negative)]
    pub(crate) temperature: Option<f32>,

    /// Choose among this many of the likeliest tokens; 0 is all
    #[arg(long, value_name = "K")]
    pub(crate) top_k: Option<usize>,

    /// Choose among the likeliest tokens that reach this probability together
    #[arg(long, value_name = "P", value_parser = probability)]
    pub(crate) top_p: Option<f32>,

    /// Choose among tokens at least this likely beside the likeliest
    #[arg(long, value_name = "P", value_parser = probability)]
    pub(crate) min_p: Option<f32>,

    /// Divide the logits of tokens that were there before; 1 is off
    #[arg(long, value_name = "X", value_parser = positive)]
    pub(crate) repeat_penalty: Option<f32>,

    /// Subtract this from a token's logit for every time that it was there before
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub(crate) frequency_penalty: Option<f32>,

    /// Subtract this from the logits of tokens that were there before
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    pub(crate) presence_penalty: Option<f32>,

    /// End the answer before this text; may be given several times
    #[arg(long, value_name = "TEXT")]
    pub(crate) stop: Vec<String>,

    /// What the model is told before anything else
    #[arg(long, value_name = "TEXT")]
    pub(crate) system: Option<String>,
}

/// What inputs of quantized layers are computed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ActivationsArg {
    /// Integers with a scale for every 32.
    Int8,
    /// Floats.
    F32,
}

/// How keys and values are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KvArg {
    /// Half precision: half the memory.
    F16,
    /// Single precision.
    F32,
    /// int8: 0.63 of the memory of half precision.
    Int8,
}

/// A number of threads, or `auto`.
pub(crate) fn threads(text: &str) -> Result<Threads, String> {
    match text.parse() {
        Ok(count @ 1..=256) => Ok(Threads::Count(count)),
        _ if text == "auto" => Ok(Threads::Auto),
        _ => Err("must be a number from 1 to 256, or auto".to_owned()),
    }
}

/// A number of things of which there must be one.
pub(crate) fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count @ 1..) => Ok(count),
        _ => Err("must be a whole number above 0".to_owned()),
    }
}

fn not_negative(text: &str) -> Result<f32, String> {
    number(text, "at least 0", |x| x >= 0.0)
}

fn positive(text: &str) -> Result<f32, String> {
    number(text, "above 0", |x| x > 0.0)
}

fn probability(text: &str) -> Result<f32, String> {
    number(text, "between 0 and 1", |x| (0.0..=1.0).contains(&x))
}

fn number(text: &str, range: &str, allowed: impl Fn(f32) -> bool) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(value) if value.is_finite() && allowed(value) => Ok(value),
        _ => Err(format!("must be a number {range}")),
    }
}
