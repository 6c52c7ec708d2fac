//! Measures a protobuf file before it is decoded, so that a hostile one cannot make the
//! decoder allocate many times its own size.

use bytes::{Buf, Bytes};
use prost::encoding::{WireType, decode_key, decode_varint};

const GRAPH: u32 = 7;
const INITIALIZER: u32 = 5;
const RAW_DATA: u32 = 9;

/// Bytes of the graph that are not initializers' raw data and not skipped by the decoder;
/// `None` if the bytes are no protobuf.
pub(super) fn structure_bytes(model: &Bytes) -> Option<u64> {
    let mut bytes = 0u64;
    for_each(model.clone(), |tag, graph| {
        if tag == GRAPH {
            for_each(graph, |tag, message| {
                if tag != INITIALIZER {
                    bytes += message.len() as u64 + 2;
                    return Some(());
                }
                for_each(message, |tag, field| {
                    if tag != RAW_DATA {
                        bytes += field.len() as u64 + 2;
                    }
                    Some(())
                })
            })?;
        }
        Some(())
    })?;
    Some(bytes)
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
