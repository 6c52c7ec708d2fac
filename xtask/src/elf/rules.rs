//! What must hold for a shared library that Android loads. Each rule is a sentence and a check
//! of what the file says of itself.

use object::elf::{PF_W, PF_X, PT_GNU_STACK};

use super::bionic;
use super::facts::Facts;
use crate::build_arm::targets::{ANDROID_API, ANDROID_PAGE};

/// Libraries that every Android has, of those that ours may load.
const MAY_NEED: &[&str] = &["libc.so", "libm.so", "libdl.so", "liblog.so"];

/// A promise about a library, and what breaks it.
struct Rule {
    name: &'static str,
    /// One sentence for each place where the library breaks it.
    broken: fn(&Facts, bionic::Processor) -> Vec<String>,
}

const RULES: &[Rule] = &[
    Rule {
        name: "it is made for the target's processor",
        broken: processor,
    },
    Rule {
        name: "load segments are aligned to 16 KiB pages",
        broken: pages,
    },
    Rule {
        name: "only libraries of the system are loaded with it",
        broken: needed,
    },
    Rule {
        name: "no symbol is newer than the oldest Android",
        broken: symbols,
    },
    Rule {
        name: "no code is written to while loading",
        broken: text_relocations,
    },
    Rule {
        name: "no memory can be written and executed",
        broken: writable_code,
    },
];

/// Everything about the library that breaks a rule: the rule, and where.
pub(crate) fn check(library: &Facts, processor: bionic::Processor) -> Vec<String> {
    let broken = RULES.iter().flat_map(|rule| {
        let places = (rule.broken)(library, processor);
        places
            .into_iter()
            .map(|place| format!("{}: {place}", rule.name))
    });
    broken.collect()
}

fn processor(library: &Facts, processor: bionic::Processor) -> Vec<String> {
    let (found, wanted) = (library.machine, processor.machine());
    match found == wanted {
        true => Vec::new(),
        false => vec![format!("it is for machine {found}, not {wanted}")],
    }
}

fn pages(library: &Facts, _: bionic::Processor) -> Vec<String> {
    let unaligned = library.loaded().filter(|segment| {
        segment.alignment < ANDROID_PAGE
            || segment.alignment % ANDROID_PAGE != 0
            || segment.address % ANDROID_PAGE != segment.offset % ANDROID_PAGE
    });
    unaligned
        .map(|segment| {
            format!(
                "the segment at address {:#x}, offset {:#x} is aligned to {} bytes",
                segment.address, segment.offset, segment.alignment
            )
        })
        .collect()
}

fn needed(library: &Facts, _: bionic::Processor) -> Vec<String> {
    let foreign = library.needed.iter();
    foreign
        .filter(|name| !MAY_NEED.contains(&name.as_str()))
        .map(|name| format!("it needs {name}"))
        .collect()
}

fn symbols(library: &Facts, processor: bionic::Processor) -> Vec<String> {
    let strong = library.undefined.iter().filter(|symbol| !symbol.weak);
    strong
        .filter_map(|symbol| {
            let name = &symbol.name;
            match bionic::since(name, processor) {
                None => Some(format!("{name} is in no library of Android's")),
                Some(level) if level > ANDROID_API => Some(format!(
                    "{name} came with API level {level}, not {ANDROID_API}"
                )),
                Some(_) => None,
            }
        })
        .collect()
}

fn text_relocations(library: &Facts, _: bionic::Processor) -> Vec<String> {
    match library.text_relocations {
        true => vec!["it has text relocations".into()],
        false => Vec::new(),
    }
}

