//! Embeddings: tiny models as exporters write them, with the files that say how they are pooled,
//! through the library and the program.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tealight::{EmbedOptions, Error, Model, ModelOptions, Pooling, similarity};
use tealight_core::executor::{
    Activations, Arena, Config, Executor, KvCache, Line, Logits, StepError,
};
use tealight_core::kernels::Isa;
use tealight_core::plan::Plan;
use tealight_core::plan::format::{ModelRecord, Section};
use tealight_core::pool::Single;
use tealight_import::{ImportOptions, Quantization, Quantize, import_with};
use tealight_tests::command::Tealight;
use tealight_tests::families::Export;
use tealight_tests::hidden::HiddenReference;
use tealight_tests::models::{Bytes, home_export};
use tealight_tests::run::Settings;
use tealight_tests::say;
use tempfile::TempDir;

const DECODER: Export<'static> = Export {
    family: "qwen3-embedding",
    name: "optimum-fp32",
};

const ENCODER: Export<'static> = Export {
    family: "bert",
    name: "optimum-fp32",
};

/// Words of a text, each a token; the last one ends every text.
const END: u32 = 2;

/// An export with a tokenizer and the files of sentence-transformers beside it.
fn model_of(export: Export<'_>, pooling: &str) -> TempDir {
    let folder = export.unpacked().expect("it was exported");
    let words: serde_json::Map<String, Value> =
        (0..96).map(|id| (format!("w{id}"), json!(id))).collect();
    let special = |id: u32| {
        json!({"id": id, "content": format!("w{id}"), "single_word": false, "lstrip": false,
            "rstrip": false, "normalized": false, "special": true})
    };
    let end = format!("w{END}");
    let tokenizer = json!({
        "version": "1.0", "truncation": null, "padding": null, "normalizer": null, "decoder": null,
        "added_tokens": [special(END)],
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": {
            "type": "TemplateProcessing", "pair": [],
            "single": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": end, "type_id": 0}}],
            "special_tokens": {&end: {"id": end, "ids": [END], "tokens": [end]}},
        },
        "model": {"type": "WordLevel", "vocab": words, "unk_token": "w0"},
    });
    let prompts =
        json!({"prompts": {"query": "w7 w8 ", "document": ""}, "default_prompt_name": null});
    let modules = json!([
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
    ]);
    let mut modes = json!({"word_embedding_dimension": 32, "pooling_mode_cls_token": false,
        "pooling_mode_mean_tokens": false, "pooling_mode_lasttoken": false, "include_prompt": true});
    modes[pooling] = json!(true);
    fs::create_dir(folder.path().join("1_Pooling")).unwrap();
    for (name, value) in [
        ("tokenizer.json", tokenizer),
        ("config_sentence_transformers.json", prompts),
        ("modules.json", modules),
        ("1_Pooling/config.json", modes),
    ] {
        fs::write(folder.path().join(name), value.to_string()).unwrap();
    }
    folder
}

fn open(folder: &Path) -> Model {
    let options = ModelOptions::new().threads(1).cache(folder.join("cache"));
    Model::open_with(folder, &options).unwrap_or_else(|error| panic!("{error}"))
}

/// Tokens as a text.
fn text(ids: &[u32]) -> String {
    let words: Vec<String> = ids.iter().map(|id| format!("w{id}")).collect();
    words.join(" ")
}

/// The hidden states of a text of the library's, by core alone.
fn hidden(folder: &Path, ids: &[u32]) -> Vec<Vec<f32>> {
    let compiled = tealight_tests::models::compile(folder);
    let mut rows = Vec::new();
    let settings = Settings {
        chunk: 7,
        kv: Default::default(),
        ..Settings::default()
    };
    tealight_tests::run::each_position(&compiled.plan(), settings, ids, |_, row| {
        rows.push(row.to_vec());
    });
    rows
}

fn length(vector: &[f32]) -> f32 {
    vector.iter().map(|x| x * x).sum::<f32>().sqrt()
}

#[test]
fn hidden_states_are_pooled_as_the_models_files_say() {
    for export in [DECODER, ENCODER] {
        pooled_as_the_files_say(export);
    }
}

