//! Models to test with: real ones where `TEALIGHT_TEST_MODELS` says, and the embedded one.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tealight_core::executor::Line;
use tealight_core::plan::Plan;
use tealight_import::ImportError;
use tempfile::TempDir;

use crate::say;

/// The repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests lie in the repository")
}

/// A model's folder in one of the folders of `TEALIGHT_TEST_MODELS`. Without it a line says
/// that the test is skipped.
pub fn real_model(name: &str) -> Option<PathBuf> {
    let folders = env::var_os("TEALIGHT_TEST_MODELS").unwrap_or_default();
    // Relative ones are meant as seen from the repository's root.
    let found = env::split_paths(&folders)
        .map(|folder| root().join(folder).join(name))
        .find(|folder| folder.is_dir());
    if found.is_none() {
        say(format_args!(
            "skipped: set TEALIGHT_TEST_MODELS to a folder that holds {name}"
        ));
    }
    found
}

/// The real models of a list that are there.
pub fn real_models(names: &[&str]) -> Vec<PathBuf> {
    names.iter().filter_map(|name| real_model(name)).collect()
}

/// The plan that the library carries.
pub fn embedded() -> Plan<&'static [u8]> {
    Plan::open(tealight_models::HOME).expect("the embedded plan is sound")
}

/// Bytes at an address that plans can be read from.
#[derive(Clone)]
pub struct Bytes {
    lines: Vec<Line>,
    len: usize,
}

impl Bytes {
    /// A copy.
    pub fn new(bytes: &[u8]) -> Bytes {
        let mut lines = vec![Line::ZERO; bytes.len().div_ceil(Line::BYTES)];
        bytemuck::cast_slice_mut(&mut lines)[..bytes.len()].copy_from_slice(bytes);
        Bytes {
            lines,
            len: bytes.len(),
        }
    }

    /// For changes in place.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut bytemuck::cast_slice_mut(&mut self.lines)[..self.len]
    }

    /// Only the first `len` bytes, without copying.
    pub fn cut(mut self, len: usize) -> Bytes {
        self.len = self.len.min(len);
        self
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.lines)[..self.len]
    }
}

/// A model's plan, compiled now into a folder that goes when this value does.
pub struct Compiled {
    /// Where the plan lies.
    pub path: PathBuf,
    _folder: TempDir,
}

/// Compiles an ONNX export.
pub fn compile(model: &Path) -> Compiled {
    compiled(model).unwrap_or_else(|error| panic!("{} does not compile: {error}", model.display()))
}

/// Compiles an ONNX export, if it can be.
pub fn compiled(model: &Path) -> Result<Compiled, ImportError> {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let path = folder.path().join("model.tea");
    tealight_import::import(model, &path, &mut |_| {})?;
    Ok(Compiled {
        path,
        _folder: folder,
    })
}

impl Compiled {
    /// The plan's bytes.
    pub fn bytes(&self) -> Bytes {
        Bytes::new(&fs::read(&self.path).expect("the plan was just written"))
    }

    /// The plan, in memory.
    pub fn plan(&self) -> Plan<Bytes> {
        Plan::open(self.bytes()).expect("the plan was just compiled")
    }
}

/// The ONNX export that the embedded plan was compiled from.
pub fn home_export() -> PathBuf {
    root().join("models/home/onnx")
}

/// A copy of an export, to be broken.
pub struct Export {
    folder: TempDir,
}

impl Export {
    /// Copies the files of a folder.
    pub fn copy(model: &Path) -> Export {
        let folder = tempfile::tempdir().expect("a folder for temporary files");
        for entry in fs::read_dir(model).expect("the export is there") {
            let path = entry.expect("the folder can be read").path();
            let name = path.file_name().expect("files have names");
            fs::copy(&path, folder.path().join(name)).expect("the file can be copied");
        }
        Export { folder }
    }

    /// Where the copy lies.
    pub fn path(&self) -> &str {
        self.folder
            .path()
            .to_str()
            .expect("temporary folders have plain names")
    }

    /// A file's bytes.
    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.folder.path().join(name)).expect("the file is there")
    }

    /// Writes a file anew.
    pub fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.folder.path().join(name), bytes).expect("the file can be written");
    }

    /// Removes a file.
    pub fn remove(&self, name: &str) {
        fs::remove_file(self.folder.path().join(name)).expect("the file is there");
    }

    /// Keeps only the first bytes of a file.
    pub fn truncate(&self, name: &str, len: usize) {
        self.write(name, &self.read(name)[..len]);
    }

    /// Puts `new` everywhere where a file has `old`. In a protobuf, lengths must stay.
    pub fn replace(&self, name: &str, old: &[u8], new: &[u8]) {
        assert_eq!(old.len(), new.len());
        let mut bytes = self.read(name);
        let mut found = 0;
        for at in 0..bytes.len().saturating_sub(old.len()) {
            if bytes[at..].starts_with(old) {
                bytes[at..at + old.len()].copy_from_slice(new);
                found += 1;
            }
        }
        assert!(
            found > 0,
            "the file does not contain what is to be replaced"
        );
        self.write(name, &bytes);
    }
}

/// A disk of 256 KiB, mounted as long as this value lives.
pub struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    /// Mounts one, where this process may. Elsewhere a line says that the test is skipped.
    pub fn mount() -> Option<SmallDisk> {
        let folder = tempfile::tempdir().expect("a folder for temporary files");
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", "size=256k", "tealight-tests"])
            .arg(folder.path());
        if mount.output().is_ok_and(|output| output.status.success()) {
            Some(SmallDisk { folder })
        } else {
            say("skipped: only a user who may mount disks can fill one up");
            None
        }
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.folder.path()).status();
    }
}
