//! `tealight bench`: tokens/s, as a table that people of this field know.
//!
//! A test reads a prompt of some tokens (`pp512`) or says some tokens one by one (`tg128`), after
//! a context of some tokens (`@ d1024`) that was read before and is not measured. Every test runs
//! once unmeasured and then as often as was asked for. With `--bandwidth` a plain loop reads the
//! weights between them, which tells how fast generation could be at most.

mod bandwidth;

use std::io::{Write, stdout};
use std::time::Instant;

use clap::Args;
use indicatif::ProgressBar;
use serde::Serialize;
use tealight::{Event, GenerateOptions, Model, Session, SessionOptions, TokenId};

use crate::args::{ModelArgs, Threads, at_least_one, threads};
use crate::exit::{Exit, Failure};
use crate::table::{Align, markdown};
use crate::units::Spread;
use crate::{open, terminal, units};
use bandwidth::Touched;

/// Measure tokens/s
#[derive(Args, Debug)]
pub(crate) struct BenchArgs {
    /// Prompt sizes in tokens, separated by commas; 0 for none [default: 512, or what fits]
    #[arg(
        short = 'p',
        long = "prompt",
        value_name = "N,…",
        value_delimiter = ','
    )]
    prompts: Option<Vec<usize>>,

    /// How many tokens are generated, separated by commas; 0 for none [default: 128, or what fits]
    #[arg(
        short = 'n',
        long = "generate",
        value_name = "N,…",
        value_delimiter = ','
    )]
    generated: Option<Vec<usize>>,

    /// Threads to compute with, separated by commas; auto for as few as are fastest
    #[arg(
        short,
        long,
        value_name = "N|auto,…",
        value_delimiter = ',',
        value_parser = threads,
        default_value = "auto"
    )]
    threads: Vec<Threads>,

    /// Tokens of context that are there before, separated by commas
    #[arg(
        short,
        long = "depth",
        value_name = "N,…",
        value_delimiter = ',',
        default_value = "0"
    )]
    depths: Vec<usize>,

    /// How often each test is measured
    #[arg(short, long, value_name = "N", default_value = "5", value_parser = at_least_one)]
    repetitions: usize,

    /// Also read the same bytes in a plain loop, in turn with generation: tells how fast it
    /// could be at most
    #[arg(long)]
    bandwidth: bool,

    /// Print an array with an object for each test
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    model: ModelArgs,
}

/// One test: one of `prompt` and `generate` is zero.
#[derive(Clone, Copy, Debug)]
struct Test {
    prompt: usize,
    generate: usize,
    depth: usize,
}

/// A test's result, as `--json` prints it. Speeds are in tokens/s.
#[derive(Debug, Serialize)]
struct Row {
    n_prompt: usize,
    n_gen: usize,
    depth: usize,
    threads: usize,
    median_ts: f64,
    min_ts: f64,
    max_ts: f64,
    #[serde(flatten)]
    bandwidth: Option<Bandwidth>,
}

/// Generation beside a loop that only reads what it reads.
#[derive(Clone, Copy, Debug, Serialize)]
struct Bandwidth {
    /// Bytes that a token reads: weights, keys and values.
    bytes_per_token: f64,
    /// Bytes/s of the loop, the median.
    read_bytes_s: f64,
    /// Tokens/s if reading were all there is to do, the median.
    bound_ts: f64,
    /// The speed's ratio to the bound, each time to the loop's speed just before and after; the
    /// median.
    of_bound: f64,
}

