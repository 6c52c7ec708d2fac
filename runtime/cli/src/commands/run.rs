//! `tealight run`: one prompt in, its answer to standard output, and nothing else there.

use std::io::{self, IsTerminal, Read, Write};

use clap::Args;
use serde::Serialize;
use tealight::{
    CancelToken, ChatOptions, Event, FinishReason, GenerateOptions, Model, Session, SessionOptions,
    Summary, Usage,
};

use crate::args::{AnswerArgs, ModelArgs, ThreadArgs};
use crate::exit::Failure;
use crate::{generate, interrupt, open, terminal};

/// Answer one prompt
#[derive(Args, Debug)]
pub(crate) struct RunArgs {
    /// The prompt; standard input if left out or `-`
    prompt: Option<String>,

    /// Continue the prompt as plain text, without the model's chat template
    #[arg(long, conflicts_with = "system")]
    raw: bool,

    /// Print one JSON object with the text, the finish reason and the usage
    #[arg(long)]
    json: bool,

    /// Tell on standard error how long it took
    #[arg(long)]
    stats: bool,

    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    threads: ThreadArgs,
    #[command(flatten)]
    answer: AnswerArgs,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    text: &'a str,
    finish_reason: &'static str,
    usage: UsageReport,
}

#[derive(Serialize)]
struct UsageReport {
    prompt_tokens: usize,
    reused_tokens: usize,
    generated_tokens: usize,
    prefill_tokens_per_second: f64,
    decode_tokens_per_second: f64,
    time_to_first_token_ms: Option<f64>,
}

pub(crate) fn run(args: &RunArgs) -> Result<(), Failure> {
    let prompt = prompt(args.prompt.as_deref())?;
    let model = open::model(&args.model, args.threads.threads.count())?;
    let cancel = CancelToken::new();
    let options = generate::options(&args.answer, &cancel);
    let _guard = interrupt::catch(move || cancel.cancel());
    let mut out = Output {
        text: String::new(),
        streamed: !args.json,
    };
    let summary = if args.raw {
        raw(&model, &prompt, &options, &mut out)?
    } else {
        chat(
            &model,
            args.answer.system.as_deref(),
            prompt,
            &options,
            &mut out,
        )?
    };
    out.finish(&summary)?;
    if args.stats {
        eprintln!("{}", terminal::faint(&generate::stats(&summary)));
    }
    match summary.reason {
        FinishReason::Cancelled => Err(Failure::interrupted()),
        _ => Ok(()),
    }
}

fn chat(
    model: &Model,
    system: Option<&str>,
    prompt: String,
    options: &GenerateOptions,
    out: &mut Output,
) -> Result<Summary, Failure> {
    let mut beginning = ChatOptions::new();
    beginning.system = system.map(str::to_owned);
    let mut chat = model.chat_with(&beginning).map_err(|error| match error {
        tealight::Error::NoTemplate { .. } => Failure::from(error).advise("use --raw"),
        other => other.into(),
    })?;
    out.take(chat.send(prompt, options)?)
}

fn raw(
    model: &Model,
    prompt: &str,
    options: &GenerateOptions,
    out: &mut Output,
) -> Result<Summary, Failure> {
    let mut session = Session::new(model, &SessionOptions::new())?;
    out.take(session.generate(prompt, options)?)
}

/// The prompt that was given, or what standard input says, without the line's end.
fn prompt(given: Option<&str>) -> Result<String, Failure> {
    match given {
        Some(prompt) if prompt != "-" => return Ok(prompt.to_owned()),
        None if io::stdin().is_terminal() => {
            return Err(Failure::usage("give a prompt, or `-` to type one"));
        }
        _ => {}
    }
    let mut text = String::new();
    io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| Failure::input("cannot read standard input", &error))?;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}

/// Where the answer goes: to standard output as it comes, or together at the end.
struct Output {
    text: String,
    streamed: bool,
}

impl Output {
    fn take(
        &mut self,
        events: impl Iterator<Item = tealight::Result<Event>>,
    ) -> Result<Summary, Failure> {
        let mut out = io::stdout().lock();
        let mut last = None;
        for event in events {
            match event? {
                Event::Text(text) => {
                    self.text.push_str(&text);
                    if self.streamed {
                        out.write_all(text.as_bytes())?;
                        out.flush()?;
                    }
                }
                Event::Done(summary) => last = Some(summary),
                _ => {}
            }
        }
        // The library ends every stream with a summary or an error.
        last.ok_or_else(Failure::interrupted)
    }

    fn finish(&self, summary: &Summary) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        if !self.streamed {
            let report = Report {
                text: &self.text,
                finish_reason: summary.reason.name(),
                usage: UsageReport::of(&summary.usage),
            };
            serde_json::to_writer(&mut out, &report).map_err(io::Error::from)?;
            writeln!(out)?;
        } else if !self.text.ends_with('\n') {
            writeln!(out)?;
        }
        out.flush()?;
        Ok(())
    }
}

impl UsageReport {
    fn of(usage: &Usage) -> UsageReport {
        UsageReport {
            prompt_tokens: usage.prompt_tokens,
            reused_tokens: usage.reused_tokens,
            generated_tokens: usage.generated_tokens,
            prefill_tokens_per_second: usage.prefill_tokens_per_second,
            decode_tokens_per_second: usage.decode_tokens_per_second,
            time_to_first_token_ms: usage.time_to_first_token.map(|t| t.as_secs_f64() * 1e3),
        }
    }
}
