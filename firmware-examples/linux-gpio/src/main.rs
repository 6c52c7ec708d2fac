//! The embedded model on a Raspberry Pi and its like: requests at the terminal, a light and a fan
//! on the pulses of two PWM channels, two relays, a thermometer on the I2C bus.

mod model;
mod pretended;
mod pulses;
mod terminal;
mod watchdog;

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use firmware_app::absent::EmptyBus;
use firmware_app::app::{App, Status};
use firmware_app::assistant::Assistant;
use firmware_app::command::Room;
use firmware_app::house::{House, Level, Outputs};
use firmware_app::text::{Form, Language, SCRATCH_WORDS};
use linux_embedded_hal::gpio_cdev::{Chip, LineRequestFlags};
use linux_embedded_hal::{CdevPin, I2cdev};
use lm75::{Address, Lm75};
use tealight_core::executor::Line;

use pretended::Pretended;
use pulses::Pulses;
use terminal::Terminal;
use watchdog::Device;

/// The room that the board is in.
const ROOM: Room = Room::Kitchen;

/// How long it sleeps at most before the watchdog is fed again.
const NAP: Duration = Duration::from_secs(1);

/// Type a request: the model answers with a command, and the command moves a pin. Ctrl-C stops
/// an answer, Ctrl-D ends.
#[derive(Parser)]
struct Flags {
    /// Say what the pins would do, on standard error, and touch none
    #[arg(long)]
    pretend: bool,
    /// The chip of the relays' pins
    #[arg(long, default_value = "/dev/gpiochip0")]
    gpio: PathBuf,
    /// The line of the socket's relay
    #[arg(long, default_value_t = 17)]
    plug: u32,
    /// The line of the lock's relay, high is locked
    #[arg(long, default_value_t = 27)]
    lock: u32,
    /// The chip whose channels 0 and 1 are the light and the fan
    #[arg(long, default_value = "/sys/class/pwm/pwmchip0")]
    pwm: PathBuf,
    /// The bus of the thermometer
    #[arg(long, default_value = "/dev/i2c-1")]
    i2c: PathBuf,
    /// A watchdog to start and feed, such as /dev/watchdog
    #[arg(long)]
    watchdog: Option<PathBuf>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let flags = Flags::parse();
    let watchdog = Device::open(flags.watchdog.as_deref())?;
    if flags.pretend {
        let Ok(light) = Level::light(Pretended("light"));
        let Ok(fan) = Level::fan(Pretended("fan"));
        let house = House {
            room: ROOM,
            light,
            fan,
            plug: Pretended("plug"),
            lock: Pretended("lock"),
            thermometer: Lm75::new(EmptyBus, Address::default()),
        };
        return serve(house, watchdog);
    }
    let mut chip = Chip::new(&flags.gpio).map_err(|error| absent(&flags.gpio, error))?;
    let mut pin = |line| -> Result<CdevPin, Box<dyn Error>> {
        let line = chip.get_line(line)?;
        Ok(CdevPin::new(line.request(
            LineRequestFlags::OUTPUT,
            0,
            "tealight",
        )?)?)
    };
    let (plug, lock) = (pin(flags.plug)?, pin(flags.lock)?);
    let pulses = |channel| Pulses::new(&flags.pwm, channel);
    let (light, fan) = (pulses(0)?, pulses(1)?);
    let bus = I2cdev::new(&flags.i2c).map_err(|error| absent(&flags.i2c, error))?;
    let house = House {
        room: ROOM,
        light: Level::light(light)?,
        fan: Level::fan(fan)?,
        plug,
        lock,
        thermometer: Lm75::new(bus, Address::default()),
    };
    serve(house, watchdog)
}

/// Answers requests until there are no more.
fn serve(house: impl Outputs, watchdog: Device) -> Result<(), Box<dyn Error>> {
    let mut cache = vec![Line::ZERO; model::CACHE_LINES];
    let mut arena = vec![Line::ZERO; model::ARENA_LINES];
    let mut scratch = Box::new([0; SCRATCH_WORDS]);
    let assistant = Assistant::new(
        model::PLAN,
        &model::CONFIG,
        model::STOPS,
        &mut cache,
        &mut arena,
    );
    let language = Language::new(Form::HOME, &mut scratch);
    let mut app = App::new(Terminal::new()?, assistant, language, house, watchdog)?;
    loop {
        match app.poll()? {
            Status::Busy => {}
            Status::Waiting => app.serial().wait(NAP),
            Status::Finished => return Ok(()),
        }
    }
}

/// What to do where a device is not there.
fn absent(path: &std::path::Path, error: impl Error) -> String {
    let path = path.display();
    format!("{path}: {error}; name another one (see --help), or try --pretend")
}
