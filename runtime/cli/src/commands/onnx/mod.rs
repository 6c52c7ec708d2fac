//! `tealight onnx`: runs any other ONNX model once or often, and shows what goes in and comes out.

mod feed;
mod npy;
mod show;

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use tealight::onnx::{OnnxError, OnnxModel, Tensor};

use crate::exit::{Exit, Failure};
use feed::{Feed, Shape, Size};

/// Run any other ONNX model (wake word, vision, encoder): tensors in, tensors out
#[derive(Args, Debug)]
pub(crate) struct OnnxArgs {
    /// The .onnx file
    model: PathBuf,

    /// An input: a number, nested JSON arrays, or @FILE with JSON or a NumPy array (.npy); a
    /// number fills the whole tensor, and inputs left out are zeros
    #[arg(short, long = "input", value_name = "NAME=VALUE")]
    inputs: Vec<Feed>,

    /// Size of a dimension that the model leaves open [default: 1]
    #[arg(short, long = "dim", value_name = "NAME=SIZE")]
    dims: Vec<Size>,

    /// Shape of an input, in place of the sizes of its open dimensions
    #[arg(short, long = "shape", value_name = "NAME=N,N,…")]
    shapes: Vec<Shape>,

    /// How often the model is run, for the timing
    #[arg(short, long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    repeat: u32,

    /// Print one JSON object with every value of every output
    #[arg(long)]
    json: bool,
}

/// One model's run: what was fed, what came out, and how long each call took.
struct Report {
    inputs: Vec<(String, Tensor)>,
    outputs: Vec<(String, Tensor)>,
    /// Seconds to open the file.
    open: f64,
    /// Seconds of each call; the first one also prepares the plan.
    calls: Vec<f64>,
}

pub(crate) fn run(args: &OnnxArgs) -> Result<(), Failure> {
    let start = Instant::now();
    let model = OnnxModel::open(&args.model).map_err(failure)?;
    let open = start.elapsed().as_secs_f64();

    let inputs = feed::tensors(model.inputs(), &args.inputs, &args.dims, &args.shapes)?;
    let named: Vec<(&str, Tensor)> = inputs
        .iter()
        .map(|(n, t)| (n.as_str(), t.clone()))
        .collect();
    let mut calls = Vec::new();
    let mut outputs = Vec::new();
    for _ in 0..args.repeat {
        let start = Instant::now();
        outputs = model.run(&named).map_err(failure)?;
        calls.push(start.elapsed().as_secs_f64());
    }
    drop(named);
    let report = Report {
        inputs,
        outputs,
        open,
        calls,
    };
    if args.json {
        show::json(&report)
    } else {
        show::text(&model, &report)
    }
}

fn failure(error: OnnxError) -> Failure {
    let exit = match error {
        OnnxError::MissingInput { .. }
        | OnnxError::UnknownInput { .. }
        | OnnxError::WrongType { .. }
        | OnnxError::WrongShape { .. } => Exit::Usage,
        OnnxError::Run { .. } => Exit::Failure,
        _ => Exit::Input,
    };
    Failure::new(exit, &error)
}
