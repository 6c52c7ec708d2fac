//! Real exports, from the folders that `TEALIGHT_TEST_MODELS` lists. What they compute is
//! compared in the whole-system tests; here it is what they compile to.

use std::path::{Path, PathBuf};

use tealight_core::ops::{Attention, Linear, Op, RmsNorm, TensorId};
use tealight_import::{ImportOptions, ImportReport, inspect};

const TINY: [&str; 3] = ["tiny-llama", "tiny-qwen2", "tiny-qwen3"];
const SMOLLM2: [&str; 6] = [
    "genai-fp32",
    "optimum-fp32",
    "optimum-fp16",
    "optimum-q4-sym",
    "optimum-q4-asym",
    "optimum-int8-dynamic",
];

/// The model's folder, or nothing and a word about it.
fn real_model(name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("TEALIGHT_TEST_MODELS").unwrap_or_default();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let found = std::env::split_paths(&folders)
        .map(|folder| root.join(folder).join(name))
        .find(|folder| folder.is_dir());
    if found.is_none() {
        println!("skipped: set TEALIGHT_TEST_MODELS to a folder that holds {name}");
    }
    found
}

fn report(model: &Path) -> ImportReport {
    inspect(model, &ImportOptions::default())
        .unwrap_or_else(|error| panic!("{}: {error}", model.display()))
}

/// What remains of an operator when weights are not told apart: exporters share and round them
/// differently.
fn without_weights(op: &Op) -> Op {
    let weight = TensorId(0);
    match *op {
        Op::Embed(embed) => Op::Embed(tealight_core::ops::Embed {
            table: weight,
            ..embed
        }),
        Op::RmsNorm(norm) => Op::RmsNorm(RmsNorm {
            weight,
            epsilon: 0.0,
            ..norm
        }),
        Op::Linear(linear) => Op::Linear(Linear {
            weight,
            bias: None,
            ..linear
        }),
        Op::Rope(rope) => Op::Rope(tealight_core::ops::Rope {
            cos: weight,
            sin: weight,
            ..rope
        }),
        // The product of two rounded roots is not always the rounded product.
        Op::Attention(attention) => Op::Attention(Attention {
            scale: (attention.scale * 1024.0).round(),
            ..attention
        }),
        other => other,
    }
}

fn assert_same_plan(a: &ImportReport, b: &ImportReport) {
    assert_eq!((a.vocab, a.context, a.head), (b.vocab, b.context, b.head));
    let ops = |report: &ImportReport| report.ops.iter().map(without_weights).collect::<Vec<_>>();
    assert_eq!(ops(a), ops(b));
}

#[test]
fn two_exporters_of_a_model_compile_to_the_same_operators() {
    for name in TINY {
        let Some(model) = real_model(name) else {
            continue;
        };
        let genai = report(&model.join("genai-int4"));
        assert_same_plan(&genai, &report(&model.join("optimum-fp32")));
    }
}

#[test]
fn every_export_of_smollm2_compiles_to_the_same_operators() {
    let Some(model) = real_model("smollm2") else {
        return;
    };
    let reference = report(&model.join("genai-int4"));
    assert_eq!(reference.ops.len(), 3 + 9 * 30);
    for export in SMOLLM2 {
        let report = report(&model.join(export));
        if export == "optimum-int8-dynamic" {
            // Its queries, keys and values have a scale each, and stay apart.
            assert_eq!(report.ops.len(), 3 + 13 * 30);
        } else {
            assert_same_plan(&reference, &report);
        }
    }
}

#[test]
fn an_embedding_that_is_tied_to_the_head_is_stored_once() {
    let Some(model) = real_model("smollm2-135m-instruct-int4") else {
        return;
    };
    let report = report(&model);
    let (Some(Op::Embed(embed)), Some(Op::Linear(head))) = (report.ops.first(), report.ops.last())
    else {
        panic!("{report}");
    };
    assert_eq!(embed.table, head.weight);
    assert!(report.weight_bytes < 80_000_000, "{report}");
}
