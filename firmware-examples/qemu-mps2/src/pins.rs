//! The outputs of the machines: the lamps on the board, and stand-ins for what they lack.

use core::convert::Infallible;

use embedded_hal::digital::{self, OutputPin};
use embedded_hal::pwm::{self, SetDutyCycle};
use log::info;

use crate::registers::{LEDS, read, write};

/// One of the board's two lamps.
pub struct Led(u32);

impl Led {
    /// The lamp of this number, 0 or 1.
    pub fn new(number: u32) -> Led {
        Led(1 << number)
    }
}

impl digital::ErrorType for Led {
    type Error = Infallible;
}

impl OutputPin for Led {
    fn set_low(&mut self) -> Result<(), Infallible> {
        write(LEDS, read(LEDS) & !self.0);
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        write(LEDS, read(LEDS) | self.0);
        Ok(())
    }
}

/// Stands in for a timer that makes pulses, which the machines lack: it says what it would do.
pub struct Shown(pub &'static str);

impl pwm::ErrorType for Shown {
    type Error = Infallible;
}

impl SetDutyCycle for Shown {
    fn max_duty_cycle(&self) -> u16 {
        1000
    }

    fn set_duty_cycle(&mut self, duty: u16) -> Result<(), Infallible> {
        info!("{}: {duty} of 1000", self.0);
        Ok(())
    }
}
