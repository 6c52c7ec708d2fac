//! Folders as exporters leave them, and as they should not be.

use std::fs;

use super::*;

/// Names and contents of files.
type Files<'a> = &'a [(&'a str, &'a str)];

/// A folder with a graph and these files.
fn model(files: Files<'_>) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let graph = folder.path().join("model.onnx");
    fs::write(&graph, "graph").unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    (folder, graph)
}

fn texts(files: Files<'_>) -> Result<ModelTexts, TextError> {
    let (_folder, graph) = model(files);
    ModelTexts::beside(&graph, false)
}

const TOKENIZER: &str = r#"{
    "added_tokens": [{"id": 3, "content": "<|im_end|>", "special": true}],
    "model": {"type": "BPE", "vocab": {"a": 0, "b\"": 2, "c": 1}, "merges": []}
}"#;

#[test]
fn a_folder_without_texts_is_a_model_without_texts() {
    let texts = texts(&[]).unwrap();
    assert!(texts.tokenizer.is_none() && texts.chat_template.is_none());
    assert_eq!(texts.generation, GenerationDefaults::default());
    assert_eq!(texts.source.graph, "model.onnx");
    assert!(texts.source.graph_sha256.is_some());
}

#[test]
fn every_end_that_any_file_names_is_a_stop_token() {
    let texts = texts(&[
        (
            "generation_config.json",
            r#"{"eos_token_id": 7, "temperature": 0.6, "top_k": -1}"#,
        ),
        (
            "genai_config.json",
            r#"{"model": {"eos_token_id": [1, 2], "type": "llama"},
                "search": {"temperature": 1.0, "top_k": 50, "do_sample": false}}"#,
        ),
        (
            "config.json",
            r#"{"eos_token_id": [2, 9, -1], "architectures": ["LlamaForCausalLM"]}"#,
        ),
        ("tokenizer.json", TOKENIZER),
        (
            "tokenizer_config.json",
            r#"{"eos_token": {"content": "<|im_end|>"}, "pad_token": null}"#,
        ),
    ])
    .unwrap();
    let generation = texts.generation;
    assert_eq!(generation.stop_token_ids, [1, 2, 3, 7, 9]);
    assert_eq!(generation.special_tokens["eos_token"], "<|im_end|>");
    assert_eq!(generation.temperature, Some(0.6));
    assert_eq!(
        (generation.top_k, generation.do_sample),
        (None, Some(false))
    );
    assert_eq!(texts.model_type.as_deref(), Some("llama"));
    assert_eq!(texts.architecture.as_deref(), Some("LlamaForCausalLM"));
}

#[test]
fn a_turn_end_that_the_template_writes_is_a_stop_token() {
    let with = |template| {
        let files = [
            ("tokenizer.json", TOKENIZER),
            ("chat_template.jinja", template),
        ];
        texts(&files).unwrap().generation.stop_token_ids
    };
    assert_eq!(with("{{ content }}<|im_end|>"), [3]);
    assert_eq!(with("{{ content }}"), [0; 0]);
}

#[test]
fn the_default_template_is_taken_from_wherever_it_lies() {
    let named = r#"{"chat_template": [
        {"name": "tool_use", "template": "tools"}, {"name": "default", "template": "plain"}]}"#;
    let single = r#"{"chat_template": "single"}"#;
    let cases: [(Files<'_>, &str); 4] = [
        (&[("tokenizer_config.json", single)], "single"),
        (&[("tokenizer_config.json", named)], "plain"),
        (
            &[
                ("tokenizer_config.json", single),
                ("chat_template.json", named),
            ],
            "plain",
        ),
        (
            &[
                ("tokenizer_config.json", single),
                ("chat_template.jinja", "file"),
            ],
            "file",
        ),
    ];
    for (files, expected) in cases {
        assert_eq!(
            texts(files).unwrap().chat_template.as_deref(),
            Some(expected)
        );
    }
}

