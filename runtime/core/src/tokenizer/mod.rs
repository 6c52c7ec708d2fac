//! Text to token ids and back, from tables that lie in a plan.
//!
//! Enters: the plan's token tables and a text. Leaves: token ids, the same as Hugging Face's
//! `tokenizers` gives for byte-level BPE; and the bytes of tokens, which [`Characters`] turns
//! into text. Nothing is built before the first word: the tables are searched where they lie.
//!
//! A text goes through stages, one file each: added tokens are found (`added.rs`), the text
//! between them is cut into words (`pattern.rs`, `split.rs`), and each word's bytes are merged
//! to tokens (`merge.rs`).

mod added;
pub mod alphabet;
mod characters;
pub(crate) mod check;
mod class_table;
mod classes;
mod merge;
mod pattern;
mod split;
pub mod tables;

pub use added::{Part, Parts};
pub use characters::Characters;
pub use pattern::{Contractions, MAX_RULES, NormalForm, Numbers, Prefix, Rule, Symbols, Words};

use tables::{SPECIAL, Tables};

/// A number that stands for a piece of text.
pub type TokenId = u32;

/// Why a text could not be encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// There are more tokens than room for them.
    #[error("the text has more tokens than the {room} that there is room for")]
    Output {
        /// Tokens that there is room for.
        room: usize,
    },
    /// A word is too long for the working memory.
    #[error("a word of {bytes} bytes is longer than the {room} that there is working memory for")]
    Scratch {
        /// The word's length.
        bytes: usize,
        /// Bytes of the longest word that fits.
        room: usize,
    },
    /// The text may have to be normalized before it is encoded, which is for the caller to do.
    #[error("the text has to be normalized first: at byte {at} is a character that may change")]
    NotNormalized {
        /// Where the first such character starts.
        at: usize,
    },
}

/// A model's tokenizer.
#[derive(Clone, Copy, Debug)]
pub struct Tokenizer<'a> {
    tables: Tables<'a>,
    rules: [Option<Rule>; MAX_RULES],
    normal_form: NormalForm,
}

impl<'a> Tokenizer<'a> {
    /// Words of working memory that encoding takes for each byte of the longest word.
    pub const SCRATCH_PER_BYTE: usize = merge::SCRATCH;

    /// Over a section that was checked when its plan was opened.
    pub(crate) fn over(section: &'a [u8]) -> Option<Tokenizer<'a>> {
        let tables = Tables::cut(section)?;
        Some(Tokenizer {
            rules: pattern::rules(&tables.record.rules)?,
            normal_form: NormalForm::from_number(tables.record.normal_form)?,
            tables,
        })
    }

    /// Token ids are below this.
    pub fn len(&self) -> usize {
        self.tables.record.tokens as usize
    }

    /// Whether it has no tokens, which no plan's has.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the text between added tokens has to be turned into before
    /// [`encode_text`](Self::encode_text).
    pub fn normal_form(&self) -> NormalForm {
        self.normal_form
    }

    /// Writes the tokens of a text to `out` and returns how many they are. Added tokens that are
    /// spelled out in the text are recognised; those that a whole text begins and ends with
    /// ([`before`](Self::before), [`after`](Self::after)) are the caller's to add.
    ///
    /// `scratch` is working memory, [`SCRATCH_PER_BYTE`](Self::SCRATCH_PER_BYTE) words for each
    /// byte of the longest word; a text is never longer than that in tokens and bytes.
    ///
    /// # Errors
    /// If one of the two is too short, or the tokenizer asks for NFC and the text may not be in
    /// it: characters from U+0300 on are refused, for normalization takes large tables.
    pub fn encode(
        &self,
        text: &str,
        scratch: &mut [u32],
        out: &mut [TokenId],
    ) -> Result<usize, EncodeError> {
        if self.normal_form == NormalForm::Nfc
            && let Some(at) = first_to_normalize(text)
        {
            return Err(EncodeError::NotNormalized { at });
        }
        let mut out = Output { ids: out, len: 0 };
        for part in self.parts(text) {
            match part {
                Part::Token(id) => out.push(id)?,
                Part::Text(text) => self.text(text, scratch, &mut out)?,
            }
        }
        Ok(out.len)
    }

    /// The added tokens in a text that is not normalized yet, and the text between them.
    pub fn parts<'t>(&self, text: &'t str) -> Parts<'a, 't> {
        Parts::new(self.tables, false, text)
    }

