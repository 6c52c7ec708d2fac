//! A model that can be closed.

use std::sync::Mutex;

use super::SharedChat;
use super::guard::{guarded, lock};
use crate::{ChatOptions, Error, Model, ModelInfo, Result};

/// A model that any thread may use and close. See the [module](super).
#[derive(Debug)]
pub struct SharedModel {
    model: Mutex<Option<Model>>,
    info: ModelInfo,
}

impl SharedModel {
    /// Shares a model.
    pub fn new(model: Model) -> SharedModel {
        SharedModel {
            info: model.info().clone(),
            model: Mutex::new(Some(model)),
        }
    }

    /// What is known about the model; also after it was closed.
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// A chat, which goes on when the model is closed.
    ///
    /// # Errors
    /// As [`Model::chat_with`], or [`Error::Closed`].
    pub fn chat(&self, options: &ChatOptions) -> Result<SharedChat> {
        let model = self.model()?;
        Ok(SharedChat::new(guarded(|| model.chat_with(options))??))
    }

    /// The model itself.
    ///
    /// # Errors
    /// [`Error::Closed`].
    pub fn model(&self) -> Result<Model> {
        lock(&self.model)
            .clone()
            .ok_or(Error::Closed { what: "the model" })
    }

    /// Gives the model up. Its memory is freed when the last of its chats is closed.
    pub fn close(&self) {
        let model = lock(&self.model).take();
        drop(model);
    }
}
