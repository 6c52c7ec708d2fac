//! No source file is too long to be read in one sitting.

use crate::{Outcome, tree};

const MOST_LINES: usize = 600;

pub(super) fn check() -> Outcome<Vec<String>> {
    let sources = tree::sources(&["rs", "py", "kt", "java", "swift"])?;
    let long = sources.iter().filter_map(|source| {
        let lines = source.text.lines().count();
        let too_many = lines > MOST_LINES;
        too_many.then(|| format!("{}: {lines} lines, at most {MOST_LINES}", source.path))
    });
    Ok(long.collect())
}