    /// Writes the tokens of text between added tokens, already in its
    /// [normal form](Self::normal_form), to `out` and returns how many they are.
    ///
    /// # Errors
    /// If `scratch` or `out` is too short.
    pub fn encode_text(
        &self,
        text: &str,
        scratch: &mut [u32],
        out: &mut [TokenId],
    ) -> Result<usize, EncodeError> {
        let mut out = Output { ids: out, len: 0 };
        self.text(text, scratch, &mut out)?;
        Ok(out.len)
    }

    /// Calls `each` with the words that text between added tokens is cut into.
    pub fn words(&self, text: &str, mut each: impl FnMut(&str)) {
        let all = split::cut(&self.rules, text, &mut |word| {
            each(word);
            Ok::<(), core::convert::Infallible>(())
        });
        match all {
            Ok(()) => {}
            Err(never) => match never {},
        }
    }

    fn text(
        &self,
        text: &str,
        scratch: &mut [u32],
        out: &mut Output<'_>,
    ) -> Result<(), EncodeError> {
        for part in Parts::new(self.tables, true, text) {
            match part {
                Part::Token(id) => out.push(id)?,
                Part::Text(text) => split::cut(&self.rules, text, &mut |word| {
                    merge::encode(&self.tables, word.as_bytes(), scratch, out)
                })?,
            }
        }
        Ok(())
    }

    /// The bytes that a token stands for, as UTF-8; a character may be spread over tokens.
    /// `None` for an id that has no token.
    pub fn token_bytes(&self, id: TokenId) -> Option<&'a [u8]> {
        Some(self.tables.token(id)).filter(|bytes| !bytes.is_empty())
    }

    /// The token of these bytes: an added one, else the first of all.
    pub fn token_id(&self, bytes: &[u8]) -> Option<TokenId> {
        let added = self.added().map(|(id, _)| id);
        added
            .chain(0..self.tables.record.tokens)
            .find(|id| !bytes.is_empty() && self.tables.token(*id) == bytes)
    }

    /// Added tokens: the id, and whether it never shows in text.
    pub fn added(&self) -> impl Iterator<Item = (TokenId, bool)> + use<'a> {
        let added = self.tables.added;
        (0..added.len() / 2)
            .map(move |at| (added.get(2 * at), added.get(2 * at + 1) & SPECIAL != 0))
    }

    /// Whether a token is one that never shows in text, such as the end of a turn.
    pub fn is_special(&self, id: TokenId) -> bool {
        self.added().any(|(added, special)| added == id && special)
    }

    /// Tokens that a whole text begins with.
    pub fn before(&self) -> impl ExactSizeIterator<Item = TokenId> + use<'a> {
        let around = self.tables.around;
        (0..self.tables.record.around[0] as usize).map(move |at| around.get(at))
    }

    /// Tokens that a whole text ends with.
    pub fn after(&self) -> impl ExactSizeIterator<Item = TokenId> + use<'a> {
        let around = self.tables.around;
        (self.tables.record.around[0] as usize..around.len()).map(move |at| around.get(at))
    }
}

/// Where the first character is that NFC may change or join to the one before it. All below
/// U+0300 are as they are in NFC.
pub fn first_to_normalize(text: &str) -> Option<usize> {
    text.char_indices()
        .find(|(_, c)| *c >= '\u{300}')
        .map(|(at, _)| at)
}

/// Where tokens go.
struct Output<'m> {
    ids: &'m mut [TokenId],
    len: usize,
}

impl Output<'_> {
    fn push(&mut self, id: TokenId) -> Result<(), EncodeError> {
        let room = self.ids.len();
        let place = self.ids.get_mut(self.len);
        *place.ok_or(EncodeError::Output { room })? = id;
        self.len += 1;
        Ok(())
    }
}
