//! A tokenizer of lower-case letters and spaces, with the merges for "hell" and two added tokens.

use bytemuck::{Zeroable, bytes_of, cast_slice};
use tealight_core::tokenizer::tables::{SPECIAL, STRIP_LEFT, STRIP_RIGHT, TokenTablesRecord};
use tealight_core::tokenizer::{Rule, Words};

pub(super) fn section() -> Vec<u8> {
    let letters = "abcdefghijklmnopqrstuvwxyz ?";
    let longer = ["he", "ll", "hell", "<|end|>", "<n>"];
    let singles = (0..letters.len()).map(|at| &letters[at..=at]);
    let tokens: Vec<&str> = singles.chain(longer).collect();
    let [he, ll, hell, end, n] = [28, 29, 30, 31, 32_u16];
    let letter = |c: u8| u16::from(c - b'a');
    let mut text_end = 0;
    let ends = tokens.iter().map(|token| {
        text_end += token.len() as u16;
        text_end
    });
    let mut bytes = [u16::MAX; 256];
    for (id, byte) in letters.bytes().take(27).enumerate() {
        bytes[usize::from(byte)] = id as u16;
    }
    let merges = [
        [letter(b'h'), letter(b'e'), he],
        [letter(b'l'), letter(b'l'), ll],
        [he, ll, hell],
    ];
    let starts =
        (0..=tokens.len() as u16).map(|id| merges.iter().filter(|m| m[0] < id).count() as u16);
    let record = TokenTablesRecord {
        tokens: tokens.len() as u32,
        merges: merges.len() as u32,
        added: [1, 1],
        around: [1, 0],
        sorted: 1,
        text: tokens.concat().len() as u32,
        width: 2,
        unknown: 27,
        fuse_unknown: 1,
        rules: [Rule::Words(Words::CL100K).to_number(), 0, 0, 0],
        ..TokenTablesRecord::zeroed()
    };
    let tables: [Vec<u16>; 8] = [
        [0].into_iter().chain(ends).collect(),
        bytes.to_vec(),
        starts.collect(),
        merges
            .iter()
            .zip(0..)
            .flat_map(|(merge, rank)| [merge[1], rank])
            .collect(),
        merges.iter().map(|merge| merge[2]).collect(),
        vec![hell],
        vec![end, SPECIAL as u16, n, (STRIP_LEFT | STRIP_RIGHT) as u16],
        vec![end],
    ];
    let mut section = bytes_of(&record).to_vec();
    for table in &tables {
        section.extend_from_slice(cast_slice(table));
        section.resize(section.len().next_multiple_of(4), 0);
    }
    section.extend(tokens.concat().into_bytes());
    section
}
