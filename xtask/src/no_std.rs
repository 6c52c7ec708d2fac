//! Builds tealight-core for machines without an operating system: with rustup's target where
//! it is installed, else with a Rust that carries its library's sources.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::command::{self, cargo, program};
use crate::{Outcome, tree};

/// What the core must build for.
const TARGETS: &[&str] = &["thumbv7em-none-eabihf"];

/// Rust compilers that may carry the library's sources, after the one in use. Debian's
/// packages rustc-web, cargo-web and rust-web-src install the second.
const COMPILERS: &[&str] = &["rustc", "/usr/bin/rustc"];

pub(crate) fn run() -> Outcome {
    for target in TARGETS {
        build(target)?;
    }
    Ok(())
}

fn build(target: &str) -> Outcome {
    let common = [
        "build",
        "--release",
        "-p",
        "tealight-core",
        "--no-default-features",
        "--target",
        target,
    ];
    if has_target("rustc", target) {
        return command::run(&mut cargo(&common));
    }
    let Some(compiler) = COMPILERS.iter().find(|compiler| carries_sources(compiler)) else {
        return Err(format!(
            "no Rust here can build for {target}: run `rustup target add {target}`, or \
             `apt-get install rustc-web cargo-web rust-web-src` on Debian"
        )
        .into());
    };
    // Its own folder: another compiler's artifacts would only push this one's out.
    let folder = tree::root().join("target/build-std");
    let mut build = program(cargo_beside(compiler), &common);
    build
        .arg("-Zbuild-std=core")
        .arg("--target-dir")
        .arg(folder);
    build.env("RUSTC", compiler).env("RUSTC_BOOTSTRAP", "1");
    for variable in [
        "RUSTUP_TOOLCHAIN",
        "RUSTFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
        "RUSTDOC",
    ] {
        build.env_remove(variable);
    }
    command::run(&mut build)
}

fn has_target(compiler: &str, target: &str) -> bool {
    let libraries = ["--print", "target-libdir", "--target", target];
    print_path(compiler, &libraries).is_some_and(|folder| folder.is_dir())
}

fn carries_sources(compiler: &str) -> bool {
    print_path(compiler, &["--print", "sysroot"]).is_some_and(|root| {
        root.join("lib/rustlib/src/rust/library/Cargo.lock")
            .is_file()
    })
}

fn print_path(compiler: &str, arguments: &[&str]) -> Option<PathBuf> {
    let printed = command::output(&mut program(compiler, arguments)).ok()?;
    Some(PathBuf::from(printed.trim()))
}

fn cargo_beside(compiler: &str) -> OsString {
    Path::new(compiler).with_file_name("cargo").into_os_string()
}