fn writable_code(library: &Facts, _: bionic::Processor) -> Vec<String> {
    let both = library
        .loaded()
        .chain(
            library
                .segments
                .iter()
                .filter(|part| part.kind == PT_GNU_STACK),
        )
        .filter(|segment| segment.flags & PF_X != 0 && segment.flags & PF_W != 0);
    both.map(|segment| match segment.kind {
        PT_GNU_STACK => "the stack".to_owned(),
        _ => format!("the segment at address {:#x}", segment.address),
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::super::write::{SharedLibrary, shared_library};
    use super::*;

    fn good() -> SharedLibrary<'static> {
        SharedLibrary {
            machine: object::elf::EM_AARCH64,
            name: "libgood.so",
            needed: &["libc.so", "libm.so"],
            exports: &["tealight_open"],
            imports: &["malloc", "write"],
            weak_imports: &[],
            page: ANDROID_PAGE,
            code_is_writable: false,
            text_relocations: false,
        }
    }

    fn broken(library: &SharedLibrary) -> Vec<String> {
        let facts = Facts::read(&shared_library(library).unwrap()).unwrap();
        check(&facts, bionic::Processor::Arm64)
    }

    #[test]
    fn a_library_that_keeps_every_rule_is_accepted_on_both_widths() {
        assert!(broken(&good()).is_empty(), "{:?}", broken(&good()));
        let narrow = SharedLibrary {
            machine: object::elf::EM_ARM,
            ..good()
        };
        let facts = Facts::read(&shared_library(&narrow).unwrap()).unwrap();
        assert_eq!(facts.name.as_deref(), Some("libgood.so"));
        assert_eq!(facts.exported, ["tealight_open"]);
        assert!(check(&facts, bionic::Processor::Arm).is_empty());
    }

    #[test]
    fn another_processors_library_is_refused() {
        let library = SharedLibrary {
            machine: object::elf::EM_X86_64,
            ..good()
        };
        assert!(broken(&library)[0].ends_with("it is for machine 62, not 183"));
    }

    #[test]
    fn four_kilobyte_pages_are_refused() {
        let library = SharedLibrary {
            page: 4096,
            ..good()
        };
        assert!(broken(&library)[0].contains("aligned to 4096 bytes"));
    }

    #[test]
    fn a_library_that_android_lacks_is_refused() {
        let library = SharedLibrary {
            needed: &["libc.so", "libgcc_s.so.1", "libstdc++.so"],
            ..good()
        };
        let broken = broken(&library);
        assert_eq!(broken.len(), 2, "{broken:?}");
        assert!(broken[0].ends_with("it needs libgcc_s.so.1"), "{broken:?}");
    }

    #[test]
    fn symbols_that_are_unknown_or_too_new_are_refused_unless_weak() {
        let library = SharedLibrary {
            imports: &["malloc", "__fprintf_chk", "getrandom", "memfd_create"],
            ..good()
        };
        let found = broken(&library);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].contains("__fprintf_chk is in no library"));
        assert!(found[1].contains("getrandom came with API level 28"));
        assert!(found[2].contains("memfd_create came with API level 30"));
        let library = SharedLibrary {
            weak_imports: &["getrandom", "__fprintf_chk"],
            ..good()
        };
        assert!(broken(&library).is_empty());
    }

    #[test]
    fn text_relocations_are_refused() {
        let library = SharedLibrary {
            text_relocations: true,
            ..good()
        };
        assert!(broken(&library)[0].ends_with("it has text relocations"));
    }

    #[test]
    fn code_that_can_be_written_is_refused() {
        let library = SharedLibrary {
            code_is_writable: true,
            ..good()
        };
        assert!(broken(&library)[0].starts_with("no memory can be written and executed"));
    }

    #[test]
    fn what_is_no_library_is_an_error() {
        assert!(Facts::read(b"").is_err());
        assert!(Facts::read(b"\x7fELF and then nothing of the kind").is_err());
        assert!(Facts::read(b"#!/bin/sh").is_err());
        let whole = shared_library(&good()).unwrap();
        for end in 0..whole.len() {
            // Cut anywhere, it is read or refused, and nothing panics.
            let _ = Facts::read(&whole[..end]);
        }
    }
}
