//! Compiles the model, and hands the memory map to the linker.

use firmware_build::{KvType, Model, memory_map};

fn main() {
    memory_map("memory.x");
    Model {
        folder: "../../models/home/onnx",
        context: 192,
        step: 4,
        kv: KvType::Int8,
        ram: 200 * 1024,
    }
    .compile();
}
