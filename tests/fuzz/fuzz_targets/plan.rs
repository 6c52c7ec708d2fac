//! Any bytes as a compiled plan.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tealight_tests::hostile::run_plan;
use tealight_tests::memory::Counting;
use tealight_tests::models::Bytes;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fuzz_target!(|bytes: &[u8]| run_plan(Bytes::new(bytes).as_ref()));
