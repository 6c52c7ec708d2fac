use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::testing;

fn stream(tokenizer: &Arc<Tokenizer>, tokens: &[TokenId]) -> Vec<String> {
    let mut stream = Detokenizer::new(Arc::clone(tokenizer));
    let mut pieces: Vec<String> = tokens.iter().map(|token| stream.push(*token)).collect();
    pieces.push(stream.finish());
    pieces
}

fn library(tokenizer: &Tokenizer) -> &Library {
    match &tokenizer.0 {
        Kind::Library(library) => library,
        Kind::Tables(_) => panic!("it was made of JSON"),
    }
}

/// A tokenizer whose tokens are given, with a decoder.
fn with_decoder(tokens: &[&str], decoder: Value) -> Arc<Tokenizer> {
    let vocab: serde_json::Map<String, Value> = tokens
        .iter()
        .enumerate()
        .map(|(id, token)| (token.to_string(), json!(id)))
        .collect();
    let json = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
        "normalizer": null, "pre_tokenizer": null, "post_processor": null, "decoder": decoder,
        "model": {"type": "BPE", "vocab": vocab, "merges": [], "byte_fallback": true}
    });
    Arc::new(Tokenizer::from_json(json.to_string().as_bytes()).unwrap())
}

fn llama() -> Arc<Tokenizer> {
    let tokens = [
        "▁Hello", "▁", "you", "<0xE4>", "<0xBD>", "<0xA0>", "!", "<0x0A>",
    ];
    with_decoder(
        &tokens,
        json!({"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
            {"type": "ByteFallback"}, {"type": "Fuse"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0}
        ]}),
    )
}

#[test]
fn sentencepiece_tokens_decode_one_by_one() {
    let tokenizer = llama();
    assert!(tokenizer.decodes_together().is_none());
    let tokens = [0, 1, 2, 3, 4, 5, 6, 7];
    let expected = ["Hello", " ", "you", "", "", "你", "!", "\n", ""];
    assert_eq!(stream(&tokenizer, &tokens), expected);
    assert_eq!(
        tokenizer.decode(&tokens),
        library(&tokenizer).decode(&tokens)
    );
    assert_eq!(tokenizer.decode(&[1, 0]), " Hello");
}

#[test]
fn metaspace_drops_the_first_space() {
    for (scheme, expected) in [("always", "Hello you"), ("never", " Hello you")] {
        let decoder = json!({
            "type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": true
        });
        let tokenizer = with_decoder(&["▁Hello", "▁you"], decoder);
        assert!(tokenizer.decodes_together().is_none());
        assert_eq!(tokenizer.decode(&[0, 1]), expected);
        assert_eq!(library(&tokenizer).decode(&[0, 1]), expected);
    }
}

#[test]
fn other_decoders_are_streamed_in_stretches() {
    let decoder = json!({"type": "WordPiece", "prefix": "##", "cleanup": true});
    let tokenizer = with_decoder(&["hel", "##lo", "you", "!"], decoder);
    assert!(tokenizer.decodes_together().is_some());
    let tokens = [0, 1, 2, 3];
    assert_eq!(
        stream(&tokenizer, &tokens).concat(),
        library(&tokenizer).decode(&tokens)
    );
}

#[test]
fn bytes_that_are_no_character_become_one_replacement() {
    let tokenizer = Arc::new(testing::tokenizer());
    let bytes = b"a\xe4\xbdb\xffc\xf0\x9f";
    let tokens: Vec<TokenId> = bytes.iter().map(|byte| TokenId::from(*byte)).collect();
    assert_eq!(tokenizer.decode(&tokens), String::from_utf8_lossy(bytes));
}

#[test]
fn special_tokens_are_recognised_and_not_shown() {
    let tokenizer = Arc::new(testing::tokenizer());
    let tokens = tokenizer.encode("<|im_start|>a", false).unwrap();
    assert_eq!(tokens, [testing::START, 97]);
    assert_eq!(tokenizer.decode(&tokens), "a");
    assert!(tokenizer.is_special(testing::START) && !tokenizer.is_special(97));
    assert_eq!(tokenizer.token_id("<|im_end|>"), Some(testing::END));
    assert_eq!(tokenizer.count("héllo").unwrap(), 6);
}

#[test]
fn a_tokenizer_that_is_too_large_for_the_model_is_refused() {
    let tokenizer = testing::tokenizer();
    assert!(tokenizer.check_fits(258).is_ok());
    let error = tokenizer.check_fits(257).unwrap_err();
    assert!(
        matches!(
            error,
            TokenizerError::Vocabulary {
                token: 257,
                vocab: 257,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn a_broken_tokenizer_is_an_error() {
    assert!(Tokenizer::from_json(b"{").is_err());
    assert!(Tokenizer::from_json(b"{}").is_err());
}

#[test]
fn a_build_without_the_library_says_what_it_lacks() {
    let error = absent::Library::from_json(b"{}").unwrap_err();
    assert!(
        error.to_string().contains("feature `tokenizers`"),
        "{error}"
    );
}

proptest! {
    #[test]
    fn any_bytes_decode_as_the_whole_would(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let tokenizer = Arc::new(testing::tokenizer());
        let tokens: Vec<TokenId> = bytes.iter().map(|byte| TokenId::from(*byte)).collect();
        let pieces = stream(&tokenizer, &tokens);
        prop_assert_eq!(pieces.concat(), String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_text_comes_back_in_whole_characters(text in "[^\u{fffd}]{0,40}") {
        let tokenizer = Arc::new(testing::tokenizer());
        let tokens = tokenizer.encode(&text, false).unwrap();
        let pieces = stream(&tokenizer, &tokens);
        prop_assert!(pieces.iter().all(|piece| !piece.contains(char::REPLACEMENT_CHARACTER)));
        prop_assert_eq!(pieces.concat(), text);
    }
}
