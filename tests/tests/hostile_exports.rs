//! Exports changed as a fuzzer would change them, with fixed random numbers: refused, or compiled
//! to a sound plan, without much memory. `tests/fuzz` does the same for hours.

use std::panic::{AssertUnwindSafe, catch_unwind};

use arbitrary::Unstructured;
use tealight_core::sampling::Rng;
use tealight_tests::hostile::{Folder, Seeds};
use tealight_tests::memory::Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Changed models of each seed.
const ROUNDS: u64 = 8;
/// Bytes to choose by, for each.
const CHOICES: usize = 256;

#[test]
fn changed_exports_do_no_harm() {
    let folder = Folder::new();
    let mut random = Rng::new(42);
    let (mut made, mut refused) = (0, 0);
    for seed in Seeds::read().iter() {
        for round in 0..ROUNDS {
            let choices: Vec<u8> = (0..CHOICES).map(|_| random.bits() as u8).collect();
            let import = || seed.import_changed(&folder, &mut Unstructured::new(&choices));
            match catch_unwind(AssertUnwindSafe(import)) {
                Ok(true) => made += 1,
                Ok(false) => refused += 1,
                Err(_) => panic!("{}, round {round}", seed.name),
            }
        }
    }
    // Changes that are noticed, and some that a model survives.
    assert!(made > 100 && refused > 100, "{made} and {refused}");
}
