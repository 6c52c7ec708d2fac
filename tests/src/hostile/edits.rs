//! Changes to a graph that choices decide: a fuzzer's, or a generator's of random numbers.
//!
//! A sound model and bytes to choose by go in; out comes a model that is still a protobuf, and may
//! be anything else: nodes lost, doubled, renamed or out of order, other attributes, sizes, types,
//! and external data where there is none.

use arbitrary::{Result, Unstructured};

use super::wire::{Field, Kind, Message, Value};

/// Name of the file that data is moved into.
pub const DATA: &str = "model.onnx.data";

/// Numbers that sizes, axes, types and offsets are wrong with.
const NUMBERS: [i64; 20] = [
    0,
    1,
    -1,
    2,
    3,
    7,
    8,
    16,
    32,
    33,
    255,
    4096,
    65_537,
    1 << 24,
    1 << 31,
    -(1 << 31),
    1 << 40,
    1 << 62,
    i64::MAX,
    i64::MIN,
];

/// And floats.
const FLOATS: [f32; 8] = [
    0.0,
    -1.0,
    1e-30,
    1e30,
    1e6,
    f32::INFINITY,
    f32::NEG_INFINITY,
    f32::NAN,
];

/// Text in places where others are expected.
const TEXTS: [&str; 6] = ["", "x", "/", "../model.onnx", "com.microsoft", "\u{fffd}"];

const RAW_DATA: u32 = 9;
const EXTERNAL_DATA: u32 = 13;
const DATA_LOCATION: u32 = 14;

/// Moves the data of the initializers of more than 64 bytes out of the model.
pub fn move_out(model: &mut Message) -> Vec<u8> {
    let mut data = Vec::new();
    model.each(&mut |message| {
        let large = |field: &Field| {
            field.number == RAW_DATA
                && matches!(&field.value, Value::Bytes(bytes) if bytes.len() > 64)
        };
        let found = message.fields.iter().position(large);
        let (Kind::Tensor, Some(index)) = (message.kind, found) else {
            return;
        };
        let Value::Bytes(bytes) = message.fields.remove(index).value else {
            return;
        };
        for (key, value) in [
            ("location", DATA.to_owned()),
            ("offset", data.len().to_string()),
            ("length", bytes.len().to_string()),
        ] {
            let text = |number, text: &str| Field {
                number,
                value: Value::Bytes(text.into()),
            };
            message.fields.push(Field {
                number: EXTERNAL_DATA,
                value: Value::Message(Message {
                    kind: Kind::Entry,
                    fields: vec![text(1, key), text(2, &value)],
                }),
            });
        }
        message.fields.push(Field {
            number: DATA_LOCATION,
            value: Value::Varint(1),
        });
        data.extend(bytes);
    });
    data
}

/// Changes a model in one to eight places.
pub fn change(model: &mut Message, choices: &mut Unstructured) -> Result<()> {
    for _ in 0..choices.int_in_range(1..=8)? {
        // A kind first: a graph has many nodes and few external files.
        let mut counts: Vec<(Kind, usize)> = Vec::new();
        model.each(
            &mut |message| match counts.iter_mut().find(|(kind, _)| *kind == message.kind) {
                Some((_, count)) => *count += 1,
                None => counts.push((message.kind, 1)),
            },
        );
        let &(kind, count) = choices.choose(&counts)?;
        let (target, donor) = (choices.choose_index(count)?, choices.choose_index(count)?);
        let given = nth(model, kind, donor).fields.clone();
        change_fields(&mut nth(model, kind, target).fields, &given, choices)?;
    }
    Ok(())
}

/// The message of a kind with this index.
fn nth(model: &mut Message, kind: Kind, index: usize) -> &mut Message {
    fn find<'a>(message: &'a mut Message, kind: Kind, left: &mut usize) -> Option<&'a mut Message> {
        if message.kind == kind {
            if *left == 0 {
                return Some(message);
            }
            *left -= 1;
        }
        message.fields.iter_mut().find_map(|field| {
            let Value::Message(inner) = &mut field.value else {
                return None;
            };
            find(inner, kind, left)
        })
    }
    find(model, kind, &mut { index }).expect("the index is below the count")
}

/// Changes one field of a message, perhaps to what another of its kind has.
fn change_fields(
    fields: &mut Vec<Field>,
    given: &[Field],
    choices: &mut Unstructured,
) -> Result<()> {
    if fields.is_empty() {
        fields.extend_from_slice(given);
        return Ok(());
    }
    let index = choices.choose_index(fields.len())?;
    match choices.int_in_range(0..=7)? {
        0 => drop(fields.remove(index)),
        1 => {
            let twice = fields[index].clone();
            let at = choices.int_in_range(0..=fields.len())?;
            fields.insert(at, twice);
        }
        2 => {
            let other = choices.choose_index(fields.len())?;
            fields.swap(index, other);
        }
        3 | 4 => {
            let alike: Vec<&Field> = given
                .iter()
                .filter(|field| field.number == fields[index].number)
                .collect();
            if !alike.is_empty() {
                fields[index] = (*choices.choose(&alike)?).clone();
            }
        }
        _ => change_value(&mut fields[index].value, choices)?,
    }
    Ok(())
}

fn change_value(value: &mut Value, choices: &mut Unstructured) -> Result<()> {
    match value {
        Value::Varint(number) => *number = other_number(*number as i64, choices)? as u64,
        Value::Fixed64(bytes) => bytes[choices.choose_index(8)?] = choices.arbitrary()?,
        Value::Fixed32(bytes) => *bytes = choices.choose(&FLOATS)?.to_le_bytes(),
        Value::Message(message) => message.fields.truncate(choices.choose_index(4)?),
        Value::Bytes(bytes) => {
            let number = std::str::from_utf8(bytes).ok().map(str::parse::<i64>);
            match (choices.int_in_range(0..=3)?, number) {
                (0 | 1, Some(Ok(number))) => {
                    *bytes = other_number(number, choices)?.to_string().into();
                }
                (0, _) => bytes.truncate(choices.int_in_range(0..=bytes.len())?),
                (1, _) => *bytes = choices.choose(&TEXTS)?.as_bytes().to_vec(),
                (_, _) if bytes.is_empty() => bytes.push(choices.arbitrary()?),
                (2, _) => {
                    let index = choices.choose_index(bytes.len())?;
                    bytes[index] = choices.arbitrary()?;
                }
                // Eight bytes are an integer of a shape, or two numbers of some other kind.
                _ => {
                    let index = choices.choose_index(bytes.len())? / 8 * 8;
                    let new = choices.choose(&NUMBERS)?.to_le_bytes();
                    let len = 8.min(bytes.len() - index);
                    bytes[index..index + len].copy_from_slice(&new[..len]);
                }
            }
        }
    }
    Ok(())
}

fn other_number(number: i64, choices: &mut Unstructured) -> Result<i64> {
    Ok(match choices.int_in_range(0..=5)? {
        0 => number.wrapping_add(1),
        1 => number.wrapping_sub(1),
        2 => number.wrapping_mul(2),
        3 => number / 2,
        _ => *choices.choose(&NUMBERS)?,
    })
}
