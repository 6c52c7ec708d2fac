//! From a file's bytes to what its loader will read of them.

use object::read::elf::{AttributeReader, Dyn, FileHeader, ProgramHeader, SectionHeader, Sym};
use object::{Endianness, FileKind, elf};

use crate::Outcome;

/// What the loader of a program or library reads.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// One of `EM_…`.
    pub(crate) machine: u16,
    pub(crate) segments: Vec<Segment>,
    pub(crate) name: Option<String>,
    /// Libraries that are loaded with it, by name.
    pub(crate) needed: Vec<String>,
    /// Symbols that other libraries must have.
    pub(crate) undefined: Vec<Undefined>,
    /// What it expects of the libraries that are loaded with it, such as `GLIBC_2.34`.
    pub(crate) versions: Vec<String>,
    /// Symbols that others may use.
    pub(crate) exported: Vec<String>,
    /// The loader must write into code.
    pub(crate) text_relocations: bool,
    /// The least 32-bit ARM that runs it: `Tag_CPU_arch` of the ARM ABI's addenda.
    pub(crate) arm_architecture: Option<u64>,
}

/// A part of the file as it lies in memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment {
    /// One of `PT_…`.
    pub(crate) kind: u32,
    /// `PF_R`, `PF_W`, `PF_X`.
    pub(crate) flags: u32,
    pub(crate) offset: u64,
    pub(crate) address: u64,
    pub(crate) file_size: u64,
    pub(crate) alignment: u64,
}

#[derive(Debug)]
pub(crate) struct Undefined {
    pub(crate) name: String,
    /// Loading goes on where nobody has it.
    pub(crate) weak: bool,
}

impl Facts {
    pub(crate) fn read(bytes: &[u8]) -> Outcome<Facts> {
        let facts = match FileKind::parse(bytes)? {
            FileKind::Elf32 => read::<elf::FileHeader32<Endianness>>(bytes)?,
            FileKind::Elf64 => read::<elf::FileHeader64<Endianness>>(bytes)?,
            other => return Err(format!("not an ELF file but {other:?}").into()),
        };
        Ok(facts)
    }

    pub(crate) fn loaded(&self) -> impl Iterator<Item = &Segment> {
        let segments = self.segments.iter();
        segments.filter(|segment| segment.kind == elf::PT_LOAD)
    }
}

fn read<Elf: FileHeader<Endian = Endianness>>(bytes: &[u8]) -> object::Result<Facts> {
    let header = Elf::parse(bytes)?;
    let endian = header.endian()?;
    let mut facts = Facts {
        machine: header.e_machine(endian),
        ..Facts::default()
    };
    for segment in header.program_headers(endian, bytes)? {
        facts.segments.push(Segment {
            kind: segment.p_type(endian),
            flags: segment.p_flags(endian),
            offset: segment.p_offset(endian).into(),
            address: segment.p_vaddr(endian).into(),
            file_size: segment.p_filesz(endian).into(),
            alignment: segment.p_align(endian).into(),
        });
    }
    let sections = header.sections(endian, bytes)?;
    let text = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
    if let Some((entries, strings)) = sections.dynamic(endian, bytes)? {
        let strings = sections.strings(endian, bytes, strings)?;
        for entry in entries {
            let value: u64 = entry.d_val(endian).into();
            let name = || entry.string(endian, strings).map(text);
            match entry.tag32(endian).unwrap_or_default() {
                elf::DT_NEEDED => facts.needed.push(name()?),
                elf::DT_SONAME => facts.name = Some(name()?),
                elf::DT_TEXTREL => facts.text_relocations = true,
                elf::DT_FLAGS if value & u64::from(elf::DF_TEXTREL) != 0 => {
                    facts.text_relocations = true;
                }
                _ => {}
            }
        }
    }
    for section in sections.iter() {
        if section.sh_type(endian) == elf::SHT_ARM_ATTRIBUTES {
            let attributes = section.attributes(endian, bytes)?;
            let mut subsections = attributes.subsections()?;
            while let Some(subsection) = subsections.next()? {
                let mut parts = subsection.subsubsections();
                while let Some(part) = parts.next()? {
                    let found = arm_architecture(part.attributes())?;
                    facts.arm_architecture = facts.arm_architecture.max(found);
                }
            }
        }
    }
    if let Some((mut libraries, strings)) = sections.gnu_verneed(endian, bytes)? {
        let strings = sections.strings(endian, bytes, strings)?;
        while let Some((_, mut versions)) = libraries.next()? {
            while let Some(version) = versions.next()? {
                facts.versions.push(text(version.name(endian, strings)?));
            }
        }
    }
    let symbols = sections.symbols(endian, bytes, elf::SHT_DYNSYM)?;
    for symbol in symbols.iter() {
        let name = text(symbol.name(endian, symbols.strings())?);
        if name.is_empty() || symbol.st_bind() == elf::STB_LOCAL {
            continue;
        }
        if symbol.st_shndx(endian) == elf::SHN_UNDEF {
            let weak = symbol.st_bind() == elf::STB_WEAK;
            facts.undefined.push(Undefined { name, weak });
        } else {
            facts.exported.push(name);
        }
    }
    Ok(facts)
}

const CPU_RAW_NAME: u64 = 4;
const CPU_NAME: u64 = 5;
const CPU_ARCH: u64 = 6;

/// The attributes come in the order of their tags, and those before this one are a raw processor
/// name and a processor's name.
fn arm_architecture(mut attributes: AttributeReader<'_>) -> object::Result<Option<u64>> {
    while let Some(tag) = attributes.read_tag()? {
        match tag {
            CPU_RAW_NAME | CPU_NAME => {
                attributes.read_string()?;
            }
            CPU_ARCH => return attributes.read_integer().map(Some),
            _ => return Ok(None),
        }
    }
    Ok(None)
}
