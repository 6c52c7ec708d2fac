//! A folder with plans in it.

use std::env;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tealight_import::{Progress, Step};

use super::stamp::Stamp;
use super::{is_sound, key};

/// Name of the folder beside a model that takes its plan where the user's cache folder cannot.
pub(super) const BESIDE: &str = ".tealight";

/// Longest stamp that is read, in bytes.
const STAMP_LIMIT: u64 = 1 << 20;

/// The user's cache folder: `TEALIGHT_CACHE`, else `tealight` in the system's folder for caches.
pub(crate) fn user_folder() -> Option<PathBuf> {
    let folder = |name| {
        env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    if let Some(own) = env::var_os("TEALIGHT_CACHE").filter(|path| !path.is_empty()) {
        return Some(own.into());
    }
    let caches = if cfg!(windows) {
        folder("LOCALAPPDATA")
    } else if cfg!(target_vendor = "apple") {
        folder("HOME").map(|home| home.join("Library/Caches"))
    } else {
        folder("XDG_CACHE_HOME").or_else(|| folder("HOME").map(|home| home.join(".cache")))
    };
    caches.map(|caches| caches.join("tealight"))
}

pub(super) struct Place {
    folder: PathBuf,
}

impl Place {
    pub(super) fn new(folder: PathBuf) -> Place {
        Place { folder }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the plan of this key lies, if it is there.
    pub(super) fn plan(&self, key: &str) -> PathBuf {
        self.folder.join(format!("{key}.tea"))
    }

    /// The plan of this key, if it is there and this version reads it.
    pub(super) fn sound_plan(&self, key: &str) -> Option<PathBuf> {
        Some(self.plan(key)).filter(|plan| is_sound(plan))
    }

    /// The model's stamp, if it still holds.
    pub(super) fn stamp(&self, model: &Path) -> Option<Stamp> {
        let path = self.stamp_path(model);
        if fs::metadata(&path).ok()?.len() > STAMP_LIMIT {
            return None;
        }
        let stamp: Stamp = serde_json::from_slice(&fs::read(&path).ok()?).ok()?;
        // The key becomes a file's name.
        let is_key = stamp.key.bytes().all(|byte| byte.is_ascii_hexdigit());
        (is_key && stamp.producer == key::producer() && stamp.holds()).then_some(stamp)
    }

    /// Keeps the stamp for the next start. Without it that start hashes the files again, which
    /// is slower but not wrong, so that a failure is no error.
    pub(super) fn keep_stamp(&self, model: &Path, stamp: &Stamp) {
        let write = || {
            let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
            file.write_all(&serde_json::to_vec(stamp)?)?;
            file.persist(self.stamp_path(model))?;
            io::Result::Ok(())
        };
        if let Err(error) = write() {
            log::debug!("no stamp for `{}`: {error}", model.display());
        }
    }

    /// Waits until no other process imports the same content. The lock ends with the file.
    pub(super) fn lock(&self, key: &str, progress: &mut dyn FnMut(Progress)) -> io::Result<File> {
        fs::create_dir_all(&self.folder)?;
        let path = self.folder.join(format!("{key}.lock"));
        let file = File::options().create(true).append(true).open(path)?;
        let locked = match file.try_lock() {
            Err(TryLockError::WouldBlock) => {
                progress(Progress {
                    step: Step::Wait,
                    done: 0,
                    total: 0,
                });
                file.lock()
            }
            Err(TryLockError::Error(error)) => Err(error),
            Ok(()) => Ok(()),
        };
        match locked {
            // Plans are put in place whole: without locks two processes work twice, no worse.
            Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(file),
            locked => locked.map(|()| file),
        }
    }

    /// Removes what an interrupted import of this plan left. The caller holds its lock.
    pub(super) fn clear_leftovers(&self, key: &str) {
        let prefix = format!(".{key}.tea.");
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(&prefix) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    fn stamp_path(&self, model: &Path) -> PathBuf {
        self.folder.join(format!("{}.stamp", key::of_path(model)))
    }
}
