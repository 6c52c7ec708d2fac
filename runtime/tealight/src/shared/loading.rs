//! A model being opened on a thread of its own.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::SharedModel;
use super::guard::{guarded, lock};
use crate::{Error, Model, ModelInfo, ModelOptions, Result};

/// Where a model comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelSource {
    /// The model that the library carries, if it was built with one.
    Embedded,
    /// A `.tea` file, an `.onnx` file or a folder with one.
    Path(PathBuf),
}

impl ModelSource {
    /// What the model says about itself, without loading it. See [`ModelInfo::read`].
    pub fn info(&self, options: &ModelOptions) -> Result<ModelInfo> {
        guarded(|| match self {
            #[cfg(feature = "embedded")]
            ModelSource::Embedded => ModelInfo::embedded_with(options),
            #[cfg(not(feature = "embedded"))]
            ModelSource::Embedded => Err(Error::EmbeddedNotBuiltIn),
            ModelSource::Path(path) => ModelInfo::read_with(path, options),
        })?
    }
}

/// How far loading has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadProgress {
    /// What is being done.
    pub stage: LoadStage,
    /// Bytes behind.
    pub done: u64,
    /// Bytes altogether; 0 where nobody can tell.
    pub total: u64,
}

/// The stages of loading, in their order. A compiled model has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
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

/// A model being opened. Dropping it gives up.
#[derive(Debug)]
pub struct Loading(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    changed: Condvar,
    cancelled: AtomicBool,
}

#[derive(Debug)]
struct State {
    /// Not told yet.
    progress: Option<LoadProgress>,
    outcome: Outcome,
}

#[derive(Debug)]
enum Outcome {
    Pending,
    Ready(Result<Model>),
    Taken,
}

/// Thrown through an import to end it, so that it takes back what it has written.
#[cfg(feature = "import")]
struct GivenUp;

impl Loading {
    /// Begins to open a model.
    ///
    /// # Errors
    /// If the system has no thread for it.
    pub fn start(source: ModelSource, options: ModelOptions) -> Result<Loading> {
        let inner = Arc::new(Inner {
            state: Mutex::new(State {
                progress: None,
                outcome: Outcome::Pending,
            }),
            changed: Condvar::new(),
            cancelled: AtomicBool::new(false),
        });
        let worker = Arc::clone(&inner);
        std::thread::Builder::new()
            .name("tealight-load".into())
            .spawn(move || {
                let opened = worker.open(&source, &options);
                lock(&worker.state).outcome = Outcome::Ready(opened);
                worker.changed.notify_all();
            })
            .map_err(|_| Error::OutOfMemory {
                what: "thread that loads",
                bytes: 2 << 20,
            })?;
        Ok(Loading(inner))
    }

    /// Waits for news; `None` when loading has ended. Only the newest progress is told.
    pub fn next_progress(&self) -> Option<LoadProgress> {
        let mut state = lock(&self.0.state);
        loop {
            if let Some(progress) = state.progress.take() {
                return Some(progress);
            }
            if !matches!(state.outcome, Outcome::Pending) {
                return None;
            }
            state = self
                .0
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits for the model.
    ///
    /// # Errors
    /// If it cannot be opened; [`Error::Cancelled`] after [`cancel`](Loading::cancel);
    /// [`Error::Closed`] if it was taken before.
    pub fn finish(&self) -> Result<SharedModel> {
        while self.next_progress().is_some() {}
        let outcome = std::mem::replace(&mut lock(&self.0.state).outcome, Outcome::Taken);
        match outcome {
            Outcome::Ready(_) if self.0.cancelled.load(Ordering::Relaxed) => Err(Error::Cancelled),
            Outcome::Ready(model) => model.map(SharedModel::new),
            Outcome::Pending | Outcome::Taken => Err(Error::Closed {
                what: "the loading",
            }),
        }
    }

    /// Gives up: an import ends within a megabyte of weights and leaves nothing behind.
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Ordering::Relaxed);
    }
}

impl Drop for Loading {
    fn drop(&mut self) {
        self.cancel();
    }
}

impl Inner {
    fn open(&self, source: &ModelSource, options: &ModelOptions) -> Result<Model> {
        guarded(|| match source {
            #[cfg(feature = "embedded")]
            ModelSource::Embedded => Model::embedded_with(options),
            #[cfg(not(feature = "embedded"))]
            ModelSource::Embedded => Err(Error::EmbeddedNotBuiltIn),
            ModelSource::Path(path) => self.open_path(path, options),
        })?
    }

    #[cfg(not(feature = "import"))]
    fn open_path(&self, path: &std::path::Path, options: &ModelOptions) -> Result<Model> {
        Model::open_with(path, options)
    }

    #[cfg(feature = "import")]
    fn open_path(&self, path: &std::path::Path, options: &ModelOptions) -> Result<Model> {
        use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
        let mut tell = |progress: tealight_import::Progress| {
            if self.cancelled.load(Ordering::Relaxed) {
                resume_unwind(Box::new(GivenUp));
            }
            lock(&self.state).progress = Some(LoadProgress {
                stage: stage(progress.step),
                done: progress.done,
                total: progress.total,
            });
            self.changed.notify_all();
        };
        catch_unwind(AssertUnwindSafe(|| {
            Model::open_with_progress(path, options, &mut tell)
        }))
        .unwrap_or_else(|panic| match panic.downcast::<GivenUp>() {
            Ok(_) => Err(Error::Cancelled),
            Err(panic) => resume_unwind(panic),
        })
    }
}

#[cfg(feature = "import")]
fn stage(step: tealight_import::Step) -> LoadStage {
    use tealight_import::Step;
    match step {
        Step::Hash => LoadStage::Looking,
        Step::Wait => LoadStage::Waiting,
        Step::Graph => LoadStage::Recognising,
        _ => LoadStage::Packing,
    }
}
