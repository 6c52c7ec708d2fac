//! From a linked file to the same without what only debuggers and linkers read: its loaded part
//! byte for byte, then the headers of the sections in it.

use object::read::elf::{FileHeader, ProgramHeader, SectionHeader};
use object::{Endianness, FileKind, Pod, U16, U32, bytes_of, elf};

use crate::Outcome;

/// The file as it is shipped.
pub(crate) fn strip(bytes: &[u8]) -> Outcome<Vec<u8>> {
    match FileKind::parse(bytes)? {
        FileKind::Elf32 => strip_as::<elf::FileHeader32<Endianness>>(bytes),
        FileKind::Elf64 => strip_as::<elf::FileHeader64<Endianness>>(bytes),
        other => Err(format!("cannot strip {other:?}").into()),
    }
}

/// A header that can be told where its sections are.
trait Headers: FileHeader<Endian = Endianness> {
    fn place(&mut self, endian: Endianness, offset: usize, count: usize);
    fn name_section(section: &mut Self::SectionHeader, endian: Endianness, at: usize, size: usize);
    fn unlink(section: &mut Self::SectionHeader, endian: Endianness, kept: usize);
}

macro_rules! headers {
    ($header:ty, $section:ty, $word:ident) => {
        impl Headers for $header {
            fn place(&mut self, endian: Endianness, offset: usize, count: usize) {
                self.e_shoff = object::$word::new(endian, offset as _);
                self.e_shnum = U16::new(endian, count as u16);
                self.e_shstrndx = U16::new(endian, count as u16 - 1);
            }

            fn name_section(section: &mut $section, endian: Endianness, at: usize, size: usize) {
                section.sh_offset = object::$word::new(endian, at as _);
                section.sh_size = object::$word::new(endian, size as _);
            }

            fn unlink(section: &mut $section, endian: Endianness, kept: usize) {
                if section.sh_link.get(endian) as usize >= kept {
                    section.sh_link = U32::new(endian, 0);
                }
                if section.sh_info.get(endian) as usize >= kept
                    && u64::from(section.sh_flags.get(endian)) & u64::from(elf::SHF_INFO_LINK) != 0
                {
                    section.sh_info = U32::new(endian, 0);
                }
            }
        }
    };
}

headers!(
    elf::FileHeader64<Endianness>,
    elf::SectionHeader64<Endianness>,
    U64
);
headers!(
    elf::FileHeader32<Endianness>,
    elf::SectionHeader32<Endianness>,
    U32
);

fn strip_as<Elf: Headers + Pod>(bytes: &[u8]) -> Outcome<Vec<u8>>
where
    Elf::SectionHeader: Pod + Copy,
{
    let header = Elf::parse(bytes)?;
    let endian = header.endian()?;
    let sections = header.section_headers(endian, bytes)?;
    let names = header.section_strings_index(endian, bytes)?;
    let allocated = |section: &Elf::SectionHeader| {
        let flags: u64 = section.sh_flags(endian).into();
        flags & u64::from(elf::SHF_ALLOC) != 0
    };
    // Symbols name sections by number, so those that stay must be the first.
    let kept = 1 + sections
        .iter()
        .skip(1)
        .take_while(|section| allocated(section))
        .count();
    if sections.iter().skip(kept).any(allocated) {
        return Err("sections that are loaded lie behind sections that are not".into());
    }
    let mut end = bytes_of(header).len();
    for segment in header.program_headers(endian, bytes)? {
        let (start, size) = segment.file_range(endian);
        end = end.max((start + size) as usize);
    }
    let mut stripped = bytes
        .get(..end)
        .ok_or("a segment ends behind the file's end")?
        .to_vec();

    let strings = sections.get(names.0).ok_or("the sections have no names")?;
    let names_at = stripped.len();
    let names = strings.data(endian, bytes)?;
    stripped.extend_from_slice(names);
    stripped.resize(stripped.len().next_multiple_of(8), 0);
    let table_at = stripped.len();
    for section in &sections[..kept] {
        let mut section = *section;
        Elf::unlink(&mut section, endian, kept);
        stripped.extend_from_slice(bytes_of(&section));
    }
    let mut strings = *strings;
    Elf::name_section(&mut strings, endian, names_at, names.len());
    stripped.extend_from_slice(bytes_of(&strings));
    let mut header = *header;
    header.place(endian, table_at, kept + 1);
    stripped[..bytes_of(&header).len()].copy_from_slice(bytes_of(&header));
    Ok(stripped)
}
