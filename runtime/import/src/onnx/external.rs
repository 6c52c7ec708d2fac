//! Data that lies in files beside the graph.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use super::proto::StringStringEntryProto;
use super::{Bytestore, DataFile};
use crate::ImportError;

/// The files that tensors of one graph have their data in, each opened once.
pub(super) struct ExternalFiles {
    graph: PathBuf,
    folder: PathBuf,
    open: HashMap<String, Rc<DataFile>>,
}

impl ExternalFiles {
    pub(super) fn new(graph: &Path) -> ExternalFiles {
        let folder = match graph.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        ExternalFiles {
            graph: graph.to_owned(),
            folder,
            open: HashMap::new(),
        }
    }

    /// Where the `len` bytes of `tensor` lie, inside their file.
    pub(super) fn locate(
        &mut self,
        tensor: &str,
        entries: &[StringStringEntryProto],
        len: u64,
    ) -> Result<Bytestore, ImportError> {
        let entry = |key: &str| {
            entries
                .iter()
                .find(|e| e.key == key)
                .map(|e| e.value.as_str())
        };
        let fault = |path: &Path, fault: String| ImportError::Tensor {
            path: path.to_owned(),
            tensor: tensor.to_owned(),
            fault,
        };
        let number = |key: &str| match entry(key) {
            None => Ok(None),
            Some(text) => text.trim().parse::<u64>().map(Some).map_err(|_| {
                fault(
                    &self.graph,
                    format!("gives `{text}` as the {key} of its external data"),
                )
            }),
        };
        let offset = number("offset")?.unwrap_or(0);
        let stated = number("length")?.unwrap_or(len);
        let location = entry("location").ok_or_else(|| {
            fault(
                &self.graph,
                "does not say where its external data is".into(),
            )
        })?;
        if stated != len {
            let what = format!("has {stated} bytes of external data, its shape needs {len}");
            return Err(fault(&self.graph, what));
        }
        let file = self.file(tensor, location)?;
        if offset.checked_add(len).is_none_or(|end| end > file.len) {
            let what = format!(
                "needs {len} bytes from byte {offset} on, but the file has only {} bytes",
                file.len
            );
            return Err(fault(&file.path, what));
        }
        Ok(Bytestore::File { file, offset })
    }

    fn file(&mut self, tensor: &str, location: &str) -> Result<Rc<DataFile>, ImportError> {
        if let Some(file) = self.open.get(location) {
            return Ok(file.clone());
        }
        let refuse = |fault| ImportError::ExternalPath {
            tensor: tensor.to_owned(),
            location: location.to_owned(),
            fault,
        };
        let relative = Path::new(location);
        let plain = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
        if location.is_empty() || !relative.components().all(plain) || location.contains('\\') {
            return Err(refuse("is not inside the model's folder"));
        }
        let path = self.folder.join(relative);
        let canonical = |path: &Path| {
            path.canonicalize()
                .map_err(|source| ImportError::read(path, source))
        };
        if !canonical(&path)?.starts_with(canonical(&self.folder)?) {
            return Err(refuse("is a link out of the model's folder"));
        }
        let file = Rc::new(DataFile::open(path)?);
        self.open.insert(location.to_owned(), file.clone());
        Ok(file)
    }
}
