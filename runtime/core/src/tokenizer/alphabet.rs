//! The characters that byte-level tokenizers write bytes as, from GPT-2.
//!
//! Bytes that are printable in Latin-1 stand for themselves, the other 68 in their order for the
//! characters from U+0100 on.

/// The byte that a character stands for, if it stands for one.
pub fn byte_of_char(c: char) -> Option<u8> {
    let code = u32::from(c);
    let byte = match code {
        0..=0xff => return Some(code as u8).filter(|byte| is_printable(*byte)),
        0x100..=0x120 => code - 0x100,
        0x121..=0x142 => code - 0x121 + 0x7f,
        0x143 => 0xad,
        _ => return None,
    };
    Some(byte as u8)
}

/// The character that a byte is written as.
pub fn char_of_byte(byte: u8) -> char {
    let code = u32::from(byte);
    let code = match byte {
        0..=0x20 => code + 0x100,
        0x7f..=0xa0 => code - 0x7f + 0x121,
        0xad => 0x143,
        _ => code,
    };
    char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn is_printable(byte: u8) -> bool {
    matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_a_character_of_its_own() {
        for byte in 0..=255 {
            assert_eq!(byte_of_char(char_of_byte(byte)), Some(byte));
        }
        let stand_for_one = ('\0'..=char::MAX).filter(|c| byte_of_char(*c).is_some());
        assert_eq!(stand_for_one.count(), 256);
        assert_eq!(char_of_byte(b' '), 'Ġ');
    }
}
