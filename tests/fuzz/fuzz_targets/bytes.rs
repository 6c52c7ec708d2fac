//! Any bytes as an ONNX file.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tealight_tests::hostile::Folder;
use tealight_tests::memory::Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

static FOLDER: LazyLock<Folder> = LazyLock::new(Folder::new);

fuzz_target!(|bytes: &[u8]| {
    FOLDER.import(bytes, &[], None);
});
