//! Small language models on small devices: load, chat, stream.
//!
//! ```no_run
//! use tealight::{Event, GenerateOptions, Model};
//!
//! fn main() -> Result<(), tealight::Error> {
//!     let model = Model::open("smollm2-135m-instruct")?; // a .tea file or an ONNX folder
//!     let mut chat = model.chat()?;
//!     for event in chat.send("What is the capital of France?", &GenerateOptions::new())? {
//!         match event? {
//!             Event::Text(text) => print!("{text}"),
//!             Event::Done(summary) => println!("\n({:?})", summary.reason),
//!             _ => {}
//!         }
//!     }
//!     Ok(())
//! }
//! ```
//!
//! - A [`Model`] is opened once, is cheap to clone and is shared by any number of sessions, on
//!   any threads. Its weights are mapped, not copied.
//! - A [`Chat`] adds roles and the model's own chat template to a [`Session`], which owns a KV
//!   cache. Both stream [`Event`]s while the model speaks.
//! - An [`Embedder`] turns texts into vectors, with a model that was made for it.
//! - [`GenerateOptions`] say how: sampling, token budget, stop strings, a [`CancelToken`] for
//!   another thread. What is left open is the model's own default.
//! - Every failure is an [`Error`] with a kind to act on and a text that names the file and the
//!   fault. A call that fails leaves things as they were.
//!
//! There is no network code here, and nothing is written but compiled models, to the user's
//! cache folder.
//!
//! # Features
//! - `import` (default): opens ONNX models, by compiling them on this machine.
//! - `embedded` (default): [`Model::embedded`], a model that the library carries.
//! - `answers` (default): with `import`, makes the constraint of a schema or list beside a model.
//! - `tokenizers` (default): tokenizers other than byte-level BPE, such as SentencePiece's. Without it
//!   a model that needs one is an error when it is opened.
//! - `tract`: the module `onnx`, to run any other ONNX model.

mod answers;
mod bytes;
#[cfg(feature = "import")]
mod cache;
#[cfg(feature = "import")]
mod calibration;
mod cancel;
mod chat;
mod defaults;
mod embedding;
mod error;
mod event;
mod generation;
#[cfg(feature = "tract")]
mod graph;
mod info;
pub mod logprobs;
mod memory;
mod model;
mod options;
mod session;
pub mod shared;
mod step;
mod stop;
pub mod template;
mod texts;
mod threads;
pub mod tokenizer;

#[cfg(feature = "import")]
pub use cache::CacheError;
#[cfg(feature = "import")]
pub use calibration::Calibration;
pub use cancel::CancelToken;
pub use chat::{Chat, ChatOptions, Reply};
pub use defaults::GenerationDefaults;
pub use embedding::{EmbedOptions, Embedder, EmbeddingDefaults, Pooling, similarity};
pub use error::{Error, ErrorKind, Result};
pub use event::{Event, FinishReason, Summary, Usage};
pub use generation::{Answer, Generation};
pub use info::ModelInfo;
#[cfg(feature = "import")]
pub use model::OnProgress;
pub use model::{Model, ModelOptions};
pub use options::GenerateOptions;
pub use session::{Prompt, Session, SessionOptions};
pub use template::{Message, Role};
pub use threads::ThreadCounts;
pub use tokenizer::TokenId;

pub use tealight_core::executor::{Activations, KvType};
pub use tealight_core::{ops, plan};
#[cfg(feature = "import")]
pub use tealight_import as import;
/// The models that Tealight knows by name.
#[cfg(feature = "embedded")]
pub use tealight_models as models;
/// Runs any other ONNX model.
#[cfg(feature = "tract")]
pub use tealight_onnx as onnx;

#[cfg(test)]
mod testing;
