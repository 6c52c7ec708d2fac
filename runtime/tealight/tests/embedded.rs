//! The model that the library carries.
#![cfg(feature = "embedded")]

use tealight::{GenerateOptions, KvType, Model, ModelInfo, ModelOptions};

#[test]
fn it_is_whole_and_answers_in_json() {
    let model = Model::embedded_with(&ModelOptions::new().threads(1)).unwrap();
    model.verify().unwrap();
    let mut chat = model.chat().unwrap();
    let answer = chat
        .ask(
            "turn off the lights in the kitchen",
            &GenerateOptions::new(),
        )
        .unwrap();
    let json: serde_json::Value = serde_json::from_str(&answer.text).unwrap();
    assert_eq!(json["device"], "light");
    assert_eq!(json["room"], "kitchen");
    assert_eq!(json["action"], "off");
}

#[test]
fn the_memory_that_it_will_take_depends_on_how_it_is_opened() {
    let of = |options: ModelOptions| ModelInfo::embedded_with(&options.threads(1)).unwrap();
    let new = ModelOptions::new;
    let plain = of(new());
    assert_eq!(plain.session_context, plain.context.min(4096));
    // Keys are kept in tiles of 16 tokens.
    let kinds = [KvType::Int8, KvType::F16, KvType::F32].map(|kv| of(new().context(112).kv(kv)));
    for pair in kinds.windows(2) {
        let more = pair[1].kv_bytes_per_token - pair[0].kv_bytes_per_token;
        assert!(more > 0);
        assert_eq!(
            pair[1].memory_estimate - pair[0].memory_estimate,
            112 * more
        );
    }
    assert!(of(new().context(50)).memory_estimate < kinds[1].memory_estimate);
    assert!(of(new().step(128)).memory_estimate > plain.memory_estimate);
    // More than the model can attend over is refused when a session is made.
    assert_eq!(of(new().context(usize::MAX)).session_context, plain.context);
    let options = new().threads(1).context(112).kv(KvType::Int8);
    let model = Model::embedded_with(&options).unwrap();
    assert_eq!(model.info(), &kinds[0]);
}

/// A small generator of numbers, so that failures can be repeated.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        ((self.0 >> 33) as usize) % most
    }
}

fn open_and_say_something(bytes: &[u8]) {
    let Ok(model) = Model::from_bytes(bytes, &ModelOptions::new().threads(1)) else {
        return;
    };
    let Ok(mut chat) = model.chat() else { return };
    let _ = chat.ask("dim the lights", &GenerateOptions::new().max_tokens(3));
}

#[test]
fn a_file_with_flipped_bytes_is_refused_or_runs() {
    let whole = tealight::models::HOME;
    let mut numbers = Numbers(1);
    // Most of the file is weights; the structure before them deserves as many tries.
    for (tries, within) in [(300, whole.len()), (700, 60_000)] {
        for _ in 0..tries {
            let mut bytes = whole.to_vec();
            for _ in 0..=numbers.below(4) {
                bytes[numbers.below(within)] = numbers.below(256) as u8;
            }
            open_and_say_something(&bytes);
        }
    }
}

#[test]
fn a_file_that_was_cut_off_is_refused() {
    let whole = tealight::models::HOME;
    for len in (0..whole.len()).step_by(4096) {
        assert!(Model::from_bytes(&whole[..len], &ModelOptions::new().threads(1)).is_err());
    }
}

#[test]
fn one_chat_takes_any_number_of_requests() {
    let model = Model::embedded().unwrap();
    let mut chat = model.chat().unwrap();
    for _ in 0..20 {
        let answer = chat
            .ask("turn on the fan in the office", &GenerateOptions::new())
            .unwrap();
        assert!(
            answer.text.starts_with('{') && answer.text.ends_with('}'),
            "{}",
            answer.text
        );
    }
}
