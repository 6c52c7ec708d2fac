//! The same bits from every instruction set, number of threads and cut of a prompt.

use tealight_core::kernels::Isa;
use tealight_core::plan::Plan;
use tealight_import::{ImportOptions, Quantize, import_with};
use tealight_tests::families::Export;
use tealight_tests::models::{Bytes, compile, embedded, real_model};
use tealight_tests::run::{Settings, each_position};

/// Bits of the logits of every position of a text.
fn bits<B: AsRef<[u8]>>(plan: &Plan<B>, settings: Settings, ids: &[u32]) -> Vec<u32> {
    let mut bits = Vec::new();
    each_position(plan, settings, ids, |_, logits| {
        bits.extend(logits.iter().map(|x| x.to_bits()))
    });
    bits
}

fn assert_same_bits_everywhere<B: AsRef<[u8]>>(plan: &Plan<B>, tokens: u32) {
    let vocab = plan.model().vocab;
    let ids: Vec<u32> = (0..tokens).map(|i| (i * 7919 + 11) % vocab).collect();
    let one_way = Settings {
        isa: Isa::best(),
        threads: 1,
        chunk: ids.len(),
        ..Settings::default()
    };
    let expected = bits(plan, one_way, &ids);
    assert!(
        expected
            .iter()
            .all(|bits| f32::from_bits(*bits).is_finite())
    );
    for isa in Isa::available() {
        for threads in [1, 2] {
            for chunk in [ids.len(), 1, 7, 32] {
                let settings = Settings {
                    isa,
                    threads,
                    chunk,
                    ..Settings::default()
                };
                assert!(bits(plan, settings, &ids) == expected, "{settings:?}");
            }
        }
    }
}

#[test]
fn the_embedded_model_gives_the_same_bits_everywhere() {
    assert_same_bits_everywhere(&embedded(), 48);
}

/// An export of floats as it is, in int8 and in int4.
fn assert_same_bits_of(family: &str, name: &str) {
    let export = Export { family, name };
    let model = export.unpacked().expect("it was exported");
    for quantize in [
        None,
        Some(Quantize::Int8.into()),
        Some(Quantize::Int4.into()),
    ] {
        let mut options = ImportOptions::default();
        options.quantize = quantize;
        let path = model.path().join("model.tea");
        import_with(model.path(), &path, &options, &mut |_| {}).expect("it is imported");
        let bytes = Bytes::new(&std::fs::read(&path).expect("it was written"));
        assert_same_bits_everywhere(&Plan::open(bytes).expect("it is sound"), 61);
    }
}

/// Steps of an encoder are whole texts, however long they may be.
#[test]
fn models_of_embeddings_give_the_same_bits_everywhere() {
    for family in ["qwen3-embedding", "bert", "xlm-roberta"] {
        assert_same_bits_of(family, "optimum-fp32");
    }
}

#[test]
fn models_with_states_give_the_same_bits_everywhere() {
    for family in ["lfm2", "qwen3.5"] {
        assert_same_bits_of(family, "genai-fp32");
    }
}

#[test]
fn tiny_models_give_the_same_bits_everywhere() {
    for name in ["tiny-qwen2", "tiny-qwen3", "tiny-llama"] {
        for export in ["genai-int4", "optimum-fp32"] {
            let Some(model) = real_model(&format!("{name}/{export}")) else {
                continue;
            };
            assert_same_bits_everywhere(&compile(&model).plan(), 70);
        }
    }
}

#[test]
fn smollm2_gives_the_same_bits_everywhere() {
    let Some(model) = real_model("smollm2-135m-instruct-int4") else {
        return;
    };
    assert_same_bits_everywhere(&compile(&model).plan(), 34);
}
