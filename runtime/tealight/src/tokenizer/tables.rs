//! A tokenizer whose tables lie in the plan: nothing is read or built before the first text.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use tealight_core::plan::Plan;
use tealight_core::tokenizer::alphabet::{byte_of_char, char_of_byte};
use tealight_core::tokenizer::{self as core, EncodeError, NormalForm, Part};
// The normalization that `tokenizers` itself uses: another version of Unicode would give other
// tokens.
use unicode_normalization_alignments::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use super::TokenId;
use crate::bytes::Bytes;

pub(super) struct TokenTables {
    plan: Arc<Plan<Bytes>>,
    /// Added tokens, and whether each is special.
    added: HashMap<TokenId, bool>,
}

impl fmt::Debug for TokenTables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenTables").finish_non_exhaustive()
    }
}

impl TokenTables {
    pub(super) fn of_plan(plan: &Arc<Plan<Bytes>>) -> Option<TokenTables> {
        Some(TokenTables {
            added: plan.tokenizer()?.added().collect(),
            plan: Arc::clone(plan),
        })
    }

    pub(super) fn tokenizer(&self) -> core::Tokenizer<'_> {
        // It was there when this was made, and a plan does not change.
        self.plan.tokenizer().expect("the plan has token tables")
    }

    pub(super) fn encode(
        &self,
        most: usize,
        text: &str,
        add_special: bool,
    ) -> Result<Vec<TokenId>, EncodeError> {
        let tokenizer = self.tokenizer();
        let mut ids = Vec::new();
        if add_special {
            ids.extend(tokenizer.before());
        }
        let before = ids.len();
        let mut scratch = Vec::new();
        for part in tokenizer.parts(text) {
            match part {
                Part::Token(id) => ids.push(id),
                Part::Text(text) => {
                    let text = normalized(text, tokenizer.normal_form());
                    // No word is longer than the text, and no text has more tokens than bytes.
                    let words = core::Tokenizer::SCRATCH_PER_BYTE * text.len();
                    if scratch.len() < words {
                        // Not grown: fresh memory is zero without being touched.
                        scratch = vec![0; words];
                    }
                    let start = ids.len();
                    ids.resize(start + text.len(), 0);
                    let count = tokenizer.encode_text(&text, &mut scratch, &mut ids[start..])?;
                    ids.truncate(start + count);
                }
            }
        }
        let after = if add_special {
            tokenizer.after().len()
        } else {
            0
        };
        ids.truncate(most.saturating_sub(after).max(before + 1));
        ids.extend(tokenizer.after().take(after));
        Ok(ids)
    }

    /// The largest token id.
    pub(super) fn last(&self) -> Option<TokenId> {
        (self.tokenizer().len() as TokenId).checked_sub(1)
    }

    pub(super) fn vocab_size(&self) -> usize {
        let tokenizer = self.tokenizer();
        let ids = 0..tokenizer.len() as TokenId;
        ids.filter(|id| tokenizer.token_bytes(*id).is_some())
            .count()
    }

    pub(super) fn bytes(&self, token: TokenId) -> Option<&[u8]> {
        self.tokenizer().token_bytes(token)
    }

    /// Added tokens are written as they are, the others in GPT-2's alphabet.
    pub(super) fn token_text(&self, token: TokenId) -> Option<String> {
        let bytes = self.bytes(token)?;
        match std::str::from_utf8(bytes) {
            Ok(text) if self.added.contains_key(&token) => Some(text.to_owned()),
            _ => Some(bytes.iter().map(|byte| char_of_byte(*byte)).collect()),
        }
    }

    pub(super) fn token_id(&self, text: &str) -> Option<TokenId> {
        let tokenizer = self.tokenizer();
        let is = |id: TokenId, bytes: &[u8]| tokenizer.token_bytes(id) == Some(bytes);
        let mut added = self.added.keys().copied();
        added.find(|id| is(*id, text.as_bytes())).or_else(|| {
            let bytes: Option<Vec<u8>> = text.chars().map(byte_of_char).collect();
            let bytes = bytes.filter(|bytes| !bytes.is_empty())?;
            let mut ids = 0..tokenizer.len() as TokenId;
            ids.find(|id| is(*id, &bytes) && !self.added.contains_key(id))
        })
    }

    pub(super) fn is_special(&self, token: TokenId) -> bool {
        self.added.get(&token).copied().unwrap_or(false)
    }
}

fn normalized(text: &str, form: NormalForm) -> Cow<'_, str> {
    let is_fine = match form {
        NormalForm::AsIs => true,
        NormalForm::Nfc => {
            core::first_to_normalize(text).is_none()
                || is_nfc_quick(text.chars()) == IsNormalized::Yes
        }
    };
    if is_fine {
        Cow::Borrowed(text)
    } else {
        text.nfc().map(|(c, _)| c).collect()
    }
}
