//! A channel of a PWM chip, as the kernel's `Documentation/driver-api/pwm.rst` shows it in files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use embedded_hal::pwm::{self, ErrorKind, ErrorType, SetDutyCycle};

/// Nanoseconds of a pulse and the pause after it.
const PERIOD: u32 = 1_000_000;
/// Steps of brightness or speed.
const STEPS: u16 = 1000;

/// An output that pulses.
pub struct Pulses {
    folder: PathBuf,
}

/// A file of the channel that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {path}: {error}; is the chip there, and may you use it?")]
pub struct PulsesError {
    path: String,
    error: io::Error,
}

impl Pulses {
    /// Takes a channel and starts it, with pulses of no length.
    ///
    /// # Errors
    /// If there is no such channel, or it may not be used.
    pub fn new(chip: &Path, channel: u32) -> Result<Pulses, PulsesError> {
        let folder = chip.join(format!("pwm{channel}"));
        if !folder.exists() {
            write(&chip.join("export"), channel)?;
        }
        let pulses = Pulses { folder };
        pulses.set("period", PERIOD)?;
        pulses.set("duty_cycle", 0)?;
        pulses.set("enable", 1)?;
        Ok(pulses)
    }

    fn set(&self, file: &str, value: u32) -> Result<(), PulsesError> {
        write(&self.folder.join(file), value)
    }
}

fn write(path: &Path, value: u32) -> Result<(), PulsesError> {
    fs::write(path, value.to_string()).map_err(|error| PulsesError {
        path: path.display().to_string(),
        error,
    })
}

impl pwm::Error for PulsesError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

impl ErrorType for Pulses {
    type Error = PulsesError;
}

impl SetDutyCycle for Pulses {
    fn max_duty_cycle(&self) -> u16 {
        STEPS
    }

    fn set_duty_cycle(&mut self, duty: u16) -> Result<(), PulsesError> {
        self.set("duty_cycle", PERIOD / u32::from(STEPS) * u32::from(duty))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_steps_is_half_of_the_period() {
        let chip = tempfile::tempdir().unwrap();
        let folder = chip.path().join("pwm1");
        fs::create_dir(&folder).unwrap();
        let mut pulses = Pulses::new(chip.path(), 1).unwrap();
        let read = |file| fs::read_to_string(folder.join(file)).unwrap();
        assert_eq!(
            [read("period"), read("duty_cycle"), read("enable")],
            ["1000000", "0", "1"]
        );
        pulses.set_duty_cycle_percent(50).unwrap();
        assert_eq!(read("duty_cycle"), "500000");
    }

    #[test]
    fn a_chip_that_is_not_there_is_an_error_that_names_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let chip = folder.path().join("pwmchip7");
        let error = Pulses::new(&chip, 0).err().unwrap().to_string();
        assert!(error.contains("pwmchip7/export"), "{error}");
    }
}
