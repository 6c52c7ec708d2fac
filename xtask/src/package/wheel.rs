//! From files to a wheel: an archive with a package, and a folder that describes it.
//!
//! The format is the "Binary distribution format" of packaging.python.org, with core metadata 2.4.
//! The same files give the same bytes.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::Outcome;

use super::archive::{self, Entry};

const NAME: &str = "tealight";
const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(super) struct Wheel {
    /// Platform tag.
    pub(super) platform: String,
    /// What the package's page shows.
    pub(super) readme: String,
    /// Names and texts.
    pub(super) licences: Vec<Entry>,
    /// Paths from the folder that packages are installed in, and contents.
    pub(super) files: Vec<Entry>,
}

impl Wheel {
    pub(super) fn name(&self) -> String {
        format!("{NAME}-{VERSION}-{}.whl", self.tag())
    }

    /// Any Python 3 that the code runs on: the library is called by `ctypes`, not linked to Python.
    fn tag(&self) -> String {
        format!("py3-none-{}", self.platform)
    }

    pub(super) fn bytes(&self) -> Outcome<Vec<u8>> {
        let info = format!("{NAME}-{VERSION}.dist-info");
        let mut entries = self.files.clone();
        entries.sort();
        for (name, text) in &self.licences {
            entries.push((format!("{info}/licenses/{name}"), text.clone()));
        }
        entries.push((format!("{info}/METADATA"), self.metadata().into_bytes()));
        entries.push((format!("{info}/WHEEL"), self.description().into_bytes()));
        let record = format!("{info}/RECORD");
        let lines: String = entries.iter().map(recorded).collect();
        entries.push((record.clone(), format!("{lines}{record},,\n").into_bytes()));

        archive::zip(&entries)
    }

    fn metadata(&self) -> String {
        let mut text = format!(
            "Metadata-Version: 2.4\n\
             Name: {NAME}\n\
             Version: {VERSION}\n\
             Summary: Small language models on small devices\n\
             License-Expression: {}\n",
            env!("CARGO_PKG_LICENSE"),
        );
        for (name, _) in &self.licences {
            text += &format!("License-File: {name}\n");
        }
        text + &format!(
            "Project-URL: Repository, {}\n\
             Requires-Python: >={}\n\
             Description-Content-Type: text/markdown\n\
             \n{}",
            env!("CARGO_PKG_REPOSITORY"),
            crate::bindings::python::OLDEST,
            self.readme,
        )
    }

    fn description(&self) -> String {
        format!(
            "Wheel-Version: 1.0\n\
             Generator: cargo xtask package ({VERSION})\n\
             Root-Is-Purelib: false\n\
             Tag: {}\n",
            self.tag()
        )
    }
}

/// An entry's line in `RECORD`.
fn recorded((name, bytes): &Entry) -> String {
    let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(bytes));
    format!("{name},sha256={hash},{}\n", bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wheel() -> Wheel {
        Wheel {
            platform: "manylinux_2_17_x86_64".to_owned(),
            readme: "# A page\n".to_owned(),
            licences: vec![("LICENSE-MIT".to_owned(), b"free".to_vec())],
            files: vec![
                ("tealight/libtealight_ffi.so".to_owned(), vec![7; 5000]),
                ("tealight/__init__.py".to_owned(), Vec::new()),
            ],
        }
    }

    #[test]
    fn a_wheel_holds_the_package_and_its_description() {
        let info = format!("tealight-{VERSION}.dist-info");
        let entries = archive::unzip(&wheel().bytes().unwrap()).unwrap();
        let names: Vec<&str> = entries.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            [
                "tealight/__init__.py",
                "tealight/libtealight_ffi.so",
                &format!("{info}/licenses/LICENSE-MIT"),
                &format!("{info}/METADATA"),
                &format!("{info}/WHEEL"),
                &format!("{info}/RECORD"),
            ]
        );
        let tag = "Tag: py3-none-manylinux_2_17_x86_64\n";
        assert!(String::from_utf8_lossy(&entries[4].1).contains(tag));
        assert_eq!(
            wheel().name(),
            format!("tealight-{VERSION}-py3-none-manylinux_2_17_x86_64.whl")
        );
    }

    #[test]
    fn the_record_names_every_file_with_its_hash() {
        let entries = archive::unzip(&wheel().bytes().unwrap()).unwrap();
        let (record, files) = entries.split_last().unwrap();
        let lines: Vec<String> = String::from_utf8_lossy(&record.1)
            .lines()
            .map(str::to_owned)
            .collect();
        assert_eq!(lines.len(), files.len() + 1);
        // The SHA-256 of nothing.
        let empty = "tealight/__init__.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0";
        assert_eq!(lines[0], empty);
        for (line, (name, bytes)) in lines.iter().zip(files) {
            assert!(line.starts_with(&format!("{name},sha256=")), "{line}");
            assert!(line.ends_with(&format!(",{}", bytes.len())), "{line}");
        }
        assert_eq!(lines[files.len()], format!("{},,", record.0));
    }

    #[test]
    fn the_same_files_give_the_same_bytes() {
        assert_eq!(wheel().bytes().unwrap(), wheel().bytes().unwrap());
    }
}
