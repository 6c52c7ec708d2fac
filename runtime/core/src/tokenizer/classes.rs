//! Which characters are letters, marks, numbers, punctuation and symbols, in 3 kB.
//!
//! Characters in their order are runs of one class after another. A run is a byte: the class in
//! the low three bits, one less than its length in the others, all ones if the rest of the length
//! follows in bytes of seven bits, the lowest first. The index has an entry for each
//! 32 runs: the first character in the upper 20 bits, the place in the table in the others.
//! The table is made from `regex-syntax`'s, which the test compares it with.

use super::class_table::{INDEX, RUNS};

/// The first letter of a general category of Unicode; white space and the rest are `Other`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Class {
    Other = 0,
    Letter = 1,
    Mark = 2,
    Number = 3,
    /// Punctuation as well.
    Symbol = 4,
}

/// All characters from here on, in the private planes and after them, are `Other`.
const END: u32 = 0xf_0000;
/// A length beyond this takes further bytes.
const SHORT: u32 = 31;

/// A character's class.
pub(super) fn class(c: char) -> Class {
    if c.is_ascii_lowercase() || c.is_ascii_uppercase() {
        return Class::Letter;
    }
    let c = u32::from(c);
    if c >= END {
        return Class::Other;
    }
    let after = INDEX.partition_point(|entry| entry >> 12 <= c);
    let entry = INDEX[after - 1];
    let mut start = entry >> 12;
    let mut at = (entry & 0xfff) as usize;
    loop {
        let (kind, len) = run(&mut at);
        start += len;
        if c < start {
            return kind;
        }
    }
}

/// White space, as `char::is_whitespace` has it with a table of its own.
pub(super) fn is_space(c: char) -> bool {
    matches!(
        c,
        ' ' | '\t'..='\r'
            | '\u{85}'
            | '\u{a0}'
            | '\u{1680}'
            | '\u{2000}'..='\u{200a}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{202f}'
            | '\u{205f}'
            | '\u{3000}'
    )
}

/// The run at a place, which moves to the next.
fn run(at: &mut usize) -> (Class, u32) {
    let byte = RUNS[*at];
    *at += 1;
    let mut len = u32::from(byte >> 3);
    if len == SHORT {
        let mut shift = 0;
        loop {
            let more = RUNS[*at];
            *at += 1;
            len += u32::from(more & 0x7f) << shift;
            shift += 7;
            if more & 0x80 == 0 {
                break;
            }
        }
    }
    let kind = match byte & 7 {
        1 => Class::Letter,
        2 => Class::Mark,
        3 => Class::Number,
        4 => Class::Symbol,
        _ => Class::Other,
    };
    (kind, len + 1)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use regex_syntax::hir::{Class as HirClass, HirKind};

    use super::*;

    const STRIDE: usize = 256;

    /// The characters of a regular expression for one.
    fn characters(expression: &str) -> Vec<bool> {
        let hir = regex_syntax::parse(expression).unwrap();
        let HirKind::Class(HirClass::Unicode(class)) = hir.kind() else {
            panic!("{expression} is no class")
        };
        let mut is = vec![false; 0x11_0000];
        for range in class.ranges() {
            is[range.start() as usize..=range.end() as usize].fill(true);
        }
        is
    }

    fn classes() -> Vec<u8> {
        let mut classes = vec![0; 0x11_0000];
        for (class, expression) in [r"\p{L}", r"\p{M}", r"\p{N}", r"[\p{P}\p{S}]"]
            .into_iter()
            .enumerate()
        {
            for (place, is) in classes.iter_mut().zip(characters(expression)) {
                if is {
                    *place = class as u8 + 1;
                }
            }
        }
        classes
    }

    fn source(classes: &[u8]) -> String {
        let (mut index, mut bytes) = (Vec::new(), Vec::new());
        let mut start = 0;
        let ends = classes[..END as usize].chunk_by(|a, b| a == b);
        for (at, run) in ends.enumerate() {
            if at % STRIDE == 0 {
                index.push(start << 12 | bytes.len());
            }
            let mut len = run.len() as u32 - 1;
            bytes.push(run[0] | (len.min(SHORT) as u8) << 3);
            if len >= SHORT {
                len -= SHORT;
                while len >= 0x80 {
                    bytes.push(len as u8 | 0x80);
                    len >>= 7;
                }
                bytes.push(len as u8);
            }
            start += run.len();
        }
        assert!(bytes.len() < 1 << 12);
        let mut text = String::from(
            "//! Made by the test of `classes.rs`, which says what it means; not to be edited.\n",
        );
        let mut table = |name: &str, kind: &str, numbers: Vec<String>, a_line| {
            let _ = write!(
                text,
                "\n#[rustfmt::skip]\npub(super) static {name}: [{kind}; {}] = [\n",
                numbers.len()
            );
            for line in numbers.chunks(a_line) {
                let _ = writeln!(text, "    {},", line.join(","));
            }
            text.push_str("];\n");
        };
        let index = index.iter().map(|entry| format!("{entry:#x}")).collect();
        let bytes = bytes.iter().map(u8::to_string).collect();
        table("INDEX", "u32", index, 10);
        table("RUNS", "u8", bytes, 25);
        text
    }

    #[test]
    fn the_table_is_what_unicode_says_of_every_character() {
        let classes = classes();
        let made = source(&classes);
        if std::env::var_os("TEALIGHT_UPDATE_TABLES").is_some() {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/tokenizer/class_table.rs");
            std::fs::write(path, &made).unwrap();
        }
        assert_eq!(made, include_str!("class_table.rs"));
        for c in '\0'..=char::MAX {
            assert_eq!(class(c) as u8, classes[c as usize], "{c:?}");
        }
    }

    #[test]
    fn white_space_is_what_regular_expressions_take_for_it() {
        let white = characters(r"\s");
        for c in '\0'..=char::MAX {
            assert_eq!(is_space(c), white[c as usize], "{c:?}");
            assert_eq!(is_space(c), c.is_whitespace(), "{c:?}");
        }
    }
}
