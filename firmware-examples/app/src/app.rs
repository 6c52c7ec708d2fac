//! The main loop's body: a serial port, a model, the devices of a board.

use core::fmt::{self, Write as _};

use embedded_io::{Read, ReadReady, Write};
use heapless::{Deque, String};
use log::{debug, error, info, warn};

use crate::assistant::{Assistant, StartError, Turn};
use crate::command::Command;
use crate::house::Outputs;
use crate::journal;
use crate::lines::{Lines, Typed};
use crate::text::{self, Language};

/// Bytes of the longest line.
pub const LINE: usize = 240;
/// Bytes that wait while an answer is made.
const WAITING: usize = 512;
/// Bytes of the longest answer that is read as a command.
const ANSWER: usize = 160;

const INTERRUPT: u8 = 0x03;

/// Resets the processor unless it is fed in time.
pub trait Watchdog {
    /// Says that all is well.
    fn feed(&mut self);

    /// Whether the processor was last reset because it was not fed.
    fn barked(&self) -> bool {
        false
    }
}

/// For boards that have none.
pub struct NoWatchdog;

impl Watchdog for NoWatchdog {
    fn feed(&mut self) {}
}

/// Whether there is anything to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// An answer is being made: poll again.
    Busy,
    /// Nothing, until more is typed.
    Waiting,
    /// Ctrl-D was typed.
    Finished,
}

/// The application. [`App::poll`] is called for ever.
pub struct App<'m, S, H, W> {
    serial: S,
    assistant: Result<Assistant<'m>, StartError>,
    language: Language<'m>,
    house: H,
    watchdog: W,
    waiting: Deque<u8, WAITING>,
    lines: Lines<LINE>,
    answer: String<ANSWER>,
}

