//! Outputs for machines that have none: they say what they would do.

use std::convert::Infallible;

use embedded_hal::digital::{self, OutputPin};
use embedded_hal::pwm::{self, SetDutyCycle};

/// An output of this name.
pub struct Pretended(pub &'static str);

impl digital::ErrorType for Pretended {
    type Error = Infallible;
}

impl OutputPin for Pretended {
    fn set_low(&mut self) -> Result<(), Infallible> {
        eprintln!("[{}: low]", self.0);
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        eprintln!("[{}: high]", self.0);
        Ok(())
    }
}

impl pwm::ErrorType for Pretended {
    type Error = Infallible;
}

impl SetDutyCycle for Pretended {
    fn max_duty_cycle(&self) -> u16 {
        1000
    }

    fn set_duty_cycle(&mut self, duty: u16) -> Result<(), Infallible> {
        eprintln!("[{}: {duty} of 1000]", self.0);
        Ok(())
    }
}
