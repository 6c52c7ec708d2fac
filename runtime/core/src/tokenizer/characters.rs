//! Bytes of tokens to text, in whole characters.

/// Longest beginning of a character that is not one yet.
const PARTIAL: usize = 3;

/// Holds back the beginning of a character until the rest of it comes.
#[derive(Clone, Debug, Default)]
pub struct Characters {
    partial: [u8; PARTIAL + 1],
    len: usize,
}

impl Characters {
    /// Calls `tell` with the text that is decided after more bytes. Bytes that can no longer
    /// become a character become U+FFFD.
    pub fn push(&mut self, mut bytes: &[u8], mut tell: impl FnMut(&str)) {
        while self.len > 0 {
            let Some((first, rest)) = bytes.split_first() else {
                return;
            };
            self.partial[self.len] = *first;
            match core::str::from_utf8(&self.partial[..=self.len]) {
                Ok(character) => {
                    tell(character);
                    self.len = 0;
                    bytes = rest;
                }
                Err(error) if error.error_len().is_none() => {
                    self.len += 1;
                    bytes = rest;
                }
                // The byte does not belong to what was held back and is looked at by itself.
                Err(_) => {
                    self.len = 0;
                    tell("\u{fffd}");
                }
            }
        }
        while let Err(error) = core::str::from_utf8(bytes) {
            let (valid, rest) = bytes.split_at(error.valid_up_to());
            tell_valid(valid, &mut tell);
            let Some(invalid) = error.error_len() else {
                self.partial[..rest.len()].copy_from_slice(rest);
                self.len = rest.len();
                return;
            };
            tell("\u{fffd}");
            bytes = &rest[invalid..];
        }
        tell_valid(bytes, &mut tell);
    }

    /// Tells U+FFFD if a character stayed incomplete, and starts again.
    pub fn finish(&mut self, mut tell: impl FnMut(&str)) {
        if core::mem::take(&mut self.len) > 0 {
            tell("\u{fffd}");
        }
    }
}

fn tell_valid(bytes: &[u8], tell: &mut impl FnMut(&str)) {
    match core::str::from_utf8(bytes) {
        Ok(text) if !text.is_empty() => tell(text),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pieces_of_any_bytes_tell_what_the_whole_would(
            pieces in prop::collection::vec(
                prop::collection::vec(
                    prop_oneof![any::<u8>(), Just(0xf0), Just(0x9f), Just(0x92), Just(0xa9), Just(b'a')],
                    0..6,
                ),
                0..8,
            )
        ) {
            let mut characters = Characters::default();
            let mut told = String::new();
            for piece in &pieces {
                characters.push(piece, |text| told.push_str(text));
            }
            characters.finish(|text| told.push_str(text));
            let whole = pieces.concat();
            prop_assert_eq!(told, String::from_utf8_lossy(&whole));
        }
    }
}
