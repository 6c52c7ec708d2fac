//! Protobufs that are small as files and large when decoded: no more memory than others.

use tealight_tests::hostile::Folder;
use tealight_tests::hostile::wire::{Field, Kind, Message, Value};
use tealight_tests::memory::Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Where a message of a kind lies within others: numbers of fields, from the model on.
const PLACES: [(&str, &[(u32, Kind)]); 10] = [
    ("nodes", &[(7, Kind::Graph), (1, Kind::Node)]),
    ("tensors", &[(7, Kind::Graph), (5, Kind::Tensor)]),
    ("inputs", &[(7, Kind::Graph), (11, Kind::Port)]),
    ("outputs", &[(7, Kind::Graph), (12, Kind::Port)]),
    ("operator sets", &[(8, Kind::Opset)]),
    ("graphs", &[(7, Kind::Graph)]),
    (
        "attributes",
        &[(7, Kind::Graph), (1, Kind::Node), (5, Kind::Attribute)],
    ),
    (
        "external data",
        &[(7, Kind::Graph), (5, Kind::Tensor), (13, Kind::Entry)],
    ),
    (
        "names",
        &[(7, Kind::Graph), (1, Kind::Node), (1, Kind::Entry)],
    ),
    (
        "nodes of branches",
        &[
            (7, Kind::Graph),
            (1, Kind::Node),
            (5, Kind::Attribute),
            (6, Kind::Graph),
            (1, Kind::Node),
        ],
    ),
];

const COUNT: usize = 1 << 21;

#[test]
fn millions_of_empty_messages_take_no_more_memory_than_other_files() {
    let folder = Folder::new();
    for (what, path) in PLACES {
        let mut inner: Option<Message> = None;
        for &(number, kind) in path.iter().rev() {
            let field = |message| Field {
                number,
                value: Value::Message(message),
            };
            let empty = Message {
                kind,
                fields: vec![],
            };
            inner = Some(Message {
                kind: Kind::Model,
                fields: match inner {
                    None => vec![field(empty); COUNT],
                    Some(inner) => vec![field(inner)],
                },
            });
        }
        let mut bytes = Vec::new();
        inner.expect("paths are not empty").write(&mut bytes);
        assert!(!folder.import(&bytes, &[], None), "{what}");
    }
}
