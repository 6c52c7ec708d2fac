//! Where the machines' peripherals lie, and how their registers are reached.

use core::ptr::{read_volatile, write_volatile};

/// The serial port: Arm's CMSDK APB UART.
pub const UART: usize = if cfg!(feature = "an547") {
    0x5930_3000
} else if cfg!(feature = "an505") {
    0x5020_0000
} else {
    0x4000_4000
};

/// The lamps, a bit each.
pub const LEDS: usize = if cfg!(feature = "an547") {
    0x5930_2000
} else if cfg!(feature = "an505") {
    0x5030_2000
} else {
    0x4002_8000
};

/// A register's value.
pub fn read(register: usize) -> u32 {
    // SAFETY: callers name registers of this file, which can be read.
    unsafe { read_volatile(register as *const u32) }
}

/// Sets a register.
pub fn write(register: usize, value: u32) {
    // SAFETY: callers name registers of this file; none of them reaches memory.
    unsafe { write_volatile(register as *mut u32, value) }
}
