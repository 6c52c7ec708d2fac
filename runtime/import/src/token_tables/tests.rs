//! Small tokenizers, and what makes them none.

use serde_json::{Value, json};
use tealight_core::tokenizer::alphabet::char_of_byte;

use super::*;

/// A tokenizer of all bytes, with the merges for "hello" and one special token.
fn tokenizer() -> Value {
    let mut vocab: serde_json::Map<String, Value> = (0..=255_u8)
        .map(|byte| (char_of_byte(byte).to_string(), json!(byte)))
        .collect();
    for (id, token) in ["he", "ll", "hell", "hello"].into_iter().enumerate() {
        vocab.insert(token.into(), json!(256 + id));
    }
    json!({
        "version": "1.0", "truncation": null, "padding": null,
        "added_tokens": [{
            "id": 260, "content": "<|end|>", "single_word": false, "lstrip": false,
            "rstrip": false, "normalized": false, "special": true
        }],
        "normalizer": null,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true},
        "post_processor": null,
        "decoder": {"type": "ByteLevel"},
        "model": {
            "type": "BPE", "vocab": vocab,
            "merges": ["h e", "l l", "he ll", "hell o"]
        }
    })
}

fn compiled(json: &Value) -> Result<Vec<u8>, Unfit> {
    compile(json.to_string().as_bytes())
}

#[test]
fn a_plain_tokenizer_becomes_tables_of_short_numbers() {
    let tables = compiled(&tokenizer()).unwrap();
    assert!(tables.len() < 4_000, "{}", tables.len());
}

#[test]
fn whatever_the_tables_cannot_stand_for_is_refused_with_the_reason() {
    let nfkc = json!({"type": "NFKC"});
    let metaspace = json!({"type": "Metaspace", "replacement": "▁", "add_prefix_space": true});
    let prefixed = json!({"type": "ByteLevel", "add_prefix_space": true});
    let split = json!({"type": "Sequence", "pretokenizers": [
        {"type": "Split", "pattern": {"Regex": "[a-z]+"}, "behavior": "Isolated", "invert": false},
        {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}
    ]});
    let bert = json!({"type": "BertProcessing", "sep": ["b", 1], "cls": ["a", 2]});
    let strip = json!({"type": "Sequence", "decoders": [
        {"type": "Replace", "pattern": {"String": "a"}, "content": "b"}, {"type": "ByteLevel"}
    ]});
    let cases: [(&str, Value, &str); 15] = [
        ("/normalizer", nfkc, "NFKC"),
        ("/pre_tokenizer", metaspace, "Metaspace"),
        ("/pre_tokenizer", prefixed, "does not end with bytes"),
        ("/pre_tokenizer", split, "[a-z]+"),
        ("/post_processor", bert, "BertProcessing"),
        ("/decoder", strip, "decoder"),
        ("/decoder", json!(null), "Decoder"),
        ("/model/type", json!("Unigram"), "not BPE"),
        ("/model/dropout", json!(0.1), "chance"),
        ("/model/end_of_word_suffix", json!("</w>"), "parts of words"),
        ("/model/vocab/hello", json!(0), "two tokens of one id"),
        ("/model/merges/0", json!("h x"), "merges"),
        ("/model/merges/1", json!(["h", "e"]), "twice"),
        ("/added_tokens/0/id", json!(261), "do not follow"),
        ("/added_tokens/0/single_word", json!(true), "words"),
    ];
    for (place, value, reason) in cases {
        let mut json = tokenizer();
        match json.pointer_mut(place) {
            Some(old) => *old = value,
            None => json["model"][place.rsplit('/').next().unwrap()] = value,
        }
        let error = compiled(&json).unwrap_err().to_string();
        assert!(error.contains(reason), "{place}: {error}");
    }
}

#[test]
fn tokens_that_are_not_bytes_are_refused_unless_they_are_added() {
    let mut json = tokenizer();
    json["model"]["vocab"]["▁"] = json!(261);
    assert!(
        compiled(&json)
            .unwrap_err()
            .to_string()
            .contains("not bytes")
    );
    json["model"]["vocab"]["▁"] = json!(260);
    json["added_tokens"][0]["content"] = json!("▁");
    compiled(&json).unwrap();
}
