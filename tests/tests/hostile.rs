//! Cut and changed plans: refused, or executed without harm and without much memory.

use tealight_core::plan::format::Header;
use tealight_core::sampling::Rng;
use tealight_tests::families::Export;
use tealight_tests::hostile::run_plan;
use tealight_tests::memory::Counting;
use tealight_tests::models::{Bytes, compile, embedded, real_model, real_models};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const FLIPS: u32 = 10_000;

/// Cut at every `step` bytes, as a broken copy would be and as an attacker would do it.
fn cut_everywhere(mut bytes: Bytes, step: usize) {
    let whole = bytes.as_ref().len();
    for len in (0..whole).step_by(step) {
        run_plan(&bytes.as_ref()[..len]);
    }
    let place = std::mem::offset_of!(Header, file_len);
    for len in (step.max(size_of::<Header>())..whole).step_by(step) {
        bytes.bytes_mut()[place..place + 8].copy_from_slice(&(len as u64).to_le_bytes());
        run_plan(&bytes.as_ref()[..len]);
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
        run_plan(bytes.as_ref());
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
    let export = Export {
        family: "bert",
        name: "optimum-fp32",
    };
    let encoder = export.unpacked().expect("it was exported");
    let encoder = compile(encoder.path()).bytes();
    cut_everywhere(encoder.clone(), 64);
    change_bytes(encoder);
    for model in real_models(&["tiny-qwen2/genai-int4", "tiny-llama/optimum-fp32"]) {
        let bytes = compile(&model).bytes();
        cut_everywhere(bytes.clone(), 64);
        change_bytes(bytes);
    }
    if let Some(model) = real_model("smollm2-135m-instruct-int4") {
        cut_everywhere(compile(&model).bytes(), 4096);
    }
}
