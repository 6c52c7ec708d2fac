//! The drivers of these processors implement embedded-hal 0.2, the application asks for 1.0: one
//! as the other.

use core::convert::Infallible;

use embedded_hal::i2c::{self, I2c, Operation};
use embedded_hal::pwm::SetDutyCycle;
use embedded_hal::{digital, pwm};
use stm32h7xx_hal::hal::PwmPin;
use stm32h7xx_hal::hal::blocking::i2c as blocking;
use stm32h7xx_hal::hal::digital::v2;

/// An output that is on or off.
pub struct Output<P>(pub P);

impl<P> digital::ErrorType for Output<P> {
    type Error = Infallible;
}

impl<P: v2::OutputPin<Error = Infallible>> digital::OutputPin for Output<P> {
    fn set_low(&mut self) -> Result<(), Infallible> {
        self.0.set_low()
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        self.0.set_high()
    }
}

/// An output of pulses.
pub struct Pulses<P>(pub P);

impl<P> pwm::ErrorType for Pulses<P> {
    type Error = Infallible;
}

impl<P: PwmPin<Duty = u16>> SetDutyCycle for Pulses<P> {
    fn max_duty_cycle(&self) -> u16 {
        self.0.get_max_duty()
    }

    fn set_duty_cycle(&mut self, duty: u16) -> Result<(), Infallible> {
        self.0.set_duty(duty);
        Ok(())
    }
}

/// A bus of I2C.
pub struct Bus<B>(pub B);

/// What a device on the bus, or its absence, did.
#[derive(Debug)]
pub struct Failed;

impl i2c::Error for Failed {
    fn kind(&self) -> i2c::ErrorKind {
        i2c::ErrorKind::Other
    }
}

impl<B> i2c::ErrorType for Bus<B> {
    type Error = Failed;
}

impl<B: blocking::Read + blocking::Write + blocking::WriteRead> I2c for Bus<B> {
    /// A write, a read, or one after the other; anything else fails.
    fn transaction(&mut self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), Failed> {
        let done = match operations {
            [Operation::Write(bytes)] => self.0.write(address, bytes).is_ok(),
            [Operation::Read(bytes)] => self.0.read(address, bytes).is_ok(),
            [Operation::Write(bytes), Operation::Read(answer)] => {
                self.0.write_read(address, bytes, answer).is_ok()
            }
            _ => false,
        };
        if done { Ok(()) } else { Err(Failed) }
    }
}
