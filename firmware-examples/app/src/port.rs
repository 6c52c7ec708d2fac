//! A serial port whose bytes an interrupt receives. Ports hold one byte or a few, and a token takes
//! longer than the next byte.
//!
//! ```text
//! receiver ──interrupt──▶ Producer ──Queue──▶ Port ──▶ App
//! ```
//!
//! A board splits a static [`Queue`]: the interrupt enqueues, and the [`Port`] takes the other
//! end, with whatever sends.

use embedded_io::{ErrorType, Read, ReadReady, Write};
use heapless::spsc::{self, Consumer};

/// Bytes that can wait, and one: a whole line, and some more.
const WAITING: usize = 257;

/// Where bytes wait for the main loop.
pub type Queue = spsc::Queue<u8, WAITING>;

/// A port for the main loop: what an interrupt received, and what sends.
pub struct Port<T> {
    received: Consumer<'static, u8>,
    transmitter: T,
}

impl<T> Port<T> {
    /// Of a queue's end and the half of a port that sends.
    pub fn new(received: Consumer<'static, u8>, transmitter: T) -> Port<T> {
        Port {
            received,
            transmitter,
        }
    }
}

impl<T: ErrorType> ErrorType for Port<T> {
    type Error = T::Error;
}

impl<T: ErrorType> ReadReady for Port<T> {
    fn read_ready(&mut self) -> Result<bool, T::Error> {
        Ok(self.received.ready())
    }
}

impl<T: ErrorType> Read for Port<T> {
    /// One byte at least: the call waits for it.
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, T::Error> {
        while !bytes.is_empty() && !self.received.ready() {
            core::hint::spin_loop();
        }
        let mut count = 0;
        while let Some(place) = bytes.get_mut(count)
            && let Some(byte) = self.received.dequeue()
        {
            *place = byte;
            count += 1;
        }
        Ok(count)
    }
}

impl<T: Write> Write for Port<T> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, T::Error> {
        self.transmitter.write(bytes)
    }

    fn flush(&mut self) -> Result<(), T::Error> {
        self.transmitter.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_came_while_nobody_read_come_out_in_order() {
        let queue: &'static mut Queue = Box::leak(Box::default());
        let (mut producer, consumer) = queue.split();
        let mut sent = [0; 8];
        let mut port = Port::new(consumer, &mut sent[..]);
        assert_eq!(port.read_ready(), Ok(false));
        let line: Vec<u8> = (0..=255).collect();
        for byte in &line {
            producer.enqueue(*byte).expect("a line fits");
        }
        assert_eq!(producer.enqueue(7), Err(7));
        let mut read = [0; 256];
        assert_eq!(port.read(&mut read[..100]), Ok(100));
        assert_eq!(port.read(&mut read[100..]), Ok(156));
        assert_eq!((port.read_ready(), &read[..]), (Ok(false), &line[..]));
        port.write_all(b"said").expect("there is room");
        assert_eq!(&sent[..4], b"said");
    }
}
