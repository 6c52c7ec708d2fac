//! `unsafe` stands only where processors and mapped files make it needed. (That each block
//! says why it is sound, clippy checks.)

use crate::{Outcome, tree};

/// Files, or folders that end with a slash, and why they need it.
const ALLOWED: &[(&str, &str)] = &[
    (
        "firmware-examples/app/src/journal.rs",
        "sets the logger on cores without atomic exchange",
    ),
    (
        "firmware-examples/build/src/lib.rs",
        "writes a section's name into the code that it makes",
    ),
    (
        "firmware-examples/nrf52840/src/serial.rs",
        "switches its interrupt on",
    ),
    (
        "firmware-examples/pico/board.rs",
        "switches the serial port's interrupt on",
    ),
    (
        "firmware-examples/qemu-mps2/src/bin/kernels.rs",
        "calls kernels on outputs that threads could share",
    ),
    (
        "firmware-examples/qemu-mps2/src/faults.rs",
        "is called by the processor after a fault",
    ),
    (
        "firmware-examples/qemu-mps2/src/registers.rs",
        "reaches the machine's registers",
    ),
    (
        "firmware-examples/qemu-mps2/src/stack.rs",
        "reads how deep the stack was",
    ),
    (
        "firmware-examples/rp2040-pico/src/main.rs",
        "places what the processor boots with",
    ),
    (
        "firmware-examples/rp2350-pico2/src/main.rs",
        "places what the processor boots with",
    ),
    (
        "firmware-examples/stm32f405/src/serial.rs",
        "switches its interrupt on",
    ),
    (
        "firmware-examples/stm32h743/src/serial.rs",
        "switches its interrupt on",
    ),
    (
        "runtime/core/benches/",
        "times kernels on outputs that several threads share",
    ),
    (
        "runtime/core/src/executor/",
        "hands out disjoint parts of one arena",
    ),
    (
        "runtime/core/src/kernels/",
        "calls the processor's vector instructions",
    ),
    (
        "runtime/core/src/math.rs",
        "calls an instruction that has no name in stable Rust",
    ),
    (
        "runtime/core/src/ops/attention.rs",
        "writes disjoint columns from several threads",
    ),
    (
        "runtime/core/src/ops/convolution.rs",
        "writes disjoint columns from several threads",
    ),
    (
        "runtime/core/src/ops/recurrence.rs",
        "writes disjoint parts of states from several threads",
    ),
    (
        "runtime/core/src/pool",
        "lends borrowed work to threads that live longer",
    ),
    (
        "runtime/core/src/rows.rs",
        "hands out disjoint parts of rows",
    ),
    ("runtime/import/src/onnx/load.rs", "maps the graph's file"),
    (
        "runtime/import/src/write/",
        "maps the written plan to check it",
    ),
    ("runtime/tealight/src/cache.rs", "maps a plan to check it"),
    ("runtime/tealight/src/bytes.rs", "maps a plan"),
    ("tests/src/memory.rs", "counts allocations"),
    ("xtask/src/tidy/", "names the keyword"),
    ("xtask/unwinder/src/lib.rs", "ends the process"),
];

pub(super) fn check() -> Outcome<Vec<String>> {
    let mut places = Vec::new();
    for source in tree::sources(&["rs"])? {
        if ALLOWED
            .iter()
            .any(|(place, _)| source.path.starts_with(place))
        {
            continue;
        }
        for (number, line) in source.lines().filter(|(_, line)| is_unsafe(line)) {
            places.push(format!("{}:{number}: {}", source.path, line.trim()));
        }
    }
    Ok(places)
}

/// Whether a line of code uses the keyword.
fn is_unsafe(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    code.split(|c| !word(c)).any(|found| found == "unsafe")
}

#[cfg(test)]
mod tests {
    use super::is_unsafe;

    #[test]
    fn the_keyword_is_told_from_words_that_contain_it() {
        assert!(is_unsafe("    let x = unsafe { *p };"));
        assert!(is_unsafe("pub unsafe fn f() {}"));
        assert!(!is_unsafe("#![forbid(unsafe_code)]"));
        assert!(!is_unsafe("// unsafe { } is not needed here"));
    }
}
