//! `cargo xtask matrix`: the table of families and exports, and whether the page that shows it
//! is up to date.

use std::fs;

use clap::Args;

use crate::Outcome;
use crate::command::{self, cargo};
use crate::tree;

/// Where the table stands, between these lines.
const PAGE: &str = "models/README.md";
const BEGIN: &str = "<!-- cargo xtask matrix --update -->\n";
const END: &str = "<!-- end of the table -->";

#[derive(Args)]
pub(crate) struct Flags {
    /// Write the table into models/README.md
    #[arg(long)]
    update: bool,
}

pub(crate) fn run(flags: &Flags) -> Outcome {
    let arguments = [
        "run",
        "--quiet",
        "--release",
        "-p",
        "tealight-tests",
        "--example",
        "matrix",
    ];
    let table = command::told(&mut cargo(&arguments))?;
    print!("{table}");
    if flags.update {
        let path = tree::root().join(PAGE);
        let page = fs::read_to_string(&path)?;
        let updated = with_table(&page, &table)
            .ok_or_else(|| format!("{PAGE} has no lines `{}` and `{END}`", BEGIN.trim_end()))?;
        fs::write(path, updated)?;
    }
    Ok(())
}

/// The page with another table.
fn with_table(page: &str, table: &str) -> Option<String> {
    let (front, rest) = page.split_once(BEGIN)?;
    let (_, back) = rest.split_once(END)?;
    Some(format!("{front}{BEGIN}{table}{END}{back}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_keeps_what_stands_around_its_table() {
        let page = format!("before\n{BEGIN}old\n{END}\nafter\n");
        let expected = format!("before\n{BEGIN}new\n{END}\nafter\n");
        assert_eq!(with_table(&page, "new\n"), Some(expected));
        assert_eq!(with_table("no table", "new"), None);
    }
}