fn pooled_as_the_files_say(export: Export<'_>) {
    let ids = [5, 9, 30, 31, 17];
    let whole = [&ids[..], &[END]].concat();
    for (mode, pooling) in [
        ("pooling_mode_lasttoken", Pooling::Last),
        ("pooling_mode_mean_tokens", Pooling::Mean),
        ("pooling_mode_cls_token", Pooling::Cls),
    ] {
        let folder = model_of(export, mode);
        let model = open(folder.path());
        assert_eq!(model.dimensions(), Some(32));
        assert_eq!(model.embedding_defaults().pooling, Some(pooling));
        let vectors = model.embed(&[text(&ids)], &EmbedOptions::new()).unwrap();
        let rows = hidden(folder.path(), &whole);
        let expected: Vec<f32> = match pooling {
            Pooling::Last => rows[5].clone(),
            Pooling::Cls => rows[0].clone(),
            Pooling::Mean => (0..32)
                .map(|at| rows.iter().map(|row| row[at]).sum::<f32>() / 6.0)
                .collect(),
        };
        assert!(similarity(&vectors[0], &expected) > 0.999_999, "{mode}");
        assert!((length(&vectors[0]) - 1.0).abs() < 1e-6, "{mode}");
        let plain = EmbedOptions::new().normalize(false);
        let plain = model.embed(&[text(&ids)], &plain).unwrap();
        assert!(
            (length(&plain[0]) - length(&expected)).abs() < 1e-3,
            "{mode}"
        );
    }
}

/// What a token of an encoder comes to depends on those behind it, and on nothing else.
#[test]
fn an_encoder_sees_the_whole_text_and_takes_it_in_one_step() {
    let folder = model_of(ENCODER, "pooling_mode_cls_token");
    let compiled = tealight_tests::models::compile(folder.path());
    let plan = compiled.plan();
    assert_eq!(plan.model().whole, 1);
    assert_eq!(plan.caches().len(), 1, "layers keep nothing, so they share");
    let rows = hidden(folder.path(), &[5, 9, 30]);
    let others = hidden(folder.path(), &[5, 9, 31]);
    assert!(rows[0] != others[0]);

    let config = Config {
        step: 2,
        logits: 2,
        ..Config::new(8)
    };
    let lines = |count: Result<usize, _>| vec![Line::ZERO; count.unwrap()];
    let mut cache = KvCache::new(&plan, &config, lines(KvCache::lines(&plan, &config))).unwrap();
    let mut arena = Arena::new(&plan, &config, lines(Arena::lines(&plan, &config))).unwrap();
    let executor = Executor::new(&plan, &Single, Isa::best(), Activations::Int8);
    let mut step = |cache: &mut KvCache<_>| {
        let rows = executor.step(cache, &mut arena, &[5, 9], Logits::All)?;
        Ok::<_, StepError>(rows.to_vec())
    };
    let first = step(&mut cache).unwrap();
    assert_eq!(step(&mut cache), Err(StepError::Whole { len: 2 }));
    cache.truncate(0);
    assert_eq!(step(&mut cache).unwrap(), first);
}

/// The plan says that its texts come in parts: then nothing in it may look ahead.
#[test]
fn attention_in_both_directions_needs_a_plan_of_whole_texts() {
    let model = ENCODER.unpacked().unwrap();
    let mut bytes = tealight_tests::models::compile(model.path()).bytes();
    let plan = Plan::open(bytes.clone()).unwrap();
    let records = plan.records().iter();
    let record = records.clone().find(|r| r.kind == Section::Model as u32);
    let place = record.unwrap().offset as usize + std::mem::offset_of!(ModelRecord, whole);
    for (whole, expected) in [(0, "both directions"), (2, "whole texts")] {
        bytes.bytes_mut()[place] = whole;
        let error = Plan::open(bytes.clone()).err().expect("it is refused");
        let error = error.to_string();
        assert!(error.contains(expected), "{error}");
    }
}

/// Lower case, pieces of words, and the tokens that stand around a text, as BERT's tokenizers have it.
#[test]
fn a_tokenizer_of_word_pieces_is_used_as_it_is() {
    let folder = model_of(ENCODER, "pooling_mode_mean_tokens");
    let special = |id: u32, text: &str| {
        json!({"id": id, "content": text, "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": false, "special": true})
    };
    let around = |text: &str, id: u32| json!({"id": text, "ids": [id], "tokens": [text]});
    let tokenizer = json!({
        "version": "1.0",
        "truncation": {"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0},
        "padding": {"strategy": {"Fixed": 9}, "direction": "Right", "pad_to_multiple_of": null,
            "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"},
        "added_tokens": [special(0, "[PAD]"), special(1, "[UNK]"), special(2, "[CLS]"), special(3, "[SEP]")],
        "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
            "strip_accents": null, "lowercase": true},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing", "pair": [],
            "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
            "special_tokens": {"[CLS]": around("[CLS]", 2), "[SEP]": around("[SEP]", 3)},
        },
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "tea": 4, "##light": 5, "is": 6, "cafe": 7,
                "small": 8, ".": 9}},
    });
    fs::write(folder.path().join("tokenizer.json"), tokenizer.to_string()).unwrap();
    let model = open(folder.path());
    let vectors = model.embed(&["Tealight is caf\u{e9} small."], &EmbedOptions::new());
    let rows = hidden(folder.path(), &[2, 4, 5, 6, 7, 8, 9, 3]);
    let mean: Vec<f32> = (0..32)
        .map(|at| rows.iter().map(|row| row[at]).sum::<f32>() / 8.0)
        .collect();
    assert!(similarity(&vectors.unwrap()[0], &mean) > 0.999_999);
}

