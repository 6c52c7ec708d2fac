//! What a board has and QEMU's machine lacks: a crystal, a bus, a watchdog.

// After a panic nothing feeds the watchdog, which resets the processor.
use panic_halt as _;
use stm32f4xx_hal::gpio::{PB8, PB9};
use stm32f4xx_hal::i2c::{I2c, Mode};
use stm32f4xx_hal::pac::{I2C1, IWDG, RCC};
use stm32f4xx_hal::prelude::*;
use stm32f4xx_hal::rcc::{Config, Rcc};
use stm32f4xx_hal::watchdog::IndependentWatchdog;

/// The crystal's frequency in MHz.
const CRYSTAL: u32 = 8;

/// Longer than any step of the model, in seconds.
const PATIENCE: u32 = 5;

/// Whether the watchdog was what last reset the processor, which then forgets it.
fn barked(rcc: &Rcc) -> bool {
    let barked = rcc.csr().read().wdgrstf().bit_is_set();
    rcc.csr().modify(|_, w| w.rmvf().set_bit());
    barked
}

/// The fastest clock that the processor has.
pub fn clocks(rcc: RCC) -> Rcc {
    rcc.freeze(Config::hse(CRYSTAL.MHz()).sysclk(168.MHz()))
}

/// The bus of the thermometer.
pub fn bus(i2c: I2C1, clock: PB8, data: PB9, rcc: &mut Rcc) -> I2c<I2C1> {
    let mode = Mode::standard(100.kHz());
    I2c::new(i2c, (clock, data), mode, rcc)
}

/// The watchdog with a clock of its own.
pub struct Dog {
    watchdog: IndependentWatchdog,
    barked: bool,
}

/// Starts it.
pub fn watchdog(registers: IWDG, rcc: &Rcc) -> Dog {
    let barked = barked(rcc);
    let mut watchdog = IndependentWatchdog::new(registers);
    watchdog.start(PATIENCE.secs());
    Dog { watchdog, barked }
}

impl firmware_app::app::Watchdog for Dog {
    fn feed(&mut self) {
        self.watchdog.feed();
    }

    fn barked(&self) -> bool {
        self.barked
    }
}

/// A board has nothing to go back to.
pub fn finish() {}
