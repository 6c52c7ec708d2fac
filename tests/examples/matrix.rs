//! Prints what becomes of every export of every family, and of every way to store weights, as tables.

use tealight_tests::{families, storage};

fn main() {
    print!("{}", families::markdown(&families::matrix()));
    print!("\n{}", storage::markdown(&storage::cells()));
}
