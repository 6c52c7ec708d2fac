//! The serial port. This one holds a single byte, and a token takes longer than the next byte:
//! an interrupt puts what arrives in a queue.

use core::cell::RefCell;
use core::convert::Infallible;

use cortex_m::peripheral::NVIC;
use critical_section::Mutex;
use embedded_hal_nb::serial::{Read as _, Write as _};
use embedded_io::{ErrorType, Read, ReadReady, Write};
use heapless::spsc::{Consumer, Producer, Queue};
use static_cell::StaticCell;
use stm32f4xx_hal::pac::{Interrupt, USART1, interrupt};
use stm32f4xx_hal::serial::{Rx, RxListen as _, Serial, Tx};

/// Bytes that can wait, and one.
const WAITING: usize = 257;

/// The half of the port that the interrupt reads, and where it puts the bytes.
static RECEIVER: Mutex<RefCell<Option<(Rx<USART1>, Producer<'static, u8>)>>> =
    Mutex::new(RefCell::new(None));

/// The port, for the main loop.
pub struct Port {
    received: Consumer<'static, u8>,
    transmitter: Tx<USART1>,
}

impl Port {
    /// Takes the port and lets it interrupt. Once.
    pub fn new(serial: Serial<USART1>) -> Port {
        static QUEUE: StaticCell<Queue<u8, WAITING>> = StaticCell::new();
        let (producer, received) = QUEUE.init(Queue::new()).split();
        let (transmitter, mut receiver) = serial.split();
        receiver.listen();
        critical_section::with(|section| {
            RECEIVER.replace(section, Some((receiver, producer)));
        });
        // SAFETY: no critical section depends on this interrupt being off.
        unsafe { NVIC::unmask(Interrupt::USART1) };
        Port {
            received,
            transmitter,
        }
    }
}

#[interrupt]
fn USART1() {
    critical_section::with(|section| {
        if let Some((port, queue)) = RECEIVER.borrow_ref_mut(section).as_mut()
            && let Ok(byte) = port.read()
        {
            // What does not fit is lost.
            let _ = queue.enqueue(byte);
        }
    });
}

impl ErrorType for Port {
    type Error = Infallible;
}

impl ReadReady for Port {
    fn read_ready(&mut self) -> Result<bool, Infallible> {
        Ok(self.received.ready())
    }
}

impl Read for Port {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, Infallible> {
        let Some(first) = bytes.first_mut() else {
            return Ok(0);
        };
        loop {
            if let Some(byte) = self.received.dequeue() {
                *first = byte;
                return Ok(1);
            }
        }
    }
}

impl Write for Port {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        let Some(first) = bytes.first() else {
            return Ok(0);
        };
        // Sending has no errors.
        let _ = nb::block!(self.transmitter.write(*first));
        Ok(1)
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        let _ = nb::block!(self.transmitter.flush());
        Ok(())
    }
}
