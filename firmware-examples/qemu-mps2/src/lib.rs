//! The Cortex-M machines of QEMU as boards: their memory, their serial port, their outputs.
#![no_std]

pub mod clock;
mod faults;
pub mod model;
pub mod pins;
pub mod registers;
pub mod stack;
pub mod uart;
