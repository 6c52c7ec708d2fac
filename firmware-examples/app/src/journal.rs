//! What happens, for whoever debugs a board: lines of `log` on the port of requests and answers, as
//! comments that a program at the other end can skip.
//!
//! ```text
//! info!("…") ──line──▶ queue ──before a prompt──▶ "# INFO …\r\n"
//! ```
//!
//! Logging only queues, so that interrupts may log and an answer is not held up or torn apart. The
//! main loop writes what has gathered before each prompt. What finds no room is counted, and said.
//!
//! `TEALIGHT_LOG` says at build time what is logged: `off`, `error`, `warn`, `info` or `debug`;
//! errors if it is not set.

use core::cell::RefCell;
use core::fmt::{self, Write as _};

use critical_section::Mutex;
use embedded_io::Write;
use heapless::{Deque, Vec};
use log::{LevelFilter, Log, Metadata, Record};

/// Bytes of the longest line, with its end. What is longer is cut off.
const LINE: usize = 120;
/// Bytes that wait for the next prompt.
const WAITING: usize = 512;

/// What is logged.
const LEVEL: LevelFilter = level(option_env!("TEALIGHT_LOG"));

static JOURNAL: Journal = Journal::new();

/// Lines that wait.
struct Journal(Mutex<RefCell<Waiting>>);

struct Waiting {
    bytes: Deque<u8, WAITING>,
    /// Lines that found no room.
    lost: usize,
}

/// Has `log` write here. A program that logs elsewhere keeps doing so.
pub fn start() {
    // A logger that was there before stays.
    let _ = install();
}

#[cfg(target_has_atomic = "ptr")]
fn install() -> Result<(), log::SetLoggerError> {
    log::set_logger(&JOURNAL)?;
    log::set_max_level(LEVEL);
    Ok(())
}

/// Cores without atomic exchange.
#[cfg(not(target_has_atomic = "ptr"))]
fn install() -> Result<(), log::SetLoggerError> {
    // SAFETY: no interrupt of a board sets a logger or its level.
    critical_section::with(|_| unsafe {
        log::set_logger_racy(&JOURNAL)?;
        log::set_max_level_racy(LEVEL);
        Ok(())
    })
}

/// Writes the lines that wait.
///
/// # Errors
/// Those of the port.
pub fn write<P: Write>(port: &mut P) -> Result<(), P::Error> {
    JOURNAL.write(port)
}

impl Journal {
    const fn new() -> Journal {
        Journal(Mutex::new(RefCell::new(Waiting {
            bytes: Deque::new(),
            lost: 0,
        })))
    }

    fn write<P: Write>(&self, port: &mut P) -> Result<(), P::Error> {
        let mut line = Cut::default();
        // The port is slow: interrupts wait for no more than a line's copy.
        while critical_section::with(|section| self.0.borrow_ref_mut(section).take(&mut line)) {
            port.write_all(&line.0)?;
        }
        Ok(())
    }
}

impl Waiting {
    /// Keeps a whole line or nothing of it.
    fn keep(&mut self, line: &[u8]) {
        if line.len() > self.bytes.capacity() - self.bytes.len() {
            self.lost += 1;
            return;
        }
        // There is room.
        self.bytes.extend(line.iter().copied());
    }

    /// Whether there was another line.
    fn take(&mut self, line: &mut Cut) -> bool {
        line.0.clear();
        while let Some(byte) = self.bytes.pop_front() {
            // No line is longer.
            let _ = line.0.push(byte);
            if byte == b'\n' {
                return true;
            }
        }
        let lost = core::mem::take(&mut self.lost);
        if lost > 0 {
            line.end_with(format_args!("# WARN {lost} lines found no room here"));
        }
        lost > 0
    }
}

impl Log for Journal {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let mut line = Cut::default();
        line.end_with(format_args!("# {} {}", record.level(), record.args()));
        critical_section::with(|section| self.0.borrow_ref_mut(section).keep(&line.0));
    }

    fn flush(&self) {}
}

/// A line, cut off where it is too long.
#[derive(Default)]
struct Cut(Vec<u8, LINE>);

impl Cut {
    fn end_with(&mut self, text: fmt::Arguments<'_>) {
        // Room is left for the end.
        let _ = self.write_fmt(text);
        let _ = self.0.extend_from_slice(b"\r\n");
    }
}

impl fmt::Write for Cut {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for letter in text.chars() {
            let letter = if letter.is_control() { ' ' } else { letter };
            let mut bytes = [0; 4];
            let bytes = letter.encode_utf8(&mut bytes).as_bytes();
            if self.0.len() + bytes.len() + b"\r\n".len() > LINE {
                return Err(fmt::Error);
            }
            let _ = self.0.extend_from_slice(bytes);
        }
        Ok(())
    }
}

const fn level(name: Option<&str>) -> LevelFilter {
    let Some(name) = name else {
        return LevelFilter::Error;
    };
    match name.as_bytes() {
        b"off" => LevelFilter::Off,
        b"error" => LevelFilter::Error,
        b"warn" => LevelFilter::Warn,
        b"info" => LevelFilter::Info,
        b"debug" => LevelFilter::Debug,
        _ => panic!("TEALIGHT_LOG is none of off, error, warn, info, debug"),
    }
}

#[cfg(test)]
mod tests {
    use log::Level;

    use super::*;

    /// What a host sees of these lines, logged one after the other.
    fn written(lines: &[&str]) -> String {
        let journal = Journal::new();
        log::set_max_level(LevelFilter::Debug);
        for line in lines {
            let mut record = Record::builder();
            record.level(Level::Info);
            journal.log(&record.args(format_args!("{line}")).build());
        }
        let mut port = [0; 1024];
        let mut rest = &mut port[..];
        journal.write(&mut rest).expect("there is room");
        let count = 1024 - rest.len();
        String::from_utf8(port[..count].to_vec()).expect("lines are text")
    }

    #[test]
    fn lines_come_out_in_order_as_comments() {
        let shown = written(&["a request of 6 tokens", "done: light 100 %"]);
        assert_eq!(
            shown,
            "# INFO a request of 6 tokens\r\n# INFO done: light 100 %\r\n"
        );
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_at_a_character_and_stays_one_line() {
        let shown = written(&[&format!("x{}\r\n> no prompt", "é".repeat(80))]);
        let expected = format!("# INFO x{}\r\n", "é".repeat((LINE - 2 - 8) / 2));
        assert_eq!(shown, expected);
        assert_eq!(written(&["a\r\n> b"]), "# INFO a  > b\r\n");
    }

    #[test]
    fn lines_that_find_no_room_are_counted_and_whole_ones_are_kept() {
        let shown = written(&["0123456789012345678901234567890123456789"; 12]);
        let lines: Vec<&str, 16> = shown.lines().collect();
        // 49 bytes each.
        assert_eq!(lines.len(), 10 + 1, "{shown}");
        assert!(lines[..10].iter().all(|line| line.ends_with("6789")));
        assert_eq!(lines[10], "# WARN 2 lines found no room here");
    }

    #[test]
    fn the_level_is_that_of_the_variable_and_errors_without_it() {
        let names = [
            None,
            Some("off"),
            Some("error"),
            Some("warn"),
            Some("info"),
            Some("debug"),
        ];
        use LevelFilter::{Debug, Error, Info, Off, Warn};
        assert_eq!(names.map(level), [Error, Off, Error, Warn, Info, Debug]);
    }
}
