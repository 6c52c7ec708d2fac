//! Finds added tokens, such as the ends of turns, that are spelled out in a text.

use super::TokenId;
use super::classes::is_space;
use super::split::run;
use super::tables::{STRIP_LEFT, STRIP_RIGHT, Tables};

/// A stretch of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'t> {
    /// It stands for one added token.
    Token(TokenId),
    /// It is text between them, never empty.
    Text(&'t str),
}

/// A text's stretches in order: the leftmost added token first, the longest where several begin.
#[derive(Clone, Debug)]
pub struct Parts<'a, 't> {
    tables: Tables<'a>,
    /// Indices of the added tokens to look for, as sorted.
    start: usize,
    end: usize,
    /// Bytes that one of them begins with, a bit each.
    beginnings: [u32; 8],
    text: &'t str,
    /// Where the search goes on.
    search: usize,
    /// Up to where the text was told.
    told: usize,
    /// A token that follows the text that was told last, and where it ends.
    next: Option<(TokenId, usize)>,
}

impl<'a, 't> Parts<'a, 't> {
    /// Looks for those that are found in the text as it is, or in the normalized text.
    pub(super) fn new(tables: Tables<'a>, normalized: bool, text: &'t str) -> Parts<'a, 't> {
        let [first, second] = tables.record.added.map(|count| count as usize);
        let (start, end) = if normalized {
            (first, first + second)
        } else {
            (0, first)
        };
        let mut beginnings = [0; 8];
        for at in start..end {
            if let Some(first) = tables.token(tables.added.get(2 * at)).first() {
                beginnings[usize::from(*first) / 32] |= 1 << (first % 32);
            }
        }
        Parts {
            tables,
            start,
            end,
            beginnings,
            text,
            search: 0,
            told: 0,
            next: None,
        }
    }

    /// Index and length of the next added token, and where it starts.
    fn next_added(&self) -> Option<(usize, usize, usize)> {
        if self.start == self.end {
            return None;
        }
        let bytes = self.text.as_bytes();
        (self.search..bytes.len()).find_map(|at| {
            let first = bytes[at];
            if self.beginnings[usize::from(first) / 32] >> (first % 32) & 1 == 0 {
                return None;
            }
            let (index, len) = self.longest(&bytes[at..])?;
            Some((index, len, at))
        })
    }

    /// The longest added token that `text` begins with.
    fn longest(&self, mut text: &[u8]) -> Option<(usize, usize)> {
        let content = |at: usize| self.tables.token(self.tables.added.get(2 * at));
        while !text.is_empty() {
            let (mut low, mut high) = (self.start, self.end);
            while low < high {
                let middle = low + (high - low) / 2;
                if content(middle) <= text {
                    low = middle + 1;
                } else {
                    high = middle;
                }
            }
            // Whatever the text begins with sorts before it, and the longest of these is the
            // last; if that is none, all others begin with what it shares with the text.
            let last = low.checked_sub(1).filter(|last| *last >= self.start)?;
            let found = content(last);
            let shared = found.iter().zip(text).take_while(|(a, b)| a == b).count();
            if shared == found.len() {
                return Some((last, shared));
            }
            text = &text[..shared];
        }
        None
    }
}

impl<'t> Iterator for Parts<'_, 't> {
    type Item = Part<'t>;

    fn next(&mut self) -> Option<Part<'t>> {
        if let Some((id, end)) = self.next.take() {
            self.told = end;
            return Some(Part::Token(id));
        }
        let Some((index, len, mut start)) = self.next_added() else {
            let rest = &self.text[self.told..];
            self.told = self.text.len();
            self.search = self.told;
            return (!rest.is_empty()).then_some(Part::Text(rest));
        };
        let id = self.tables.added.get(2 * index);
        let flags = self.tables.added.get(2 * index + 1);
        let mut end = start + len;
        self.search = end;
        if flags & STRIP_LEFT != 0 {
            start = self.text[..start]
                .trim_end_matches(is_space)
                .len()
                .max(self.told);
        }
        if flags & STRIP_RIGHT != 0 {
            end += run(&self.text[end..], &is_space);
        }
        if self.told < start {
            let text = &self.text[self.told..start];
            self.next = Some((id, end));
            return Some(Part::Text(text));
        }
        self.told = end;
        Some(Part::Token(id))
    }
}