pub(crate) fn run(args: &BenchArgs) -> Result<(), Failure> {
    let mut rows = Vec::new();
    let mut opened = None;
    for threads in &args.threads {
        let model = open::model(&args.model, threads.count())?;
        let tests = tests(args, &model)?;
        let bar = progress(tests.len() * (args.repetitions + 1));
        for test in tests {
            let touched = (args.bandwidth && test.generate > 0)
                .then(|| Touched::of(&model, open::kv(&args.model)))
                .transpose()?;
            rows.push(measure(&model, test, args.repetitions, touched, &bar)?);
        }
        bar.finish_and_clear();
        opened = Some(model);
    }
    let mut out = stdout().lock();
    if args.json {
        serde_json::to_writer(&mut out, &rows).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else if let Some(model) = opened {
        write!(out, "{}", table(&model, &rows))?;
    }
    Ok(())
}

/// Every combination of sizes and depths, each checked to fit the model.
fn tests(args: &BenchArgs, model: &Model) -> Result<Vec<Test>, Failure> {
    let most = args
        .model
        .context
        .unwrap_or(model.info().context)
        .min(model.info().context);
    let mut tests = Vec::new();
    for &depth in &args.depths {
        let left = most.saturating_sub(depth);
        let prompts = args.prompts.clone().unwrap_or_else(|| vec![left.min(512)]);
        let generated = args
            .generated
            .clone()
            .unwrap_or_else(|| vec![left.min(128)]);
        let prompts = prompts.into_iter().map(|prompt| Test {
            prompt,
            generate: 0,
            depth,
        });
        let generated = generated.into_iter().map(|generate| Test {
            prompt: 0,
            generate,
            depth,
        });
        tests.extend(
            prompts
                .chain(generated)
                .filter(|test| test.prompt + test.generate > 0),
        );
    }
    match tests.iter().find(|test| test.positions() > most) {
        Some(test) => Err(Failure::told(
            Exit::Context,
            format!(
                "{} takes {} tokens, the context has room for {most}",
                test.name(),
                test.positions()
            ),
        )),
        None if tests.is_empty() => Err(Failure::usage("there is nothing to measure")),
        None => Ok(tests),
    }
}

impl Test {
    /// Tokens that the KV cache must have room for.
    fn positions(self) -> usize {
        // Generation starts from a token, even where there is no context.
        self.prompt + self.generate + self.depth.max(usize::from(self.generate > 0)) - self.slack()
    }

    /// The last token said is never read.
    fn slack(self) -> usize {
        usize::from(self.generate > 0)
    }

    fn name(self) -> String {
        let size = match self.generate {
            0 => format!("pp{}", self.prompt),
            generate => format!("tg{generate}"),
        };
        if self.depth == 0 {
            size
        } else {
            format!("{size} @ d{}", self.depth)
        }
    }

    /// The tokens whose keys and values are there before the clock starts, and the whole prompt.
    fn prompts(self, vocab: usize) -> (Vec<TokenId>, Vec<TokenId>) {
        // Speed hardly depends on which tokens these are; they are spread over the vocabulary.
        let token = |index: usize| ((index * 7919 + 1) % vocab.max(1)) as TokenId;
        let whole = (self.depth + self.prompt).max(1);
        (
            (0..self.depth).map(token).collect(),
            (0..whole).map(token).collect(),
        )
    }
}

fn measure(
    model: &Model,
    test: Test,
    times: usize,
    touched: Option<Touched<'_>>,
    bar: &ProgressBar,
) -> Result<Row, Failure> {
    let mut session = Session::new(model, &SessionOptions::new().context(test.positions()))?;
    let (before, prompt) = test.prompts(model.info().vocab);
    let (mut speeds, mut reads) = (Vec::new(), Vec::new());
    let counts = model.thread_counts();
    let threads = if test.generate > 0 {
        counts.decode
    } else {
        counts.prefill
    };
    let read = || touched.as_ref().map(|touched| touched.read(threads));
    for time in 0..=times {
        bar.set_message(test.name());
        let seconds = once(&mut session, &before, &prompt, test)?;
        bar.inc(1);
        // The first time also touches every page of the weights and the cache.
        if time > 0 {
            speeds.push((test.prompt + test.generate) as f64 / seconds);
        }
        reads.extend(read());
    }
    let bandwidth = touched.map(|touched| {
        let positions = test.depth as f64 + test.generate as f64 / 2.0;
        Bandwidth::of(touched.bytes(positions), &reads, &speeds)
    });
    let spread = Spread::of(speeds);
    Ok(Row {
        n_prompt: test.prompt,
        n_gen: test.generate,
        depth: test.depth,
        threads,
        median_ts: spread.median,
        min_ts: spread.min,
        max_ts: spread.max,
        bandwidth,
    })
}

impl Bandwidth {
    /// Of the loop's bytes/s before the first measurement and after each.
    fn of(bytes_per_token: f64, reads: &[f64], speeds: &[f64]) -> Bandwidth {
        let around = reads.windows(2).map(|pair| (pair[0] + pair[1]) / 2.0);
        let ratios = speeds.iter().zip(around);
        let ratios = ratios.map(|(speed, read)| speed * bytes_per_token / read);
        let read_bytes_s = Spread::of(reads.to_vec()).median;
        Bandwidth {
            bytes_per_token,
            read_bytes_s,
            bound_ts: read_bytes_s / bytes_per_token,
            of_bound: Spread::of(ratios.collect()).median,
        }
    }
}

/// Runs a test and gives the seconds that its measured part took.
fn once(
    session: &mut Session,
    before: &[TokenId],
    prompt: &[TokenId],
    test: Test,
) -> Result<f64, Failure> {
    session.truncate(0);
    if !before.is_empty() {
        generate(session, before, 0)?;
    }
    let start = Instant::now();
    generate(session, prompt, test.generate.max(1))?;
    Ok(start.elapsed().as_secs_f64())
}

fn generate(session: &mut Session, prompt: &[TokenId], tokens: usize) -> Result<(), Failure> {
    let mut options = GenerateOptions::new().greedy().max_tokens(tokens);
    options.repetition_penalty = Some(1.0);
    options.ignore_end_of_text = true;
    for event in session.generate(prompt, &options)? {
        if let Event::Done(_) = event? {
            break;
        }
    }
    Ok(())
}

fn progress(steps: usize) -> ProgressBar {
    if terminal::shows_bars() {
        ProgressBar::new(steps as u64)
    } else {
        ProgressBar::hidden()
    }
}

fn table(model: &Model, rows: &[Row]) -> String {
    let info = model.info();
    let mut columns = vec![
        ("model", Align::Left),
        ("size", Align::Right),
        ("params", Align::Right),
        ("isa", Align::Left),
        ("threads", Align::Right),
        ("test", Align::Right),
        ("t/s", Align::Right),
        ("min … max", Align::Right),
    ];
    let bounded = rows.iter().any(|row| row.bandwidth.is_some());
    if bounded {
        columns.extend(
            ["read/token", "read/s", "bound t/s", "of bound"].map(|title| (title, Align::Right)),
        );
    }
    let cells = |row: &Row| {
        let test = Test {
            prompt: row.n_prompt,
            generate: row.n_gen,
            depth: row.depth,
        };
        let mut cells = vec![
            info.name.clone(),
            units::bytes(info.file_bytes),
            info.parameters.map_or_else(|| "?".to_owned(), units::count),
            model.isa().to_owned(),
            row.threads.to_string(),
            test.name(),
            format!("{:.2}", row.median_ts),
            format!("{:.2} … {:.2}", row.min_ts, row.max_ts),
        ];
        if let Some(bound) = row.bandwidth {
            cells.extend([
                units::bytes(bound.bytes_per_token as u64),
                units::bytes(bound.read_bytes_s as u64),
                format!("{:.2}", bound.bound_ts),
                format!("{:.2}", bound.of_bound),
            ]);
        } else if bounded {
            cells.extend(std::iter::repeat_n(String::new(), 4));
        }
        cells
    };
    markdown(&columns, &rows.iter().map(cells).collect::<Vec<_>>())
}