#[test]
fn texts_of_a_graph_in_a_folder_called_onnx_may_lie_above_it() {
    let (folder, _) = model(&[("tokenizer.json", TOKENIZER)]);
    let inner = folder.path().join("onnx");
    fs::create_dir(&inner).unwrap();
    fs::write(inner.join("model_q4.onnx"), "graph").unwrap();
    let texts = ModelTexts::beside(&inner.join("model_q4.onnx"), false).unwrap();
    assert!(texts.tokenizer.is_some());
    fs::write(inner.join("tokenizer.json"), TOKENIZER).unwrap();
    let own = ModelTexts::beside(&inner.join("model_q4.onnx"), false).unwrap();
    assert_eq!(own.source.folder, texts.source.folder);
}

#[test]
fn a_tokenizer_that_knows_more_than_the_graph_is_refused_with_both_numbers() {
    let texts = texts(&[("tokenizer.json", TOKENIZER)]).unwrap();
    assert!(texts.check_vocab(4).is_ok());
    let error = texts.check_vocab(3).unwrap_err();
    let message = error.to_string();
    assert!(message.contains("token 3 (`<|im_end|>`)") && message.contains("vocabulary of 3"));
}

#[test]
fn a_unigram_tokenizer_counts_its_list() {
    let unigram = r#"{"model": {"vocab": [["<unk>", 0.0], ["▁the", -2.5], ["x", -9.0]]}}"#;
    let texts = texts(&[("tokenizer.json", unigram)]).unwrap();
    assert!(texts.check_vocab(3).is_ok());
    let error = texts.check_vocab(2).unwrap_err();
    assert!(matches!(
        error,
        TextError::Vocabulary {
            id: 2,
            vocab: 2,
            ..
        }
    ));
}

#[test]
fn malformed_json_is_reported_with_file_and_line() {
    for name in [
        "tokenizer.json",
        "tokenizer_config.json",
        "config.json",
        "genai_config.json",
    ] {
        let error = texts(&[(name, "{\n  \"model\": [\n}")]).unwrap_err();
        let message = error.to_string();
        assert!(
            message.contains(name) && message.contains("line"),
            "{message}"
        );
    }
}

#[test]
fn a_template_that_is_not_text_is_reported() {
    let (folder, graph) = model(&[]);
    fs::write(folder.path().join("chat_template.jinja"), b"abc\xff").unwrap();
    let error = ModelTexts::beside(&graph, false).unwrap_err();
    assert!(matches!(error, TextError::NotUtf8 { offset: 3, .. }));
}

#[test]
fn an_endless_file_is_not_read_to_its_end() {
    let long = " ".repeat(TEMPLATE_LIMIT as usize + 1);
    let error = texts(&[("chat_template.jinja", &long)]).unwrap_err();
    assert!(matches!(error, TextError::TooLong { .. }));
}

#[test]
fn the_licence_of_a_graph_in_a_folder_called_onnx_may_lie_above_it() {
    let (folder, _) = model(&[("README.md", "---\nlicense: mit\n---\n")]);
    let inner = folder.path().join("onnx");
    fs::create_dir(&inner).unwrap();
    for (name, text) in [("model.onnx", "graph"), ("tokenizer.json", TOKENIZER)] {
        fs::write(inner.join(name), text).unwrap();
    }
    let texts = ModelTexts::beside(&inner.join("model.onnx"), false).unwrap();
    assert_eq!(texts.licence.as_deref(), Some("mit"));
}

