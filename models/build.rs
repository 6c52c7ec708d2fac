//! Compiles the embedded model: `home/onnx` goes in, `home.tea` comes out.

use std::env;
use std::path::{Path, PathBuf};

fn main() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("home");
    let folder = home.join("onnx");
    let plan = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("home.tea");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", folder.display());
    // Its card names the licence.
    println!(
        "cargo::rerun-if-changed={}",
        home.join("README.md").display()
    );
    if let Err(error) = tealight_import::import(&folder, &plan, &mut |_| {}) {
        panic!(
            "the embedded model in `{}` cannot be compiled: {error}",
            folder.display()
        );
    }
}
