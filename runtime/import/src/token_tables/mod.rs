//! A byte-level BPE `tokenizer.json` as tables that core reads in place.
//!
//! Enters: the JSON. Leaves: the bytes of a plan's token tables, which give the same tokens, or
//! the reason why there are none. Only what is recognised wholly becomes tables (`json.rs` says
//! what a file may hold, `recognise.rs` what of it is meant); any other tokenizer goes into the
//! plan as it is.

mod json;
mod recognise;
mod splits;
mod write;

#[cfg(test)]
mod tests;

/// Why a tokenizer stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It has something that byte-level BPE has not, or that has no tables yet.
    #[error("{0}")]
    Other(&'static str),
    /// A value is of no kind that is known.
    #[error("{0}")]
    Unknown(String),
}

/// The token tables of a `tokenizer.json`.
///
/// # Errors
/// If the tokenizer is not one that the tables can stand for.
pub fn compile(json: &[u8]) -> Result<Vec<u8>, Unfit> {
    let file = serde_json::from_slice(json).map_err(|error| Unfit::Unknown(error.to_string()))?;
    Ok(write::tables(&recognise::recognise(&file)?))
}