#[test]
fn a_batch_a_prompt_and_fewer_numbers_are_what_they_say() {
    let folder = model_of(DECODER, "pooling_mode_lasttoken");
    let model = open(folder.path());
    let mut embedder = model.embedder().unwrap();
    let texts = ["w5 w9", "w30 w31 w32 w33 w34 w35 w36 w37", "w9"];
    let plain = EmbedOptions::new();
    let batch = embedder.embed(&texts, &plain).unwrap();
    for (text, vector) in texts.iter().zip(&batch) {
        assert_eq!(&embedder.embed(&[text], &plain).unwrap()[0], vector);
    }
    let query = embedder
        .embed(&["w5"], &plain.clone().prompt("query"))
        .unwrap();
    let spelled = embedder.embed(&["w7 w8 w5"], &plain).unwrap();
    let given = plain.clone().prompt_text("w7 w8 ");
    assert_eq!(query, spelled);
    assert_eq!(query, embedder.embed(&["w5"], &given).unwrap());
    let short = embedder
        .embed(&["w5"], &plain.clone().dimensions(8))
        .unwrap();
    assert_eq!(short[0].len(), 8);
    assert!((length(&short[0]) - 1.0).abs() < 1e-6);
}

#[test]
fn a_text_that_is_too_long_is_cut_in_front_of_the_tokens_that_end_it() {
    let words: Vec<u32> = (5..45).collect();
    let cut = EmbedOptions::new().truncate(true);
    for export in [DECODER, ENCODER] {
        let folder = model_of(export, "pooling_mode_mean_tokens");
        let write = |name: &str, value: Value| {
            fs::write(folder.path().join(name), value.to_string()).unwrap();
        };
        write("sentence_bert_config.json", json!({"max_seq_length": 8}));
        let model = open(folder.path());
        let embed =
            |words: &[u32], options: &EmbedOptions| model.embed(&[text(words)], options).unwrap();
        let plain = EmbedOptions::new();
        assert_eq!(embed(&words, &cut), embed(&words[..7], &plain));
        assert_eq!(embed(&words[..7], &cut), embed(&words[..7], &plain));
        // A prompt stands before the text, and takes its room.
        assert_eq!(
            embed(&words, &cut.clone().prompt("query")),
            embed(&[7, 8, 5, 6, 7, 8, 9], &plain)
        );

        // A token that the tokenizer leaves to us is one of those around the text.
        let bos = json!({"add_bos_token": true, "bos_token": "w3"});
        write("tokenizer_config.json", bos);
        let with_bos = open(folder.path());
        let vectors = with_bos.embed(&[text(&words)], &cut).unwrap();
        assert_eq!(vectors, embed(&[&[3], &words[..6]].concat(), &plain));

        write("sentence_bert_config.json", json!({"max_seq_length": 1}));
        let too_long = open(folder.path()).embed(&["w5"], &cut).unwrap_err();
        assert!(
            matches!(too_long, Error::TextTooLong { most: 1, .. }),
            "{too_long}"
        );
    }
}

#[test]
fn what_cannot_be_embedded_is_said_before_anything_is_computed() {
    let folder = model_of(DECODER, "pooling_mode_lasttoken");
    let model = open(folder.path());
    let plain = EmbedOptions::new();
    let long = vec!["w5"; 64].join(" ");
    let embed = |texts: &[&str], options: &EmbedOptions| model.embed(texts, options).unwrap_err();
    assert!(matches!(
        embed(&["w5", &long], &plain),
        Error::TextTooLong {
            index: 1,
            tokens: 65,
            most: 64
        }
    ));
    assert!(matches!(
        embed(&["w5", " "], &plain),
        Error::EmptyText { index: 1 }
    ));
    assert!(matches!(
        embed(&["w5"], &plain.clone().prompt("answer")),
        Error::UnknownPrompt { .. }
    ));
    assert!(matches!(
        embed(&["w5"], &plain.clone().dimensions(33)),
        Error::Dimensions {
            asked: 33,
            most: 32
        }
    ));
    assert!(matches!(model.session(), Err(Error::NoLogits { .. })));
    let home = open_home();
    assert!(matches!(home.embedder(), Err(Error::NoEmbeddings { .. })));

    // Without the files, the caller has to say.
    fs::remove_file(folder.path().join("modules.json")).unwrap();
    let model = open(folder.path());
    let unsaid = model.embed(&["w5"], &plain);
    assert!(matches!(unsaid, Err(Error::NoPooling { .. })), "{unsaid:?}");
    model.embed(&["w5"], &plain.pooling(Pooling::Mean)).unwrap();
}

