//! Protobuf messages of ONNX as trees that can be changed and written again, sound or not.
//!
//! Bytes go in, a [`Message`] comes out, and the other way round. Only what `INNER` lists is
//! taken apart; other fields are numbers or bytes.

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// The whole file.
    Model,
    /// Nodes, tensors, inputs and outputs.
    Graph,
    /// An operator at work.
    Node,
    /// An attribute of a node.
    Attribute,
    /// A stored tensor.
    Tensor,
    /// A key and a value that say where external data lies.
    Entry,
    /// An input or output.
    Port,
    /// The type of one.
    Type,
    /// The element type and shape of one.
    TensorType,
    /// Its sizes.
    Shape,
    /// One size.
    Dim,
    /// A set of operators and its version.
    Opset,
}

/// Which fields of which message are messages.
const INNER: [(Kind, u32, Kind); 15] = [
    (Kind::Model, 7, Kind::Graph),
    (Kind::Model, 8, Kind::Opset),
    (Kind::Graph, 1, Kind::Node),
    (Kind::Graph, 5, Kind::Tensor),
    (Kind::Graph, 11, Kind::Port),
    (Kind::Graph, 12, Kind::Port),
    (Kind::Graph, 13, Kind::Port),
    (Kind::Node, 5, Kind::Attribute),
    (Kind::Attribute, 5, Kind::Tensor),
    (Kind::Attribute, 6, Kind::Graph),
    (Kind::Tensor, 13, Kind::Entry),
    (Kind::Port, 2, Kind::Type),
    (Kind::Type, 1, Kind::TensorType),
    (Kind::TensorType, 2, Kind::Shape),
    (Kind::Shape, 1, Kind::Dim),
];

/// A message.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// What it is.
    pub kind: Kind,
    /// Its fields, as they stand in the file.
    pub fields: Vec<Field>,
}

/// A field with its number.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// As in `onnx.proto`.
    pub number: u32,
    /// What it holds.
    pub value: Value,
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// An integer.
    Varint(u64),
    /// Eight bytes.
    Fixed64([u8; 8]),
    /// Four bytes.
    Fixed32([u8; 4]),
    /// Text, numbers in a row, or a message that is not taken apart.
    Bytes(Vec<u8>),
    /// A message.
    Message(Message),
}

impl Message {
    /// Takes a sound file apart.
    pub fn read(kind: Kind, mut bytes: &[u8]) -> Option<Message> {
        let mut fields = Vec::new();
        while !bytes.is_empty() {
            let key = varint(&mut bytes)?;
            let number = u32::try_from(key >> 3).ok()?;
            let inner = INNER
                .iter()
                .find(|(outer, field, _)| (*outer, *field) == (kind, number));
            let value = match (key & 7, inner) {
                (0, _) => Value::Varint(varint(&mut bytes)?),
                (1, _) => Value::Fixed64(take(&mut bytes, 8)?.try_into().ok()?),
                (2, inner) => {
                    let len = usize::try_from(varint(&mut bytes)?).ok()?;
                    let content = take(&mut bytes, len)?;
                    match inner {
                        Some((_, _, kind)) => Value::Message(Message::read(*kind, content)?),
                        None => Value::Bytes(content.to_vec()),
                    }
                }
                (5, _) => Value::Fixed32(take(&mut bytes, 4)?.try_into().ok()?),
                _ => return None,
            };
            fields.push(Field { number, value });
        }
        Some(Message { kind, fields })
    }

    /// The file again.
    pub fn write(&self, out: &mut Vec<u8>) {
        for Field { number, value } in &self.fields {
            let mut key = |wire| put_varint(u64::from(*number) << 3 | wire, out);
            match value {
                Value::Varint(number) => {
                    key(0);
                    put_varint(*number, out);
                }
                Value::Fixed64(bytes) => {
                    key(1);
                    out.extend(bytes);
                }
                Value::Fixed32(bytes) => {
                    key(5);
                    out.extend(bytes);
                }
                Value::Bytes(bytes) => {
                    key(2);
                    put_varint(bytes.len() as u64, out);
                    out.extend(bytes);
                }
                Value::Message(message) => {
                    key(2);
                    let mut content = Vec::new();
                    message.write(&mut content);
                    put_varint(content.len() as u64, out);
                    out.extend(content);
                }
            }
        }
    }

    /// This message and all within it, outer ones first.
    pub fn each(&mut self, visit: &mut impl FnMut(&mut Message)) {
        visit(self);
        for field in &mut self.fields {
            if let Value::Message(message) = &mut field.value {
                message.each(visit);
            }
        }
    }
}

fn take<'a>(bytes: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    bytes.split_off(..len)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.split_off_first()?;
        value |= u64::from(byte & 127) << shift;
        if byte < 128 {
            return Some(value);
        }
    }
    None
}

fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value > 127 {
        out.push(value as u8 | 128);
        value >>= 7;
    }
    out.push(value as u8);
}
