//! Compiles the embedded model: `home/onnx` goes in, `home.tea` comes out.

use std::env;
use std::path::{Path, PathBuf};

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("home/onnx");
    let plan = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("home.tea");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", folder.display());
    if let Err(error) = tealight_import::import(&folder, &plan, &mut |_| {}) {
        panic!(
            "the embedded model in `{}` cannot be compiled: {error}",
            folder.display()
        );
    }
}
