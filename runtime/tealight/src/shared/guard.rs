//! Locks and panics: what may go wrong between threads ends here.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{Error, Result};

/// Does `work`; a panic becomes an error. Whatever `work` changes has to be given up then.
pub(super) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let said = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned());
        Error::Internal {
            reason: said.unwrap_or_else(|| "a panic without words".to_owned()),
        }
    })
}

/// Locks, whoever panicked before: what panics under a lock is [`guarded`] and given up there.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
