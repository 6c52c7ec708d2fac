//! Stand-ins for what a board lacks.

use embedded_hal::i2c::{ErrorKind, ErrorType, I2c, NoAcknowledgeSource, Operation};

/// A bus with nothing on it: no device answers.
pub struct EmptyBus;

impl ErrorType for EmptyBus {
    type Error = ErrorKind;
}

impl I2c for EmptyBus {
    fn transaction(&mut self, _: u8, _: &mut [Operation<'_>]) -> Result<(), ErrorKind> {
        Err(ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address))
    }
}