impl<'m, S, H, W> App<'m, S, H, W>
where
    S: Read + ReadReady + Write,
    H: Outputs,
    W: Watchdog,
{
    /// Says what it is, and waits for requests. Without a model it says why, and goes on.
    ///
    /// # Errors
    /// Those of the serial port.
    pub fn new(
        serial: S,
        assistant: Result<Assistant<'m>, StartError>,
        language: Language<'m>,
        house: H,
        watchdog: W,
    ) -> Result<App<'m, S, H, W>, S::Error> {
        let mut app = App {
            serial,
            assistant,
            language,
            house,
            watchdog,
            waiting: Deque::new(),
            lines: Lines::default(),
            answer: String::new(),
        };
        journal::start();
        match app.watchdog.barked() {
            true => error!("reset by the watchdog: a step took too long, or the firmware panicked"),
            false => debug!("reset, but not by the watchdog"),
        }
        match &app.assistant {
            Ok(assistant) => {
                let sizes = assistant.sizes();
                info!("{sizes}");
                let isa = assistant.isa();
                app.say(format_args!("tealight: ready, computing with {isa:?}\r\n"))?;
            }
            Err(error) => {
                let error = *error;
                app.say(format_args!("tealight: no model: {error}\r\n"))?;
            }
        }
        app.prompt()?;
        Ok(app)
    }

    /// The serial port, for a board that sleeps until something is typed.
    pub fn serial(&mut self) -> &mut S {
        &mut self.serial
    }

    /// Takes in what was typed, and makes one token of an answer, if one is being made.
    ///
    /// # Errors
    /// Those of the serial port.
    pub fn poll(&mut self) -> Result<Status, S::Error> {
        self.watchdog.feed();
        let interrupted = self.receive()?;
        match &mut self.assistant {
            Ok(assistant) if assistant.is_busy() => {
                if interrupted {
                    assistant.stop();
                    info!("stopped");
                    self.say(format_args!("\r\nstopped\r\n"))?;
                    self.prompt()?;
                } else {
                    self.generate()?;
                }
                Ok(Status::Busy)
            }
            _ => self.read(),
        }
    }

    /// Keeps what has arrived, as far as there is room; whether an interrupt was among it, which
    /// takes what was typed before it away.
    fn receive(&mut self) -> Result<bool, S::Error> {
        let mut interrupted = false;
        let busy = self.assistant.as_ref().is_ok_and(Assistant::is_busy);
        while !self.waiting.is_full() && self.serial.read_ready()? {
            let mut byte = [0];
            self.serial.read(&mut byte)?;
            if byte[0] == INTERRUPT && busy {
                self.waiting.clear();
                interrupted = true;
            } else {
                // There is room.
                let _ = self.waiting.push_back(byte[0]);
            }
        }
        Ok(interrupted)
    }

    /// Goes through what was typed up to the end of a line.
    fn read(&mut self) -> Result<Status, S::Error> {
        while let Some(byte) = self.waiting.pop_front() {
            match self.lines.push(byte) {
                Typed::Nothing => {}
                Typed::Shown(byte) => self.serial.write_all(&[byte])?,
                Typed::Erased => self.serial.write_all(b"\x08 \x08")?,
                Typed::Interrupt => {
                    self.serial.write_all(b"^C\r\n")?;
                    self.prompt()?;
                }
                Typed::End => {
                    self.serial.write_all(b"\r\n")?;
                    return Ok(Status::Finished);
                }
                Typed::Fault(fault) => {
                    warn!("a line was refused: {fault}");
                    self.complain(fault)?;
                }
                Typed::Line => {
                    self.serial.write_all(b"\r\n")?;
                    self.begin()?;
                    return Ok(Status::Busy);
                }
            }
        }
        Ok(Status::Waiting)
    }

    /// Has the model answer the line.
    fn begin(&mut self) -> Result<(), S::Error> {
        self.answer.clear();
        if self.lines.text().trim().is_empty() {
            return self.prompt();
        }
        let assistant = match &mut self.assistant {
            Ok(assistant) => assistant,
            Err(error) => {
                let error = *error;
                return self.complain(format_args!("no model: {error}"));
            }
        };
        let asked = self.language.tokens(assistant.plan(), self.lines.text());
        let asked = asked.map(|tokens| {
            info!("a request of {} tokens", tokens.len());
            assistant.ask(&tokens)
        });
        match asked {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => self.complain(error),
            Err(error) => self.complain(error),
        }
    }

    /// One step of the answer.
    fn generate(&mut self) -> Result<(), S::Error> {
        let Ok(assistant) = &mut self.assistant else {
            return Ok(());
        };
        match assistant.step() {
            Ok(Turn::Reading | Turn::Idle) => Ok(()),
            Ok(Turn::Said(token)) => {
                let bytes = text::bytes(assistant.plan(), token);
                let text = core::str::from_utf8(bytes).unwrap_or("\u{fffd}");
                // A longer answer is no command, which its end will say.
                let _ = self.answer.push_str(text);
                self.serial.write_all(bytes)
            }
            Ok(Turn::Ended) => {
                debug!("an answer of {} bytes", self.answer.len());
                self.serial.write_all(b"\r\n")?;
                self.act()
            }
            Ok(Turn::Full) => {
                warn!("the context is full");
                self.serial.write_all(b"\r\n")?;
                self.complain("the context is full")
            }
            Err(error) => {
                error!("a step failed: {error}");
                self.complain(error)
            }
        }
    }

    /// Does what the answer says.
    fn act(&mut self) -> Result<(), S::Error> {
        let command = match Command::parse(&self.answer) {
            Ok(command) => command,
            Err(no) => return self.complain(no),
        };
        match self.house.follow(&command) {
            Ok(done) => {
                info!("done: {done}");
                self.say(format_args!("= {done}\r\n"))?;
                self.prompt()
            }
            Err(refusal) => self.complain(refusal),
        }
    }

    fn complain(&mut self, fault: impl fmt::Display) -> Result<(), S::Error> {
        self.say(format_args!("! {fault}\r\n"))?;
        self.prompt()
    }

    /// Writes what was logged, and asks for the next line.
    fn prompt(&mut self) -> Result<(), S::Error> {
        journal::write(&mut self.serial)?;
        self.serial.write_all(b"> ")
    }

    fn say(&mut self, text: fmt::Arguments<'_>) -> Result<(), S::Error> {
        let mut words = String::<{ LINE + 80 }>::new();
        // What does not fit is cut off.
        let _ = words.write_fmt(text);
        self.serial.write_all(words.as_bytes())
    }
}
