//! A board on this machine: a serial port out of queues, pins and buses that know what they should
//! see, and the embedded model.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::rc::Rc;

use embedded_hal_mock::eh1::digital::{Mock as Pin, Transaction as Digital};
use embedded_hal_mock::eh1::i2c::{Mock as Bus, Transaction as OnBus};
use embedded_hal_mock::eh1::pwm::{Mock as Pulses, Transaction as Duty};
use embedded_io::{ErrorType, Read, ReadReady, Write};
use firmware_app::app::{App, Status, Watchdog};
use firmware_app::assistant::Assistant;
use firmware_app::command::Room;
use firmware_app::house::{House, Level};
use firmware_app::text::{Form, Language, SCRATCH_WORDS};
use lm75::{Address, Lm75};
use tealight_core::executor::{Arena, Config, KvCache, Line};
use tealight_core::plan::Plan;

/// What is typed, and what is shown.
#[derive(Clone, Default)]
pub struct Serial(Rc<RefCell<(VecDeque<u8>, Vec<u8>)>>);

impl Serial {
    pub fn type_in(&self, text: impl AsRef<[u8]>) {
        self.0.borrow_mut().0.extend(text.as_ref());
    }

    /// What was shown since this was last asked.
    pub fn shown(&self) -> String {
        let shown = std::mem::take(&mut self.0.borrow_mut().1);
        String::from_utf8_lossy(&shown).replace("\r\n", "\n")
    }
}

impl ErrorType for Serial {
    type Error = Infallible;
}

impl ReadReady for Serial {
    fn read_ready(&mut self) -> Result<bool, Infallible> {
        Ok(!self.0.borrow().0.is_empty())
    }
}

impl Read for Serial {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, Infallible> {
        bytes[0] = self
            .0
            .borrow_mut()
            .0
            .pop_front()
            .expect("it was asked first");
        Ok(1)
    }
}

impl Write for Serial {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        self.0.borrow_mut().1.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// Counts how often it is fed.
#[derive(Clone, Default)]
pub struct Dog(pub Rc<RefCell<usize>>);

impl Watchdog for Dog {
    fn feed(&mut self) {
        *self.0.borrow_mut() += 1;
    }
}

/// What the devices should see.
#[derive(Default)]
pub struct Seen {
    pub light: Vec<Duty>,
    pub fan: Vec<Duty>,
    pub plug: Vec<Digital>,
    pub lock: Vec<Digital>,
    pub bus: Vec<OnBus>,
}

/// A board with a context of so many tokens, and a model that `change` has touched.
pub fn board(
    seen: Seen,
    context: usize,
    change: impl Fn(&mut [u8]),
    test: impl Fn(&mut dyn FnMut() -> Status, &Serial, &Dog),
) {
    let mut flash = vec![Line::ZERO; tealight_models::HOME.len().div_ceil(Line::BYTES)];
    let flash: &mut [u8] = bytemuck::cast_slice_mut(&mut flash);
    let flash = &mut flash[..tealight_models::HOME.len()];
    flash.copy_from_slice(tealight_models::HOME);
    change(flash);

    let mut config = Config::new(context);
    config.step = 4;
    let whole = Plan::open(tealight_models::HOME).expect("it is whole");
    let mut cache = vec![Line::ZERO; KvCache::lines(&whole, &config).expect("it fits")];
    let mut arena = vec![Line::ZERO; Arena::lines(&whole, &config).expect("it fits")];
    let mut scratch = [0; SCRATCH_WORDS];
    let assistant = Assistant::new(flash, &config, &[3], &mut cache, &mut arena);

    let off = [Duty::max_duty_cycle(300), Duty::set_duty_cycle(0)];
    let mut light = Pulses::new(&[&off, &seen.light[..]].concat());
    let mut fan = Pulses::new(&[&off, &seen.fan[..]].concat());
    let (mut plug, mut lock) = (Pin::new(&seen.plug), Pin::new(&seen.lock));
    let mut bus = Bus::new(&seen.bus);
    let house = House {
        room: Room::Kitchen,
        light: Level::light(light.clone()).expect("it obeys"),
        fan: Level::fan(fan.clone()).expect("it obeys"),
        plug: plug.clone(),
        lock: lock.clone(),
        thermometer: Lm75::new(bus.clone(), Address::default()),
    };
    let (serial, dog) = (Serial::default(), Dog::default());
    let language = Language::new(Form::HOME, &mut scratch);
    let app = App::new(serial.clone(), assistant, language, house, dog.clone());
    let mut app = app.expect("the port has no errors");
    test(
        &mut || app.poll().expect("the port has no errors"),
        &serial,
        &dog,
    );
    light.done();
    fan.done();
    plug.done();
    lock.done();
    bus.done();
}

/// Polls until there is nothing to do; how often.
pub fn run(poll: &mut dyn FnMut() -> Status) -> usize {
    (1..).find(|_| poll() != Status::Busy).expect("it ends")
}
