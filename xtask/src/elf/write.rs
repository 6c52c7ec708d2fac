//! Writes a shared library that has names and no code: a stub to link against, or an example
//! for a rule.

use object::build::elf::{Builder, Dynamic, SectionData, SectionId};
use object::{Endianness, elf};

use crate::Outcome;

/// What stands in the library.
pub(crate) struct SharedLibrary<'a> {
    /// One of `EM_…`.
    pub(crate) machine: u16,
    pub(crate) name: &'a str,
    pub(crate) needed: &'a [&'a str],
    pub(crate) exports: &'a [&'a str],
    pub(crate) imports: &'a [&'a str],
    pub(crate) weak_imports: &'a [&'a str],
    /// Bytes to which segments are aligned.
    pub(crate) page: u64,
    pub(crate) code_is_writable: bool,
    pub(crate) text_relocations: bool,
}

/// One instruction's room for all exported symbols to name.
const CODE: &[u8] = &[0; 16];

/// The library's file.
pub(crate) fn shared_library(library: &SharedLibrary) -> Outcome<Vec<u8>> {
    let is_64 = !matches!(library.machine, elf::EM_ARM | elf::EM_386);
    let mut builder = Builder::new(Endianness::Little, is_64);
    builder.header.e_type = elf::ET_DYN;
    builder.header.e_machine = library.machine;
    builder.header.e_phoff = builder.file_header_size() as u64;

    let code = section(
        &mut builder,
        ".text",
        elf::SHT_PROGBITS,
        SectionData::Data(CODE.into()),
    );
    builder.sections.get_mut(code).sh_flags = (elf::SHF_ALLOC | elf::SHF_EXECINSTR).into();
    let symbols = section(
        &mut builder,
        ".dynsym",
        elf::SHT_DYNSYM,
        SectionData::DynamicSymbol,
    );
    let strings = section(
        &mut builder,
        ".dynstr",
        elf::SHT_STRTAB,
        SectionData::DynamicString,
    );
    builder.sections.get_mut(symbols).sh_link_section = Some(strings);
    builder.sections.get_mut(symbols).sh_info = 1;
    let hash = section(&mut builder, ".hash", elf::SHT_HASH, SectionData::Hash);
    builder.sections.get_mut(hash).sh_link_section = Some(symbols);
    builder.hash_bucket_count = 1;
    let entries = SectionData::Dynamic(entries(library, is_64));
    let dynamic = section(&mut builder, ".dynamic", elf::SHT_DYNAMIC, entries);
    builder.sections.get_mut(dynamic).sh_link_section = Some(strings);
    builder.sections.get_mut(dynamic).sh_entsize = if is_64 { 16 } else { 8 };
    let names = SectionData::SectionString;
    let names = section(&mut builder, ".shstrtab", elf::SHT_STRTAB, names);
    builder.sections.get_mut(names).sh_flags = 0;

    for (names, bind) in [
        (library.exports, elf::STB_GLOBAL),
        (library.imports, elf::STB_GLOBAL),
        (library.weak_imports, elf::STB_WEAK),
    ] {
        for name in names {
            let symbol = builder.dynamic_symbols.add();
            symbol.name = name.as_bytes().into();
            symbol.set_st_info(bind, elf::STT_FUNC);
        }
    }
    for (symbol, _) in builder.dynamic_symbols.iter_mut().zip(library.exports) {
        symbol.section = Some(code);
    }

    // The segments, and the sections in them, in the order of the file.
    let writable = if library.code_is_writable {
        elf::PF_W
    } else {
        0
    };
    builder.set_section_sizes();
    let parts: [(u32, &[SectionId]); 2] = [
        (elf::PF_R | elf::PF_X | writable, &[code]),
        (elf::PF_R, &[symbols, strings, hash, dynamic]),
    ];
    // The headers come first: as many program headers as are added below.
    let headers = builder.file_header_size() + 3 * if is_64 { 56 } else { 32 };
    let mut end = headers as u64;
    for (flags, sections) in parts {
        let segment = builder.segments.add_load_segment(flags, library.page);
        if segment.p_offset < end {
            segment.p_vaddr += end - segment.p_offset;
            segment.p_paddr = segment.p_vaddr;
            segment.p_offset = end;
        }
        for id in sections {
            segment.append_section(builder.sections.get_mut(*id));
        }
        end = segment.p_offset + segment.p_filesz;
    }
    let segment = builder.segments.add();
    segment.p_type = elf::PT_DYNAMIC;
    segment.p_flags = elf::PF_R;
    segment.p_align = 8;
    segment.append_section(builder.sections.get_mut(dynamic));
    let code = builder.sections.get(code).sh_addr;
    for (symbol, _) in builder.dynamic_symbols.iter_mut().zip(library.exports) {
        symbol.st_value = code;
    }
    let mut bytes = Vec::new();
    builder.write(&mut bytes)?;
    Ok(bytes)
}

fn section<'a>(
    builder: &mut Builder<'a>,
    name: &'static str,
    kind: u32,
    data: SectionData<'a>,
) -> SectionId {
    let section = builder.sections.add();
    section.name = name.as_bytes().into();
    section.sh_type = kind;
    section.sh_flags = elf::SHF_ALLOC.into();
    section.sh_addralign = 8;
    section.data = data;
    section.id()
}

fn entries<'a>(library: &SharedLibrary<'a>, is_64: bool) -> Vec<Dynamic<'a>> {
    let string = |tag: u32, text: &'a str| Dynamic::String {
        tag,
        val: text.as_bytes().into(),
    };
    let mut entries = vec![string(elf::DT_SONAME, library.name)];
    entries.extend(
        library
            .needed
            .iter()
            .map(|name| string(elf::DT_NEEDED, name)),
    );
    let tags = [elf::DT_HASH, elf::DT_STRTAB, elf::DT_SYMTAB, elf::DT_STRSZ];
    entries.extend(tags.map(|tag| Dynamic::Auto { tag }));
    let integer = |tag: u32, val: u64| Dynamic::Integer { tag, val };
    entries.push(integer(elf::DT_SYMENT, if is_64 { 24 } else { 16 }));
    if library.text_relocations {
        entries.push(integer(elf::DT_TEXTREL, 0));
    }
    entries.push(integer(elf::DT_NULL, 0));
    entries
}
