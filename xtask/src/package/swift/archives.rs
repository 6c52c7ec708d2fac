//! Static libraries for Apple's systems: what is in them, and several in one file.

use std::collections::BTreeSet;

use object::macho::{CPU_TYPE_ARM64, CPU_TYPE_X86_64, FAT_MAGIC, FatArch32, FatHeader};
use object::macho::{PLATFORM_IOS, PLATFORM_IOSSIMULATOR};
use object::read::archive::ArchiveFile;
use object::read::macho::{FatArch, LoadCommandVariant, MachHeader, MachOFatFile32};
use object::{BigEndian, Endianness, Object, ObjectSymbol, U32, macho};

use crate::Outcome;

/// Objects in a fat file begin at multiples of two to this power, as lipo has them.
const ALIGNMENT: u32 = 3;

/// What the objects of a static library were made for; the same for all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Made {
    pub(super) processor: Processor,
    pub(super) simulator: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Processor {
    Arm64,
    X86_64,
}

impl Processor {
    /// Xcode's name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Processor::Arm64 => "arm64",
            Processor::X86_64 => "x86_64",
        }
    }

    /// CPU type and subtype, which is that of any processor of the type.
    fn numbers(self) -> (u32, u32) {
        match self {
            Processor::Arm64 => (CPU_TYPE_ARM64, macho::CPU_SUBTYPE_ARM64_ALL),
            Processor::X86_64 => (CPU_TYPE_X86_64, macho::CPU_SUBTYPE_X86_64_ALL),
        }
    }
}

/// The Mach-O objects in an archive.
fn objects(archive: &[u8]) -> Outcome<Vec<&[u8]>> {
    let file = ArchiveFile::parse(archive)?;
    let mut objects = Vec::new();
    for member in file.members() {
        let bytes = member?.data(archive)?;
        let kind = object::FileKind::parse(bytes);
        if matches!(kind, Ok(object::FileKind::MachO64)) {
            objects.push(bytes);
        }
    }
    Ok(objects)
}

/// Processor and system, which every object has to agree on.
pub(super) fn made(archive: &[u8]) -> Outcome<Made> {
    let mut all = None;
    for bytes in objects(archive)? {
        let one = made_of(bytes)?;
        if *all.get_or_insert(one) != one {
            return Err(format!("a library for {all:?} has an object for {one:?}").into());
        }
    }
    all.ok_or_else(|| "the library has no Mach-O objects".into())
}

fn made_of(object: &[u8]) -> Outcome<Made> {
    let header = macho::MachHeader64::<Endianness>::parse(object, 0)?;
    let endian = header.endian()?;
    let processor = match header.cputype(endian) {
        CPU_TYPE_ARM64 => Processor::Arm64,
        CPU_TYPE_X86_64 => Processor::X86_64,
        other => return Err(format!("an object is for processor {other:#x}").into()),
    };
    let mut commands = header.load_commands(endian, object, 0)?;
    while let Some(command) = commands.next()? {
        if let LoadCommandVariant::BuildVersion(version) = command.variant()? {
            let simulator = match version.platform.get(endian) {
                PLATFORM_IOS => false,
                PLATFORM_IOSSIMULATOR => true,
                other => return Err(format!("an object is for system {other}").into()),
            };
            return Ok(Made {
                processor,
                simulator,
            });
        }
    }
    Err("an object does not say which system it is for".into())
}

/// Functions and data that others may link to, as C names them.
pub(super) fn exports(archive: &[u8]) -> Outcome<BTreeSet<String>> {
    let mut exports = BTreeSet::new();
    for bytes in objects(archive)? {
        let object = object::File::parse(bytes)?;
        for symbol in object.symbols() {
            if symbol.is_global() && symbol.is_definition() {
                let name = symbol.name()?;
                exports.insert(name.strip_prefix('_').unwrap_or(name).to_owned());
            }
        }
    }
    Ok(exports)
}

/// Several static libraries, each for another processor, in one file. One stays as it is.
pub(super) fn fat(archives: &[(Processor, &[u8])]) -> Outcome<Vec<u8>> {
    if let [(_, alone)] = archives {
        return Ok(alone.to_vec());
    }
    let big = |number: u32| U32::new(BigEndian, number);
    let header = FatHeader {
        magic: big(FAT_MAGIC),
        nfat_arch: big(u32::try_from(archives.len())?),
    };
    let mut file = object::bytes_of(&header).to_vec();
    let mut offset = file.len() + archives.len() * size_of::<FatArch32>();
    let mut offsets = Vec::new();
    for (processor, bytes) in archives {
        offset = offset.next_multiple_of(1 << ALIGNMENT);
        let (cpu, subtype) = processor.numbers();
        let part = FatArch32 {
            cputype: big(cpu),
            cpusubtype: big(subtype),
            offset: big(u32::try_from(offset)?),
            size: big(u32::try_from(bytes.len())?),
            align: big(ALIGNMENT),
        };
        file.extend_from_slice(object::bytes_of(&part));
        offsets.push(offset);
        offset += bytes.len();
    }
    for (offset, (_, bytes)) in offsets.into_iter().zip(archives) {
        file.resize(offset, 0);
        file.extend_from_slice(bytes);
    }
    Ok(file)
}

