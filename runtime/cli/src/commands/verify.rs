//! `tealight verify`: compares every byte of a compiled model with what was written.

use std::io::{Write, stdout};

use clap::Args;

use crate::args::ModelArgs;
use crate::exit::Failure;
use crate::open;

/// Compare a compiled model's checksums, weights included
#[derive(Args, Debug)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    model: ModelArgs,
}

pub(crate) fn run(args: &VerifyArgs) -> Result<(), Failure> {
    let model = open::model(&args.model, Some(1))?;
    model.verify()?;
    writeln!(
        stdout(),
        "{}: every section is as it was written",
        model.name()
    )?;
    Ok(())
}
