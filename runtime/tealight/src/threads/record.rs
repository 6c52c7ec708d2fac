//! What a calibration found, kept in the cache folder for later starts.
//!
//! One small file for each instruction set, number of cores and size of model (to a power of
//! two): a model that fits a cache gains from more threads than one that waits for memory.

use std::path::PathBuf;

use tealight_core::kernels::Isa;
use tealight_core::plan::Plan;

use super::ThreadCounts;
use crate::bytes::Bytes;
use crate::model::ModelOptions;

/// Longest record that is read, in bytes.
const LIMIT: u64 = 4096;

/// The place of a record.
pub(super) struct Record {
    path: PathBuf,
    most: usize,
}

impl Record {
    /// Of models of this one's size; `None` where nothing can be kept.
    pub(super) fn of(
        options: &ModelOptions,
        plan: &Plan<Bytes>,
        isa: Isa,
        most: usize,
    ) -> Option<Record> {
        let size = plan.bytes().len().max(1).ilog2();
        let name = format!("threads-{}-{most}-{size}.json", isa.name());
        Some(Record {
            path: folder(options)?.join(name),
            most,
        })
    }

    /// What was found, if it is there and makes sense.
    pub(super) fn read(&self) -> Option<ThreadCounts> {
        if std::fs::metadata(&self.path).ok()?.len() > LIMIT {
            return None;
        }
        let counts: ThreadCounts = serde_json::from_slice(&std::fs::read(&self.path).ok()?).ok()?;
        let sane = |count: usize| (1..=self.most).contains(&count);
        (sane(counts.prefill) && sane(counts.decode)).then_some(counts)
    }

    /// Keeps it. Without, the next start measures again, so that a failure is no error.
    #[cfg(feature = "import")]
    pub(super) fn keep(&self, counts: ThreadCounts) {
        use std::io::Write;
        let write = || -> std::io::Result<()> {
            let folder = self.path.parent().unwrap_or(&self.path);
            std::fs::create_dir_all(folder)?;
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(&serde_json::to_vec(&counts)?)?;
            file.persist(&self.path)?;
            Ok(())
        };
        if let Err(error) = write() {
            log::debug!("no record in `{}`: {error}", self.path.display());
        }
    }

    #[cfg(not(feature = "import"))]
    pub(super) fn keep(&self, _: ThreadCounts) {}
}

/// The folder of compiled models, which only a library that compiles has.
#[cfg(feature = "import")]
fn folder(options: &ModelOptions) -> Option<PathBuf> {
    options.cache.clone().or_else(crate::cache::user_folder)
}

#[cfg(not(feature = "import"))]
fn folder(_: &ModelOptions) -> Option<PathBuf> {
    None
}

#[cfg(all(test, feature = "import"))]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let record = Record {
            path: folder.path().join("made/threads.json"),
            most: 4,
        };
        assert_eq!(record.read(), None);
        let counts = ThreadCounts {
            prefill: 4,
            decode: 2,
        };
        record.keep(counts);
        assert_eq!(record.read(), Some(counts));
    }

    #[test]
    fn a_record_that_makes_no_sense_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("threads.json");
        let records = [
            "",
            "{}",
            r#"{"prefill":0,"decode":1}"#,
            r#"{"prefill":1,"decode":5}"#,
            &" ".repeat(5000),
        ];
        for text in records {
            std::fs::write(&path, text).unwrap();
            let path = path.clone();
            assert_eq!(Record { path, most: 4 }.read(), None, "{text}");
        }
    }
}
