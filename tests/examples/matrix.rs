//! Prints what becomes of every export of every family, as a table.

use tealight_tests::families::{markdown, matrix};

fn main() {
    print!("{}", markdown(&matrix()));
}