#[test]
fn the_licence_is_the_model_cards_or_the_licence_files() {
    let card = "---\nlanguage: en\nlicense: \"apache-2.0\"\n---\n# Model\nlicense: no";
    let other = "---\nlicense: other\nlicense_name: qwen-research\n---\n";
    let file = "\n                 Apache License\n           Version 2.0";
    let cases: [(Files<'_>, Option<&str>); 5] = [
        (
            &[("README.md", card), ("LICENSE", "MIT License")],
            Some("apache-2.0"),
        ),
        (&[("README.md", other)], Some("qwen-research")),
        (
            &[("README.md", "# Model"), ("LICENSE", file)],
            Some("Apache-2.0"),
        ),
        (
            &[("LICENSE.txt", "Our Own Terms\nand so on")],
            Some("Our Own Terms"),
        ),
        (&[], None),
    ];
    for (files, expected) in cases {
        assert_eq!(texts(files).unwrap().licence.as_deref(), expected);
    }
}

fn embedding(files: Files<'_>) -> Result<EmbeddingDefaults, TextError> {
    let (folder, graph) = model(&[]);
    fs::create_dir(folder.path().join("1_Pooling")).unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    Ok(ModelTexts::beside(&graph, true)?
        .embedding
        .expect("the model makes hidden states"))
}

/// As sentence-transformers writes it of these modules.
fn modules(kinds: &[&str]) -> String {
    let module = |kind: &&str| {
        let path = match *kind {
            "Transformer" => "",
            _ => "1_Pooling",
        };
        format!(r#"{{"path": "{path}", "type": "sentence_transformers.models.{kind}"}}"#)
    };
    let modules: Vec<String> = kinds.iter().map(module).collect();
    format!("[{}]", modules.join(","))
}

#[test]
fn pooling_prompts_and_lengths_are_read_from_their_files() {
    let config = r#"{"pooling_mode_cls_token": false, "pooling_mode_mean_tokens": true}"#;
    let prompts = r#"{"prompts": {"query": "q: "}, "default_prompt_name": "query"}"#;
    let read = embedding(&[
        (
            "modules.json",
            &modules(&["Transformer", "Pooling", "Normalize"]),
        ),
        ("1_Pooling/config.json", config),
        ("config_sentence_transformers.json", prompts),
        ("sentence_bert_config.json", r#"{"max_seq_length": 256}"#),
    ]);
    let expected = EmbeddingDefaults {
        pooling: Some(Pooling::Mean),
        normalize: true,
        max_tokens: Some(256),
        prompts: [("query".to_owned(), "q: ".to_owned())].into(),
        default_prompt: Some("query".to_owned()),
    };
    assert_eq!(read.unwrap(), expected);
    assert_eq!(embedding(&[]).unwrap(), EmbeddingDefaults::default());
}

#[test]
fn pooling_that_is_not_supported_is_refused_by_name() {
    let pooling = |config: &str, kinds: &[&str]| {
        let (config, modules) = (("1_Pooling/config.json", config), modules(kinds));
        let error = embedding(&[config, ("modules.json", &modules)]).unwrap_err();
        error.to_string()
    };
    let usual = ["Transformer", "Pooling"];
    let mean = r#"{"pooling_mode_mean_tokens": true}"#;
    for (config, kinds, words) in [
        (
            r#"{"pooling_mode_weightedmean_tokens": true}"#,
            &usual[..],
            "by weighted mean",
        ),
        (
            r#"{"pooling_mode_mean_tokens": false}"#,
            &usual,
            "no pooling",
        ),
        (
            r#"{"pooling_mode_mean_tokens": true, "include_prompt": false}"#,
            &usual,
            "prompt's tokens",
        ),
        (r#"{"pooling_mode_mean_tokens": 1}"#, &usual, "malformed"),
        (mean, &["Transformer", "Pooling", "Dense"], "models.Dense"),
        (mean, &["Transformer", "Normalize"], "models.Normalize"),
        (mean, &["Pooling", "Pooling"], "models.Pooling"),
    ] {
        let said = pooling(config, kinds);
        assert!(said.contains(words), "{said}");
    }
    let nowhere = modules(&usual);
    let said = embedding(&[("modules.json", &nowhere)])
        .unwrap_err()
        .to_string();
    assert!(said.contains("1_Pooling/config.json"), "{said}");
    let prompts = r#"{"prompts": {}, "default_prompt_name": "query"}"#;
    let said = embedding(&[("config_sentence_transformers.json", prompts)]).unwrap_err();
    assert!(said.to_string().contains("`query`"), "{said}");
}
