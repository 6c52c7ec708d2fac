//! `cargo xtask package`: from what is built here to what package managers take.

pub(crate) mod android;
mod archive;
pub(crate) mod jvm;
mod licences;
mod maven;
pub(crate) mod swift;
mod tag;
mod wheel;

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use crate::bindings;
use crate::build_arm::report;
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
    /// AARs for Android, over JNI and over JNA
    Android(android::Flags),
    /// A Swift package with an XCFramework for iOS devices and simulators
    Ios(swift::IosFlags),
    /// A Swift package over this machine's library, for Linux
    Swift {
        /// Cargo's profile to build in
        #[arg(long, default_value = "release")]
        profile: String,
    },
    /// Jars for the JVM on machines like this one, over JNI and over JNA
    Jvm {
        /// Cargo's profile to build in; `dist` is what is shipped
        #[arg(long, default_value = "dist")]
        profile: String,
    },
}

/// Where packages lie.
fn folder(name: &str) -> PathBuf {
    tree::root().join("target/package").join(name)
}

/// Writes a package and says how large it is.
fn write(path: &Path, bytes: &[u8]) -> Outcome {
    fs::write(path, bytes)?;
    let shown = path.strip_prefix(tree::root()).unwrap_or(path);
    let size = report::bytes(bytes.len() as u64);
    eprintln!("{}: {size}", shown.display());
    Ok(())
}

pub(crate) fn run(flags: &Flags) -> Outcome {
    match &flags.what {
        What::Python { profile } => python(profile).map(|_| ()),
        What::Android(flags) => android::run(flags),
        What::Ios(flags) => swift::ios(flags),
        What::Swift { profile } => swift::host(profile),
        What::Jvm { profile } => jvm::all(profile),
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
    let path = folder(&wheel.name());
    fs::create_dir_all(folder(""))?;
    write(&path, &bytes)?;
    Ok(path)
}
