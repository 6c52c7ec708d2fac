//! A file without a name, or with a temporary one, until it is whole.
//!
//! On Linux the file has no name while it is written, so that not even a killed process leaves
//! anything behind. Elsewhere, and on file systems that cannot do this, it has a hidden one.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::Path;
#[cfg(any(target_os = "linux", target_os = "android"))]
use std::path::PathBuf;

use tempfile::{Builder, NamedTempFile};

/// Vanishes when dropped, unless it was given its final name.
pub(super) enum Temporary {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    Unnamed {
        file: File,
        folder: PathBuf,
    },
    Named(NamedTempFile),
}

impl Temporary {
    pub(super) fn new(output: &Path, folder: &Path) -> io::Result<Temporary> {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if let Some(file) = unnamed(folder) {
            let folder = folder.to_owned();
            return Ok(Temporary::Unnamed { file, folder });
        }
        let prefix = prefix(output);
        let mut builder = Builder::new();
        builder.prefix(&prefix).suffix(SUFFIX);
        #[cfg(unix)]
        {
            // Temporary files are their owner's alone; a plan is a file like any other.
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(std::fs::Permissions::from_mode(MODE));
        }
        builder.tempfile_in(folder).map(Temporary::Named)
    }

    pub(super) fn file(&self) -> &File {
        match self {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Temporary::Unnamed { file, .. } => file,
            Temporary::Named(file) => file.as_file(),
        }
    }

    /// Gives the file its final name; one that has it is replaced.
    pub(super) fn persist(self, output: &Path) -> io::Result<()> {
        let named = match self {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Temporary::Unnamed { file, folder } => name(&file, output, &folder)?,
            Temporary::Named(file) => file.into_temp_path(),
        };
        named.persist(output).map_err(|error| error.error)
    }
}

const SUFFIX: &str = ".tmp";
#[cfg(unix)]
const MODE: u32 = 0o666;

/// Hidden, and near the final name.
fn prefix(output: &Path) -> OsString {
    let mut prefix = OsString::from(".");
    prefix.push(output.file_name().unwrap_or_default());
    prefix.push(".");
    prefix
}

/// A file in `folder` that no path leads to; `None` where that is not to be had.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn unnamed(folder: &Path) -> Option<File> {
    use rustix::fs::{Mode, OFlags, open};
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    let file = File::from(open(folder, flags, Mode::from_raw_mode(MODE)).ok()?);
    // It can only be named through this path.
    descriptor(&file).exists().then_some(file)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn descriptor(file: &File) -> PathBuf {
    use std::os::fd::AsRawFd;
    format!("/proc/self/fd/{}", file.as_raw_fd()).into()
}

/// Gives an unnamed file a temporary name, since only renaming replaces an older file.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn name(file: &File, output: &Path, folder: &Path) -> io::Result<tempfile::TempPath> {
    use rustix::fs::{AtFlags, CWD, linkat};
    let link = |path: &Path| -> io::Result<()> {
        Ok(linkat(
            CWD,
            descriptor(file),
            CWD,
            path,
            AtFlags::SYMLINK_FOLLOW,
        )?)
    };
    let prefix = prefix(output);
    let named = Builder::new()
        .prefix(&prefix)
        .suffix(SUFFIX)
        .make_in(folder, link)?;
    Ok(named.into_temp_path())
}
