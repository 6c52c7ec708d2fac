//! Compiles decoder graphs in ONNX to Tealight plans.
//!
//! In comes a folder as an exporter wrote it, out goes one `.tea` file:
//!
//! ```text
//! onnx   the graph, decoded; weights stay where they are
//! walk   every node's meaning, from the inputs on: shapes, positions, masks, activations.
//!        Its rules are in fold (what is known while importing) and groups (what a plan computes)
//! lower  fewer and larger operators, buffers, tensors: a DecoderSpec
//! write  the plan; weights read the weights once, in pieces, and pack them on the way
//! ```
//!
//! The graph decides, not a name: nothing here knows an architecture. What is not recognised
//! is an error that lists every operator of which that is true.

mod answers;
mod calibration;
mod error;
mod fold;
mod groups;
mod locate;
mod lower;
mod model_files;
mod onnx;
mod progress;
mod quantization;
mod report;
mod source;
mod spec;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod token_tables;
mod uncompiled;
mod walk;
mod weights;
mod write;

use std::path::Path;
use std::rc::Rc;

pub use calibration::{Calibration, InputProducts};
pub use error::{ImportError, UnrecognisedOperator};
pub use model_files::{EmbeddingDefaults, GenerationDefaults, Pooling, TextError};
pub use progress::{Progress, Step};
pub use quantization::Quantization;
pub use report::{ImportReport, TensorTotal};
pub use source::SourceFile;
pub use token_tables::{Unfit, compile as token_tables};
pub use uncompiled::Uncompiled;
pub use weights::Quantize;
pub use write::{Manifest, REVISION, Source, TensorSummary, WriteError};

use model_files::{ModelTexts, PlanTokenizer};

/// What a caller may choose.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ImportOptions {
    /// The most positions that the plan is to have room for, in tokens. The model's own
    /// context is never exceeded.
    ///
    /// Some graphs (Phi with long-rope) turn heads more slowly in texts beyond a length. Their plans
    /// have room for that length and compute what the graph does; asked for more, they treat every
    /// text, short ones as well, as the graph does long ones.
    pub context: Option<usize>,
    /// Which float weights become integers; none, where this is left out.
    pub quantize: Option<Quantization>,
    /// What linear maps are given, so that weights of 4 bits make up for each other's rounding.
    pub calibration: Option<Rc<dyn Calibration>>,
}

/// Compiles an ONNX folder, or its .onnx file, to a plan at `output`.
///
/// # Errors
/// See [`ImportError`]. `output` is then as it was.
pub fn import(
    model: &Path,
    output: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<ImportReport, ImportError> {
    import_with(model, output, &ImportOptions::default(), progress)
}

/// As [`import`], with options.
pub fn import_with(
    model: &Path,
    output: &Path,
    options: &ImportOptions,
    progress: &mut dyn FnMut(Progress),
) -> Result<ImportReport, ImportError> {
    progress(Progress {
        step: Step::Graph,
        done: 0,
        total: 0,
    });
    let path = locate::graph(model)?;
    let spec = recognise(&path, options)?;
    let texts = ModelTexts::beside(&path, spec.hidden.is_some())?;
    let report = ImportReport {
        tokenizer_kept: texts.tokenizer.as_ref().and_then(PlanTokenizer::why_kept),
        ..ImportReport::of(&spec)
    };
    write::write_plan(&spec, &texts, output, progress)?;
    Ok(report)
}

/// Recognises a model without writing a plan.
///
/// # Errors
/// As [`import`], but for faults of the weights' values, of which only the embedding's and the
/// head's are read.
pub fn inspect(model: &Path, options: &ImportOptions) -> Result<ImportReport, ImportError> {
    Ok(ImportReport::of(&recognise(
        &locate::graph(model)?,
        options,
    )?))
}

/// Every file that the plan of `model` depends on. Texts that are not there are listed too,
/// since the plan changes when they appear.
///
/// # Errors
/// If the graph cannot be found or read.
pub fn source_files(model: &Path) -> Result<Vec<SourceFile>, ImportError> {
    source::files(&locate::graph(model)?)
}

/// The plan of the graph in a file.
fn recognise(
    path: &Path,
    options: &ImportOptions,
) -> Result<spec::DecoderSpec<'static>, ImportError> {
    let graph = onnx::load(path)?;
    let mut decoder = walk::walk(&graph, options.context)?;
    if !decoder.hidden {
        decoder.network.tie_head()?;
    }
    if let Some(how) = &options.quantize {
        decoder.network.quantize(how, !decoder.hidden)?;
    }
    let declared = locate::declared_context(path);
    lower::lower(decoder, declared, options).map_err(|fault| ImportError::NotADecoder {
        path: path.to_owned(),
        fault,
    })
}
