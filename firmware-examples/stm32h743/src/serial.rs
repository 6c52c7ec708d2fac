//! The serial port. This one holds a single byte, and a token takes longer than the next byte:
//! an interrupt puts what arrives in a queue.

use core::cell::RefCell;
use core::convert::Infallible;

use cortex_m::peripheral::NVIC;
use critical_section::Mutex;
use embedded_io::{ErrorType, Write};
use firmware_app::port::{Port, Queue};
use heapless::spsc::Producer;
use static_cell::StaticCell;
use stm32h7xx_hal::hal::serial::{Read as _, Write as _};
use stm32h7xx_hal::pac::{Interrupt, USART3, interrupt};
use stm32h7xx_hal::serial::{Rx, Serial, Tx};

/// The half of the port that the interrupt reads, and where it puts the bytes.
static RECEIVER: Mutex<RefCell<Option<(Rx<USART3>, Producer<'static, u8>)>>> =
    Mutex::new(RefCell::new(None));

/// Lets the port interrupt. Once.
pub fn port(serial: Serial<USART3>) -> Port<Transmitter> {
    static QUEUE: StaticCell<Queue> = StaticCell::new();
    let (producer, received) = QUEUE.init(Queue::new()).split();
    let (transmitter, mut receiver) = serial.split();
    receiver.listen();
    critical_section::with(|section| {
        RECEIVER.replace(section, Some((receiver, producer)));
    });
    // SAFETY: no critical section depends on this interrupt being off.
    unsafe { NVIC::unmask(Interrupt::USART3) };
    Port::new(received, Transmitter(transmitter))
}

#[interrupt]
fn USART3() {
    critical_section::with(|section| {
        // A read that fails forgets the error, and the interrupt comes again for what follows it.
        if let Some((port, queue)) = RECEIVER.borrow_ref_mut(section).as_mut()
            && let Ok(byte) = port.read()
        {
            // What does not fit is lost.
            let _ = queue.enqueue(byte);
        }
    });
}

/// What sends.
pub struct Transmitter(Tx<USART3>);

impl ErrorType for Transmitter {
    type Error = Infallible;
}

impl Write for Transmitter {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        let Some(first) = bytes.first() else {
            return Ok(0);
        };
        // Sending has no errors.
        let _ = nb::block!(self.0.write(*first));
        Ok(1)
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        let _ = nb::block!(self.0.flush());
        Ok(())
    }
}
