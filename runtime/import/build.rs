//! Gives the crate a number that changes with its sources, so that plans which another state of
//! the import compiled are not taken for this one's.

use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    println!("cargo::rerun-if-changed=src");
    println!("cargo::rerun-if-changed=build.rs");
    let mut sources = Vec::new();
    collect(Path::new("src"), &mut sources);
    sources.sort();
    let texts = sources
        .iter()
        .map(|path| fs::read(path).expect("sources can be read"));
    println!(
        "cargo::rustc-env=TEALIGHT_IMPORT_REVISION={:016x}",
        fnv(texts.flatten())
    );
}

fn collect(folder: &Path, sources: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("sources can be listed") {
        let path = entry.expect("sources can be listed").path();
        if path.is_dir() {
            collect(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push(path);
        }
    }
}

/// FNV-1a in 64 bits.
fn fnv(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
