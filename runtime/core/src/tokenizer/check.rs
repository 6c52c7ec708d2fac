//! Whether token tables are sound: every index in range, every order as it is relied on.

use super::pattern::{NormalForm, rules};
use super::tables::{Numbers, SPECIAL, STRIP_LEFT, STRIP_RIGHT, Tables};
use crate::plan::format::NONE;

/// What is wrong with a section for a model of `vocab` token ids, if anything is.
pub(crate) fn fault(section: &[u8], vocab: u32) -> Option<&'static str> {
    let Some(tables) = Tables::cut(section) else {
        return Some("has a length that does not fit its record");
    };
    let record = tables.record;
    if record.tokens == 0 || record.tokens > vocab {
        return Some("has tokens that the model does not know");
    }
    if record.fuse_unknown > 1 || NormalForm::from_number(record.normal_form).is_none() {
        return Some("asks for an unknown normal form");
    }
    if rules(&record.rules).is_none() {
        return Some("has an unknown rule for splitting text");
    }
    if !ascends(tables.ends, record.text) || !ascends(tables.merge_starts, record.merges) {
        return Some("has offsets that do not ascend to the end");
    }
    let sound = |id: u32| id < record.tokens;
    let all = |table: Numbers<'_>, fine: &dyn Fn(u32) -> bool| {
        (0..table.len()).all(|index| fine(table.get(index)))
    };
    let known = all(tables.bytes, &|id| id == NONE || sound(id))
        && all(tables.merged, &sound)
        && all(tables.sorted, &sound)
        && all(tables.around, &sound)
        && (record.unknown == NONE || sound(record.unknown));
    if !known {
        return Some("names a token that is not there");
    }
    if !pairs_are_sound(&tables) {
        return Some("has merges that are not sorted or not there");
    }
    if !words_are_sound(&tables) {
        return Some("has words that are not sorted");
    }
    if !added_are_sound(&tables) {
        return Some("has added tokens that are not sorted, empty or not text");
    }
    None
}

/// From zero to `last`, without a step back.
fn ascends(table: Numbers<'_>, last: u32) -> bool {
    let mut before = 0;
    (0..table.len()).all(|index| {
        let number = table.get(index);
        let fine = number >= before && (index > 0 || number == 0);
        before = number;
        fine
    }) && before == last
}

fn pairs_are_sound(tables: &Tables<'_>) -> bool {
    let record = tables.record;
    (0..record.tokens as usize).all(|left| {
        let start = tables.merge_starts.get(left) as usize;
        let end = tables.merge_starts.get(left + 1) as usize;
        let mut before = None;
        (start..end).all(|at| {
            let right = tables.merge_pairs.get(2 * at);
            let sorted = before.is_none_or(|before| before < right);
            before = Some(right);
            sorted && right < record.tokens && tables.merge_pairs.get(2 * at + 1) < record.merges
        })
    })
}

fn words_are_sound(tables: &Tables<'_>) -> bool {
    (1..tables.sorted.len())
        .all(|at| tables.token(tables.sorted.get(at - 1)) < tables.token(tables.sorted.get(at)))
}

fn added_are_sound(tables: &Tables<'_>) -> bool {
    let [first, second] = tables.record.added.map(|count| count as usize);
    let group = |start: usize, end: usize| {
        let mut before: &[u8] = &[];
        (start..end).all(|at| {
            let id = tables.added.get(2 * at);
            let flags = tables.added.get(2 * at + 1);
            let text = tables.token(id);
            // The empty text comes before all, so that an empty token is refused as well.
            let sorted = before < text;
            before = text;
            sorted
                && id < tables.record.tokens
                && flags & !(SPECIAL | STRIP_LEFT | STRIP_RIGHT) == 0
                && core::str::from_utf8(text).is_ok()
        })
    };
    group(0, first) && group(first, first + second)
}
