//! `tealight inspect`: what a model is made of, and what it needs.

mod operators;
mod tensors;

use std::io::{Write, stdout};

use clap::Args;
use serde_json::{Value, json};
use tealight::Model;

use crate::args::ModelArgs;
use crate::exit::Failure;
use crate::terminal::bold;
use crate::{open, units};

/// Show a model's operators, shapes, quantization, memory and licence
#[derive(Args, Debug)]
pub(crate) struct InspectArgs {
    /// The model, in place of --model
    #[arg(value_name = "PATH|NAME", conflicts_with = "model")]
    path: Option<String>,

    /// Show every operator with what it reads and writes
    #[arg(long)]
    ops: bool,

    /// Show every tensor with its shape and how it is stored
    #[arg(long)]
    tensors: bool,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    model: ModelArgs,
}

/// Bytes of memory that one session takes.
struct Memory {
    /// Tokens that there is room for.
    context: usize,
    /// The file, which the system can drop and read again.
    model: u64,
    /// Keys and values.
    kv: u64,
    /// What a step computes in.
    working: u64,
}

pub(crate) fn run(args: &InspectArgs) -> Result<(), Failure> {
    let mut named = args.model.clone();
    named.model = args.path.clone().or(named.model);
    let model = open::model(&named, Some(1))?;
    let memory = Memory::of(&model, args)?;
    if args.json {
        json(&model, &memory, args)
    } else {
        text(&model, &memory, args)
    }
}

impl Memory {
    fn of(model: &Model, args: &InspectArgs) -> Result<Memory, Failure> {
        let info = model.info();
        let context = info.session_context;
        let kv = open::kv(&args.model);
        Ok(Memory {
            context,
            model: info.file_bytes,
            kv: model.cache_bytes(context, kv),
            working: info.working_bytes,
        })
    }

    fn total(&self) -> u64 {
        self.model + self.kv + self.working
    }
}

fn text(model: &Model, memory: &Memory, args: &InspectArgs) -> Result<(), Failure> {
    let info = model.info();
    let unknown = || "not said".to_owned();
    let said = |text: &Option<String>| text.clone().unwrap_or_else(unknown);
    let parts = [
        (info.has_tokenizer, "tokenizer"),
        (info.has_chat_template, "chat template"),
    ];
    let parts: Vec<&str> = parts
        .iter()
        .filter(|(has, _)| *has)
        .map(|(_, name)| *name)
        .collect();
    let facts = [
        ("model", info.name.clone()),
        ("architecture", said(&info.architecture)),
        (
            "parameters",
            info.parameters.map_or_else(unknown, units::count),
        ),
        ("quantization", said(&info.quantization)),
        ("licence", said(&info.licence)),
        ("vocabulary", format!("{} tokens", info.vocab)),
        ("context", format!("{} tokens", info.context)),
        (
            "makes",
            match info.dimensions {
                Some(numbers) => format!("embeddings of {numbers} numbers"),
                None => "text".to_owned(),
            },
        ),
        (
            "text",
            if parts.is_empty() {
                "tokens only".into()
            } else {
                parts.join(", ")
            },
        ),
        (
            "file",
            format!(
                "{}, by {}",
                units::bytes(info.file_bytes),
                said(&info.producer)
            ),
        ),
        (
            "memory",
            format!(
                "{} for {} tokens: {} file, {} keys and values, {} working memory",
                units::bytes(memory.total()),
                memory.context,
                units::bytes(memory.model),
                units::bytes(memory.kv),
                units::bytes(memory.working),
            ),
        ),
    ];
    let mut out = stdout().lock();
    for (name, value) in facts {
        writeln!(out, "{} {value}", bold(&format!("{name:<13}")))?;
    }
    if let (Some(notice), false) = (model.notice(), args.ops || args.tensors) {
        writeln!(out, "\n{notice}")?;
        return Ok(());
    }
    let plan = model.plan()?;
    write!(out, "\n{}", operators::counts(plan))?;
    write!(out, "\n{}", tensors::encodings(plan))?;
    if args.ops {
        write!(out, "\n{}", operators::details(plan))?;
    }
    if args.tensors {
        write!(out, "\n{}", tensors::details(plan))?;
    }
    Ok(())
}

fn json(model: &Model, memory: &Memory, args: &InspectArgs) -> Result<(), Failure> {
    let mut object = json!({
        "model": model.info(),
        "memory": {
            "context": memory.context,
            "model_bytes": memory.model,
            "kv_bytes": memory.kv,
            "working_bytes": memory.working,
            "total_bytes": memory.total(),
        },
    });
    match model.notice() {
        Some(notice) if !args.ops => object["notice"] = notice.into(),
        _ => {
            let plan = model.plan()?;
            object["operators"] = operators::counts_json(plan);
            object["tensors"] = tensors::json(plan).into();
            if args.ops {
                object["ops"] = operators::list(plan).map(Value::from).collect();
            }
        }
    }
    writeln!(stdout().lock(), "{object}")?;
    Ok(())
}
