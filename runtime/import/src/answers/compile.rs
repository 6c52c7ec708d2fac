//! From a schema or a list to a constraint.

use super::{automaton, schema};

/// The constraint section for answers that a JSON schema describes, written without spaces.
///
/// # Errors
/// What is wrong with the schema, and where.
pub(crate) fn of_schema(json: &[u8]) -> Result<Vec<u8>, String> {
    automaton::of_pattern(&schema::pattern(json)?)
}

/// The constraint section for a list of answers, one a line.
///
/// # Errors
/// If there are none, or too many.
pub(crate) fn of_list(list: &str) -> Result<Vec<u8>, String> {
    let answers = list.lines().filter(|line| !line.trim().is_empty());
    let patterns: Vec<String> = answers.map(automaton::literal).collect();
    if patterns.is_empty() {
        return Err("it has no answers".into());
    }
    automaton::of_pattern(&automaton::any_of(patterns))
}
