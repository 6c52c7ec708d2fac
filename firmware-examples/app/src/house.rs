//! From commands to pins: what a board has, and what a command does to it.

use core::fmt;

use embedded_hal::digital::OutputPin;
use embedded_hal::i2c::I2c;
use embedded_hal::pwm::SetDutyCycle;
use lm75::Lm75;
use lm75::ic::Lm75 as Part;

use crate::command::{Action, Command, Device, Room};

/// How much `raise` and `lower` change a light, in percent.
const STEP: u8 = 20;
/// Speeds of a fan.
const SPEEDS: u8 = 3;

/// The devices of a board.
pub struct House<L, F, P, K, T> {
    /// The room that it is in.
    pub room: Room,
    /// A light that can be dimmed.
    pub light: Level<L>,
    /// A fan of three speeds.
    pub fan: Level<F>,
    /// A relay for a socket.
    pub plug: P,
    /// A relay for a lock: high is locked.
    pub lock: K,
    /// A thermometer on the I2C bus: LM75, TMP75 and their like.
    pub thermometer: Lm75<T, Part>,
}

/// An output with levels, and the level that it is at.
pub struct Level<P> {
    output: P,
    level: u8,
    most: u8,
}

/// What a command did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Done {
    /// A device was switched on or off.
    Switched(Device, bool),
    /// A light has this brightness in percent.
    Brightness(u8),
    /// A fan has this speed, of three.
    Speed(u8),
    /// The temperature in tenths of a degree Celsius.
    Temperature(i16),
}

/// Why a command was not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The board has no such device.
    #[error("there is no such device on this board")]
    NoDevice,
    /// The command is for another room.
    #[error("this board is in another room")]
    OtherRoom,
    /// The device cannot do that.
    #[error("the device cannot do that")]
    NoAction,
    /// The pin or the bus gave an error.
    #[error("the device does not answer")]
    Hardware,
}

/// What can follow commands.
pub trait Outputs {
    /// Follows a command.
    ///
    /// # Errors
    /// If it is not for this board, or the hardware fails.
    fn follow(&mut self, command: &Command) -> Result<Done, Refusal>;
}

impl<P: SetDutyCycle> Level<P> {
    /// A light, in percent, which is switched off.
    ///
    /// # Errors
    /// Those of the output.
    pub fn light(output: P) -> Result<Level<P>, P::Error> {
        Level::new(output, 100)
    }

    /// A fan, which is switched off.
    ///
    /// # Errors
    /// Those of the output.
    pub fn fan(output: P) -> Result<Level<P>, P::Error> {
        Level::new(output, SPEEDS)
    }

    fn new(output: P, most: u8) -> Result<Level<P>, P::Error> {
        let mut level = Level {
            output,
            level: 0,
            most,
        };
        level.set(0)?;
        Ok(level)
    }

    fn set(&mut self, level: u8) -> Result<(), P::Error> {
        let level = level.min(self.most);
        self.output
            .set_duty_cycle_fraction(level.into(), self.most.into())?;
        self.level = level;
        Ok(())
    }

    /// Changes it as the action says, by `step` for a raise.
    fn act(&mut self, command: &Command, step: u8) -> Result<u8, Refusal> {
        let level = match (command.action, command.value) {
            (Action::On, _) => self.most,
            (Action::Off, _) => 0,
            (Action::Raise, _) => self.level.saturating_add(step),
            (Action::Lower, _) => self.level.saturating_sub(step),
            // Casts from floats saturate.
            (Action::Set, Some(value)) => value as u8,
            _ => return Err(Refusal::NoAction),
        };
        self.set(level).map_err(|_| Refusal::Hardware)?;
        Ok(self.level)
    }
}

impl<L, F, P, K, T> Outputs for House<L, F, P, K, T>
where
    L: SetDutyCycle,
    F: SetDutyCycle,
    P: OutputPin,
    K: OutputPin,
    T: I2c,
{
    fn follow(&mut self, command: &Command) -> Result<Done, Refusal> {
        if !matches!(command.room, None | Some(Room::All)) && command.room != Some(self.room) {
            return Err(Refusal::OtherRoom);
        }
        match command.device {
            Device::Light => Ok(Done::Brightness(self.light.act(command, STEP)?)),
            Device::Fan => Ok(Done::Speed(self.fan.act(command, 1)?)),
            Device::Plug => switch(&mut self.plug, command, Action::On, Action::Off),
            Device::Lock => switch(&mut self.lock, command, Action::Lock, Action::Unlock),
            Device::Temperature if command.action == Action::Query => {
                let read = self.thermometer.read_temperature();
                let degrees = read.map_err(|_| Refusal::Hardware)?;
                Ok(Done::Temperature((degrees * 10.0) as i16))
            }
            _ => Err(Refusal::NoDevice),
        }
    }
}

/// Sets the pin high for one action and low for the other.
fn switch(
    pin: &mut impl OutputPin,
    command: &Command,
    high: Action,
    low: Action,
) -> Result<Done, Refusal> {
    let on = command.action == high;
    if !on && command.action != low {
        return Err(Refusal::NoAction);
    }
    pin.set_state(on.into()).map_err(|_| Refusal::Hardware)?;
    Ok(Done::Switched(command.device, on))
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Done::Brightness(percent) => write!(f, "light {percent} %"),
            Done::Speed(speed) => write!(f, "fan {speed}"),
            Done::Switched(Device::Lock, true) => f.write_str("locked"),
            Done::Switched(Device::Lock, false) => f.write_str("unlocked"),
            Done::Switched(_, on) => write!(f, "plug {}", if on { "on" } else { "off" }),
            Done::Temperature(tenths) => {
                let sign = if tenths < 0 { "-" } else { "" };
                let tenths = tenths.unsigned_abs();
                write!(f, "{sign}{}.{} degrees", tenths / 10, tenths % 10)
            }
        }
    }
}
