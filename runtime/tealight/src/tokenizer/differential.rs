//! Token tables against `tokenizers`: the same words, the same tokens, the same text.

use std::path::{Path, PathBuf};

use bytemuck::{Zeroable, bytes_of, cast_slice};
use serde_json::{Value, json};
use tealight_core::plan::format::*;
use tealight_core::tokenizer::alphabet::char_of_byte;
use tokenizers::{OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer};

use super::*;

/// A plan that has token tables and nothing else.
fn plan_of(tables: &[u8], vocab: u32) -> Arc<Plan<Bytes>> {
    let model = ModelRecord {
        vocab,
        context: 1,
        ..ModelRecord::zeroed()
    };
    let logits = BufferRecord {
        width: vocab,
        offset: 0,
        stage: Stage::Head as u32,
        reserved: 0,
    };
    let sections: [(Section, &[u8]); 6] = [
        (Section::Model, bytes_of(&model)),
        (Section::Buffers, bytes_of(&logits)),
        (Section::Tensors, &[]),
        (Section::Ops, &[]),
        (Section::TokenTables, tables),
        (Section::Weights, &[]),
    ];
    let mut offset = size_of::<Header>() + sections.len() * size_of::<SectionRecord>();
    let (mut records, mut body) = (Vec::new(), Vec::new());
    for (kind, bytes) in sections {
        let start = offset.next_multiple_of(ALIGNMENT);
        body.resize(body.len() + start - offset, 0);
        body.extend(bytes);
        records.push(SectionRecord {
            kind: kind as u32,
            offset: start as u64,
            len: bytes.len() as u64,
            ..SectionRecord::zeroed()
        });
        offset = start + bytes.len();
    }
    let header = Header {
        magic: MAGIC,
        version: FORMAT_VERSION,
        layout: LAYOUT_VERSION,
        file_len: offset as u64,
        sections: records.len() as u32,
        ..Header::zeroed()
    };
    let file = [bytes_of(&header), cast_slice(&records), &body].concat();
    Arc::new(Plan::open(Bytes::copy(&file).unwrap()).unwrap())
}

/// One tokenizer in both forms.
struct Pair {
    name: String,
    tables: Arc<Tokenizer>,
    library: Arc<Tokenizer>,
}

impl Pair {
    fn of(name: &str, json: &[u8]) -> Pair {
        let tables = tealight_import::token_tables(json)
            .unwrap_or_else(|reason| panic!("{name} has no tables: {reason}"));
        let plan = plan_of(&tables, 1 << 20);
        Pair {
            name: name.to_owned(),
            tables: Arc::new(Tokenizer::of_plan(&plan).unwrap()),
            library: Arc::new(Tokenizer::from_json(json).unwrap()),
        }
    }

    fn inner(&self) -> &tokenizers::Tokenizer {
        match &self.library.0 {
            Kind::Library(library) => &library.inner,
            Kind::Tables(_) => panic!("it was made of JSON"),
        }
    }

    #[track_caller]
    fn check(&self, text: &str) {
        let [ours, theirs] =
            [&self.tables, &self.library].map(|tokenizer| tokenizer.encode(text, true).unwrap());
        if ours != theirs {
            let at = ours.iter().zip(&theirs).take_while(|(a, b)| a == b).count();
            let near = |ids: &[TokenId]| ids[at.saturating_sub(2)..ids.len().min(at + 6)].to_vec();
            panic!(
                "{}: token {at} of {text:.300?} differs: {:?}, by the library {:?}",
                self.name,
                near(&ours),
                near(&theirs)
            );
        }
        let decoded = self.tables.decode(&ours);
        assert_eq!(decoded, self.library.decode(&ours), "{}", self.name);
    }

    /// Cut by the library's own truncation, which is set for good.
    #[track_caller]
    fn check_cut(&self, most: usize, text: &str) {
        let mut inner = self.inner().clone();
        let truncation = tokenizers::TruncationParams {
            max_length: most,
            ..Default::default()
        };
        inner.with_truncation(Some(truncation)).unwrap();
        for add_special in [true, false] {
            let expected = inner.encode(text, add_special).unwrap();
            for tokenizer in [&self.tables, &self.library] {
                let ours = tokenizer.encode_up_to(most, text, add_special).unwrap();
                assert_eq!(ours, expected.get_ids(), "{}: {text:?}", self.name);
            }
        }
    }

