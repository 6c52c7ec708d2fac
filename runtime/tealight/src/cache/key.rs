//! A name for a model's content.

use std::fs::File;
use std::io::Read;

use sha2::{Digest, Sha256};
use tealight_core::plan::format::{FORMAT_VERSION, LAYOUT_VERSION};
use tealight_import::{Progress, SourceFile, Step};

use super::CacheError;
use super::stamp::{FileStamp, Stamp};

/// Bytes that are hashed at a time.
const PORTION: usize = 1 << 20;

/// What a plan depends on besides the model's files.
pub(super) fn producer() -> String {
    let (version, revision) = (env!("CARGO_PKG_VERSION"), tealight_import::REVISION);
    format!("tealight {version} import {revision} format {FORMAT_VERSION} layout {LAYOUT_VERSION}")
}

/// Reads all files, and returns what they look like from outside together with the key of
/// their contents, which is also in the stamp.
pub(super) fn of_contents(
    files: &[SourceFile],
    progress: &mut dyn FnMut(Progress),
) -> Result<(Stamp, String), CacheError> {
    // Taken before the reading, so that a later change shows.
    let stamps: Vec<FileStamp> = files
        .iter()
        .map(|file| FileStamp::of(&file.path))
        .collect::<Result<_, _>>()?;
    let total = stamps.iter().map(FileStamp::len).sum();
    let mut done = 0;
    progress(Progress {
        step: Step::Hash,
        done,
        total,
    });

    let mut whole = Sha256::new();
    frame(&mut whole, producer().as_bytes());
    let mut portion = vec![0; PORTION];
    for (file, stamp) in files.iter().zip(&stamps) {
        if !stamp.is_there() {
            continue;
        }
        let failed = |source| CacheError::Read {
            path: file.path.clone(),
            source,
        };
        let mut reader = File::open(&file.path).map_err(failed)?;
        let mut content = Sha256::new();
        loop {
            match reader.read(&mut portion).map_err(failed)? {
                0 => break,
                len => {
                    content.update(&portion[..len]);
                    done += len as u64;
                    progress(Progress {
                        step: Step::Hash,
                        done: done.min(total),
                        total,
                    });
                }
            }
        }
        frame(&mut whole, file.name.as_bytes());
        frame(&mut whole, &content.finalize());
    }
    let key = hexadecimal(&whole.finalize());
    Ok((
        Stamp {
            producer: producer(),
            key: key.clone(),
            files: stamps,
        },
        key,
    ))
}

/// A name for a path, to keep its stamp under.
pub(super) fn of_path(path: &std::path::Path) -> String {
    hexadecimal(&Sha256::digest(path.as_os_str().as_encoded_bytes()))
}

/// With its length, so that no two lists of parts are the same bytes.
fn frame(hash: &mut Sha256, part: &[u8]) {
    hash.update((part.len() as u64).to_le_bytes());
    hash.update(part);
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
