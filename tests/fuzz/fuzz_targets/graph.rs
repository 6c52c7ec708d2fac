//! Bytes as choices of a sound export and of changes to it.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tealight_tests::hostile::{Folder, Seeds};
use tealight_tests::memory::Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

static FOLDER: LazyLock<Folder> = LazyLock::new(Folder::new);
static SEEDS: LazyLock<Seeds> = LazyLock::new(Seeds::read);

fuzz_target!(|choices: &[u8]| {
    SEEDS.import_changed(&FOLDER, choices);
});
