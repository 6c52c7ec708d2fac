//! Whole conversations with SmolLM2-135M-Instruct, where a folder of `TEALIGHT_TEST_MODELS`
//! holds it. Without that variable these tests pass without doing anything.
#![cfg(feature = "import")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tealight::{
    CancelToken, ChatOptions, Error, Event, FinishReason, GenerateOptions, KvType, Model,
    ModelInfo, ModelOptions, SessionOptions, TokenId, logprobs,
};

fn model_folder() -> Option<PathBuf> {
    let folders = std::env::var_os("TEALIGHT_TEST_MODELS")?;
    std::env::split_paths(&folders)
        .map(|folder| folder.join("smollm2-135m-instruct-int4"))
        .find(|folder| folder.is_dir())
}

/// The compiled model, made once for all tests.
fn plan() -> Option<&'static Path> {
    static PLAN: OnceLock<Option<(tempfile::TempDir, PathBuf)>> = OnceLock::new();
    let made = PLAN.get_or_init(|| {
        let onnx = model_folder()?;
        let folder = tempfile::tempdir().unwrap();
        let plan = folder.path().join("smollm2.tea");
        tealight::import::import(&onnx, &plan, &mut |_| {}).unwrap();
        Some((folder, plan))
    });
    made.as_ref().map(|(_, plan)| plan.as_path())
}

/// Opens the model, or ends the test where there is none.
macro_rules! model {
    () => {
        model!(ModelOptions::new().threads(2))
    };
    ($options:expr) => {
        match plan() {
            Some(plan) => Model::open_with(plan, &$options).unwrap(),
            None => return,
        }
    };
}

fn greedy(tokens: usize) -> GenerateOptions {
    GenerateOptions::new().greedy().max_tokens(tokens)
}

const STORY: &str = "Once upon a time, in a small village by the sea, there lived";

#[test]
fn it_knows_the_capital_of_france() {
    let model = model!();
    let mut chat = model.chat().unwrap();
    let answer = chat
        .ask("What is the capital of France?", &greedy(30))
        .unwrap();
    assert!(answer.text.contains("Paris"), "{}", answer.text);
    assert_eq!(chat.messages().len(), 2);
    assert_eq!(chat.context_left(), chat.capacity() - 37 - 29);
}

#[test]
fn a_reused_beginning_changes_nothing() {
    let model = model!();
    let mut chat = model
        .chat_with(&ChatOptions::new().system("Answer briefly."))
        .unwrap();
    chat.ask("Name a colour.", &greedy(20)).unwrap();
    let with_reuse = chat.ask("Name another one.", &greedy(20)).unwrap();
    assert!(with_reuse.summary.usage.reused_tokens > 20);

    let mut fresh = model.chat().unwrap();
    fresh.restore(chat.messages()[..3].to_vec());
    let without = fresh.ask("Name another one.", &greedy(20)).unwrap();
    assert_eq!(without.summary.usage.reused_tokens, 0);
    assert_eq!(with_reuse.text, without.text);
}

#[test]
fn threads_steps_and_instructions_do_not_change_a_bit() {
    let logits = |options: ModelOptions| {
        let model = Model::open_with(plan().unwrap(), &options).unwrap();
        let mut session = model.session().unwrap();
        let text = session
            .generate(STORY, &greedy(12))
            .unwrap()
            .answer()
            .unwrap()
            .text;
        let tokens = session.tokens().to_vec();
        let mut bits: Vec<u32> = Vec::new();
        session
            .score(&tokens, |_, row| {
                bits.extend(row.iter().map(|x| x.to_bits()))
            })
            .unwrap();
        (text, bits)
    };
    if plan().is_none() {
        return;
    }
    let expected = logits(ModelOptions::new().threads(1).step(64).isa("scalar"));
    for options in [
        ModelOptions::new().threads(2).step(7),
        ModelOptions::new().threads(2).step(1),
        ModelOptions::new().threads(1).step(32),
    ] {
        assert!(logits(options.clone()) == expected, "{options:?} differs");
    }
}

#[test]
fn cancelling_from_another_thread_goes_back_to_the_last_turn() {
    let model = model!();
    let mut chat = model.chat().unwrap();
    chat.ask("Hi!", &greedy(10)).unwrap();
    let before = chat.messages().to_vec();

    let cancel = CancelToken::new();
    let options = greedy(500).cancel_token(cancel.clone());
    let mut reply = chat.send("Tell me a long story.", &options).unwrap();
    assert!(matches!(reply.next(), Some(Ok(Event::Text(_)))));
    std::thread::spawn(move || cancel.cancel()).join().unwrap();
    let Some(Ok(Event::Done(summary))) = reply.next() else {
        panic!("more text came")
    };
    assert_eq!(summary.reason, FinishReason::Cancelled);
    assert!(reply.next().is_none());
    drop(reply);

    assert_eq!(chat.messages(), before);
    let answer = chat
        .ask("What is the capital of France?", &greedy(30))
        .unwrap();
    assert!(answer.text.contains("Paris"), "{}", answer.text);
}

