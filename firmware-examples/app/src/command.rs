//! What the embedded model's answers mean: one line of JSON as `models/home` describes it.

use serde::Deserialize;

/// Something to be done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Command {
    /// To what.
    pub device: Device,
    /// Where; nowhere in particular if no room was said.
    pub room: Option<Room>,
    /// What.
    pub action: Action,
    /// How much, with [`Action::Set`].
    pub value: Option<f32>,
}

/// A kind of device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Device {
    Light,
    Heating,
    Blind,
    Fan,
    Plug,
    Lock,
    Alarm,
    Media,
    Vacuum,
    Temperature,
    Humidity,
}

/// A room of the house.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Room {
    Kitchen,
    LivingRoom,
    Bedroom,
    Bathroom,
    Hallway,
    Office,
    Garage,
    Garden,
    All,
}

/// What a device is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Action {
    On,
    Off,
    Raise,
    Lower,
    Set,
    Open,
    Close,
    Stop,
    Play,
    Pause,
    Next,
    Start,
    Dock,
    Lock,
    Unlock,
    Query,
}

/// Why an answer is no command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoCommand {
    /// The model refused the request.
    #[error("this is not among the things that can be done")]
    Refused,
    /// The model wrote something else than it was trained to write.
    #[error("the answer is no command")]
    NotUnderstood,
}

#[derive(Deserialize)]
struct Answer<'a> {
    error: Option<&'a str>,
    device: Option<Device>,
    room: Option<Room>,
    action: Option<Action>,
    value: Option<f32>,
}

impl Command {
    /// Reads an answer.
    ///
    /// # Errors
    /// If it is none, or no JSON of that form.
    pub fn parse(answer: &str) -> Result<Command, NoCommand> {
        let parsed = serde_json_core::from_str::<Answer>(answer.trim());
        match parsed {
            Ok((Answer { error: Some(_), .. }, _)) => Err(NoCommand::Refused),
            Ok((
                Answer {
                    device: Some(device),
                    action: Some(action),
                    room,
                    value,
                    ..
                },
                _,
            )) => Ok(Command {
                device,
                room,
                action,
                value,
            }),
            _ => Err(NoCommand::NotUnderstood),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_the_model_are_commands() {
        let answer = r#"{"device":"light","room":"living_room","action":"set","value":25}"#;
        let expected = Command {
            device: Device::Light,
            room: Some(Room::LivingRoom),
            action: Action::Set,
            value: Some(25.0),
        };
        assert_eq!(Command::parse(answer), Ok(expected));
        let answer = r#"{"device":"heating","room":null,"action":"set","value":20.5}"#;
        let parsed = Command::parse(answer).unwrap();
        assert_eq!((parsed.room, parsed.value), (None, Some(20.5)));
    }

    #[test]
    fn a_refusal_and_nonsense_are_no_commands() {
        let refused = Command::parse(r#"{"error":"unsupported"}"#);
        assert_eq!(refused, Err(NoCommand::Refused));
        let nonsense = [
            "",
            "hello",
            r#"{"device":"light""#,
            r#"{"device":"toaster","room":null,"action":"on","value":null}"#,
            r#"{"device":"light","room":null,"action":null,"value":null}"#,
            r#"{"room":"kitchen"}"#,
        ];
        for answer in nonsense {
            assert_eq!(
                Command::parse(answer),
                Err(NoCommand::NotUnderstood),
                "{answer}"
            );
        }
    }
}
