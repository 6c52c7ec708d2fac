//! The embedded model on the Raspberry Pi Pico.
#![no_std]
#![no_main]

#[path = "../../pico/board.rs"]
mod board;
mod model;

use fugit::MicrosDurationU32;
use rp2040_hal as hal;

/// Longer than a step of the model, and nearly the longest that the watchdog can count.
const PATIENCE: MicrosDurationU32 = MicrosDurationU32::secs(8);

/// The second stage of booting, for the flash that is on the board.
#[unsafe(link_section = ".boot2")]
#[used]
static BOOT: [u8; 256] = rp2040_boot2::BOOT_LOADER_W25Q080;

#[hal::entry]
fn main() -> ! {
    board::run(PATIENCE)
}
