//! The embedded model on a Nucleo-H743ZI: requests on USART3, a light and a fan on the pulses of
//! timer 3, two relays, a thermometer on I2C1.
#![no_std]
#![no_main]

mod drivers;
mod model;
mod serial;

use cortex_m_rt::entry;
use firmware_app::app::{App, Watchdog};
use firmware_app::assistant::Assistant;
use firmware_app::command::Room;
use firmware_app::house::{House, Level};
use firmware_app::text::{Form, Language, SCRATCH_WORDS};
use lm75::{Address, Lm75};
// After a panic nothing feeds the watchdog, which resets the processor.
use panic_halt as _;
use static_cell::ConstStaticCell;
use stm32h7xx_hal::independent_watchdog::IndependentWatchdog;
use stm32h7xx_hal::pac::{CorePeripherals, Peripherals};
use stm32h7xx_hal::prelude::*;
use stm32h7xx_hal::rcc::ResetReason;
use tealight_core::executor::Line;

use drivers::{Bus, Output, Pulses};

/// Longer than a step of the model, in milliseconds.
const PATIENCE: u32 = 5000;

static CACHE: ConstStaticCell<[Line; model::CACHE_LINES]> =
    ConstStaticCell::new([Line::ZERO; model::CACHE_LINES]);
static ARENA: ConstStaticCell<[Line; model::ARENA_LINES]> =
    ConstStaticCell::new([Line::ZERO; model::ARENA_LINES]);
static SCRATCH: ConstStaticCell<[u32; SCRATCH_WORDS]> = ConstStaticCell::new([0; SCRATCH_WORDS]);

/// The processor's watchdog.
struct Dog {
    watchdog: IndependentWatchdog,
    barked: bool,
}

impl Watchdog for Dog {
    fn feed(&mut self) {
        self.watchdog.feed();
    }

    fn barked(&self) -> bool {
        self.barked
    }
}

#[entry]
fn main() -> ! {
    let mut core = CorePeripherals::take().expect("nobody else takes them");
    let peripherals = Peripherals::take().expect("nobody else takes them");
    // Flash takes several cycles, and all weights are read from it for each token.
    core.SCB.enable_icache();
    core.SCB.enable_dcache(&mut core.CPUID);

    let power = peripherals.PWR.constrain().freeze();
    let mut rcc = peripherals.RCC.constrain().sys_ck(400.MHz());
    // The processor forgets it once it was asked.
    let barked = matches!(
        rcc.get_reset_reason(),
        ResetReason::IndependentWatchdogReset | ResetReason::GenericWatchdogReset
    );
    let ccdr = rcc.freeze(power, &peripherals.SYSCFG);
    let (clocks, on) = (&ccdr.clocks, ccdr.peripheral);
    let b = peripherals.GPIOB.split(on.GPIOB);
    let c = peripherals.GPIOC.split(on.GPIOC);
    let d = peripherals.GPIOD.split(on.GPIOD);
    let e = peripherals.GPIOE.split(on.GPIOE);

    let pins = (d.pd8.into_alternate(), d.pd9.into_alternate());
    let serial = peripherals
        .USART3
        .serial(pins, 115_200.bps(), on.USART3, clocks);
    let port = serial::port(serial.expect("the clock can be divided to this speed"));

    let pins = (c.pc6.into_alternate(), c.pc7.into_alternate());
    let (mut light, mut fan) = peripherals.TIM3.pwm(pins, 1.kHz(), on.TIM3, clocks);
    light.enable();
    fan.enable();
    let Ok(light) = Level::light(Pulses(light));
    let Ok(fan) = Level::fan(Pulses(fan));

    let pins = (
        b.pb8.into_alternate_open_drain(),
        b.pb9.into_alternate_open_drain(),
    );
    let bus = peripherals.I2C1.i2c(pins, 100.kHz(), on.I2C1, clocks);

    let house = House {
        room: Room::Kitchen,
        light,
        fan,
        plug: Output(e.pe2.into_push_pull_output()),
        lock: Output(e.pe4.into_push_pull_output()),
        thermometer: Lm75::new(Bus(bus), Address::default()),
    };
    let assistant = Assistant::new(
        model::PLAN,
        &model::CONFIG,
        model::STOPS,
        CACHE.take(),
        ARENA.take(),
    );
    let language = Language::new(Form::HOME, SCRATCH.take());
    let mut watchdog = IndependentWatchdog::new(peripherals.IWDG);
    watchdog.start(PATIENCE.millis());
    let watchdog = Dog { watchdog, barked };
    let Ok(mut app) = App::new(port, assistant, language, house, watchdog);
    loop {
        // Other work of a firmware would stand here: a poll takes as long as a token.
        let Ok(_) = app.poll();
    }
}