/// What is in a static library, fat or not, for each of its processors.
pub(super) fn parts(library: &[u8]) -> Outcome<Vec<Made>> {
    let kind = object::FileKind::parse(library);
    if !matches!(kind, Ok(object::FileKind::MachOFat32)) {
        return Ok(vec![made(library)?]);
    }
    let file = MachOFatFile32::parse(library)?;
    file.arches()
        .iter()
        .map(|part| {
            let made = made(part.data(library)?)?;
            match made.processor.numbers().0 == part.cputype() {
                true => Ok(made),
                false => Err(format!("a fat file takes {made:?} for another processor").into()),
            }
        })
        .collect()
}

#[cfg(test)]
pub(super) mod tests {
    use object::write::{MachOBuildVersion, Object as Written, Symbol, SymbolSection};
    use object::{Architecture, BinaryFormat, SymbolFlags, SymbolKind, SymbolScope};

    use super::*;

    fn object(processor: Processor, platform: u32, function: &str) -> Vec<u8> {
        let architecture = match processor {
            Processor::Arm64 => Architecture::Aarch64,
            Processor::X86_64 => Architecture::X86_64,
        };
        let mut object = Written::new(BinaryFormat::MachO, architecture, Endianness::Little);
        let mut version = MachOBuildVersion::default();
        version.platform = platform;
        object.set_macho_build_version(version);
        let section = object.section_id(object::write::StandardSection::Text);
        object.append_section_data(section, &[0; 8], 4);
        object.add_symbol(Symbol {
            name: function.as_bytes().to_vec(),
            value: 0,
            size: 8,
            kind: SymbolKind::Text,
            scope: SymbolScope::Dynamic,
            weak: false,
            section: SymbolSection::Section(section),
            flags: SymbolFlags::None,
        });
        object.write().unwrap()
    }

    /// An archive in the form of `ar`, with these members.
    fn archive(objects: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = b"!<arch>\n".to_vec();
        for (index, object) in objects.iter().enumerate() {
            let name = format!("{index}.o/");
            let size = object.len();
            let header = format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{size:<10}`\n", 0, 0, 0, 644);
            bytes.extend_from_slice(header.as_bytes());
            bytes.extend_from_slice(object);
            if size % 2 == 1 {
                bytes.push(b'\n');
            }
        }
        bytes
    }

    pub(crate) fn library(processor: Processor, simulator: bool) -> Vec<u8> {
        let platform = if simulator {
            PLATFORM_IOSSIMULATOR
        } else {
            PLATFORM_IOS
        };
        archive(&[
            object(processor, platform, "first"),
            object(processor, platform, "second"),
        ])
    }

    #[test]
    fn a_library_says_what_it_is_for_and_what_it_exports() {
        let library = library(Processor::Arm64, true);
        let expected = Made {
            processor: Processor::Arm64,
            simulator: true,
        };
        assert_eq!(made(&library).unwrap(), expected);
        let names: Vec<String> = exports(&library).unwrap().into_iter().collect();
        assert_eq!(names, ["first", "second"]);
    }

    #[test]
    fn objects_for_two_systems_in_one_library_are_refused() {
        let mixed = archive(&[
            object(Processor::Arm64, PLATFORM_IOS, "first"),
            object(Processor::Arm64, PLATFORM_IOSSIMULATOR, "second"),
        ]);
        let error = made(&mixed).unwrap_err().to_string();
        assert!(error.contains("has an object for"), "{error}");
        assert!(made(&archive(&[])).is_err());
        assert!(made(b"no archive").is_err());
    }

    #[test]
    fn two_libraries_in_a_fat_file_are_found_again() {
        let arm = library(Processor::Arm64, true);
        let intel = library(Processor::X86_64, true);
        let fat = fat(&[(Processor::Arm64, &arm), (Processor::X86_64, &intel)]).unwrap();
        let both = [Processor::Arm64, Processor::X86_64].map(|processor| Made {
            processor,
            simulator: true,
        });
        assert_eq!(super::parts(&fat).unwrap(), both);
        let file = MachOFatFile32::parse(fat.as_slice()).unwrap();
        let parts: Vec<_> = file
            .arches()
            .iter()
            .map(|part| (part.cputype(), part.data(fat.as_slice()).unwrap()))
            .collect();
        assert_eq!(
            parts,
            [
                (CPU_TYPE_ARM64, arm.as_slice()),
                (CPU_TYPE_X86_64, intel.as_slice())
            ]
        );
    }

    #[test]
    fn one_library_stays_as_it_is() {
        let alone = library(Processor::Arm64, false);
        assert_eq!(fat(&[(Processor::Arm64, &alone)]).unwrap(), alone);
        assert_eq!(parts(&alone).unwrap(), [made(&alone).unwrap()]);
    }

    #[test]
    fn a_fat_file_that_mistakes_its_parts_is_found_out() {
        let arm = library(Processor::Arm64, true);
        let mistaken = fat(&[(Processor::X86_64, &arm), (Processor::Arm64, &arm)]).unwrap();
        assert!(parts(&mistaken).is_err());
    }
}