    fn check_vocabulary(&self) {
        let (tables, library) = (&self.tables, &self.library);
        assert_eq!(tables.vocab_size(), library.vocab_size(), "{}", self.name);
        let last = library.vocab_size() as TokenId + 3;
        for id in (0..last).filter(|id| id % 97 == 0 || id + 300 > last || *id < 300) {
            let text = library.token_text(id);
            assert_eq!(tables.token_text(id), text, "{} {id}", self.name);
            assert_eq!(tables.is_special(id), library.is_special(id), "{id}");
            assert_eq!(tables.bytes(id, false), library.bytes(id, false), "{id}");
            if let Some(text) = text {
                assert_eq!(tables.token_id(&text), library.token_id(&text), "{text}");
            }
        }
        assert_eq!(tables.token_id("no such token"), None);
    }
}

/// Pseudo-random numbers, the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % most
    }
}

/// What is easily cut or merged in another way.
const PIECES: [&str; 72] = [
    "a",
    "the",
    " the",
    "Hello",
    " world",
    "HELLO",
    "ſ",
    "don't",
    "I'LL",
    "'ſ",
    "we'Ve",
    "'S",
    "'",
    "''",
    "x'y",
    "’s",
    " ",
    "  ",
    "   ",
    "\t",
    "\n",
    "\r\n",
    "\n\n",
    " \n",
    "\n ",
    "\r",
    "\u{a0}",
    "\u{3000}",
    "\u{2028}",
    "\u{85}",
    "0",
    "7",
    "12",
    "123",
    "1234",
    "3.14",
    " 2025",
    "½",
    "Ⅷ",
    "٣",
    "१२",
    "²",
    ".",
    ",",
    "!?",
    "...",
    " (",
    "){",
    "<|",
    "|>",
    "—",
    "你好",
    "世界",
    "の",
    "カ",
    "한국어",
    "각",
    "e\u{301}",
    "é",
    "A\u{30a}\u{327}",
    "\u{301}",
    "क्षि",
    "السلام",
    "\u{200f}",
    "👩\u{200d}👩\u{200d}👧",
    "🏳\u{fe0f}\u{200d}🌈",
    "🇩🇪",
    "\u{1}",
    "\u{7f}",
    "\u{fffd}",
    "\u{feff}",
    "€",
];

fn text(random: &mut Random, added: &[String]) -> String {
    let mut text = String::new();
    for _ in 0..1 + random.below(24) {
        match random.below(12) {
            0 => text.extend(char::from_u32(random.below(0x3_0000) as u32)),
            1 => text.extend(char::from_u32(random.below(0x11_0000) as u32)),
            2 if !added.is_empty() => text.push_str(&added[random.below(added.len())]),
            3 => text.extend((0..random.below(9)).map(|_| char::from(32 + random.below(95) as u8))),
            _ => text.push_str(PIECES[random.below(PIECES.len())]),
        }
    }
    text
}

fn check_all(pair: &Pair, texts: usize) {
    let mut added: Vec<String> = pair
        .inner()
        .get_added_tokens_decoder()
        .into_values()
        .map(|token| token.content)
        .collect();
    added.sort_unstable();
    pair.check_vocabulary();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..texts {
        pair.check(&text(&mut random, &added));
    }
    for most in 3..20 {
        pair.check_cut(most, &text(&mut random, &added));
    }
    let mut long = |bytes: usize, of: &[&str]| {
        let mut text = String::new();
        while text.len() < bytes {
            text.push_str(of[random.below(of.len())]);
        }
        pair.check(&text);
    };
    pair.check("");
    for of in ["a", " ", "\n", "<", "é", "1", "!", "ab", "\u{1}"] {
        long(20_000, &[of]);
    }
    long(
        100_000,
        &["a", "b", "c", "th", "er", "ing", "X", "zq", "ß", "ж", "你"],
    );
}

