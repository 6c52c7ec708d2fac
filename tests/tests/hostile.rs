//! Cut and changed plans: refused, or executed without harm and without much memory.

use tealight_core::executor::{
    Activations, Arena, Config, Executor, KvCache, KvType, Line, Logits,
};
use tealight_core::kernels::Isa;
use tealight_core::plan::Plan;
use tealight_core::plan::format::Header;
use tealight_core::pool::Single;
use tealight_core::sampling::Rng;
use tealight_core::tokenizer::{Characters, Tokenizer};
use tealight_tests::memory::{Counting, peak};
use tealight_tests::models::{Bytes, compile, embedded, real_model, real_models};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// No plan may ask for more when it is given room for 4 tokens a step and 16 in all.
const MOST_MEMORY: usize = 96 << 20;
const FLIPS: u32 = 10_000;

/// Opens a plan and, if it opens, runs a few tokens.
fn try_to_run(bytes: &[u8]) {
    let most = peak(|| {
        let Ok(plan) = Plan::open(bytes) else { return };
        try_to_tokenize(&plan);
        let context = plan.model().context.min(16) as usize;
        let config = Config {
            context,
            step: 4,
            logits: 1,
            threads: 1,
            kv: KvType::F16,
        };
        let memory = |lines: usize| vec![Line::ZERO; lines];
        let (Ok(kv), Ok(work)) = (KvCache::lines(&plan, &config), Arena::lines(&plan, &config))
        else {
            return;
        };
        let mut cache = KvCache::new(&plan, &config, memory(kv)).expect("as many as asked for");
        let mut arena = Arena::new(&plan, &config, memory(work)).expect("as many as asked for");
        let executor = Executor::new(&plan, &Single, Isa::best(), Activations::Int8);
        for tokens in [&[0, 1, 2][..], &[3]] {
            let _ = executor.step(&mut cache, &mut arena, tokens, Logits::Last);
        }
    });
    assert!(
        most <= MOST_MEMORY,
        "a plan of {} bytes took {most}",
        bytes.len()
    );
}

/// Whatever the tables of a plan say, there are tokens or an error.
fn try_to_tokenize(plan: &Plan<&[u8]>) {
    let Some(tokenizer) = plan.tokenizer() else {
        return;
    };
    let mut scratch = [0; 64 * Tokenizer::SCRATCH_PER_BYTE];
    let mut tokens = [0; 64];
    let text = "<|user|> it's  12 °C in the living_room!\n<|assistant|>";
    let Ok(count) = tokenizer.encode(text, &mut scratch, &mut tokens) else {
        return;
    };
    let mut characters = Characters::default();
    for id in &tokens[..count] {
        let bytes = tokenizer.token_bytes(*id).unwrap_or_default();
        characters.push(bytes, |text| assert!(!text.is_empty()));
        tokenizer.is_special(*id);
    }
    tokenizer
        .before()
        .chain(tokenizer.after())
        .for_each(|id| assert!((id as usize) < tokenizer.len()));
}

/// Cut at every `step` bytes, as a broken copy would be and as an attacker would do it.
fn cut_everywhere(mut bytes: Bytes, step: usize) {
    let whole = bytes.as_ref().len();
    for len in (0..whole).step_by(step) {
        try_to_run(&bytes.as_ref()[..len]);
    }
    let place = std::mem::offset_of!(Header, file_len);
    for len in (step.max(size_of::<Header>())..whole).step_by(step) {
        bytes.bytes_mut()[place..place + 8].copy_from_slice(&(len as u64).to_le_bytes());
        try_to_run(&bytes.as_ref()[..len]);
    }
}

/// Changes one to four bytes at a time, half of them in the first 16 KiB, where the tables are.
fn change_bytes(mut bytes: Bytes) {
    let mut random = Rng::new(42);
    let mut below = |most: usize| random.bits() as usize % most;
    let len = bytes.as_ref().len();
    for _ in 0..FLIPS {
        let changes: Vec<(usize, u8)> = (0..1 + below(4))
            .map(|_| {
                let range = if below(2) == 0 {
                    len.min(16 << 10)
                } else {
                    len
                };
                (below(range), 1 + below(255) as u8)
            })
            .collect();
        changes
            .iter()
            .for_each(|(place, change)| bytes.bytes_mut()[*place] ^= change);
        try_to_run(bytes.as_ref());
        changes
            .iter()
            .for_each(|(place, change)| bytes.bytes_mut()[*place] ^= change);
    }
}

#[test]
fn cut_and_changed_plans_do_no_harm() {
    let embedded = Bytes::new(embedded().bytes());
    cut_everywhere(embedded.clone(), 64);
    change_bytes(embedded);
    for model in real_models(&["tiny-qwen2/genai-int4", "tiny-llama/optimum-fp32"]) {
        let bytes = compile(&model).bytes();
        cut_everywhere(bytes.clone(), 64);
        change_bytes(bytes);
    }
    if let Some(model) = real_model("smollm2-135m-instruct-int4") {
        cut_everywhere(compile(&model).bytes(), 4096);
    }
}
