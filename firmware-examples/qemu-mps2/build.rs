//! Compiles the model, and chooses the machine's memory map.

use std::env;

use firmware_build::{KvType, Model, memory_map};

fn main() {
    Model {
        folder: "../../models/home/onnx",
        context: 128,
        step: 4,
        kv: KvType::Int8,
        ram: 128 * 1024,
    }
    .compile();

    let machines = ["mps2", "an505", "an547"];
    let chosen = machines.iter().filter(|machine| {
        env::var_os(format!("CARGO_FEATURE_{}", machine.to_uppercase())).is_some()
    });
    // The default one gives way to any other.
    let machine = chosen.last().expect("a machine's feature is on");
    memory_map(&format!("memory/{machine}.x"));
}
