//! Writes what fuzzers start from: tiny exports, and plans of them.

use std::fs;
use std::path::Path;

use tealight_tests::families::{Export, exports};
use tealight_tests::models::{compiled, root};

/// Larger seeds would make every try slow.
const MOST: usize = 150_000;

fn main() -> std::io::Result<()> {
    let corpus = root().join("tests/fuzz/corpus");
    let folder = |target: &str| {
        let folder = corpus.join(target);
        fs::create_dir_all(&folder).map(|()| folder)
    };
    let (bytes, plans) = (folder("bytes")?, folder("plan")?);
    fs::write(plans.join("home"), tealight_models::HOME)?;
    for (family, name) in exports() {
        let export = Export {
            family: &family,
            name,
        };
        let put = |folder: &Path, content: &[u8]| {
            let fits = content.len() <= MOST;
            let path = folder.join(format!("{family}-{name}"));
            fits.then(|| fs::write(path, content)).transpose()
        };
        let (Some(model), Some(folder)) = (export.model(), export.unpacked()) else {
            continue;
        };
        put(&bytes, &model)?;
        if let Ok(compiled) = compiled(folder.path()) {
            put(&plans, compiled.bytes().as_ref())?;
        }
    }
    Ok(())
}
