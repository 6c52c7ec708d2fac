//! `tealight embed`: texts in, a vector for each out, or how alike they are.

use std::io::{self, IsTerminal, Read, Write, stdout};

use clap::{Args, ValueEnum};
use tealight::{CancelToken, EmbedOptions, Embedder, Pooling, similarity};

use crate::args::{ModelArgs, ThreadArgs, at_least_one};
use crate::exit::Failure;
use crate::{interrupt, open};

/// Print a vector for each text, one a line as a JSON array
#[derive(Args, Debug)]
pub(crate) struct EmbedArgs {
    /// The texts; the lines of standard input if left out
    #[arg(value_name = "TEXT")]
    texts: Vec<String>,

    /// Print how alike each other text is to the first one, the cosine of the angle between the
    /// two, instead of the vectors. Where the model has prompts for them, the first text gets
    /// that of a query and the others that of a document
    #[arg(long)]
    similarity: bool,

    /// Name of the model's prompt that is put before each text [default: the model's]
    #[arg(long, value_name = "NAME", conflicts_with = "prompt_text")]
    prompt: Option<String>,

    /// What is put before each text, instead of one of the model's prompts
    #[arg(long, value_name = "TEXT")]
    prompt_text: Option<String>,

    /// How hidden states become one vector [default: as the model's files say]
    #[arg(long, value_name = "HOW")]
    pooling: Option<PoolingArg>,

    /// Keep only so many numbers of a vector, the first ones
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    dimensions: Option<usize>,

    /// Cut texts that are too long at their end, instead of stopping at them
    #[arg(long)]
    truncate: bool,

    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    threads: ThreadArgs,
}

/// How hidden states become one vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum PoolingArg {
    /// The first token's.
    Cls,
    /// The mean of all tokens'.
    Mean,
    /// The last token's.
    Last,
}

/// What prompts for the two sides of a search are called.
const QUERY: [&str; 1] = ["query"];
const DOCUMENT: [&str; 2] = ["document", "passage"];

pub(crate) fn run(args: &EmbedArgs) -> Result<(), Failure> {
    let texts = texts(args)?;
    if args.similarity && texts.len() < 2 {
        return Err(Failure::usage("--similarity needs at least two texts"));
    }
    let model = open::model(&args.model, args.threads.threads.count())?;
    let mut embedder = model.embedder()?;
    let cancel = CancelToken::new();
    let mut options = EmbedOptions::new().cancel(&cancel);
    options.prompt = args.prompt.clone();
    options.prompt_text = args.prompt_text.clone();
    options.dimensions = args.dimensions;
    options.truncate = args.truncate;
    options.pooling = args.pooling.map(|pooling| match pooling {
        PoolingArg::Cls => Pooling::Cls,
        PoolingArg::Mean => Pooling::Mean,
        PoolingArg::Last => Pooling::Last,
    });
    let _guard = interrupt::catch(move || cancel.cancel());
    if args.similarity {
        compare(&mut embedder, &texts, &options, model.embedding_defaults())
    } else {
        vectors(&mut embedder, &texts, &options)
    }
}

fn vectors(
    embedder: &mut Embedder,
    texts: &[String],
    options: &EmbedOptions,
) -> Result<(), Failure> {
    let mut out = stdout().lock();
    for vector in embedder.embed(texts, options)? {
        serde_json::to_writer(&mut out, &vector).map_err(io::Error::from)?;
        writeln!(out)?;
    }
    Ok(())
}

fn compare(
    embedder: &mut Embedder,
    texts: &[String],
    options: &EmbedOptions,
    defaults: &tealight::EmbeddingDefaults,
) -> Result<(), Failure> {
    let chosen = options.prompt.is_some() || options.prompt_text.is_some();
    let for_side = |names: &[&str]| {
        let mut options = options.clone();
        let name = names
            .iter()
            .find(|name| !chosen && defaults.prompts.contains_key(**name));
        if let Some(name) = name {
            options.prompt = Some((*name).to_owned());
        }
        options
    };
    let (first, others) = texts.split_at(1);
    let query = embedder.embed(first, &for_side(&QUERY))?;
    let documents = embedder.embed(others, &for_side(&DOCUMENT))?;
    let mut out = stdout().lock();
    for (text, vector) in others.iter().zip(&documents) {
        writeln!(out, "{:.4}  {text}", similarity(&query[0], vector))?;
    }
    Ok(())
}

fn texts(args: &EmbedArgs) -> Result<Vec<String>, Failure> {
    if !args.texts.is_empty() {
        return Ok(args.texts.clone());
    }
    if io::stdin().is_terminal() {
        return Err(Failure::usage(
            "no text: give texts as arguments, or lines on standard input",
        ));
    }
    let mut input = String::new();
    io::stdin()
        .read_to_string(&mut input)
        .map_err(|error| Failure::input("cannot read standard input", &error))?;
    let lines: Vec<String> = input.lines().map(str::to_owned).collect();
    match lines.is_empty() {
        true => Err(Failure::usage("standard input has no text")),
        false => Ok(lines),
    }
}
