//! The serial port, as the `Cortex-M System Design Kit Technical Reference Manual`
//! (ARM DDI 0479) describes it.

use core::convert::Infallible;

use embedded_io::{ErrorType, Read, ReadReady, Write};

use crate::registers::{UART, read, write};

const DATA: usize = UART;
const STATE: usize = UART + 0x04;
const CONTROL: usize = UART + 0x08;
const BAUD_DIVISOR: usize = UART + 0x10;

const TRANSMIT_FULL: u32 = 1;
const RECEIVE_FULL: u32 = 2;
const TRANSMIT_AND_RECEIVE: u32 = 3;

/// The serial port.
pub struct Uart(());

impl Uart {
    /// Switches it on. The emulator does not care for the speed.
    pub fn new() -> Uart {
        write(BAUD_DIVISOR, 16);
        write(CONTROL, TRANSMIT_AND_RECEIVE);
        Uart(())
    }
}

impl ErrorType for Uart {
    type Error = Infallible;
}

impl ReadReady for Uart {
    fn read_ready(&mut self) -> Result<bool, Infallible> {
        Ok(read(STATE) & RECEIVE_FULL != 0)
    }
}

impl Read for Uart {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, Infallible> {
        let Some(first) = bytes.first_mut() else {
            return Ok(0);
        };
        while read(STATE) & RECEIVE_FULL == 0 {}
        *first = read(DATA) as u8;
        Ok(1)
    }
}

impl Write for Uart {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        let Some(first) = bytes.first() else {
            return Ok(0);
        };
        self.flush()?;
        write(DATA, u32::from(*first));
        Ok(1)
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        while read(STATE) & TRANSMIT_FULL != 0 {}
        Ok(())
    }
}