fn json_with(pre_tokenizer: Value, normalizer: Value) -> Value {
    let mut vocab: serde_json::Map<String, Value> = (0..=255_u8)
        .map(|byte| (char_of_byte(byte).to_string(), json!(byte)))
        .collect();
    let merges = [
        "h e",
        "l l",
        "he ll",
        "hell o",
        "Ġ Ġ",
        "ĠĠ ĠĠ",
        "a b",
        "b a",
        "ab ab",
        "Ã ©",
    ];
    for merge in merges {
        let next = vocab.len();
        vocab.insert(merge.replace(' ', ""), json!(next));
    }
    let next = vocab.len();
    let added = |nth: usize, content: &str, set: &[&str]| {
        let is = |flag| set.contains(&flag);
        json!({
            "id": next + nth, "content": content, "single_word": false, "lstrip": is("lstrip"),
            "rstrip": is("rstrip"), "normalized": is("normalized"), "special": is("special")
        })
    };
    json!({
        "version": "1.0", "truncation": null, "padding": null,
        "added_tokens": [
            added(0, "<|a|>", &["special"]),
            added(1, "<|a|>b", &[]),
            added(2, "<mask>", &["lstrip", "special"]),
            added(3, "<r>", &["rstrip"]),
            added(4, "<both>", &["lstrip", "rstrip", "normalized"]),
            added(5, "<n>", &["normalized", "special"]),
            added(6, "  ", &[]),
        ],
        "normalizer": normalizer, "pre_tokenizer": pre_tokenizer,
        "post_processor": {"type": "Sequence", "processors": [
            {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": false, "use_regex": true},
            {"type": "TemplateProcessing",
                "single": [{"SpecialToken": {"id": "<|a|>", "type_id": 0}},
                    {"Sequence": {"id": "A", "type_id": 0}},
                    {"SpecialToken": {"id": "<n>", "type_id": 0}}],
                "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                "special_tokens": {
                    "<|a|>": {"id": "<|a|>", "ids": [next], "tokens": ["<|a|>"]},
                    "<n>": {"id": "<n>", "ids": [next + 5], "tokens": ["<n>"]}
                }}
        ]},
        "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
        "model": {"type": "BPE", "dropout": null, "unk_token": null,
            "continuing_subword_prefix": null, "end_of_word_suffix": null, "fuse_unk": false,
            "byte_fallback": false, "ignore_merges": false, "vocab": vocab, "merges": merges}
    })
}

/// The pre-tokenizers of published models.
fn pre_tokenizers() -> Vec<(&'static str, Value)> {
    let bytes = |use_regex: bool| json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": use_regex});
    let split = |expression: &str| json!({"type": "Split", "pattern": {"Regex": expression}, "behavior": "Isolated", "invert": false});
    let sequence = |steps: Vec<Value>| json!({"type": "Sequence", "pretokenizers": steps});
    let deepseek_words = "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+";
    let escaped = deepseek_words.replace('\r', "\\r").replace('\n', "\\n");
    let deepseek = |words: &str| {
        sequence(vec![
            split(r"\p{N}{1,3}"),
            split("[一-龥぀-ゟ゠-ヿ]+"),
            split(words),
            bytes(false),
        ])
    };
    let with_split = |expression| sequence(vec![split(expression), bytes(false)]);
    let digits = json!({"type": "Digits", "individual_digits": true});
    vec![
        ("bytes", bytes(false)),
        ("GPT-2", bytes(true)),
        (
            "GPT-2 as a split",
            with_split(
                r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
            ),
        ),
        ("SmolLM2", sequence(vec![digits, bytes(true)])),
        (
            "single numbers",
            sequence(vec![split(r"\p{N}"), bytes(true)]),
        ),
        (
            "Llama 3",
            with_split(
                r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
            ),
        ),
        (
            "GPT-4",
            with_split(
                r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+",
            ),
        ),
        (
            "Qwen",
            with_split(
                r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
            ),
        ),
        ("DeepSeek", deepseek(deepseek_words)),
        ("DeepSeek, escaped", deepseek(&escaped)),
    ]
}

#[test]
fn words_are_cut_as_the_regular_expressions_cut_them() {
    for (name, pre_tokenizer) in pre_tokenizers() {
        let pair = Pair::of(
            name,
            json_with(pre_tokenizer, json!(null)).to_string().as_bytes(),
        );
        let Kind::Tables(tables) = &pair.tables.0 else {
            panic!("they are tables")
        };
        let check = |text: &str| {
            let mut ours = Vec::new();
            let mut end = 0;
            tables.tokenizer().words(text, |word| {
                end += word.len();
                ours.push(end);
            });
            let mut theirs = PreTokenizedString::from(text);
            pair.inner()
                .get_pre_tokenizer()
                .unwrap()
                .pre_tokenize(&mut theirs)
                .unwrap();
            let theirs: Vec<usize> = theirs
                .get_splits(OffsetReferential::Original, OffsetType::Byte)
                .into_iter()
                .map(|(_, (_, end), _)| end)
                .collect();
            assert_eq!(ours, theirs, "{name}: {text:?}");
        };
        check("");
        let mut random = Random(42);
        for _ in 0..500 {
            check(&text(&mut random, &[]));
        }
        // Which class a character has is another test's; this one is about its neighbours.
        for c in ('\0'..='\u{3100}').chain(('\u{3101}'..=char::MAX).step_by(307)) {
            check(&format!("a{c}b {c} 1{c}2 {c}{c}'s{c}  {c}\n{c}.{c}"));
        }
    }
}

