//! The files that a plan is made of.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::ImportError;
use crate::model_files::{FILES, texts_folder};
use crate::onnx::{self, Bytestore, Tensor};

/// One file that a plan depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// What it is to the model, the same wherever the model lies.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
}

/// Every file that the plan of the graph in the file `graph` depends on: the graph, the files
/// with its weights, and the texts beside it. Texts that are not there are listed too, since the
/// plan changes when they appear.
pub(crate) fn files(graph: &Path) -> Result<Vec<SourceFile>, ImportError> {
    let decoded = onnx::load(graph)?;
    let constants = decoded
        .nodes
        .iter()
        .filter_map(|node| node.value.as_deref());
    let tensors = decoded
        .initializers
        .values()
        .map(|tensor| &**tensor)
        .chain(constants);
    let data: BTreeSet<&Path> = tensors
        .filter_map(data_file)
        .filter(|path| *path != graph)
        .collect();

    let folder = graph.parent().unwrap_or(Path::new(""));
    let named = |path: &Path| SourceFile {
        name: path
            .strip_prefix(folder)
            .unwrap_or(path)
            .to_string_lossy()
            .into_owned(),
        path: path.to_owned(),
    };
    let mut files = vec![SourceFile {
        name: "graph".into(),
        path: graph.to_owned(),
    }];
    files.extend(data.into_iter().map(named));
    let texts = texts_folder(graph);
    files.extend(FILES.iter().map(|name| SourceFile {
        name: (*name).into(),
        path: texts.join(name),
    }));
    Ok(files)
}

fn data_file(tensor: &Tensor) -> Option<&Path> {
    match &tensor.bytes {
        Bytestore::File { file, .. } => Some(&file.path),
        _ => None,
    }
}
