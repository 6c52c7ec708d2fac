//! From bytes that are typed to lines of text.

use heapless::Vec;

/// What a byte did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typed {
    /// Nothing to be seen.
    Nothing,
    /// It became a part of the line.
    Shown(u8),
    /// It took the last byte back.
    Erased,
    /// The line is whole: [`Lines::text`].
    Line,
    /// The line is whole, but nothing can be done with it.
    Fault(LineFault),
    /// Ctrl-C: whoever types wants something to stop.
    Interrupt,
    /// Ctrl-D: whoever types has finished.
    End,
}

/// Why a line is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineFault {
    /// It has more bytes than there is room for.
    #[error("the line is longer than {most} bytes")]
    TooLong {
        /// Bytes of the longest line.
        most: usize,
    },
    /// It is no UTF-8, or has control characters.
    #[error("the line is no text")]
    NotText,
}

/// A line of at most `N` bytes in the making.
#[derive(Debug, Default)]
pub struct Lines<const N: usize> {
    bytes: Vec<u8, N>,
    /// What is wrong with the line so far.
    fault: Option<LineFault>,
    /// The next byte begins a new line.
    whole: bool,
    /// The last byte was a carriage return, whose line feed says nothing new.
    returned: bool,
}

impl<const N: usize> Lines<N> {
    /// Takes one byte.
    pub fn push(&mut self, byte: u8) -> Typed {
        if self.whole {
            (self.whole, self.fault) = (false, None);
            self.bytes.clear();
        }
        let after_return = core::mem::replace(&mut self.returned, byte == b'\r');
        match byte {
            b'\n' if after_return => Typed::Nothing,
            b'\r' | b'\n' => self.end(),
            0x03 => {
                self.whole = true;
                Typed::Interrupt
            }
            0x04 => Typed::End,
            0x08 | 0x7f => self.erase(),
            _ => self.add(byte),
        }
    }

    /// The line that is whole.
    pub fn text(&self) -> &str {
        core::str::from_utf8(&self.bytes).unwrap_or_default()
    }

    fn end(&mut self) -> Typed {
        self.whole = true;
        if core::str::from_utf8(&self.bytes).is_err() {
            self.fault.get_or_insert(LineFault::NotText);
        }
        self.fault.map_or(Typed::Line, Typed::Fault)
    }

    fn erase(&mut self) -> Typed {
        // The bytes of one character go together.
        let mut erased = Typed::Nothing;
        while let Some(byte) = self.bytes.pop() {
            erased = Typed::Erased;
            if byte & 0xc0 != 0x80 {
                break;
            }
        }
        erased
    }

    fn add(&mut self, byte: u8) -> Typed {
        if byte < 0x20 && byte != b'\t' {
            self.fault.get_or_insert(LineFault::NotText);
            return Typed::Nothing;
        }
        match self.bytes.push(byte) {
            Ok(()) => Typed::Shown(byte),
            Err(_) => {
                self.fault = Some(LineFault::TooLong { most: N });
                Typed::Nothing
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines, and faults, that come of the bytes.
    fn lines(bytes: &[u8]) -> std::vec::Vec<Result<String, LineFault>> {
        let mut lines = Lines::<8>::default();
        let mut found = std::vec::Vec::new();
        for &byte in bytes {
            match lines.push(byte) {
                Typed::Line => found.push(Ok(lines.text().to_owned())),
                Typed::Fault(fault) => found.push(Err(fault)),
                _ => {}
            }
        }
        found
    }

    fn text(text: &str) -> Result<String, LineFault> {
        Ok(text.to_owned())
    }

    #[test]
    fn every_kind_of_line_end_ends_one_line() {
        let found = lines(b"a\rb\nc\r\nd\n\re\r\r");
        let expected = ["a", "b", "c", "d", "", "e", ""].map(text);
        assert_eq!(found, expected);
    }

    #[test]
    fn an_overlong_line_is_one_fault_and_the_next_line_is_whole() {
        let found = lines(b"12345678\n123456789abcdef\nok\n");
        let fault = LineFault::TooLong { most: 8 };
        assert_eq!(found, [text("12345678"), Err(fault), text("ok")]);
    }

    #[test]
    fn garbage_is_a_fault_and_the_next_line_is_whole() {
        let found = lines(b"\xff\xfe\x80\nok\n\x1b[A\nok\n\xc3\n");
        let fault = Err(LineFault::NotText);
        assert_eq!(
            found,
            [fault.clone(), text("ok"), fault.clone(), text("ok"), fault]
        );
    }

    #[test]
    fn erasing_takes_whole_characters_and_stops_at_the_beginning() {
        assert_eq!(lines(b"a\xc3\xa9\x7f\x08\x08b\n"), [text("b")]);
    }

    #[test]
    fn an_interrupt_forgets_the_line() {
        assert_eq!(lines(b"turn\x03off\n"), [text("off")]);
    }
}
