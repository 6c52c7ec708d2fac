//! `tealight perplexity`: how well a model foretells a text.
//!
//! The text is tokenized as it stands, without special tokens around it. It is cut into windows of
//! the context's size; in each, every token but the first is foretold from those before it, and
//! those count that come after the window's first `--skip` tokens. (With a context of 2n and n + 1
//! skipped they are those that llama.cpp's `llama-perplexity` counts.) Perplexity is `exp` of the
//! mean negative log-probability (natural logarithm) of the tokens that count.

use std::fs;
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::ProgressBar;
use serde::Serialize;
use serde_json::json;
use tealight::logprobs::{self, LogProb};
use tealight::{Session, SessionOptions, TokenId};

use crate::args::{ModelArgs, ThreadArgs, at_least_one};
use crate::exit::Failure;
use crate::{open, terminal, units};

/// Measure how well a model foretells a text
#[derive(Args, Debug)]
pub(crate) struct PerplexityArgs {
    /// The text, UTF-8
    #[arg(short, long, value_name = "TEXT")]
    file: PathBuf,

    /// Take only this many tokens of the text
    #[arg(short = 'n', long, value_name = "N", value_parser = at_least_one)]
    max_tokens: Option<usize>,

    /// Count only tokens that at least this many others of their window come before, since the
    /// first ones have little to be foretold from
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = at_least_one)]
    skip: usize,

    /// Write a line of JSON for every token that counts: its position and id, its log-probability,
    /// and the five likeliest tokens in its place
    #[arg(long, value_name = "FILE")]
    logprobs: Option<PathBuf>,

    /// Print {"perplexity":…,"tokens":…,"counted":…}
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    threads: ThreadArgs,
}

/// A line of `--logprobs`.
#[derive(Serialize)]
struct Line {
    /// Index of the token in the text.
    position: usize,
    /// The token that is there.
    #[serde(flatten)]
    token: LogProb,
    /// What the model held likeliest there.
    top: Vec<LogProb>,
}

/// How many of the likeliest tokens a line has.
const TOP: usize = 5;

pub(crate) fn run(args: &PerplexityArgs) -> Result<(), Failure> {
    let text = open::text_of(&args.file)?;
    let model = open::model(&args.model, args.threads.threads.count())?;
    let tokenizer = model.tokenizer()?;
    let mut tokens = tokenizer.encode(&text, false).map_err(|error| {
        Failure::input(format!("cannot tokenize {}", args.file.display()), &error)
    })?;
    tokens.truncate(args.max_tokens.unwrap_or(usize::MAX));
    if tokens.len() < 2 {
        return Err(Failure::usage(
            "the text has fewer than two tokens: nothing can be foretold",
        ));
    }
    let info = model.info();
    let most = args.model.context.unwrap_or(info.context.min(4096));
    let options = SessionOptions::new().context(most.min(tokens.len()));
    let mut session = Session::new(&model, &options)?;

    let mut score = Score {
        skip: args.skip,
        loss: 0.0,
        foretold: 0,
        lines: args.logprobs.as_ref().map(|_| vec![]),
    };
    let bar = progress(tokens.len());
    let capacity = session.capacity();
    if args.skip >= capacity {
        let what = format!(
            "--skip {} leaves nothing of windows of {capacity} tokens",
            args.skip
        );
        return Err(Failure::usage(what));
    }
    for (index, window) in tokens.chunks(capacity).enumerate() {
        score.add(&mut session, window, index * capacity, &bar)?;
    }
    bar.finish_and_clear();
    if let (Some(path), Some(lines)) = (&args.logprobs, &score.lines) {
        write_whole(path, lines)?;
    }
    let mut out = stdout().lock();
    if args.json {
        let object = json!({
            "perplexity": score.perplexity(),
            "tokens": tokens.len(),
            "counted": score.foretold,
        });
        writeln!(out, "{object}")?;
    } else {
        let (perplexity, tokens) = (score.perplexity(), tokens.len());
        let size = units::bytes(info.file_bytes);
        writeln!(
            out,
            "{} ({size}): perplexity {perplexity:.4} over {tokens} tokens",
            info.name
        )?;
    }
    Ok(())
}

/// What has been foretold so far.
struct Score {
    /// Tokens at each window's start that do not count.
    skip: usize,
    /// Sum of negative log-probabilities.
    loss: f64,
    foretold: usize,
    /// Lines of JSON, if they are wanted.
    lines: Option<Vec<u8>>,
}

impl Score {
    /// Foretells `window`, whose first token is the text's token `start`.
    fn add(
        &mut self,
        session: &mut Session,
        window: &[TokenId],
        start: usize,
        bar: &ProgressBar,
    ) -> Result<(), Failure> {
        session.score(window, |position, logits| {
            bar.inc(1);
            let Some(&token) = window
                .get(position + 1)
                .filter(|_| position + 1 >= self.skip)
            else {
                return;
            };
            let logprob = logprobs::of(logits, token);
            self.loss -= logprob;
            self.foretold += 1;
            if let Some(lines) = &mut self.lines {
                let line = Line {
                    position: start + position + 1,
                    token: LogProb { token, logprob },
                    top: logprobs::top(logits, TOP),
                };
                // Numbers and fixed names always become JSON, and memory takes every byte.
                let _ = serde_json::to_writer(&mut *lines, &line);
                lines.push(b'\n');
            }
        })?;
        Ok(())
    }

    fn perplexity(&self) -> f64 {
        (self.loss / self.foretold.max(1) as f64).exp()
    }
}

fn progress(tokens: usize) -> ProgressBar {
    if terminal::shows_bars() {
        ProgressBar::new(tokens as u64)
    } else {
        ProgressBar::hidden()
    }
}

/// Writes a file, or leaves none: a part of it would look like the whole.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    fs::write(path, bytes).map_err(|error| {
        if fs::metadata(path).is_ok_and(|found| found.is_file()) {
            let _ = fs::remove_file(path);
        }
        Failure::output(path.display(), &error)
    })
}
