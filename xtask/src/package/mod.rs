//! `cargo xtask package`: from what is built here to what package managers take.

mod licences;
mod tag;
mod wheel;

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use crate::bindings;
use crate::elf::{self, Facts};
use crate::{Outcome, tree};

#[derive(Args)]
pub(crate) struct Flags {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// A wheel for Python on machines like this one
    Python {
        /// Cargo's profile to build in; `dist` is what is shipped
        #[arg(long, default_value = "dist")]
        profile: String,
    },
}

pub(crate) fn run(flags: &Flags) -> Outcome {
    match &flags.what {
        What::Python { profile } => python(profile).map(|_| ()),
    }
}

/// Makes the wheel and says where it is.
pub(crate) fn python(profile: &str) -> Outcome<PathBuf> {
    bindings::build(&["tealight-ffi"], profile)?;
    let library = bindings::library("tealight_ffi", profile);
    // The description that code is generated from goes with the symbols.
    let mut files = bindings::python::package(&library)?;
    let shipped = files
        .iter_mut()
        .find(|(name, _)| Path::new(name).file_name() == library.file_name())
        .ok_or("the package lacks its library")?;
    shipped.1 = elf::strip(&shipped.1)?;
    let wheel = wheel::Wheel {
        platform: tag::platform(&Facts::read(&shipped.1)?)?,
        readme: fs::read_to_string(tree::root().join(bindings::python::PAGE))?,
        licences: licences::of("tealight-ffi")?,
        files,
    };
    let bytes = wheel.bytes()?;
    let folder = tree::root().join("target/package");
    fs::create_dir_all(&folder)?;
    let path = folder.join(wheel.name());
    fs::write(&path, &bytes)?;
    eprintln!("target/package/{}: {} bytes", wheel.name(), bytes.len());
    Ok(path)
}
