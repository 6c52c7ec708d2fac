//! What stands in QEMU's netduinoplus2 for the parts that it lacks.

use cortex_m_semihosting::debug;
use firmware_app::absent::EmptyBus;
use firmware_app::app::NoWatchdog;
// A panic ends the emulator, with an error for whoever started it.
use panic_semihosting as _;
use stm32f4xx_hal::gpio::{PB8, PB9};
use stm32f4xx_hal::pac::{I2C1, IWDG, RCC};
use stm32f4xx_hal::prelude::*;
use stm32f4xx_hal::rcc::Rcc;

/// The emulated clock controller never says that a crystal or a multiplier is ready: the clock
/// stays as it is after a reset.
pub fn clocks(rcc: RCC) -> Rcc {
    rcc.constrain()
}

/// A bus that nothing answers on, for the emulated one never says that it has started.
pub fn bus(_: I2C1, _: PB8, _: PB9, _: &mut Rcc) -> EmptyBus {
    EmptyBus
}

/// The emulated watchdog does nothing.
pub fn watchdog(_: IWDG, _: &Rcc) -> NoWatchdog {
    NoWatchdog
}

/// Ends the emulator.
pub fn finish() {
    debug::exit(debug::EXIT_SUCCESS);
}
