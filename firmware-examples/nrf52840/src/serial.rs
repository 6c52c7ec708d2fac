//! The serial port. Bytes come by DMA, one at a time, as nobody knows how many there will be: an
//! interrupt puts each in a queue and asks for the next. Between two the port itself holds six.

use core::cell::RefCell;

use cortex_m::peripheral::NVIC;
use critical_section::Mutex;
use embedded_io::{Read as _, ReadReady as _};
use firmware_app::port::{Port, Queue};
use heapless::spsc::Producer;
use nrf52840_hal::pac::{Interrupt, UARTE0, interrupt};
use nrf52840_hal::uarte::{Baudrate, Error, Parity, Pins, Uarte, UarteRx, UarteTx};
use static_cell::{ConstStaticCell, StaticCell};

/// The half of the port that the interrupt reads, and where it puts the bytes.
static RECEIVER: Mutex<RefCell<Option<(UarteRx<UARTE0>, Producer<'static, u8>)>>> =
    Mutex::new(RefCell::new(None));

/// Takes the port at 115,200 baud and lets it interrupt. Once.
pub fn port(registers: UARTE0, pins: Pins) -> Result<Port<UarteTx<UARTE0>>, Error> {
    static QUEUE: StaticCell<Queue> = StaticCell::new();
    // Longer ones panic in the driver where less is written than they hold.
    static SENT: ConstStaticCell<[u8; 1]> = ConstStaticCell::new([0]);
    static RECEIVED: ConstStaticCell<[u8; 1]> = ConstStaticCell::new([0]);

    registers.intenset.write(|bits| bits.endrx().set());
    let uarte = Uarte::new(registers, pins, Parity::EXCLUDED, Baudrate::BAUD115200);
    let (transmitter, mut receiver) = uarte.split(SENT.take(), RECEIVED.take())?;
    // Asks for the first byte.
    receiver.read_ready()?;
    let (producer, received) = QUEUE.init(Queue::new()).split();
    critical_section::with(|section| {
        RECEIVER.replace(section, Some((receiver, producer)));
    });
    // SAFETY: no critical section depends on this interrupt being off.
    unsafe { NVIC::unmask(Interrupt::UARTE0_UART0) };
    Ok(Port::new(received, transmitter))
}

#[interrupt]
fn UARTE0_UART0() {
    critical_section::with(|section| {
        if let Some((receiver, queue)) = RECEIVER.borrow_ref_mut(section).as_mut() {
            let mut byte = [0];
            if receiver.read(&mut byte).is_ok() {
                // What does not fit is lost.
                let _ = queue.enqueue(byte[0]);
            }
            // Asks for the next one, which has no errors.
            let _ = receiver.read_ready();
        }
    });
}
