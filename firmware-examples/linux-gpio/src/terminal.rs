//! Standard input and output as a serial port. A thread waits for what is typed, so that the main
//! loop need not.

use std::io::{self, Read as _, Write as _};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use embedded_io::{ErrorType, Read, ReadReady, Write};
use rustix::termios::{LocalModes, OptionalActions, Termios, isatty, tcgetattr, tcsetattr};

/// What ends the program: Ctrl-D, which also stands for the end of a file.
const END: u8 = 0x04;

/// The terminal.
pub struct Terminal {
    typed: Receiver<u8>,
    /// A byte that was seen and not yet read.
    next: Option<u8>,
    /// Puts the terminal back as it was.
    _keys: Option<Keys>,
}

impl Terminal {
    /// Begins to read.
    ///
    /// # Errors
    /// If the terminal cannot be set to give single keys.
    pub fn new() -> io::Result<Terminal> {
        let keys = match isatty(io::stdin()) {
            true => Some(Keys::one_by_one()?),
            false => None,
        };
        let (send, typed) = channel();
        thread::spawn(move || listen(&send));
        Ok(Terminal {
            typed,
            next: None,
            _keys: keys,
        })
    }

    /// Sleeps until something is typed, but no longer than this.
    pub fn wait(&mut self, most: Duration) {
        if self.next.is_none() {
            self.next = self.typed.recv_timeout(most).ok();
        }
    }
}

/// Hands on what is typed, up to the end.
fn listen(typed: &Sender<u8>) {
    let mut stdin = io::stdin().lock();
    let mut bytes = [0; 256];
    while let Ok(count @ 1..) = stdin.read(&mut bytes) {
        if bytes[..count].iter().any(|byte| typed.send(*byte).is_err()) {
            return;
        }
    }
    // If nobody listens any more, the end has come already.
    let _ = typed.send(END);
}

impl ErrorType for Terminal {
    type Error = io::Error;
}

impl ReadReady for Terminal {
    fn read_ready(&mut self) -> io::Result<bool> {
        if self.next.is_none() {
            self.next = self.typed.try_recv().ok();
        }
        Ok(self.next.is_some())
    }
}

impl Read for Terminal {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let Some(first) = bytes.first_mut() else {
            return Ok(0);
        };
        let next = self.next.take().or_else(|| self.typed.recv().ok());
        *first = next.unwrap_or(END);
        Ok(1)
    }
}

impl Write for Terminal {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(bytes)?;
        // The parts of an answer are seen as they are made.
        stdout.flush()?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().flush()
    }
}

/// A terminal that gives keys as they are typed, Ctrl-C among them, and shows none itself.
struct Keys(Termios);

impl Keys {
    fn one_by_one() -> io::Result<Keys> {
        let before = tcgetattr(io::stdin())?;
        let mut modes = before.clone();
        let line_by_line = LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
        modes.local_modes.remove(line_by_line);
        tcsetattr(io::stdin(), OptionalActions::Now, &modes)?;
        Ok(Keys(before))
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        // There is nobody left to tell.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}
