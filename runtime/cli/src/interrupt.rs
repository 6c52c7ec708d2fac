//! Ctrl-C: the first one stops what is being generated, the next one ends the program.

use std::sync::{Mutex, PoisonError};

use crate::exit::Exit;

/// What the next Ctrl-C does instead of ending the program.
type Action = Box<dyn FnOnce() + Send>;

static ACTION: Mutex<Option<Action>> = Mutex::new(None);

/// Takes over Ctrl-C. Without it (the system refuses), Ctrl-C ends the program as usual.
pub(crate) fn install() {
    let handler = || match take() {
        Some(action) => action(),
        None => std::process::exit(Exit::Interrupted as i32),
    };
    if let Err(error) = ctrlc::set_handler(handler) {
        eprintln!("note: Ctrl-C will end the program at once: {error}");
    }
}

/// Until the guard is dropped, the first Ctrl-C does `action`.
pub(crate) fn catch(action: impl FnOnce() + Send + 'static) -> Guard {
    *lock() = Some(Box::new(action));
    Guard
}

/// Gives Ctrl-C back its usual meaning when dropped.
pub(crate) struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        take();
    }
}

fn take() -> Option<Action> {
    lock().take()
}

fn lock() -> std::sync::MutexGuard<'static, Option<Action>> {
    ACTION.lock().unwrap_or_else(PoisonError::into_inner)
}
