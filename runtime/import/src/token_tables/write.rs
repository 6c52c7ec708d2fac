//! The bytes of token tables.

use bytemuck::Zeroable;
use tealight_core::plan::format::NONE;
use tealight_core::tokenizer::NormalForm;
use tealight_core::tokenizer::tables::{TABLES, TokenTablesRecord};

use super::recognise::Recognised;

/// As [`TokenTablesRecord::counts`] lays them out.
pub(super) fn tables(found: &Recognised) -> Vec<u8> {
    let text = found.tokens.concat();
    let by_text = |id: &u32| &found.tokens[*id as usize];
    let mut words = found.words.clone();
    words.sort_unstable_by_key(by_text);
    let mut added = found.added.clone();
    for group in &mut added {
        group.sort_unstable_by_key(|(id, _)| by_text(id));
    }
    let mut record = TokenTablesRecord {
        tokens: found.tokens.len() as u32,
        merges: found.merges.len() as u32,
        added: [0, 1].map(|group| added[group].len() as u32),
        around: [0, 1].map(|side| found.around[side].len() as u32),
        sorted: words.len() as u32,
        text: text.len() as u32,
        unknown: found.unknown.map_or(NONE, |(id, _)| id),
        fuse_unknown: found.unknown.map_or(0, |(_, fuse)| u32::from(fuse)),
        normal_form: found.normal_form.unwrap_or(NormalForm::AsIs) as u32,
        ..TokenTablesRecord::zeroed()
    };
    for (place, rule) in record.rules.iter_mut().zip(&found.rules) {
        *place = rule.to_number();
    }
    // The largest number of two bytes means none.
    let narrow = [record.tokens, record.merges, record.text]
        .iter()
        .all(|count| *count < u32::from(u16::MAX));
    record.width = if narrow { 2 } else { 4 };

    let (starts, pairs) = merges(found);
    let tables: [Vec<u32>; TABLES] = [
        ends(found),
        found.bytes.iter().map(|id| id.unwrap_or(NONE)).collect(),
        starts,
        pairs,
        found.merges.iter().map(|merge| merge[2]).collect(),
        words,
        added
            .iter()
            .flatten()
            .flat_map(|(id, flags)| [*id, *flags])
            .collect(),
        found.around.concat(),
    ];
    let mut bytes = bytemuck::bytes_of(&record).to_vec();
    for table in tables {
        for number in table {
            bytes.extend_from_slice(&number.to_le_bytes()[..record.width as usize]);
        }
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    bytes.extend(text);
    bytes
}

fn ends(found: &Recognised) -> Vec<u32> {
    let mut end = 0;
    let ends = found.tokens.iter().map(|token| {
        end += token.len() as u32;
        end
    });
    std::iter::once(0).chain(ends).collect()
}

/// Where each left token's pairs start, and the right tokens and ranks of all.
fn merges(found: &Recognised) -> (Vec<u32>, Vec<u32>) {
    let ranked = found.merges.iter().zip(0..);
    let mut sorted: Vec<[u32; 3]> = ranked
        .map(|([left, right, _], rank)| [*left, *right, rank])
        .collect();
    sorted.sort_unstable();
    let starts = (0..=found.tokens.len() as u32)
        .map(|left| sorted.partition_point(|pair| pair[0] < left) as u32)
        .collect();
    (
        starts,
        sorted.iter().flat_map(|pair| [pair[1], pair[2]]).collect(),
    )
}
