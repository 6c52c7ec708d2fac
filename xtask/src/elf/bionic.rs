//! Android's C libraries, as far as programs see them: which symbols, since which API level.

use std::collections::HashMap;
use std::sync::LazyLock;

use object::elf;

/// A library, then its symbols; the file's first lines say how.
const TABLE: &str = include_str!("../../data/bionic.txt");

/// The level that the table leaves out: what came first to 64-bit processors.
const FIRST_LEVEL: u32 = 21;

/// The libraries of the table.
pub(crate) const LIBRARIES: &[&str] = &["libc.so", "libm.so", "libdl.so", "liblog.so"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Processor {
    Arm,
    Arm64,
    X86_64,
}

impl Processor {
    /// Its name in ELF files, one of `EM_…`.
    pub(crate) fn machine(self) -> u16 {
        match self {
            Processor::Arm => elf::EM_ARM,
            Processor::Arm64 => elf::EM_AARCH64,
            Processor::X86_64 => elf::EM_X86_64,
        }
    }
}

struct Symbol {
    library: &'static str,
    /// For each processor that has it, in the order of `Processor`.
    levels: [Option<u32>; 3],
}

static SYMBOLS: LazyLock<HashMap<&'static str, Symbol>> = LazyLock::new(parse);

/// The first API level whose libraries have the symbol, if any do.
pub(crate) fn since(symbol: &str, processor: Processor) -> Option<u32> {
    SYMBOLS.get(symbol)?.levels[processor as usize]
}

/// All symbols that a library has at an API level, in order.
pub(crate) fn exports(library: &str, processor: Processor, level: u32) -> Vec<&'static str> {
    let all = SYMBOLS
        .iter()
        .filter(|(_, symbol)| symbol.library == library);
    let old = all.filter(|(_, symbol)| {
        let since = symbol.levels[processor as usize];
        since.is_some_and(|since| since <= level)
    });
    let mut names: Vec<_> = old.map(|(name, _)| *name).collect();
    names.sort_unstable();
    names
}

fn parse() -> HashMap<&'static str, Symbol> {
    let mut library = "";
    let mut symbols = HashMap::new();
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[') {
            library = name.trim_end_matches(']');
            continue;
        }
        let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
        let levels = levels(rest);
        symbols.insert(name, Symbol { library, levels });
    }
    symbols
}

/// Of `23`, of `arm=21 arm64=24`, or of nothing.
fn levels(text: &str) -> [Option<u32>; 3] {
    if !text.contains('=') {
        let level = text.parse().unwrap_or(FIRST_LEVEL);
        return [Some(level); 3];
    }
    let level = |name: &str| {
        let mut words = text.split(' ').filter_map(|word| word.split_once('='));
        let (_, level) = words.find(|(processor, _)| *processor == name)?;
        level.parse().ok()
    };
    [level("arm"), level("arm64"), level("x86_64")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_those_of_the_processor() {
        assert_eq!(levels(""), [Some(21); 3]);
        assert_eq!(levels("23"), [Some(23); 3]);
        assert_eq!(levels("arm=21 x86_64=24"), [Some(21), None, Some(24)]);
    }

    #[test]
    fn every_line_of_the_table_is_a_symbol_of_a_library() {
        for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
            if line.starts_with('[') {
                let name = line.trim_matches(['[', ']']);
                assert!(LIBRARIES.contains(&name), "{line}");
                continue;
            }
            let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
            let characters = |c: char| c.is_ascii_alphanumeric() || c == '_';
            assert!(name.chars().all(characters), "{line}");
            for word in rest.split_whitespace() {
                let level = word.split_once('=').map_or(word, |(_, level)| level);
                let level: u32 = level.parse().expect(line);
                assert!((21..100).contains(&level), "{line}");
            }
        }
    }

    #[test]
    fn known_symbols_came_when_android_says() {
        use Processor::{Arm, Arm64, X86_64};
        assert_eq!(since("malloc", Arm64), Some(21));
        assert_eq!(since("getrandom", X86_64), Some(28));
        assert_eq!(since("stderr", Arm64), Some(23));
        assert_eq!(since("__aeabi_memcpy", Arm), Some(21));
        assert_eq!(since("__aeabi_memcpy", Arm64), None);
        assert_eq!(since("gnu_get_libc_version", Arm64), None);
        assert!(exports("libm.so", Arm64, 24).contains(&"cosf"));
        assert!(!exports("libc.so", Arm64, 24).contains(&"getrandom"));
    }
}
