//! Measures a protobuf file before it is decoded, so that a hostile one cannot make the
//! decoder allocate many times its own size.

use bytes::{Buf, Bytes};
use prost::encoding::{WireType, decode_key, decode_varint};

use super::Node;
use super::proto::{
    AttributeProto, DimensionProto, GraphProto, NodeProto, OperatorSetIdProto,
    StringStringEntryProto, TensorProto, ValueInfoProto,
};

/// What the decoder makes a value of its own of.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Model,
    OperatorSet,
    Graph,
    Node,
    Attribute,
    Tensor,
    Entry,
    Port,
    Type,
    TensorType,
    Shape,
    Dimension,
    /// Of a list.
    Text,
}

/// Where parts lie in others, and how many bytes of memory each takes, its content apart. Types
/// and shapes lie within their ports.
const PARTS: [(Part, u32, Part, usize); 16] = [
    (Part::Model, GRAPH, Part::Graph, size_of::<GraphProto>()),
    (
        Part::Model,
        8,
        Part::OperatorSet,
        size_of::<OperatorSetIdProto>(),
    ),
    (
        Part::Graph,
        1,
        Part::Node,
        size_of::<NodeProto>() + size_of::<Node>(),
    ),
    (
        Part::Graph,
        INITIALIZER,
        Part::Tensor,
        size_of::<TensorProto>(),
    ),
    (Part::Graph, 11, Part::Port, size_of::<ValueInfoProto>()),
    (Part::Graph, 12, Part::Port, size_of::<ValueInfoProto>()),
    (Part::Node, 1, Part::Text, size_of::<String>()),
    (Part::Node, 2, Part::Text, size_of::<String>()),
    (Part::Node, 5, Part::Attribute, size_of::<AttributeProto>()),
    (Part::Attribute, 5, Part::Tensor, size_of::<TensorProto>()),
    (Part::Attribute, 6, Part::Graph, size_of::<GraphProto>()),
    (
        Part::Tensor,
        13,
        Part::Entry,
        size_of::<StringStringEntryProto>(),
    ),
    (Part::Port, 2, Part::Type, 0),
    (Part::Type, 1, Part::TensorType, 0),
    (Part::TensorType, 2, Part::Shape, 0),
    (Part::Shape, 1, Part::Dimension, size_of::<DimensionProto>()),
];

const GRAPH: u32 = 7;
const INITIALIZER: u32 = 5;
const RAW_DATA: u32 = 9;

/// As deep as the decoder goes.
const DEPTH: u32 = 100;

/// What a file will take when decoded.
#[derive(Default)]
pub(super) struct Measure {
    /// Bytes of the graph that are not initializers' raw data and not skipped by the decoder.
    pub(super) structure: u64,
    /// Bytes of memory that its parts take, their content apart.
    pub(super) parts: u64,
}

/// Measures a file; `None` if the bytes are no protobuf.
pub(super) fn measure(model: &Bytes) -> Option<Measure> {
    let mut measure = Measure::default();
    measure.add(Part::Model, model.clone(), DEPTH)?;
    Some(measure)
}

impl Measure {
    fn add(&mut self, outer: Part, message: Bytes, depth: u32) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        for_each(message, |tag, field| {
            let part = PARTS
                .iter()
                .find(|(part, number, ..)| (*part, *number) == (outer, tag));
            if let Some(&(.., part, size)) = part {
                self.parts += size as u64;
                if part != Part::Text {
                    self.add(part, field, depth)?;
                    self.structure += 2;
                    return Some(());
                }
            }
            if outer != Part::Model && (outer, tag) != (Part::Tensor, RAW_DATA) {
                self.structure += field.len() as u64 + 2;
            }
            Some(())
        })
    }
}

/// Calls `field` with the tag and the bytes of every length-delimited field of a message,
/// and with no bytes for the others.
fn for_each(mut message: Bytes, mut field: impl FnMut(u32, Bytes) -> Option<()>) -> Option<()> {
    while message.has_remaining() {
        let (tag, wire) = decode_key(&mut message).ok()?;
        let len = match wire {
            WireType::Varint => {
                decode_varint(&mut message).ok()?;
                0
            }
            WireType::SixtyFourBit => 8,
            WireType::ThirtyTwoBit => 4,
            WireType::LengthDelimited => decode_varint(&mut message).ok()?,
            WireType::StartGroup | WireType::EndGroup => return None,
        };
        let len = usize::try_from(len)
            .ok()
            .filter(|&len| len <= message.remaining())?;
        let bytes = message.split_to(len);
        field(tag, bytes)?;
    }
    Some(())
}
