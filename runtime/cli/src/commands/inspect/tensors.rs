//! A plan's tensors: how they are stored, all together and one by one.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tealight::plan::Plan;

use crate::table::{Align, markdown};
use crate::units;

/// What the tensors of one encoding add up to.
#[derive(Default)]
struct Total {
    tensors: usize,
    values: u64,
    bytes: u64,
}

pub(super) fn encodings(plan: &Plan<impl AsRef<[u8]>>) -> String {
    let mut totals: BTreeMap<&str, Total> = BTreeMap::new();
    for tensor in plan.tensors() {
        let total = totals.entry(tensor.encoding.name()).or_default();
        total.tensors += 1;
        total.values += tensor.rows as u64 * tensor.cols as u64;
        total.bytes += tensor.data.len() as u64;
    }
    let row = |(name, total): (&str, Total)| {
        vec![
            name.to_owned(),
            total.tensors.to_string(),
            units::count(total.values),
            units::bytes(total.bytes),
        ]
    };
    let columns = [
        ("weights", Align::Left),
        ("tensors", Align::Right),
        ("values", Align::Right),
        ("size", Align::Right),
    ];
    markdown(&columns, &totals.into_iter().map(row).collect::<Vec<_>>())
}

pub(super) fn details(plan: &Plan<impl AsRef<[u8]>>) -> String {
    let rows: Vec<_> = plan
        .tensors()
        .map(|tensor| {
            vec![
                tensor.name.to_owned(),
                tensor.encoding.name().to_owned(),
                format!("{} x {}", tensor.rows, tensor.cols),
                units::bytes(tensor.data.len() as u64),
            ]
        })
        .collect();
    let columns = [
        ("tensor", Align::Left),
        ("stored as", Align::Left),
        ("shape", Align::Right),
        ("size", Align::Right),
    ];
    markdown(&columns, &rows)
}

pub(super) fn json(plan: &Plan<impl AsRef<[u8]>>) -> Vec<Value> {
    plan.tensors()
        .map(|tensor| {
            json!({
                "name": tensor.name,
                "encoding": tensor.encoding.name(),
                "shape": [tensor.rows, tensor.cols],
                "bytes": tensor.data.len(),
            })
        })
        .collect()
}
