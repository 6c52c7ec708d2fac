//! The embedded model on the Raspberry Pi Pico 2.
#![no_std]
#![no_main]

#[path = "../../pico/board.rs"]
mod board;
mod model;

use fugit::MicrosDurationU32;
use rp235x_hal as hal;

/// Longer than a step of the model.
const PATIENCE: MicrosDurationU32 = MicrosDurationU32::secs(5);

/// What the boot ROM starts.
#[unsafe(link_section = ".start_block")]
#[used]
static IMAGE: hal::block::ImageDef = hal::block::ImageDef::secure_exe();

#[hal::entry]
fn main() -> ! {
    board::run(PATIENCE)
}
