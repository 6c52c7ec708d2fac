//! What a model's answers may look like, as an automaton for [`tealight_core::constraint`].
//!
//! Beside the graph lies `answers.schema.json`, a JSON schema of the subset that
//! [`schema`] describes, or `answers.txt` with one whole answer a line.

#[cfg(feature = "answers")]
mod automaton;
#[cfg(feature = "answers")]
mod compile;
#[cfg(not(feature = "answers"))]
#[path = "absent.rs"]
mod compile;
#[cfg(feature = "answers")]
mod schema;

#[cfg(all(test, feature = "answers"))]
mod tests;

pub(crate) use compile::{of_list, of_schema};

pub(crate) const SCHEMA: &str = "answers.schema.json";
pub(crate) const LIST: &str = "answers.txt";
