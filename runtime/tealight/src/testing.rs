//! A model without weights: says what the test tells it to, and keeps what it was fed.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use tealight_core::executor::Logits;

use crate::defaults::GenerationDefaults;
use crate::session::Session;
use crate::step::Step;
use crate::template::ChatTemplate;
use crate::texts::Texts;
use crate::tokenizer::Tokenizer;
use crate::{Result, TokenId};

/// `<|im_start|>`
pub(crate) const START: TokenId = 256;
/// `<|im_end|>`, which ends the text.
pub(crate) const END: TokenId = 257;
const VOCAB: usize = 258;

const TEMPLATE: &str = "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + \
    '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}\
    {% endif %}";

/// What the fake model shares with the test.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    /// What it says next; the end of the text if nothing is left.
    script: VecDeque<TokenId>,
    /// Tokens can be forgotten from multiples of this on, if it is not zero.
    span: usize,
    /// The tokens of each step.
    pub(crate) fed: Vec<Vec<TokenId>>,
}

/// The test's hand on a fake model.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fake(Arc<Mutex<Shared>>);

impl Fake {
    /// Makes it say these bytes next.
    pub(crate) fn say(&self, text: impl AsRef<[u8]>) {
        self.say_tokens(text.as_ref().iter().map(|byte| TokenId::from(*byte)));
    }

    /// Lets tokens be forgotten from multiples of `span` on only.
    pub(crate) fn span(&self, span: usize) {
        self.0.lock().unwrap().span = span;
    }

    pub(crate) fn say_tokens(&self, tokens: impl IntoIterator<Item = TokenId>) {
        self.0.lock().unwrap().script.extend(tokens);
    }

    /// The tokens of each step since this was last asked.
    pub(crate) fn fed(&self) -> Vec<Vec<TokenId>> {
        std::mem::take(&mut self.0.lock().unwrap().fed)
    }

    /// What was fed since this was last asked, as text.
    pub(crate) fn fed_text(&self) -> String {
        let tokens: Vec<TokenId> = self.fed().concat();
        Arc::new(tokenizer()).decode(&tokens)
    }

    /// A session with room for `capacity` tokens, in steps of `most`.
    pub(crate) fn session(&self, capacity: usize, most: usize) -> Session {
        let step = FakeStep {
            shared: self.clone(),
            seen: 0,
            capacity,
            most,
            logits: Vec::new(),
        };
        Session::over(Box::new(step), Arc::new(texts()))
    }
}

struct FakeStep {
    shared: Fake,
    seen: usize,
    capacity: usize,
    most: usize,
    logits: Vec<f32>,
}

impl Step for FakeStep {
    fn vocab(&self) -> usize {
        VOCAB
    }

    fn capacity(&self) -> usize {
        self.capacity
    }

    fn most(&self, _: Logits) -> usize {
        self.most
    }

    fn truncate(&mut self, len: usize) -> usize {
        if len < self.seen {
            self.seen = len - len % self.shared.0.lock().unwrap().span.max(1);
        }
        self.seen
    }

    fn step(&mut self, tokens: &[TokenId], logits: Logits) -> Result<&mut [f32]> {
        assert!(!tokens.is_empty() && tokens.len() <= self.most);
        assert!(self.seen + tokens.len() <= self.capacity);
        self.seen += tokens.len();
        let mut shared = self.shared.0.lock().unwrap();
        shared.fed.push(tokens.to_vec());
        self.logits.clear();
        match logits {
            Logits::None => {}
            Logits::Last => {
                let next = shared.script.pop_front().unwrap_or(END);
                self.logits.resize(VOCAB, 0.0);
                self.logits[next as usize] = 10.0;
            }
            // At each position the token itself is the likeliest.
            Logits::All => {
                for token in tokens {
                    let row = self.logits.len();
                    self.logits.resize(row + VOCAB, 0.0);
                    self.logits[row + *token as usize] = 1.0;
                }
            }
        }
        Ok(&mut self.logits)
    }
}

/// One token a byte, and two special ones.
pub(crate) fn tokenizer() -> Tokenizer {
    let mut next = 0x100;
    let mut vocab = BTreeMap::new();
    for byte in 0..=255u8 {
        let c = match byte {
            b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff => char::from(byte),
            _ => {
                next += 1;
                char::from_u32(next - 1).unwrap()
            }
        };
        vocab.insert(c.to_string(), u32::from(byte));
    }
    let special = |id: TokenId, content: &str| {
        serde_json::json!({
            "id": id, "content": content, "single_word": false, "lstrip": false,
            "rstrip": false, "normalized": false, "special": true
        })
    };
    let byte_level = serde_json::json!({
        "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false
    });
    let json = serde_json::json!({
        "version": "1.0", "truncation": null, "padding": null,
        "added_tokens": [special(START, "<|im_start|>"), special(END, "<|im_end|>")],
        "normalizer": null, "pre_tokenizer": byte_level, "post_processor": null,
        "decoder": byte_level,
        "model": {"type": "BPE", "vocab": vocab, "merges": []}
    });
    Tokenizer::from_json(json.to_string().as_bytes()).unwrap()
}

fn texts() -> Texts {
    let defaults = GenerationDefaults {
        stop_token_ids: vec![END],
        ..Default::default()
    };
    Texts {
        embedding: crate::EmbeddingDefaults::default(),
        model: "fake".into(),
        tokenizer: Some(Arc::new(tokenizer())),
        template: Some(ChatTemplate::new(TEMPLATE, BTreeMap::new()).unwrap()),
        defaults,
        answers: None,
    }
}