#[test]
fn sessions_on_many_threads_do_not_disturb_each_other() {
    let model = model!();
    let tell = |prompt: &str| {
        let mut session = model.session().unwrap();
        session
            .generate(prompt, &greedy(20))
            .unwrap()
            .answer()
            .unwrap()
            .text
    };
    let prompts = [
        STORY,
        "The recipe begins with",
        "In physics, a force is",
        "fn main() {",
    ];
    let alone: Vec<String> = prompts.iter().map(|prompt| tell(prompt)).collect();
    let together: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = prompts
            .iter()
            .map(|prompt| scope.spawn(|| tell(prompt)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert_eq!(alone, together);
}

#[test]
fn a_seed_fixes_the_text() {
    let model = model!();
    let tell = |seed| {
        let options = GenerateOptions::new()
            .temperature(1.0)
            .top_p(0.95)
            .seed(seed)
            .max_tokens(24);
        let mut session = model.session().unwrap();
        session
            .generate(STORY, &options)
            .unwrap()
            .answer()
            .unwrap()
            .text
    };
    assert_eq!(tell(1), tell(1));
    assert_ne!(tell(1), tell(2));
}

#[test]
fn stop_strings_end_the_text() {
    let model = model!();
    let mut session = model.session().unwrap();
    let whole = session
        .generate(STORY, &greedy(40))
        .unwrap()
        .answer()
        .unwrap();
    let stop = &whole.text[20..26];
    let cut = session
        .generate(STORY, &greedy(40).stop(stop))
        .unwrap()
        .answer()
        .unwrap();
    assert_eq!(cut.summary.reason, FinishReason::StopString);
    assert_eq!(cut.text, whole.text[..whole.text.find(stop).unwrap()]);
}

#[test]
fn a_prompt_that_is_too_long_is_refused_before_anything_is_lost() {
    let model = model!();
    let options = ChatOptions::new().context(80);
    let mut chat = model.chat_with(&options).unwrap();
    chat.ask("Hi!", &greedy(5)).unwrap();
    let left = chat.context_left();
    let error = chat.send("word ".repeat(100), &greedy(5)).unwrap_err();
    assert!(
        matches!(
            error,
            Error::PromptTooLong {
                prompt: 120..,
                context: 80
            }
        ),
        "{error}"
    );
    assert_eq!((chat.messages().len(), chat.context_left()), (2, left));
    // What fits is answered until the context is full.
    let mut endless = greedy(500);
    endless.ignore_end_of_text = true;
    let answer = chat.ask("Count to fifty.", &endless).unwrap();
    assert_eq!(answer.summary.reason, FinishReason::Length);
}

#[test]
fn perplexity_is_that_of_the_exact_reference() {
    let model = model!();
    let path = model_folder().unwrap().join("reference_text.txt");
    let text = fs::read_to_string(path).unwrap();
    let mut tokens = model.tokenizer().unwrap().encode(&text, false).unwrap();
    tokens.truncate(512);
    let mut session = model.session().unwrap();
    let mut sum = 0.0;
    let next = |at: usize| tokens.get(at + 1).copied();
    session
        .score(&tokens, |at, logits| {
            sum -= next(at).map_or(0.0, |token: TokenId| logprobs::of(logits, token));
        })
        .unwrap();
    let perplexity = (sum / 511.0_f64).exp();
    assert!(
        (perplexity / 57.26 - 1.0).abs() < 0.008,
        "perplexity {perplexity}"
    );
}

#[test]
fn text_streams_as_the_tokenizer_decodes_it() {
    let model = model!();
    let path = model_folder().unwrap().join("reference_text.txt");
    let text = fs::read_to_string(path).unwrap() + " 你好 👩‍👩‍👧 naïve\r\n\tß";
    let tokenizer = model.tokenizer().unwrap();
    let tokens = tokenizer.encode(&text, false).unwrap();
    assert_eq!(tokenizer.decode(&tokens), text);
}

#[test]
fn a_damaged_file_is_found_out() {
    let Some(plan) = plan() else { return };
    Model::open(plan).unwrap().verify().unwrap();
    let bytes = fs::read(plan).unwrap();
    let options = ModelOptions::new().threads(1);
    let with_flip = |at: usize| {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        Model::from_bytes(&bytes, &options)
    };
    let weights = with_flip(bytes.len() - 1000).unwrap().verify().unwrap_err();
    assert!(
        matches!(
            weights,
            Error::Damaged {
                section: "weights",
                ..
            }
        ),
        "{weights}"
    );
    let needle = "<|im_start|>";
    let tokenizer = bytes
        .windows(needle.len())
        .position(|window| window == needle.as_bytes())
        .unwrap();
    let tokenizer = with_flip(tokenizer + 5).unwrap_err();
    assert!(
        matches!(
            tokenizer,
            Error::Damaged {
                section: "token tables",
                ..
            }
        ),
        "{tokenizer}"
    );
    let cut = Model::from_bytes(&bytes[..bytes.len() / 2], &options).unwrap_err();
    assert!(matches!(cut, Error::Plan { .. }), "{cut}");
}

#[test]
fn what_is_known_is_told_before_loading() {
    let Some(plan) = plan() else { return };
    let info = ModelInfo::read(plan).unwrap();
    assert_eq!(info.name, "smollm2-135m-instruct-int4");
    assert_eq!(info.parameters, Some(134_515_008));
    assert_eq!((info.vocab, info.context), (49152, 8192));
    assert_eq!(info.quantization.as_deref(), Some("int4"));
    assert!(info.has_tokenizer && info.has_chat_template);
    assert_eq!(info.kv_bytes_per_token, 30 * 3 * 128 * 2);
    assert_eq!(info.session_context, 4096);
    assert!(info.memory_estimate > info.file_bytes + 4096 * info.kv_bytes_per_token);
}

#[test]
fn a_context_beyond_the_model_is_refused() {
    let model = model!();
    let options = SessionOptions::new().context(10_000).kv(KvType::F32);
    let error = tealight::Session::new(&model, &options).unwrap_err();
    assert!(matches!(error, Error::Memory { .. }), "{error}");
}

#[test]
fn a_model_that_is_not_there_is_named() {
    let error = Model::open("no/such/model.tea").unwrap_err();
    assert!(matches!(error, Error::Read { .. }));
    assert!(error.to_string().contains("no/such/model.tea"), "{error}");
}
