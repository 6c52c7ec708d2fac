//! What a model's files look like from outside. As long as that stays, so does their content.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use super::CacheError;

/// The files that a plan was made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    /// Who made the key, see [`super::key::producer`].
    pub(super) producer: String,
    /// The key of their contents.
    pub(super) key: String,
    pub(super) files: Vec<FileStamp>,
}

/// One file, or the absence of one that would have mattered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileStamp {
    path: PathBuf,
    seen: Option<Seen>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    len: u64,
    /// Nanoseconds since 1970.
    modified: Option<u64>,
    /// Number of the file on its disk and the time its record there changed, in nanoseconds:
    /// they tell a file from another that was put in its place with the same time.
    #[serde(default)]
    identity: Option<(u64, i64)>,
}

impl Stamp {
    /// Whether all files still look as they did.
    pub(super) fn holds(&self) -> bool {
        !self.files.is_empty()
            && self
                .files
                .iter()
                .all(|old| FileStamp::of(&old.path).is_ok_and(|new| new == *old))
    }
}

impl FileStamp {
    pub(super) fn of(path: &Path) -> Result<FileStamp, CacheError> {
        let seen = match fs::metadata(path) {
            Ok(data) => Some(Seen::of(&data)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(source) => {
                return Err(CacheError::Read {
                    path: path.to_owned(),
                    source,
                });
            }
        };
        Ok(FileStamp {
            path: path.to_owned(),
            seen,
        })
    }

    pub(super) fn is_there(&self) -> bool {
        self.seen.is_some()
    }

    /// Bytes, 0 for an absent file.
    pub(super) fn len(&self) -> u64 {
        self.seen.as_ref().map_or(0, |seen| seen.len)
    }
}

impl Seen {
    fn of(data: &Metadata) -> Seen {
        let modified = data
            .modified()
            .ok()
            .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let modified = modified.and_then(|age| u64::try_from(age.as_nanos()).ok());
        Seen {
            len: data.len(),
            modified,
            identity: identity(data),
        }
    }
}

#[cfg(unix)]
fn identity(data: &Metadata) -> Option<(u64, i64)> {
    use std::os::unix::fs::MetadataExt;
    let changed = data
        .ctime()
        .saturating_mul(1_000_000_000)
        .saturating_add(data.ctime_nsec());
    Some((data.ino(), changed))
}

#[cfg(not(unix))]
fn identity(_data: &Metadata) -> Option<(u64, i64)> {
    None
}
