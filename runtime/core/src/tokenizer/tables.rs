//! The bytes of a plan's token tables, shared by whoever writes them and whoever reads them.
//!
//! ```text
//! TokenTablesRecord · ends · bytes · merge starts · merge pairs · merged · sorted · added · around · text
//! ```
//!
//! All but the record and the text are numbers of 2 or 4 bytes, as the record says; each table
//! starts on a multiple of 4 bytes. [`TokenTablesRecord::counts`] says how many numbers each has.

use bytemuck::{Pod, Zeroable, try_cast_slice};

use super::TokenId;
use super::pattern::MAX_RULES;
use crate::plan::format::NONE;

/// An added token never shows in text.
pub const SPECIAL: u32 = 1;
/// An added token takes the white space before it.
pub const STRIP_LEFT: u32 = 2;
/// An added token takes the white space after it.
pub const STRIP_RIGHT: u32 = 4;

/// The first 128 bytes of the section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct TokenTablesRecord {
    /// Token ids are below this.
    pub tokens: u32,
    /// Pairs of tokens that become one.
    pub merges: u32,
    /// Added tokens: those that are looked for in the text as it is, then those that are looked
    /// for in the normalized text.
    pub added: [u32; 2],
    /// Tokens that a whole text gets before and after its own.
    pub around: [u32; 2],
    /// Tokens that stand for a whole word, whatever the merges would make of it; none or some.
    pub sorted: u32,
    /// Bytes of the text of all tokens.
    pub text: u32,
    /// Bytes of a number in the tables: 2 or 4. Two bytes of ones are [`NONE`].
    pub width: u32,
    /// The token of bytes that have none, or [`NONE`], which drops them.
    pub unknown: u32,
    /// 1 if neighbouring bytes without a token share the one that stands for them, else 0.
    pub fuse_unknown: u32,
    /// A [`NormalForm`](super::NormalForm) as a number.
    pub normal_form: u32,
    /// [`Rule`](super::Rule)s as numbers, then zeros.
    pub rules: [u32; MAX_RULES],
    /// Zero.
    pub reserved: [u32; 16],
}

/// Tables of numbers, in the order in which they lie.
pub const TABLES: usize = 8;

impl TokenTablesRecord {
    /// How many numbers each table has.
    ///
    /// - *ends*: where each token's text begins in the text; one more says where the last ends.
    /// - *bytes*: the token of each byte, or [`NONE`].
    /// - *merge starts*: index of the first pair whose left token this is; one more.
    /// - *merge pairs*: right token and rank, sorted by the left and the right token.
    /// - *merged*: what the pair of a rank becomes; a lower rank goes first.
    /// - *sorted*: tokens in the order of their text.
    /// - *added*: token and flags, both groups in the order of their text.
    /// - *around*: tokens.
    pub fn counts(&self) -> [u64; TABLES] {
        let [tokens, merges] = [self.tokens, self.merges].map(u64::from);
        let both = |pair: [u32; 2]| u64::from(pair[0]) + u64::from(pair[1]);
        [
            tokens + 1,
            256,
            tokens + 1,
            2 * merges,
            merges,
            u64::from(self.sorted),
            2 * both(self.added),
            both(self.around),
        ]
    }
}

/// A table of numbers of 2 or 4 bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbers<'a> {
    bytes: &'a [u8],
    wide: bool,
}

impl Numbers<'_> {
    pub(super) fn len(&self) -> usize {
        self.bytes.len() / if self.wide { 4 } else { 2 }
    }

    /// The number at `index`, [`NONE`] beyond the end.
    #[inline]
    pub(super) fn get(&self, index: usize) -> u32 {
        if self.wide {
            let number = self.bytes.as_chunks::<4>().0.get(index);
            number.map_or(NONE, |bytes| u32::from_le_bytes(*bytes))
        } else {
            match self.bytes.as_chunks::<2>().0.get(index) {
                None | Some([0xff, 0xff]) => NONE,
                Some(bytes) => u32::from(u16::from_le_bytes(*bytes)),
            }
        }
    }
}

/// A section, cut into its tables.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tables<'a> {
    pub(super) record: &'a TokenTablesRecord,
    pub(super) ends: Numbers<'a>,
    pub(super) bytes: Numbers<'a>,
    pub(super) merge_starts: Numbers<'a>,
    pub(super) merge_pairs: Numbers<'a>,
    pub(super) merged: Numbers<'a>,
    pub(super) sorted: Numbers<'a>,
    pub(super) added: Numbers<'a>,
    pub(super) around: Numbers<'a>,
    pub(super) text: &'a [u8],
}

impl<'a> Tables<'a> {
    /// Cuts the section, without a look at what the tables say; `None` if it has another length
    /// than its record asks for.
    pub(super) fn cut(section: &'a [u8]) -> Option<Tables<'a>> {
        let (record, mut rest) = section.split_at_checked(size_of::<TokenTablesRecord>())?;
        let [record] = try_cast_slice::<u8, TokenTablesRecord>(record).ok()? else {
            return None;
        };
        let wide = match record.width {
            2 => false,
            4 => true,
            _ => return None,
        };
        let mut tables = [Numbers { bytes: &[], wide }; TABLES];
        for (table, count) in tables.iter_mut().zip(record.counts()) {
            let len = usize::try_from(count.checked_mul(u64::from(record.width))?).ok()?;
            let (bytes, after) = rest.split_at_checked(len.checked_next_multiple_of(4)?)?;
            table.bytes = bytes.get(..len)?;
            rest = after;
        }
        let [
            ends,
            bytes,
            merge_starts,
            merge_pairs,
            merged,
            sorted,
            added,
            around,
        ] = tables;
        (rest.len() as u64 == u64::from(record.text)).then_some(Tables {
            record,
            ends,
            bytes,
            merge_starts,
            merge_pairs,
            merged,
            sorted,
            added,
            around,
            text: rest,
        })
    }

    /// A token's bytes, none for an id that has no token.
    #[inline]
    pub(super) fn token(&self, id: TokenId) -> &'a [u8] {
        let [start, end] = [id as usize, id as usize + 1].map(|at| self.ends.get(at) as usize);
        self.text.get(start..end).unwrap_or_default()
    }

    /// Rank of a pair of tokens that become one, [`NONE`] if they do not.
    #[inline]
    pub(super) fn rank(&self, left: TokenId, right: TokenId) -> u32 {
        let mut start = self.merge_starts.get(left as usize) as usize;
        let mut end = self.merge_starts.get(left as usize + 1) as usize;
        while start < end {
            let middle = start + (end - start) / 2;
            let found = self.merge_pairs.get(2 * middle);
            if found == right {
                return self.merge_pairs.get(2 * middle + 1);
            }
            if found < right {
                start = middle + 1;
            } else {
                end = middle;
            }
        }
        NONE
    }

    /// The token whose text is `word`, among those that need no merges.
    pub(super) fn whole_word(&self, word: &[u8]) -> Option<TokenId> {
        let (mut start, mut end) = (0, self.sorted.len());
        while start < end {
            let middle = start + (end - start) / 2;
            let id = self.sorted.get(middle);
            match self.token(id).cmp(word) {
                core::cmp::Ordering::Equal => return Some(id),
                core::cmp::Ordering::Less => start = middle + 1,
                core::cmp::Ordering::Greater => end = middle,
            }
        }
        None
    }
}