#[test]
fn made_up_tokenizers_give_the_tokens_that_the_library_gives() {
    for normalizer in [json!(null), json!({"type": "NFC"})] {
        for (name, pre_tokenizer) in pre_tokenizers() {
            let mut json = json_with(pre_tokenizer, normalizer.clone());
            check_all(&Pair::of(name, json.to_string().as_bytes()), 150);
            json["model"]["ignore_merges"] = json!(true);
            json["model"]["merges"].as_array_mut().unwrap().remove(2);
            check_all(&Pair::of(name, json.to_string().as_bytes()), 50);
        }
    }
}

#[test]
fn tokens_around_a_text_are_more_than_there_is_room_for_rather_than_all() {
    let (_, pre_tokenizer) = pre_tokenizers().remove(0);
    let json = json_with(pre_tokenizer, json!(null)).to_string();
    let pair = Pair::of("no room", json.as_bytes());
    for tokenizer in [&pair.tables, &pair.library] {
        for most in 0..3 {
            let tokens = tokenizer.encode_up_to(most, "xyz", true).unwrap();
            assert_eq!(tokens, tokenizer.encode("x", true).unwrap());
        }
    }
}

#[test]
fn bytes_without_a_token_are_unknown_or_dropped() {
    for (unknown, fuse) in [
        (json!(null), false),
        (json!("Q"), false),
        (json!("Q"), true),
    ] {
        let bytes = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true});
        let mut json = json_with(bytes, json!(null));
        json["model"]["unk_token"] = unknown;
        json["model"]["fuse_unk"] = json!(fuse);
        let vocab = json["model"]["vocab"].as_object_mut().unwrap();
        let written = |byte: u8| char_of_byte(byte).to_string();
        for byte in [0x80, 0xe4, 0xa9, b'z', b'7'] {
            vocab.remove(&written(byte));
        }
        vocab.remove("Ã©");
        vocab.insert("xx".into(), json!(0x80));
        for (id, text) in [(0xe4, "yy"), (0xa9, "uu"), (b'z', "vv"), (b'7', "ww")] {
            vocab.insert(text.into(), json!(id));
        }
        let last = vocab.iter().find(|(_, id)| **id == 264).unwrap().0.clone();
        assert_eq!(last, "abab");
        vocab.insert("tt".into(), json!(265));
        json["model"]["merges"].as_array_mut().unwrap().pop();
        check_all(
            &Pair::of("bytes are missing", json.to_string().as_bytes()),
            1000,
        );
    }
}

/// Tokenizers below a folder, two levels deep.
fn tokenizers_below(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    let file = folder.join("tokenizer.json");
    if file.is_file() {
        found.push(file);
    }
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if depth > 0 && entry.path().is_dir() {
            tokenizers_below(&entry.path(), depth - 1, found);
        }
    }
}

#[test]
fn the_embedded_models_tokenizer_gives_the_tokens_that_the_library_gives() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/home/onnx/tokenizer.json");
    check_all(&Pair::of("home", &std::fs::read(path).unwrap()), 3000);
}

#[test]
fn real_tokenizers_give_the_tokens_that_the_library_gives() {
    let Some(folders) = std::env::var_os("TEALIGHT_TEST_MODELS") else {
        eprintln!("skipped: TEALIGHT_TEST_MODELS names no folders with tokenizer.json");
        return;
    };
    let mut files = Vec::new();
    for folder in std::env::split_paths(&folders) {
        tokenizers_below(&folder, 2, &mut files);
    }
    let mut seen = Vec::new();
    for file in files {
        let json = std::fs::read(&file).unwrap();
        if seen.contains(&json) {
            continue;
        }
        if tealight_import::token_tables(&json).is_ok() {
            check_all(&Pair::of(&file.display().to_string(), &json), 3000);
            eprintln!("{} is the same", file.display());
        } else {
            eprintln!("skipped: {} has no tables", file.display());
        }
        seen.push(json);
    }
}
