//! Working memory from the system, zeroed without being touched: pages that are never used
//! take no room and no time.

use memmap2::MmapMut;
use tealight_core::executor::Line;

use crate::{Error, Result};

/// Memory for a KV cache or an arena.
#[derive(Debug)]
pub(crate) struct Memory {
    /// Absent if no bytes were asked for.
    map: Option<MmapMut>,
}

impl Memory {
    /// So many lines of zeros; `what` they are for is told if they cannot be had.
    pub(crate) fn new(what: &'static str, lines: usize) -> Result<Memory> {
        let bytes = lines.saturating_mul(Line::BYTES);
        let map = match bytes {
            0 => None,
            _ => Some(MmapMut::map_anon(bytes).map_err(|_| Error::OutOfMemory { what, bytes })?),
        };
        Ok(Memory { map })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.map.as_deref().unwrap_or_default()
    }
}

impl AsMut<[Line]> for Memory {
    fn as_mut(&mut self) -> &mut [Line] {
        match &mut self.map {
            // Maps begin on pages, and this one is a whole number of lines.
            Some(map) => bytemuck::cast_slice_mut(map),
            None => &mut [],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_zeroed_and_aligned() {
        let mut memory = Memory::new("test", 1000).unwrap();
        assert_eq!(memory.as_mut().len(), 1000);
        assert!(memory.bytes().iter().all(|byte| *byte == 0));
        assert!(Memory::new("test", 0).unwrap().as_mut().is_empty());
    }

    #[test]
    fn memory_that_cannot_be_had_is_an_error() {
        let error = Memory::new("KV cache", usize::MAX / 64).unwrap_err();
        assert!(
            matches!(
                error,
                Error::OutOfMemory {
                    what: "KV cache",
                    ..
                }
            ),
            "{error}"
        );
    }
}
