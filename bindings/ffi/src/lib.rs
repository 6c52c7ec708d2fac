//! Tealight for Kotlin, Swift and Python: the surface that UniFFI generates code for.
//!
//! Enters: calls from any thread of another language. Leaves: values and typed errors. Every
//! function waits until it is done, so the handwritten layer of each language says on which of
//! its threads that happens. Nothing here calls back: events and progress are asked for, one
//! call for as much text as has gathered (see [`tealight::shared`]).
//!
//! What a programmer sees is not this, but the handwritten layer over it.

mod chat;
mod error;
mod info;
mod model;
mod options;

pub use chat::{Answering, Chat, Event, FinishReason, Message, Role, Summary};
pub use error::TealightError;
pub use info::{ModelInfo, model_info};
pub use model::{LoadProgress, LoadStage, Loading, Model, load};
pub use options::{ChatOptions, GenerateOptions, KvType, ModelOptions, ModelSource};

uniffi::setup_scaffolding!();

/// This library's version, such as `0.1.0`.
#[uniffi::export]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}
