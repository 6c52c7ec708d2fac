//! The embedded model on the Raspberry Pi Pico: requests on UART0, a light and a fan on PWM pins, two
//! relays, a thermometer on I2C0.
#![no_std]
#![no_main]

mod model;

use firmware_app::app::{App, Watchdog};
use firmware_app::assistant::Assistant;
use firmware_app::command::Room;
use firmware_app::house::{House, Level};
use firmware_app::text::{Form, Language, SCRATCH_WORDS};
use fugit::{MicrosDurationU32, RateExtU32};
use lm75::{Address, Lm75};
// After a panic nothing feeds the watchdog, which resets the processor.
use panic_halt as _;
use rp2040_hal::clocks::init_clocks_and_plls;
use rp2040_hal::gpio::Pins;
use rp2040_hal::i2c::I2C;
use rp2040_hal::pwm::Slices;
use rp2040_hal::uart::{DataBits, StopBits, UartConfig, UartPeripheral};
use rp2040_hal::{Clock, Sio, pac};
use static_cell::ConstStaticCell;
use tealight_core::executor::Line;

/// The crystal's frequency in hertz.
const CRYSTAL: u32 = 12_000_000;

/// Longer than a step of the model, and nearly the longest that the watchdog can count.
const PATIENCE: MicrosDurationU32 = MicrosDurationU32::secs(8);

/// The second stage of booting, for the flash that is on the board.
#[unsafe(link_section = ".boot2")]
#[used]
static BOOT: [u8; 256] = rp2040_boot2::BOOT_LOADER_W25Q080;

static CACHE: ConstStaticCell<[Line; model::CACHE_LINES]> =
    ConstStaticCell::new([Line::ZERO; model::CACHE_LINES]);
static ARENA: ConstStaticCell<[Line; model::ARENA_LINES]> =
    ConstStaticCell::new([Line::ZERO; model::ARENA_LINES]);
static SCRATCH: ConstStaticCell<[u32; SCRATCH_WORDS]> = ConstStaticCell::new([0; SCRATCH_WORDS]);

/// The processor's watchdog.
struct Dog(rp2040_hal::Watchdog);

impl Watchdog for Dog {
    fn feed(&mut self) {
        self.0.feed();
    }
}

#[rp2040_hal::entry]
fn main() -> ! {
    let mut pac = pac::Peripherals::take().expect("nobody else takes them");
    let mut watchdog = rp2040_hal::Watchdog::new(pac.WATCHDOG);
    let clocks = init_clocks_and_plls(
        CRYSTAL,
        pac.XOSC,
        pac.CLOCKS,
        pac.PLL_SYS,
        pac.PLL_USB,
        &mut pac.RESETS,
        &mut watchdog,
    );
    let clocks = clocks.ok().expect("the crystal swings");
    let sio = Sio::new(pac.SIO);
    let pins = Pins::new(
        pac.IO_BANK0,
        pac.PADS_BANK0,
        sio.gpio_bank0,
        &mut pac.RESETS,
    );

    let port = (pins.gpio0.into_function(), pins.gpio1.into_function());
    let config = UartConfig::new(115_200.Hz(), DataBits::Eight, None, StopBits::One);
    let serial = UartPeripheral::new(pac.UART0, port, &mut pac.RESETS)
        .enable(config, clocks.peripheral_clock.freq())
        .expect("the clock can be divided to this speed");

    let mut slice = Slices::new(pac.PWM, &mut pac.RESETS).pwm0;
    slice.set_ph_correct();
    slice.enable();
    let (mut light, mut fan) = (slice.channel_a, slice.channel_b);
    light.output_to(pins.gpio16);
    fan.output_to(pins.gpio17);

    let bus = I2C::i2c0(
        pac.I2C0,
        pins.gpio4.reconfigure(),
        pins.gpio5.reconfigure(),
        100.kHz(),
        &mut pac.RESETS,
        &clocks.system_clock,
    );

    let Ok(light) = Level::light(light);
    let Ok(fan) = Level::fan(fan);
    let house = House {
        room: Room::Kitchen,
        light,
        fan,
        plug: pins.gpio18.into_push_pull_output(),
        lock: pins.gpio19.into_push_pull_output(),
        thermometer: Lm75::new(bus, Address::default()),
    };
    let assistant = Assistant::new(
        model::PLAN,
        &model::CONFIG,
        model::STOPS,
        CACHE.take(),
        ARENA.take(),
    );
    watchdog.start(PATIENCE);
    let language = Language::new(Form::HOME, SCRATCH.take());
    let app = App::new(serial, assistant, language, house, Dog(watchdog));
    let mut app = app.ok().expect("the port can be written");
    loop {
        // Noise on the line is no reason to stop. Other work of a firmware would stand here: a poll
        // takes as long as a token.
        let _ = app.poll();
    }
}
