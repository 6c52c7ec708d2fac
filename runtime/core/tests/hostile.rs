//! Plans that were cut off or changed: refused with an error or executed, never a panic.

mod support;

use bytemuck::bytes_of_mut;
use support::{File, decoder};
use tealight_core::executor::{Activations, Arena, Config, Executor, KvCache, Line, Logits};
use tealight_core::kernels::Isa;
use tealight_core::layout::Encoding;

use tealight_core::plan::format::{FORMAT_VERSION, Header, ModelRecord, Section};
use tealight_core::plan::{OpFault, Plan, PlanError};
use tealight_core::pool::Single;
use tealight_core::tokenizer::{EncodeError, Tokenizer};

/// More than any plan of a few kilobytes may ask for at two positions.
const MOST_LINES: usize = 1 << 20;

fn run(file: File) -> Result<(), PlanError> {
    let plan = Plan::open(file)?;
    tokenize(&plan);
    let config = Config {
        step: 2,
        ..Config::new(2.min(plan.model().context as usize))
    };
    let (cache, arena) = (KvCache::lines(&plan, &config), Arena::lines(&plan, &config));
    let (Ok(cache), Ok(arena)) = (cache, arena) else {
        return Ok(());
    };
    assert!(cache + arena < MOST_LINES, "{cache} and {arena} lines");
    let mut cache = KvCache::new(&plan, &config, vec![Line::ZERO; cache]).expect("fits");
    let mut arena = Arena::new(&plan, &config, vec![Line::ZERO; arena]).expect("fits");
    let executor = Executor::new(&plan, &Single, Isa::best(), Activations::Int8);
    // An unknown token, say: whatever it answers, it answers.
    let _ = executor.step(&mut cache, &mut arena, &[3, 5], Logits::Last);
    Ok(())
}

/// Whatever the tables say, there are tokens of theirs or an error.
fn tokenize(plan: &Plan<File>) {
    let Some(tokenizer) = plan.tokenizer() else {
        return;
    };
    let mut scratch = [0; 24 * Tokenizer::SCRATCH_PER_BYTE];
    let mut tokens = [0; 40];
    let text = "hello  <n> shell<|end|>it's 12345 \u{e9}t\u{e9}\n\n ";
    if let Ok(count) = tokenizer.encode(text, &mut scratch, &mut tokens) {
        for id in &tokens[..count] {
            assert!((*id as usize) < tokenizer.len());
            let _ = (tokenizer.token_bytes(*id), tokenizer.is_special(*id));
        }
    }
}

#[test]
fn a_text_becomes_the_tokens_of_the_tables() {
    let plan = Plan::open(decoder(Encoding::Int4)).unwrap();
    let tokenizer = plan.tokenizer().unwrap();
    let mut scratch = [0; 8 * Tokenizer::SCRATCH_PER_BYTE];
    let mut tokens = [0; 16];
    let mut encode = |text: &str, room: usize| {
        let count = tokenizer.encode(text, &mut scratch, &mut tokens[..room])?;
        Ok::<_, EncodeError>(tokens[..count].to_vec())
    };
    // "hell" is one token, an added token takes the spaces around it, and neighbouring bytes
    // without a token share one.
    assert_eq!(
        encode("hell shell  <n> a<|end|>", 16),
        Ok(vec![30, 26, 18, 30, 32, 0, 31])
    );
    assert_eq!(encode("XY\u{e9}a", 16), Ok(vec![27, 0]));
    assert_eq!(encode("", 0), Ok(vec![]));
    assert_eq!(encode("abc", 2), Err(EncodeError::Output { room: 2 }));
    let (bytes, room) = (9, 8);
    assert_eq!(
        encode("aaaaaaaaa", 16),
        Err(EncodeError::Scratch { bytes, room })
    );
    assert_eq!(tokenizer.before().collect::<Vec<_>>(), [31]);
    assert_eq!(tokenizer.token_id(b"hell"), Some(30));
    assert_eq!(tokenizer.token_bytes(30), Some(&b"hell"[..]));
    assert!(tokenizer.is_special(31) && !tokenizer.is_special(32));
}

