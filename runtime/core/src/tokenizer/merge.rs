//! Byte pair encoding of one word: the pair with the lowest rank becomes one token, the leftmost
//! of equals first, until no pair is left.
//!
//! The tokens are a linked list and the pairs wait in a heap, so that a word of `n` bytes takes
//! `n · log n` steps.

use bytemuck::{Pod, Zeroable, cast_slice_mut};

use super::tables::Tables;
use super::{EncodeError, Output};
use crate::plan::format::NONE;

/// A token of the word. Those that became part of another have no id.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
struct Symbol {
    id: u32,
    before: u32,
    after: u32,
}

/// A pair of tokens that may become one. The lowest comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Pod, Zeroable)]
#[repr(C)]
struct Pair {
    rank: u32,
    left: u32,
}

/// Words of memory that a byte of the longest word takes: a symbol and, since each merge takes a
/// pair and makes at most two, two pairs.
pub(super) const SCRATCH: usize = 3 + 2 * 2;

/// Appends the tokens of a word.
pub(super) fn encode(
    tables: &Tables<'_>,
    word: &[u8],
    scratch: &mut [u32],
    out: &mut Output<'_>,
) -> Result<(), EncodeError> {
    if let Some(id) = tables.whole_word(word) {
        return out.push(id);
    }
    let room = scratch.len();
    let short = || EncodeError::Scratch {
        bytes: word.len(),
        room: room / SCRATCH,
    };
    let needed = word.len().checked_mul(SCRATCH).ok_or_else(short)?;
    let scratch = scratch.get_mut(..needed).ok_or_else(short)?;
    let (symbols, pairs) = scratch.split_at_mut(word.len() * 3);
    let symbols: &mut [Symbol] = cast_slice_mut(symbols);
    let count = fill(tables, word, symbols);
    let symbols = &mut symbols[..count];
    let mut heap = Heap {
        pairs: cast_slice_mut(pairs),
        len: 0,
    };
    for left in 1..count {
        heap.add(tables, symbols, left as u32 - 1);
    }
    while let Some(pair) = heap.pop() {
        merge(tables, symbols, &mut heap, pair);
    }
    let mut at = if count == 0 { NONE } else { 0 };
    while let Some(symbol) = symbols.get(at as usize) {
        out.push(symbol.id)?;
        at = symbol.after;
    }
    Ok(())
}

/// One symbol for each byte. Bytes without a token become the unknown one or nothing.
fn fill(tables: &Tables<'_>, word: &[u8], symbols: &mut [Symbol]) -> usize {
    let record = tables.record;
    let mut count = 0;
    let mut after_unknown = false;
    for byte in word {
        let known = tables.bytes.get(usize::from(*byte));
        let fused = after_unknown && record.fuse_unknown == 1;
        after_unknown = known == NONE;
        let id = match known {
            NONE if fused => continue,
            NONE => record.unknown,
            id => id,
        };
        if id != NONE {
            symbols[count] = Symbol {
                id,
                before: (count as u32).wrapping_sub(1),
                after: count as u32 + 1,
            };
            count += 1;
        }
    }
    if let Some(last) = count.checked_sub(1) {
        symbols[last].after = NONE;
    }
    count
}

/// Makes one token of a pair, if it is still there.
fn merge(tables: &Tables<'_>, symbols: &mut [Symbol], heap: &mut Heap<'_>, pair: Pair) {
    let left = symbols[pair.left as usize];
    let Some(&right) = symbols.get(left.after as usize) else {
        return;
    };
    if left.id == NONE || tables.rank(left.id, right.id) != pair.rank {
        return;
    }
    symbols[left.after as usize].id = NONE;
    let merged = &mut symbols[pair.left as usize];
    merged.id = tables.merged.get(pair.rank as usize);
    merged.after = right.after;
    if let Some(next) = symbols.get_mut(right.after as usize) {
        next.before = pair.left;
        heap.add(tables, symbols, pair.left);
    }
    if left.before != NONE {
        heap.add(tables, symbols, left.before);
    }
}

/// The pairs, each above the two that follow from it: those at twice its place plus one and two.
struct Heap<'m> {
    pairs: &'m mut [Pair],
    len: usize,
}

impl Heap<'_> {
    /// Adds the pair of the symbol at `left` and the one after it, if they may become one.
    fn add(&mut self, tables: &Tables<'_>, symbols: &[Symbol], left: u32) {
        let symbol = symbols[left as usize];
        let rank = tables.rank(symbol.id, symbols[symbol.after as usize].id);
        if rank == NONE {
            return;
        }
        let pair = Pair { rank, left };
        let mut at = self.len;
        self.len += 1;
        while at > 0 && pair < self.pairs[(at - 1) / 2] {
            self.pairs[at] = self.pairs[(at - 1) / 2];
            at = (at - 1) / 2;
        }
        self.pairs[at] = pair;
    }

    fn pop(&mut self) -> Option<Pair> {
        self.len = self.len.checked_sub(1)?;
        let lowest = self.pairs[0];
        let pair = self.pairs[self.len];
        let mut at = 0;
        loop {
            let mut child = 2 * at + 1;
            if child + 1 < self.len && self.pairs[child + 1] < self.pairs[child] {
                child += 1;
            }
            if child >= self.len || pair <= self.pairs[child] {
                break;
            }
            self.pairs[at] = self.pairs[child];
            at = child;
        }
        self.pairs[at] = pair;
        Some(lowest)
    }
}
