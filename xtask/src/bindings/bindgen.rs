//! The code that UniFFI generates from a built library, which carries its own description.

use std::path::Path;

use camino::Utf8PathBuf;
use uniffi_bindgen::bindings::{GenerateOptions, TargetLanguage, generate_with_bindgen_paths};
use uniffi_bindgen::{BindgenPaths, BindgenPathsLayer};

use crate::{Outcome, tree};

/// Where `uniffi.toml` lies.
struct Ffi;

impl BindgenPathsLayer for Ffi {
    fn get_crate_root(&self, name: &str) -> Option<Utf8PathBuf> {
        let root = Utf8PathBuf::from_path_buf(tree::root().join("bindings/ffi")).ok()?;
        (name == "tealight_ffi").then_some(root)
    }
}

/// Writes the code for a language into `folder`, which is emptied before.
pub(super) fn generate(library: &Path, language: TargetLanguage, folder: &Path) -> Outcome {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    let utf8 = |path: &Path| {
        Utf8PathBuf::from_path_buf(path.to_owned())
            .map_err(|path| format!("{} is not Unicode", path.display()))
    };
    let mut paths = BindgenPaths::default();
    paths.add_layer(Ffi);
    let options = GenerateOptions {
        languages: vec![language],
        source: utf8(library)?,
        out_dir: utf8(folder)?,
        // Every type is the crate's own, so that no other crate is looked for.
        metadata_no_deps: true,
        ..GenerateOptions::default()
    };
    generate_with_bindgen_paths(options, paths)
        .map_err(|error| format!("no code was generated: {error:#}").into())
}
