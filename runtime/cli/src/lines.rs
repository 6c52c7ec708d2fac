//! What a person types: one message at a time, of one line or of several.
//!
//! A pasted text arrives faster than anyone types, so lines that follow within a moment belong to
//! the same message. A line that ends with a backslash goes on in the next one.

use std::io::BufRead;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

/// How long a message waits for its next line.
const MOMENT: Duration = Duration::from_millis(25);

/// Messages out of a stream of lines.
pub(crate) struct Messages {
    lines: Receiver<std::io::Result<String>>,
    /// Whether lines that come at once are one message.
    pasted: bool,
    /// The stream broke while a message was being put together; told with the next one.
    broken: Option<std::io::Error>,
}

impl Messages {
    /// Reads `input` on a thread of its own. With `pasted`, lines that come at once are one
    /// message; without, each line is (for a script's input, which always comes at once).
    pub(crate) fn new(input: impl BufRead + Send + 'static, pasted: bool) -> Messages {
        let (sender, lines) = sync_channel(64);
        thread::spawn(move || {
            for line in input.lines() {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Messages {
            lines,
            pasted,
            broken: None,
        }
    }

    /// The next message, or `None` at the end of the input.
    ///
    /// # Errors
    /// The input cannot be read, or is not UTF-8.
    pub(crate) fn next(&mut self) -> std::io::Result<Option<String>> {
        if let Some(error) = self.broken.take() {
            return Err(error);
        }
        let Ok(first) = self.lines.recv() else {
            return Ok(None);
        };
        let mut message = first?;
        loop {
            let continued = message.strip_suffix('\\').map(str::len);
            let next = match continued {
                Some(_) => self
                    .lines
                    .recv()
                    .map_err(|_| RecvTimeoutError::Disconnected),
                None if self.pasted => self.lines.recv_timeout(MOMENT),
                None => break,
            };
            let Ok(next) = next else { break };
            if let Some(length) = continued {
                message.truncate(length);
            }
            match next {
                Ok(line) => {
                    message.push('\n');
                    message.push_str(&line);
                }
                Err(error) => {
                    self.broken = Some(error);
                    break;
                }
            }
        }
        Ok(Some(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn messages(text: &'static str, pasted: bool) -> Vec<String> {
        let mut messages = Messages::new(Cursor::new(text), pasted);
        std::iter::from_fn(|| messages.next().unwrap()).collect()
    }

    #[test]
    fn a_script_says_one_message_a_line() {
        assert_eq!(messages("one\ntwo\n", false), ["one", "two"]);
    }

    #[test]
    fn a_pasted_text_is_one_message() {
        assert_eq!(messages("one\ntwo\n\nthree", true), ["one\ntwo\n\nthree"]);
    }

    #[test]
    fn a_backslash_continues_a_line() {
        assert_eq!(
            messages("one\\\ntwo\nthree\\", false),
            ["one\ntwo", "three\\"]
        );
    }

    #[test]
    fn bytes_that_are_no_text_are_an_error() {
        let mut messages = Messages::new(Cursor::new(b"fine\n\xff\n"), false);
        assert_eq!(messages.next().unwrap().as_deref(), Some("fine"));
        assert!(messages.next().is_err());
    }
}
