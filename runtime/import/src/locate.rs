//! Finds the graph of a model, and what its configuration says about its context.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::ImportError;
use crate::model_files::texts_folder;

/// Files longer than this are no configuration.
const CONFIG_LIMIT: u64 = 16 << 20;

/// The graph's file, from that file or from the folder of the model.
///
/// In a folder it is the one that `genai_config.json` names, else `model.onnx`, else that of a merged
/// decoder, which lies beside its halves, else the only one; and the same in its folder `onnx`.
pub(crate) fn graph(model: &Path) -> Result<PathBuf, ImportError> {
    let meta = fs::metadata(model).map_err(|source| ImportError::read(model, source))?;
    if meta.is_file() {
        return Ok(model.to_owned());
    }
    for folder in [model.to_owned(), model.join("onnx")] {
        if !folder.is_dir() {
            continue;
        }
        let named = json(&folder.join("genai_config.json"));
        let named = named
            .as_ref()
            .and_then(|config| config["model"]["decoder"]["filename"].as_str());
        // A name, not a path: the graph is in this folder.
        let named = named.filter(|name| Path::new(name).components().count() == 1);
        let usual = ["model.onnx", "decoder_model_merged.onnx"];
        for name in named.into_iter().chain(usual) {
            let path = folder.join(name);
            if path.is_file() {
                return Ok(path);
            }
        }
        let mut graphs = graphs_in(&folder)?;
        match graphs.len() {
            0 => {}
            1 => return Ok(graphs.remove(0)),
            _ => {
                let name = |path: PathBuf| {
                    path.file_name()
                        .unwrap_or_default()
                        .to_string_lossy()
                        .into_owned()
                };
                let names = graphs.into_iter().map(name).collect();
                return Err(ImportError::SeveralGraphs {
                    path: folder,
                    names,
                });
            }
        }
    }
    Err(ImportError::NoGraph {
        path: model.to_owned(),
    })
}

fn graphs_in(folder: &Path) -> Result<Vec<PathBuf>, ImportError> {
    let failed = |source| ImportError::read(folder, source);
    let mut graphs = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "onnx")
            && path.is_file()
        {
            graphs.push(path);
        }
    }
    graphs.sort();
    Ok(graphs)
}

/// Positions that the configuration beside a graph declares, in tokens.
pub(crate) fn declared_context(graph: &Path) -> Option<usize> {
    let folder = texts_folder(graph);
    let config = json(&folder.join("config.json"));
    let genai = json(&folder.join("genai_config.json"));
    let declared = config
        .as_ref()
        .and_then(|config| {
            let named = |name: &str| config[name].as_u64();
            named("max_position_embeddings").or_else(|| named("n_positions"))
        })
        .or_else(|| {
            genai
                .as_ref()
                .and_then(|config| config["model"]["context_length"].as_u64())
        });
    declared.and_then(|context| usize::try_from(context).ok())
}

/// A small JSON file; `None` if there is none that can be read. Whoever needs it whole reports
/// what is wrong with it.
fn json(path: &Path) -> Option<Value> {
    let fits = fs::metadata(path).ok()?.len() <= CONFIG_LIMIT;
    serde_json::from_slice(&fs::read(path).ok().filter(|_| fits)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder for temporary files");
        for name in names {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("in the folder")).expect("a folder in it");
            fs::write(path, "").expect("the folder can be written");
        }
        folder
    }

    #[test]
    fn the_obvious_graph_is_found_among_others() {
        for (names, found) in [
            (&["model.onnx", "model_q4.onnx"][..], "model.onnx"),
            (&["onnx/model_q4.onnx", "config.json"], "onnx/model_q4.onnx"),
            (
                &[
                    "onnx/decoder_model.onnx",
                    "onnx/decoder_model_merged.onnx",
                    "onnx/decoder_model_merged_quantized.onnx",
                ],
                "onnx/decoder_model_merged.onnx",
            ),
        ] {
            let folder = folder(names);
            assert_eq!(graph(folder.path()).unwrap(), folder.path().join(found));
        }
    }

    #[test]
    fn where_none_is_obvious_all_are_listed_and_one_named_as_an_example() {
        let folder = folder(&["onnx/model_q4.onnx", "onnx/model_fp16.onnx", "config.json"]);
        let said = graph(folder.path()).unwrap_err().to_string();
        let example = folder.path().join("onnx").join("model_fp16.onnx");
        assert!(said.contains("(model_fp16.onnx, model_q4.onnx)"), "{said}");
        assert!(said.contains(&example.display().to_string()), "{said}");
    }
}