fn open_home() -> Model {
    let folder = tempfile::tempdir().unwrap();
    let options = ModelOptions::new().threads(1).cache(folder.path());
    Model::open_with(home_export(), &options).unwrap()
}

#[test]
fn ways_of_pooling_that_are_not_supported_are_refused() {
    let refused = |folder: &TempDir, words: &str| {
        let options = ModelOptions::new()
            .threads(1)
            .cache(folder.path().join("cache"));
        let error = Model::open_with(folder.path(), &options).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    };
    let folder = model_of(DECODER, "pooling_mode_max_tokens");
    refused(&folder, "its pooling is by max");
    let config = json!({"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": true});
    fs::write(
        folder.path().join("1_Pooling/config.json"),
        config.to_string(),
    )
    .unwrap();
    refused(&folder, "it pools by cls and by mean");
    let dense = json!([{"path": "", "type": "sentence_transformers.models.Transformer"},
        {"path": "2_Dense", "type": "sentence_transformers.models.Dense"}]);
    fs::write(folder.path().join("modules.json"), dense.to_string()).unwrap();
    refused(&folder, "sentence_transformers.models.Dense");
}

#[test]
fn quantized_models_keep_the_angles() {
    // Random weights have no small ones that int4 could spare.
    for (export, kind, least) in [
        (DECODER, Quantize::Int8, 0.99),
        (DECODER, Quantize::Int4, 0.7),
        (ENCODER, Quantize::Int8, 0.99),
        (ENCODER, Quantize::Int4, 0.7),
    ] {
        let model = export.unpacked().unwrap();
        let mut options = ImportOptions::default();
        options.quantize = Some(Quantization::from(kind));
        let path = model.path().join("model.tea");
        import_with(model.path(), &path, &options, &mut |_| {}).unwrap();
        let plan = Plan::open(Bytes::new(&fs::read(&path).unwrap())).unwrap();
        let reference: HiddenReference = export.hidden().expect("it has hidden states");
        let agreement = reference.compare(&plan, Settings::default());
        say(format_args!("{} in {kind:?}: {agreement}", export.family));
        assert!(agreement.cosine > least, "{agreement}");
    }
}

#[test]
fn the_program_prints_a_vector_a_line_or_how_alike_texts_are() {
    let folder = model_of(DECODER, "pooling_mode_lasttoken");
    let path = folder.path().to_str().unwrap();
    let tealight = Tealight::new();
    let done = tealight.run(&["embed", "--model", path, "w5 w9", "w30"]);
    let vectors: Vec<Vec<f32>> = done
        .succeeds()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(vectors.iter().map(Vec::len).collect::<Vec<_>>(), [32, 32]);
    let alike = [
        "embed",
        "--model",
        path,
        "--similarity",
        "w5",
        "w7 w8 w5",
        "w40",
    ];
    let done = tealight.run(&alike);
    let lines: Vec<&str> = done.succeeds().lines().collect();
    assert_eq!(lines.len(), 2);
    // The first text gets the prompt that the second one spells.
    assert_eq!(lines[0], "1.0000  w7 w8 w5");
    assert!(lines[1].ends_with("  w40") && !lines[1].starts_with("1.0000"));

    let failed = |arguments: &[&str], code: i32, words: &str| {
        let arguments = [&["embed", "--model", path], arguments].concat();
        tealight.run(&arguments).fails(code, &[words]);
    };
    let [long, cut] = [64, 63].map(|words| vec!["w5"; words].join(" "));
    failed(&[&long], 4, "65 tokens");
    let embed = |arguments: &[&str]| {
        let arguments = [&["embed", "--model", path], arguments].concat();
        tealight.run(&arguments).succeeds().to_owned()
    };
    assert_eq!(embed(&["--truncate", &long]), embed(&[&cut]));
    failed(&[" "], 2, "text 0 is empty");
    failed(&["w5", "--prompt", "answer"], 2, "document, query");
    failed(&["--similarity", "w5"], 2, "two texts");
    tealight
        .run(&["run", "--raw", "--model", path, "w5"])
        .fails(3, &["makes embeddings"]);
    tealight
        .run(&["embed", "hello"])
        .fails(3, &["makes no embeddings"]);
}
