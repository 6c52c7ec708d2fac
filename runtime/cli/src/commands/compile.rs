//! `tealight compile`: an ONNX export to one `.tea` file.

use std::fs;
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Instant;

use clap::Args;
use serde_json::json;
use tealight::import::{self, ImportOptions, Progress};
use tealight::{Calibration, ModelOptions};

use crate::exit::Failure;
use crate::open::{text_of, with_progress};
use crate::quantization::{How, Kind};
use crate::resolve::{Place, resolve};
use crate::{args, units};

/// Compile an ONNX export to a .tea file
#[derive(Args, Debug)]
pub(crate) struct CompileArgs {
    /// A folder with an ONNX export, or its .onnx file
    #[arg(value_name = "PATH", required_unless_present = "named")]
    model: Option<String>,

    /// The same, as other commands name it
    #[arg(short, long = "model", value_name = "PATH", conflicts_with = "model")]
    named: Option<String>,

    /// The file to write; nothing is left of it if something goes wrong [default: the folder's
    /// name with .tea, here]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Most tokens of context that the file is to have room for [default: the model's]
    #[arg(short, long, value_name = "TOKENS", value_parser = args::at_least_one)]
    context: Option<usize>,

    /// Store float weights as integers with a scale for each 32: int4 (4.5 bits a weight),
    /// int4-asymmetric (4.75), int8 (8.5), or as a TOML file says; weights that the model's author
    /// quantized stay as they are
    #[arg(long, value_name = "KIND or FILE.toml")]
    quantize: Option<How>,

    /// Another kind for the head, and for the embedding where they are one
    #[arg(long, value_name = "KIND", requires = "quantize")]
    quantize_head: Option<Kind>,

    /// A text of the kind that the model is for: it is read by the model in 8 bits, and weights of 4 bits are
    /// rounded so that they make up for each other's errors where its tokens come by. Takes minutes
    #[arg(long, value_name = "TEXT", requires = "quantize")]
    calibrate: Option<PathBuf>,

    /// Take only this many tokens of the text to calibrate on
    #[arg(long, value_name = "N", default_value_t = 32_768, value_parser = args::at_least_one)]
    calibrate_tokens: usize,

    /// Print one JSON object about the file
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &CompileArgs) -> Result<(), Failure> {
    let named = args.model.as_deref().or(args.named.as_deref());
    let Place::Path(model) = resolve(named)? else {
        return Err(Failure::usage("the embedded model is compiled already"));
    };
    let output = match &args.output {
        Some(output) => output.clone(),
        None => default_output(&model)?,
    };
    let mut options = ImportOptions::default();
    options.context = args.context;
    if let Some(how) = &args.quantize {
        options.quantize = Some(how.quantization(args.quantize_head)?);
    }

    let start = Instant::now();
    let report = with_progress(|progress| -> Result<_, Failure> {
        if let Some(path) = &args.calibrate {
            let calibration = calibration(&model, path, args.calibrate_tokens, progress)?;
            options.calibration = Some(Rc::new(calibration));
        }
        Ok(import::import_with(&model, &output, &options, progress)?)
    })??;
    let seconds = start.elapsed().as_secs_f64();
    let bytes = fs::metadata(&output)
        .map_err(|error| Failure::output(output.display(), &error))?
        .len();
    let mut out = stdout().lock();
    if args.json {
        let object = json!({
            "output": output.display().to_string(),
            "bytes": bytes,
            "operators": report.ops.len(),
            "context": report.context,
            "vocab": report.vocab,
            "seconds": seconds,
        });
        writeln!(out, "{object}")?;
    } else {
        let size = units::bytes(bytes);
        writeln!(
            out,
            "{}: {size} in {seconds:.1} s; {report}",
            output.display()
        )?;
    }
    Ok(())
}

/// The text at `path`, to be read by the model.
fn calibration(
    model: &Path,
    path: &Path,
    tokens: usize,
    progress: &mut dyn FnMut(Progress),
) -> Result<Calibration, Failure> {
    let text = text_of(path)?;
    let options = ModelOptions::new();
    Ok(Calibration::new(model, &text, tokens, &options, progress)?)
}

/// `exports/smollm2` becomes `smollm2.tea` where the command runs.
fn default_output(model: &Path) -> Result<PathBuf, Failure> {
    let whole = model.canonicalize().map_err(|error| {
        Failure::input(
            format!("cannot open the model `{}`", model.display()),
            &error,
        )
    })?;
    let folder = if whole.is_dir() {
        Some(whole.as_path())
    } else {
        whole.parent()
    };
    let name = folder.and_then(Path::file_name).ok_or_else(|| {
        Failure::usage("the model's folder has no name: give the file to write with --output")
    })?;
    let mut name = name.to_owned();
    name.push(".tea");
    Ok(name.into())
}
