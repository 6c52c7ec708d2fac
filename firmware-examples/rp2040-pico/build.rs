//! Compiles the model, and hands the memory map to the linker.

use firmware_build::{KvType, Model, memory_map};

fn main() {
    memory_map("memory.x");
    Model {
        folder: "../../models/home/onnx",
        context: 128,
        // A token a step, so that the watchdog is fed in time.
        step: 1,
        kv: KvType::Int8,
        ram: 192 * 1024,
    }
    .compile();
}
