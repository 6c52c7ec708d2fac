//! `tealight onnx` in a build without tract: says how to get one that has it.

use clap::Args;

use crate::exit::Failure;

/// Run any other ONNX model (needs a build with `--features tract`)
#[derive(Args, Debug)]
pub(crate) struct OnnxArgs {
    /// The .onnx file and its options
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    _rest: Vec<String>,
}

pub(crate) fn run(_: &OnnxArgs) -> Result<(), Failure> {
    Err(Failure::usage(
        "this build of tealight runs language models only; build it with `--features tract` to \
         run other ONNX models",
    ))
}
