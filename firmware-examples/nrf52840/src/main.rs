//! The embedded model on an nRF52840 DK: requests on UARTE0, a light and a fan on PWM pins, two
//! relays, a thermometer on TWIM0.
#![no_std]
#![no_main]

mod model;
mod serial;

use cortex_m_rt::entry;
use firmware_app::app::{App, Watchdog};
use firmware_app::assistant::Assistant;
use firmware_app::command::Room;
use firmware_app::house::{House, Level};
use firmware_app::text::{Form, Language, SCRATCH_WORDS};
use lm75::{Address, Lm75};
use nrf52840_hal::clocks::Clocks;
use nrf52840_hal::gpio::{Level as Voltage, p0, p1};
use nrf52840_hal::pac::{POWER, Peripherals, WDT};
use nrf52840_hal::pwm::{Channel, Pwm};
use nrf52840_hal::time::U32Ext;
use nrf52840_hal::twim::{self, Frequency, Twim};
use nrf52840_hal::uarte;
use nrf52840_hal::wdt::handles::Hdl0;
use nrf52840_hal::wdt::{self, WatchdogHandle};
// After a panic nothing feeds the watchdog, which resets the processor.
use panic_halt as _;
use static_cell::ConstStaticCell;
use tealight_core::executor::Line;

/// Longer than a step of the model, in ticks of the watchdog's 32,768 Hz.
const PATIENCE: u32 = 5 * 32_768;

static CACHE: ConstStaticCell<[Line; model::CACHE_LINES]> =
    ConstStaticCell::new([Line::ZERO; model::CACHE_LINES]);
static ARENA: ConstStaticCell<[Line; model::ARENA_LINES]> =
    ConstStaticCell::new([Line::ZERO; model::ARENA_LINES]);
static SCRATCH: ConstStaticCell<[u32; SCRATCH_WORDS]> = ConstStaticCell::new([0; SCRATCH_WORDS]);

/// The processor's watchdog.
struct Dog {
    handle: WatchdogHandle<Hdl0>,
    barked: bool,
}

impl Watchdog for Dog {
    fn feed(&mut self) {
        self.handle.pet();
    }

    fn barked(&self) -> bool {
        self.barked
    }
}

#[entry]
fn main() -> ! {
    let peripherals = Peripherals::take().expect("nobody else takes them");
    // The crystal: the speed of the serial port is exact with it.
    let _clocks = Clocks::new(peripherals.CLOCK).enable_ext_hfosc();
    let p0 = p0::Parts::new(peripherals.P0);
    let p1 = p1::Parts::new(peripherals.P1);

    let pins = uarte::Pins {
        txd: p0.p0_06.into_push_pull_output(Voltage::High).degrade(),
        rxd: p0.p0_08.into_floating_input().degrade(),
        cts: None,
        rts: None,
    };
    let port = serial::port(peripherals.UARTE0, pins).expect("its buffers are in RAM");

    let pulses = Pwm::new(peripherals.PWM0);
    pulses.set_period(1000u32.hz());
    for (channel, pin) in [
        (
            Channel::C0,
            p1.p1_01.into_push_pull_output(Voltage::Low).degrade(),
        ),
        (
            Channel::C1,
            p1.p1_02.into_push_pull_output(Voltage::Low).degrade(),
        ),
    ] {
        pulses.set_output_pin(channel, pin);
    }
    let (light, fan, ..) = pulses.split_channels();
    let Ok(light) = Level::light(light);
    let Ok(fan) = Level::fan(fan);

    let pins = twim::Pins {
        sda: p0.p0_26.into_floating_input().degrade(),
        scl: p0.p0_27.into_floating_input().degrade(),
    };
    let bus = Twim::new(peripherals.TWIM0, pins, Frequency::K100);

    let house = House {
        room: Room::Kitchen,
        light,
        fan,
        plug: p1.p1_03.into_push_pull_output(Voltage::Low),
        lock: p1.p1_04.into_push_pull_output(Voltage::Low),
        thermometer: Lm75::new(bus, Address::default()),
    };
    let assistant = Assistant::new(
        model::PLAN,
        &model::CONFIG,
        model::STOPS,
        CACHE.take(),
        ARENA.take(),
    );
    let language = Language::new(Form::HOME, SCRATCH.take());
    let watchdog = watchdog(peripherals.WDT, &peripherals.POWER);
    let app = App::new(port, assistant, language, house, watchdog);
    let mut app = app.ok().expect("the port can be written");
    loop {
        // Other work of a firmware would stand here: a poll takes as long as a token.
        let _ = app.poll();
    }
}

/// Starts it. A reset that is not the watchdog's or the power's leaves it running.
fn watchdog(registers: WDT, power: &POWER) -> Dog {
    use wdt::count::One;
    let barked = power.resetreas.read().dog().bit_is_set();
    // A one makes the processor forget it.
    power.resetreas.write(|w| w.dog().set_bit());
    let parts = match wdt::Watchdog::try_new(registers) {
        Ok(mut watchdog) => {
            watchdog.set_lfosc_ticks(PATIENCE);
            watchdog.activate::<One>()
        }
        Err(running) => {
            let running = wdt::Watchdog::try_recover::<One>(running);
            running.ok().expect("it was started here")
        }
    };
    Dog {
        handle: parts.handles.0,
        barked,
    }
}
