//! The embedded model on the Cortex-M machines of QEMU.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use cortex_m_semihosting::debug;
use firmware_app::absent::EmptyBus;
use firmware_app::app::{App, NoWatchdog, Status};
use firmware_app::assistant::Assistant;
use firmware_app::command::Room;
use firmware_app::house::{House, Level};
use firmware_app::text::{Form, Language, SCRATCH_WORDS};
use lm75::{Address, Lm75};
use qemu_mps2::model;
use qemu_mps2::pins::{Led, Shown};
use qemu_mps2::uart::Uart;
use static_cell::ConstStaticCell;
use tealight_core::executor::Line;

static CACHE: ConstStaticCell<[Line; model::CACHE_LINES]> =
    ConstStaticCell::new([Line::ZERO; model::CACHE_LINES]);
static ARENA: ConstStaticCell<[Line; model::ARENA_LINES]> =
    ConstStaticCell::new([Line::ZERO; model::ARENA_LINES]);
static SCRATCH: ConstStaticCell<[u32; SCRATCH_WORDS]> = ConstStaticCell::new([0; SCRATCH_WORDS]);

#[entry]
fn main() -> ! {
    let assistant = Assistant::new(
        model::PLAN,
        &model::CONFIG,
        model::STOPS,
        CACHE.take(),
        ARENA.take(),
    );
    let language = Language::new(Form::HOME, SCRATCH.take());
    let house = House {
        room: Room::Kitchen,
        light: level(Level::light(Shown("light"))),
        fan: level(Level::fan(Shown("fan"))),
        plug: Led::new(0),
        lock: Led::new(1),
        thermometer: Lm75::new(EmptyBus, Address::default()),
    };
    let Ok(mut app) = App::new(Uart::new(), assistant, language, house, NoWatchdog);
    loop {
        // Other work of a firmware would stand here: a poll takes as long as a token.
        let Ok(status) = app.poll();
        if status == Status::Finished {
            // Ends the emulator.
            debug::exit(debug::EXIT_SUCCESS);
        }
    }
}

/// These outputs cannot fail.
fn level<T>(made: Result<T, core::convert::Infallible>) -> T {
    let Ok(level) = made;
    level
}
