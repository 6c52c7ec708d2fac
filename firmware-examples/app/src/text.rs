//! From a line to the model's tokens, and from a token to bytes.

use heapless::{String, Vec};
use tealight_core::plan::Plan;
use tealight_core::tokenizer::{EncodeError, Tokenizer};

use crate::app::LINE;
use crate::assistant::MOST;

/// What stands around a request, at most, in bytes.
const AROUND: usize = 40;
/// Bytes of the longest request as the model sees it.
const TEXT: usize = LINE + AROUND;

/// How the model wants to be asked: what its chat template says, without an engine for
/// templates.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// Before the request.
    pub before: &'static str,
    /// After it.
    pub after: &'static str,
    /// Whether the request is put in small letters.
    pub small_letters: bool,
}

impl Form {
    /// The embedded model's.
    pub const HOME: Form = Form {
        before: "<|user|> ",
        after: "<|assistant|>",
        small_letters: true,
    };
}

/// Words of memory that tokens are found in.
pub const SCRATCH_WORDS: usize = TEXT * Tokenizer::SCRATCH_PER_BYTE;

/// Turns requests into tokens.
pub struct Language<'m> {
    form: Form,
    scratch: &'m mut [u32; SCRATCH_WORDS],
}

/// Why a request has no tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// The plan has no tokenizer that can be read without an operating system.
    #[error("the model has no tokenizer for microcontrollers")]
    NoTokenizer,
    /// The request is too long, or has letters that this tokenizer cannot prepare.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// Small letters take more room than large ones did.
    #[error("the request is longer than {TEXT} bytes")]
    TooLong,
}

impl<'m> Language<'m> {
    /// For a model that is asked in this form.
    pub fn new(form: Form, scratch: &'m mut [u32; SCRATCH_WORDS]) -> Language<'m> {
        Language { form, scratch }
    }

    /// The tokens of a request.
    ///
    /// # Errors
    /// See [`TextError`].
    pub fn tokens(
        &mut self,
        plan: &Plan<&[u8]>,
        request: &str,
    ) -> Result<Vec<u32, MOST>, TextError> {
        let tokenizer = plan.tokenizer().ok_or(TextError::NoTokenizer)?;
        let text = self.form.fill(request).ok_or(TextError::TooLong)?;
        let mut tokens = Vec::new();
        // Its length is its capacity.
        let _ = tokens.resize_default(MOST);
        let count = tokenizer.encode(&text, self.scratch, &mut tokens)?;
        tokens.truncate(count);
        Ok(tokens)
    }
}

/// The bytes of a token, which may be a part of a character.
pub fn bytes<'p>(plan: &'p Plan<&[u8]>, token: u32) -> &'p [u8] {
    let tokenizer = plan.tokenizer();
    tokenizer
        .and_then(|tokenizer| tokenizer.token_bytes(token))
        .unwrap_or_default()
}

impl Form {
    /// The request as the model sees it, unless it is too long.
    fn fill(&self, request: &str) -> Option<String<TEXT>> {
        let mut text = String::new();
        text.push_str(self.before).ok()?;
        let request = request.trim();
        if self.small_letters {
            for letter in request.chars().flat_map(char::to_lowercase) {
                text.push(if letter == '’' { '\'' } else { letter }).ok()?;
            }
        } else {
            text.push_str(request).ok()?;
        }
        text.push_str(self.after).ok()?;
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_put_in_the_models_form() {
        let text = Form::HOME.fill("  What’s the TEMPERATURE? ").unwrap();
        assert_eq!(text, "<|user|> what's the temperature?<|assistant|>");
    }

    #[test]
    fn a_request_whose_small_letters_are_longer_than_the_room_is_refused() {
        let long = "İ".repeat(LINE / 2);
        assert_eq!(Form::HOME.fill(&long), None);
    }
}
