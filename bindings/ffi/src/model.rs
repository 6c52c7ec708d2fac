//! A model, and the loading of one.

use std::sync::Arc;

use tealight::shared;

use crate::{Chat, ChatOptions, ModelInfo, ModelOptions, ModelSource, TealightError};

/// Begins to load a model, on a thread of its own.
#[uniffi::export]
pub fn load(source: ModelSource, options: ModelOptions) -> Result<Arc<Loading>, TealightError> {
    let loading = shared::Loading::start(source.into(), options.into())?;
    Ok(Arc::new(Loading(loading)))
}

/// A model that is being loaded. Dropping it gives up.
#[derive(Debug, uniffi::Object)]
pub struct Loading(shared::Loading);

#[uniffi::export]
impl Loading {
    /// Waits for news; none when loading has ended.
    pub fn next_progress(&self) -> Option<LoadProgress> {
        self.0.next_progress().map(LoadProgress::from)
    }

    /// Waits for the model, which can be taken once.
    pub fn finish(&self) -> Result<Arc<Model>, TealightError> {
        Ok(Arc::new(Model(self.0.finish()?)))
    }

    /// Gives up, from any thread.
    pub fn cancel(&self) {
        self.0.cancel();
    }
}

/// How far loading has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct LoadProgress {
    /// What is being done.
    pub stage: LoadStage,
    /// Bytes behind.
    pub done: u64,
    /// Bytes altogether; 0 where nobody can tell.
    pub total: u64,
}

/// The stages of loading, in their order. A compiled model has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum LoadStage {
    /// Looking whether the model was compiled before.
    Looking,
    /// Waiting for another process that compiles the same model.
    Waiting,
    /// Recognising the graph's operators.
    Recognising,
    /// Packing the weights.
    Packing,
}

impl From<shared::LoadProgress> for LoadProgress {
    fn from(progress: shared::LoadProgress) -> LoadProgress {
        LoadProgress {
            stage: match progress.stage {
                shared::LoadStage::Looking => LoadStage::Looking,
                shared::LoadStage::Waiting => LoadStage::Waiting,
                shared::LoadStage::Recognising => LoadStage::Recognising,
                _ => LoadStage::Packing,
            },
            done: progress.done,
            total: progress.total,
        }
    }
}

/// A model, ready for any number of chats.
#[derive(Debug, uniffi::Object)]
pub struct Model(shared::SharedModel);

#[uniffi::export]
impl Model {
    /// What is known about the model; also after it was released.
    pub fn info(&self) -> ModelInfo {
        ModelInfo::from(self.0.info())
    }

    /// A new chat.
    pub fn chat(&self, options: ChatOptions) -> Result<Arc<Chat>, TealightError> {
        Ok(Arc::new(Chat(self.0.chat(&options.into())?)))
    }

    /// Gives the model up. Its memory is freed when the last of its chats is released.
    pub fn release(&self) {
        self.0.close();
    }
}
