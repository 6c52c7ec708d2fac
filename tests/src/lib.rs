//! What the whole-system tests share, so that each of them reads like the sentence it proves.
//!
//! - [`models`]: where real models are, and their compiled plans;
//! - [`run`]: token ids through a plan, whole or in pieces;
//! - [`agreement`]: how well logits agree with a reference;
//! - [`hidden`]: the same of hidden states;
//! - [`families`]: tiny models of many families, as exporters write them;
//! - [`storage`]: one of them with its weights stored in many ways;
//! - [`command`]: the `tealight` program as a script would call it;
//! - [`hostile`]: broken models and plans, and what must hold of them;
//! - [`memory`]: allocations, counted.

pub mod agreement;
pub mod command;
pub mod families;
pub mod hidden;
pub mod hostile;
pub mod memory;
pub mod models;
pub mod run;
pub mod storage;

use std::io::Write;

/// Says something that `cargo test` shows even when the test passes.
pub fn say(text: impl std::fmt::Display) {
    // In one piece, because tests run side by side.
    let _ = std::io::stderr().write_all(format!("{text}\n").as_bytes());
}
