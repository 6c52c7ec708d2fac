//! Compiles the model.

use firmware_build::{KvType, Model};

fn main() {
    Model {
        folder: "../../models/home/onnx",
        context: 192,
        step: 16,
        kv: KvType::Int8,
        ram: 4 << 20,
    }
    .compile();
}
