//! The commands, one a file.

pub(crate) mod bench;
pub(crate) mod chat;
pub(crate) mod compile;
pub(crate) mod embed;
pub(crate) mod inspect;
#[cfg(feature = "tract")]
pub(crate) mod onnx;
#[cfg(not(feature = "tract"))]
#[path = "no_onnx.rs"]
pub(crate) mod onnx;
pub(crate) mod perplexity;
pub(crate) mod run;
pub(crate) mod verify;