#[test]
fn a_plan_cut_off_anywhere_is_refused() {
    let whole = decoder(Encoding::Int4);
    for len in (0..whole.as_ref().len()).step_by(16) {
        assert!(
            run(File::new(&whole.as_ref()[..len])).is_err(),
            "{len} bytes were enough"
        );
    }
}

#[test]
fn ten_thousand_changed_plans_do_no_harm() {
    let whole = decoder(Encoding::Int4ZeroPoint);
    // Most of a plan is weights, where any byte will do: aim at the structure before them.
    let structure = 9000.min(whole.as_ref().len());
    let mut random = 0x2545_f491_4f6c_dd1du64;
    let mut next = |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random >> 16) as usize % below
    };
    let (mut opened, mut refused) = (0, 0);
    for round in 0..10_000 {
        let mut bytes = whole.as_ref().to_vec();
        for _ in 0..=round % 4 {
            let reach = if round % 8 == 0 {
                bytes.len()
            } else {
                structure
            };
            bytes[next(reach)] = next(256) as u8;
        }
        match run(File::new(&bytes)) {
            Ok(()) => opened += 1,
            Err(_) => refused += 1,
        }
    }
    assert!(
        opened > 100 && refused > 100,
        "{opened} opened, {refused} refused"
    );
}

/// A plan with another outer shape.
fn reshaped(plan: &File, change: impl Fn(&mut ModelRecord)) -> File {
    let mut bytes = plan.as_ref().to_vec();
    let records = Plan::open(plan).expect("it is sound").records().to_vec();
    let record = records.iter().find(|r| r.kind == Section::Model as u32);
    let start = record.expect("it has a model").offset as usize;
    let place = &mut bytes[start..start + size_of::<ModelRecord>()];
    let mut model: ModelRecord = bytemuck::pod_read_unaligned(place);
    change(&mut model);
    place.copy_from_slice(bytemuck::bytes_of(&model));
    File::new(&bytes)
}

/// The logits of the decoder, taken for hidden states, and what is no width of theirs.
#[test]
fn hidden_states_are_as_wide_as_their_buffer() {
    let whole = decoder(Encoding::Int4);
    let vocab = Plan::open(&whole).unwrap().model().vocab;
    let hidden = |width| reshaped(&whole, |model| model.hidden = width);
    let plan = Plan::open(hidden(vocab)).unwrap();
    assert_eq!(plan.model().output_width(), vocab);
    run(hidden(vocab)).unwrap();
    for width in [1, vocab - 1, vocab + 1, u32::MAX] {
        let fault = run(hidden(width)).unwrap_err();
        assert!(matches!(fault, PlanError::Model { .. }), "{fault}");
    }
}

#[test]
fn errors_name_the_fault() {
    let whole = decoder(Encoding::Int4);
    let with_header = |change: fn(&mut Header)| {
        let mut bytes = whole.as_ref().to_vec();
        let mut header: Header = bytemuck::pod_read_unaligned(&bytes[..64]);
        change(&mut header);
        bytes[..64].copy_from_slice(bytes_of_mut(&mut header));
        run(File::new(&bytes)).expect_err("refused")
    };
    assert_eq!(run(File::new(b"GGUF")), Err(PlanError::NotAPlan));
    assert_eq!(
        with_header(|h| h.version = 9),
        PlanError::Version {
            found: 9,
            expected: FORMAT_VERSION
        }
    );
    assert_eq!(
        with_header(|h| h.layout = 7),
        PlanError::Layout {
            found: 7,
            expected: 1
        }
    );
    assert!(matches!(
        with_header(|h| h.file_len += 1),
        PlanError::Length { .. }
    ));
    assert!(matches!(
        with_header(|h| h.sections = 1 << 30),
        PlanError::Section { .. }
    ));
    let fault = PlanError::Op {
        index: 4,
        name: "Linear",
        fault: OpFault::Overlap,
    };
    let said = "operator 4 (Linear) of the plan reads and writes overlapping memory";
    assert_eq!(fault.to_string(), said);
}
