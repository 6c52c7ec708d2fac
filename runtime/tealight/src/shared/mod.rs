//! Models and chats that any thread may use, cancel and close at any time: what bindings to
//! other languages are made of.
//!
//! Enters: calls from threads that know nothing of each other. Leaves: results that are pulled,
//! never pushed. A caller asks for the next [`Event`](crate::Event) and computes it on its own
//! thread; nothing here ever calls back, so that no foreign exception, no foreign thread and no
//! foreign lock can come between. Text is gathered for [`GATHER`] before it is handed over,
//! because a call into another language costs more than a token of a small model.
//!
//! - [`SharedModel`]: a model, until it is closed. Chats that it made go on.
//! - [`Loading`]: a model being opened on a thread of its own, with progress.
//! - [`SharedChat`]: a chat, one [`Answering`] at a time.
//!
//! Closing twice, closing during an answer and cancelling what has ended do nothing wrong. What
//! is called after it was closed says [`Error::Closed`](crate::Error::Closed). A panic of the
//! engine ends as [`Error::Internal`](crate::Error::Internal).

mod chat;
mod guard;
mod loading;
mod model;

pub use chat::{Answering, GATHER, SharedChat};
pub use loading::{LoadProgress, LoadStage, Loading, ModelSource};
pub use model::SharedModel;
