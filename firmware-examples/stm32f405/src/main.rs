//! The embedded model on an STM32F405: requests on USART1, a light and a fan on the pulses of
//! timer 3, two relays, a thermometer on I2C1.
#![no_std]
#![no_main]

mod model;
mod serial;

#[cfg_attr(feature = "board", path = "board.rs")]
#[cfg_attr(not(feature = "board"), path = "emulated.rs")]
mod parts;

use cortex_m_rt::entry;
use firmware_app::app::{App, Status};
use firmware_app::assistant::Assistant;
use firmware_app::command::Room;
use firmware_app::house::{House, Level};
use firmware_app::text::{Form, Language, SCRATCH_WORDS};
use lm75::{Address, Lm75};
use static_cell::ConstStaticCell;
use stm32f4xx_hal::pac::Peripherals;
use stm32f4xx_hal::prelude::*;
use tealight_core::executor::Line;

static CACHE: ConstStaticCell<[Line; model::CACHE_LINES]> =
    ConstStaticCell::new([Line::ZERO; model::CACHE_LINES]);
static ARENA: ConstStaticCell<[Line; model::ARENA_LINES]> =
    ConstStaticCell::new([Line::ZERO; model::ARENA_LINES]);
static SCRATCH: ConstStaticCell<[u32; SCRATCH_WORDS]> = ConstStaticCell::new([0; SCRATCH_WORDS]);

#[entry]
fn main() -> ! {
    let peripherals = Peripherals::take().expect("nobody else takes them");
    let mut rcc = parts::clocks(peripherals.RCC);
    let a = peripherals.GPIOA.split(&mut rcc);
    let b = peripherals.GPIOB.split(&mut rcc);

    let pins = (a.pa9, a.pa10);
    let serial = peripherals.USART1.serial(pins, 115_200.bps(), &mut rcc);
    let port = serial::port(serial.expect("the clock can be divided to this speed"));

    let (_, (light, fan, ..)) = peripherals.TIM3.pwm_hz(1.kHz(), &mut rcc);
    let (mut light, mut fan) = (light.with(a.pa6), fan.with(a.pa7));
    light.enable();
    fan.enable();
    let Ok(light) = Level::light(light);
    let Ok(fan) = Level::fan(fan);

    let bus = parts::bus(peripherals.I2C1, b.pb8, b.pb9, &mut rcc);
    let house = House {
        room: Room::Kitchen,
        light,
        fan,
        plug: b.pb0.into_push_pull_output(),
        lock: b.pb1.into_push_pull_output(),
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
    let watchdog = parts::watchdog(peripherals.IWDG, &rcc);
    let Ok(mut app) = App::new(port, assistant, language, house, watchdog);
    loop {
        // Other work of a firmware would stand here: a poll takes as long as a token.
        let Ok(status) = app.poll();
        if status == Status::Finished {
            parts::finish();
        }
    }
}
