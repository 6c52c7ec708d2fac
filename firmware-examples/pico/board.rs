//! What the Picos share: the same pins and, but for its name, the same driver, here `hal`. Requests
//! come on UART0; a light and a fan hang on PWM pins, beside two relays; a thermometer on I2C0.

use core::cell::RefCell;

use cortex_m::peripheral::NVIC;
use critical_section::Mutex;
use embedded_io::{Read as _, ReadReady as _};
use firmware_app::app::{App, Watchdog};
use firmware_app::assistant::Assistant;
use firmware_app::command::Room;
use firmware_app::house::{House, Level};
use firmware_app::port::{Port, Queue};
use firmware_app::text::{Form, Language, SCRATCH_WORDS};
use fugit::{MicrosDurationU32, RateExtU32};
use hal::clocks::init_clocks_and_plls;
use hal::gpio::bank0::{Gpio0, Gpio1};
use hal::gpio::{FunctionUart, Pin, Pins, PullDown};
use hal::i2c::I2C;
use hal::pac::{UART0, interrupt};
use hal::pwm::Slices;
use hal::uart::{DataBits, Enabled, Reader, StopBits, UartConfig, UartPeripheral, Writer};
use hal::{Clock, Sio, pac};
use heapless::spsc::Producer;
use lm75::{Address, Lm75};
// After a panic nothing feeds the watchdog, which resets the processor.
use panic_halt as _;
use static_cell::{ConstStaticCell, StaticCell};
use tealight_core::executor::Line;

use crate::{hal, model};

/// The crystal's frequency in hertz.
const CRYSTAL: u32 = 12_000_000;

static CACHE: ConstStaticCell<[Line; model::CACHE_LINES]> =
    ConstStaticCell::new([Line::ZERO; model::CACHE_LINES]);
static ARENA: ConstStaticCell<[Line; model::ARENA_LINES]> =
    ConstStaticCell::new([Line::ZERO; model::ARENA_LINES]);
static SCRATCH: ConstStaticCell<[u32; SCRATCH_WORDS]> = ConstStaticCell::new([0; SCRATCH_WORDS]);

/// The pins of the serial port: transmit, receive.
type SerialPins = (
    Pin<Gpio0, FunctionUart, PullDown>,
    Pin<Gpio1, FunctionUart, PullDown>,
);

/// The half of the port that the interrupt reads, and where it puts the bytes.
static RECEIVER: Mutex<RefCell<Option<(Reader<UART0, SerialPins>, Producer<'static, u8>)>>> =
    Mutex::new(RefCell::new(None));

/// The processor's watchdog.
struct Dog {
    watchdog: hal::Watchdog,
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

/// Runs the application for ever. The watchdog waits for a poll for as long as `patience`.
pub fn run(patience: MicrosDurationU32) -> ! {
    let mut pac = pac::Peripherals::take().expect("nobody else takes them");
    let barked = pac.WATCHDOG.reason().read().timer().bit_is_set();
    let mut watchdog = hal::Watchdog::new(pac.WATCHDOG);
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
    let serial = received_by_interrupt(serial);

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
    watchdog.start(patience);
    let language = Language::new(Form::HOME, SCRATCH.take());
    let watchdog = Dog { watchdog, barked };
    let app = App::new(serial, assistant, language, house, watchdog);
    let mut app = app.ok().expect("the port can be written");
    loop {
        // Noise on the line is no reason to stop. Other work of a firmware would stand here: a poll
        // takes as long as a token.
        let _ = app.poll();
    }
}

/// Lets the port interrupt: it holds 32 bytes, and a token takes longer than they do. Once.
fn received_by_interrupt(
    serial: UartPeripheral<Enabled, UART0, SerialPins>,
) -> Port<Writer<UART0, SerialPins>> {
    static QUEUE: StaticCell<Queue> = StaticCell::new();
    let (producer, received) = QUEUE.init(Queue::new()).split();
    let (mut receiver, transmitter) = serial.split();
    receiver.enable_rx_interrupt();
    critical_section::with(|section| {
        RECEIVER.replace(section, Some((receiver, producer)));
    });
    // SAFETY: no critical section depends on this interrupt being off.
    unsafe { NVIC::unmask(pac::Interrupt::UART0_IRQ) };
    Port::new(received, transmitter)
}

#[interrupt]
fn UART0_IRQ() {
    critical_section::with(|section| {
        if let Some((port, queue)) = RECEIVER.borrow_ref_mut(section).as_mut() {
            while matches!(port.read_ready(), Ok(true)) {
                let mut byte = [0];
                // What was garbled on the way is lost, and so is what does not fit.
                if port.read(&mut byte).is_ok() {
                    let _ = queue.enqueue(byte[0]);
                }
            }
        }
    });
}
