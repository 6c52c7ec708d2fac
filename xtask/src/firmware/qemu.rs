//! QEMU with a firmware: for a person at a terminal, or for a test that types and reads.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::boards::Program;
use crate::Outcome;
use crate::build_arm::machine::Machine;
use crate::build_arm::needs::Need;
use crate::command::{self, program};

/// What ends the firmware.
pub(crate) const CTRL_D: &str = "\x04";

/// The socket of QEMU's monitor.
const MONITOR: &str = "monitor";

/// No emulated answer takes longer, even on a machine that does other work.
const PATIENCE: Duration = Duration::from_secs(300);

/// QEMU's command line: the serial port is its standard input and output, and semihosting gives
/// its exit status.
fn qemu(machine: &Program, elf: &Path, monitor: &str) -> Outcome<Command> {
    let here = Machine::this();
    let Some(qemu) = here.program("qemu-system-arm") else {
        let mend = Need::Qemu.mend(here.system).join("\n  ");
        return Err(format!("missing {}:\n  {mend}", Need::Qemu.what()).into());
    };
    let mut qemu = program(qemu, &["-M", machine.machine, "-display", "none"]);
    qemu.args(["-monitor", monitor, "-serial", "stdio"]);
    qemu.args(["-semihosting-config", "enable=on,target=native"]);
    qemu.arg("-kernel").arg(elf);
    Ok(qemu)
}

/// Runs the firmware at this terminal.
pub(crate) fn interactive(machine: &Program, elf: &Path) -> Outcome {
    eprintln!("type a request; Ctrl-D ends it");
    command::run(&mut qemu(machine, elf, "none")?)
}

/// Runs a firmware that needs nobody, with a nanosecond for each instruction; what it said.
pub(crate) fn counted(machine: &Program, elf: &Path) -> Outcome<String> {
    let mut qemu = qemu(machine, elf, "none")?;
    qemu.args(["-icount", "shift=0"]).stdin(Stdio::null());
    let done = qemu.output()?;
    // Semihosting writes to standard output or to standard error, as QEMU's version has it.
    let said = words(&done.stdout) + &words(&done.stderr);
    match done.status.success() {
        true => Ok(said),
        false => Err(format!("{} ended with {}: {said}", machine.machine, done.status).into()),
    }
}

/// A firmware that a test talks to.
pub(crate) struct Session {
    child: Child,
    output: Receiver<Vec<u8>>,
    /// Everything that it said. Pieces of it end anywhere, within a character too.
    said: Vec<u8>,
    /// What was said and read.
    read: usize,
    /// Holds the socket of QEMU's monitor.
    folder: TempDir,
}

impl Session {
    pub(crate) fn start(machine: &Program, elf: &Path) -> Outcome<Session> {
        let folder = tempfile::tempdir()?;
        let socket = folder.path().join(MONITOR);
        let monitor = format!("unix:{},server,nowait", socket.display());
        let mut qemu = qemu(machine, elf, &monitor)?;
        qemu.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = qemu.spawn()?;
        let mut stdout = child.stdout.take().ok_or("QEMU has no output")?;
        let (send, output) = channel();
        thread::spawn(move || {
            let mut bytes = [0; 1024];
            while let Ok(count @ 1..) = stdout.read(&mut bytes) {
                if send.send(bytes[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Ok(Session {
            child,
            output,
            said: Vec::new(),
            read: 0,
            folder,
        })
    }

    /// Presses the reset button. QEMU drops a command whose sender leaves before the next prompt.
    pub(crate) fn reset(&mut self) -> Outcome {
        let mut monitor = UnixStream::connect(self.folder.path().join(MONITOR))?;
        monitor.set_read_timeout(Some(PATIENCE))?;
        prompted(&mut monitor)?;
        monitor.write_all(b"system_reset\n")?;
        prompted(&mut monitor)
    }

    /// Types.
    pub(crate) fn say(&mut self, text: impl AsRef<[u8]>) -> Outcome {
        let stdin = self.child.stdin.as_mut().ok_or("QEMU has no input")?;
        stdin.write_all(text.as_ref())?;
        Ok(stdin.flush()?)
    }

    /// Waits until it says this, and returns what came before it since the last wait.
    pub(crate) fn hear(&mut self, text: &str) -> Outcome<String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let unread = &self.said[self.read..];
            let mut places = unread.windows(text.len());
            if let Some(at) = places.position(|bytes| bytes == text.as_bytes()) {
                let before = words(&unread[..at]);
                self.read += at + text.len();
                return Ok(before);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.said.extend(bytes),
                Err(error) => {
                    let why = match error {
                        RecvTimeoutError::Timeout => "was not said in time",
                        RecvTimeoutError::Disconnected => "was not said before the end",
                    };
                    let said = words(&self.said);
                    return Err(format!("{text:?} {why}; it said:\n{said}").into());
                }
            }
        }
    }

    /// Ends it and returns how it ended, with everything that it said.
    pub(crate) fn finish(mut self) -> Outcome<(ExitStatus, String)> {
        self.say(CTRL_D)?;
        let deadline = Instant::now() + PATIENCE;
        let left = || deadline.saturating_duration_since(Instant::now());
        while let Ok(bytes) = self.output.recv_timeout(left()) {
            self.said.extend(bytes);
        }
        let status = match self.child.try_wait()? {
            Some(status) => status,
            None => self.child.wait()?,
        };
        Ok((status, words(&self.said)))
    }
}

/// Reads until the monitor waits for a command.
fn prompted(monitor: &mut UnixStream) -> Outcome {
    const PROMPT: &[u8] = b"(qemu) ";
    let mut said = Vec::new();
    while !said.ends_with(PROMPT) {
        let mut byte = [0];
        monitor.read_exact(&mut byte)?;
        said.extend(byte);
    }
    Ok(())
}

fn words(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl Drop for Session {
    fn drop(&mut self) {
        // It has ended, unless a test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
