//! One tiny model stored in every way that exporters and quantizers do.
//!
//! `tests/reference/storage.py` made the exports, which lie with the family's others: what each should
//! compute is beside it, from the same integers with exact activations.

use std::fmt::Write as _;

use tealight_core::layout::Encoding;
use tealight_import::{ImportOptions, inspect};

use crate::families::{Cell, Export, shown};

/// The model's family.
pub const FAMILY: &str = "qwen3";

/// A way to store weights.
#[derive(Clone, Copy, Debug)]
pub struct Storage {
    /// The export's name.
    pub name: &'static str,
    /// Who makes it.
    pub maker: &'static str,
    /// What it is.
    pub title: &'static str,
}

const fn by_onnxruntime(name: &'static str, title: &'static str) -> Storage {
    let maker = "onnxruntime";
    Storage { name, maker, title }
}

const fn by_genai(name: &'static str, title: &'static str) -> Storage {
    let maker = "onnxruntime-genai";
    Storage { name, maker, title }
}

const fn by_optimum(name: &'static str, title: &'static str) -> Storage {
    let maker = "optimum";
    Storage { name, maker, title }
}

const fn as_in_browsers(name: &'static str, title: &'static str) -> Storage {
    let maker = "names of transformers.js";
    Storage { name, maker, title }
}

/// All of them.
#[rustfmt::skip]
pub const STORAGES: [Storage; 37] = [
    by_onnxruntime("fp16", "f16, inputs and caches as well"),
    by_onnxruntime("fp16-f32io", "f16 between f32 inputs and outputs"),
    by_onnxruntime("q4", "MatMulNBits, 4 bits, blocks of 32"),
    by_onnxruntime("q4-asym", "the same with zero points"),
    by_onnxruntime("q4-b16", "blocks of 16"),
    by_onnxruntime("q4-b128", "blocks of 128"),
    by_onnxruntime("q4-embedding", "the embedding in INT4 as well"),
    by_onnxruntime("q4-hqq", "HQQ, zero points in floats"),
    by_onnxruntime("q4f16", "4 bits, the rest in f16"),
    by_onnxruntime("q8", "MatMulNBits, 8 bits"),
    by_onnxruntime("q4-qdq", "INT4 with DequantizeLinear in blocks of 32"),
    by_onnxruntime("q4-qdq-asym", "UINT4 likewise, with zero points"),
    by_onnxruntime("q4-qdq-b16", "INT4 in blocks of 16"),
    by_onnxruntime("bnb4-nf4", "MatMulBnb4, NF4"),
    by_onnxruntime("bnb4-fp4", "MatMulBnb4, FP4"),
    by_onnxruntime("int8", "dynamic, int8, a scale a matrix"),
    by_onnxruntime("int8-channels", "dynamic, int8, a scale an output"),
    by_onnxruntime("uint8", "dynamic, uint8, a scale a matrix"),
    by_onnxruntime("uint8-channels", "dynamic, uint8, a scale an output"),
    by_onnxruntime("static-qdq", "static, int8, QuantizeLinear and DequantizeLinear"),
    by_onnxruntime("static-qdq-channels", "the same with a scale an output"),
    by_onnxruntime("static-qoperator", "static, int8, QLinearMatMul"),
    by_genai("genai-b16", "int4 in blocks of 16"),
    by_genai("genai-asym", "int4 with zero points"),
    by_genai("genai-rtn-last", "int4, the head in 8 bits"),
    by_genai("genai-k-quant-last", "int4 by k-quant, blocks of 16, the head in 8 bits"),
    by_genai("genai-k-quant-mixed", "the same with some layers in 8 bits"),
    by_genai("genai-int8", "int8"),
    by_genai("genai-unfused", "int4, queries, keys and values apart"),
    by_genai("genai-pruned-head", "int4, logits of the last token alone"),
    by_genai("genai-cuda-fp16", "f16 for CUDA, heads normalized in GroupQueryAttention"),
    by_genai("genai-webgpu-int4", "int4 for WebGPU"),
    by_optimum("merged", "merged decoders: an If on use_cache_branch"),
    by_optimum("merged-int8", "the same, then dynamic int8"),
    by_optimum("file-a-tensor", "each tensor in a file of its own"),
    as_in_browsers("js-q4", "model_q4.onnx and its _data, in a folder onnx"),
    as_in_browsers("js-q4f16", "model_q4f16.onnx, its _data and _data_1"),
];

impl Storage {
    /// The export.
    pub fn export(self) -> Export<'static> {
        Export {
            family: FAMILY,
            name: self.name,
        }
    }

    /// How the plan stores linear maps and the embedding.
    fn planned(self) -> String {
        let folder = self.export().unpacked().expect("the export is there");
        let report = inspect(folder.path(), &ImportOptions::default());
        let Ok(report) = report else {
            return "–".to_owned();
        };
        let weights = report.tensors.iter().map(|total| total.encoding);
        let found: Vec<&str> = weights
            .filter(|&encoding| encoding != Encoding::Table)
            .map(Encoding::name)
            .collect();
        found.join(", ")
    }
}

/// What becomes of each.
pub fn cells() -> Vec<Cell> {
    STORAGES
        .iter()
        .map(|storage| storage.export().cell())
        .collect()
}

/// The table for people.
pub fn markdown(cells: &[Cell]) -> String {
    let mut text =
        String::from("| stored as | by | agreement | in the plan |\n| --- | --- | --- | --- |");
    for (storage, cell) in STORAGES.iter().zip(cells) {
        let said = match cell {
            Cell::Runs(agreement) => shown(agreement),
            Cell::Refused(why) => format!("refused: `{why}`"),
            other => unreachable!("{other:?} is of exports that were not made"),
        };
        let Storage { maker, title, .. } = storage;
        let _ = write!(
            text,
            "\n| {title} | {maker} | {said} | {} |",
            storage.planned()
        );
    }
    text.push('\n');
    text
}
