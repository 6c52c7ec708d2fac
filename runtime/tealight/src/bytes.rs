//! Where a plan's bytes lie: a mapped file, the program itself, or memory.

use std::fs::File;
use std::path::Path;

use memmap2::Mmap;
use sha2::{Digest, Sha256};
use tealight_core::executor::Line;
use tealight_core::plan::Plan;
use tealight_core::plan::format::{ALIGNMENT, Section};

use crate::memory::Memory;
use crate::{Error, Result};

/// The bytes of a plan, at an address that it can be read in place from.
#[derive(Debug)]
pub(crate) enum Bytes {
    Mapped(Mmap),
    Static(&'static [u8]),
    /// Memory, and how many bytes of it count.
    Owned(Memory, usize),
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        match self {
            Bytes::Mapped(map) => map,
            Bytes::Static(bytes) => bytes,
            Bytes::Owned(memory, len) => &memory.bytes()[..*len],
        }
    }
}

impl Bytes {
    pub(crate) fn map(path: &Path) -> Result<Bytes> {
        let failed = |source| Error::Read {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(failed)?;
        // SAFETY: the map is read only and private. Whoever writes to the file or cuts it off
        // while it is mapped breaks what Rust assumes about it; nothing on a system with
        // ordinary files can rule that out short of copying the whole model. Tealight itself
        // never changes a plan in place: it writes another file and renames it.
        let map = unsafe { Mmap::map(&file) }.map_err(failed)?;
        // The first step reads all weights, so the disk may begin now. It is only a hint.
        #[cfg(unix)]
        let _ = map.advise(memmap2::Advice::WillNeed);
        Ok(Bytes::Mapped(map))
    }

    pub(crate) fn from_static(bytes: &'static [u8]) -> Result<Bytes> {
        if bytes.as_ptr().align_offset(ALIGNMENT) == 0 {
            Ok(Bytes::Static(bytes))
        } else {
            Bytes::copy(bytes)
        }
    }

    pub(crate) fn copy(bytes: &[u8]) -> Result<Bytes> {
        let mut memory = Memory::new("model", bytes.len().div_ceil(Line::BYTES))?;
        bytemuck::cast_slice_mut(memory.as_mut())[..bytes.len()].copy_from_slice(bytes);
        Ok(Bytes::Owned(memory, bytes.len()))
    }
}

/// Whether a section's bytes are those that were written. An absent section is.
pub(crate) fn check_sha256(model: &str, plan: &Plan<Bytes>, section: Section) -> Result<()> {
    let Some(bytes) = plan.section(section) else {
        return Ok(());
    };
    let record = plan
        .records()
        .iter()
        .find(|record| record.kind == section as u32);
    let sound = record.is_some_and(|record| Sha256::digest(bytes)[..] == record.sha256);
    if sound {
        Ok(())
    } else {
        Err(Error::Damaged {
            model: model.to_owned(),
            section: section.name(),
        })
    }
}
