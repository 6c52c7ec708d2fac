//! The processor's own timer. Under QEMU's `-icount shift=0` an instruction takes a nanosecond,
//! so that it counts instructions.

use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;

/// The machine's clock in cycles a second.
const CLOCK: u64 = if cfg!(feature = "an547") {
    32_000_000
} else if cfg!(feature = "an505") {
    20_000_000
} else {
    25_000_000
};

/// Counts of the timer before it starts again.
const RELOAD: u32 = 0x00ff_ffff;

/// What the timer showed.
#[derive(Clone, Copy)]
pub struct Moment(u32);

/// A timer that runs.
pub struct Timer(());

impl Timer {
    /// Starts it.
    pub fn new(mut timer: SYST) -> Timer {
        timer.set_clock_source(SystClkSource::Core);
        timer.set_reload(RELOAD);
        timer.clear_current();
        timer.enable_counter();
        Timer(())
    }

    /// Now.
    pub fn now(&self) -> Moment {
        Moment(SYST::get_current())
    }

    /// Nanoseconds since a moment, in steps of a cycle: at most half a second.
    pub fn since(&self, moment: Moment) -> u64 {
        let cycles = moment.0.wrapping_sub(SYST::get_current()) & RELOAD;
        u64::from(cycles) * 1_000_000_000 / CLOCK
    }
}
