//! Numbers that stand for models, loadings, chats and answers in Java.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jni::sys::jlong;
use tealight::Error;

/// No two things ever have one number, so that a stale one finds nothing.
static NEXT: AtomicI64 = AtomicI64::new(1);

/// Things of one kind by their numbers.
pub(crate) struct Handles<T> {
    what: &'static str,
    things: Mutex<Option<HashMap<jlong, T>>>,
}

impl<T: Clone> Handles<T> {
    /// An empty table of `what`, as errors call it.
    pub(crate) const fn new(what: &'static str) -> Handles<T> {
        Handles {
            what,
            things: Mutex::new(None),
        }
    }

    /// Keeps a thing until its number is freed.
    pub(crate) fn keep(&self, thing: T) -> jlong {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        self.lock().get_or_insert_default().insert(number, thing);
        number
    }

    /// The thing with this number.
    ///
    /// # Errors
    /// [`Error::Closed`] if there is none.
    pub(crate) fn get(&self, number: jlong) -> Result<T, Error> {
        let things = self.lock();
        let thing = things.as_ref().and_then(|things| things.get(&number));
        thing.cloned().ok_or(Error::Closed { what: self.what })
    }

    /// Takes the thing with this number out, if it is still there.
    pub(crate) fn free(&self, number: jlong) -> Option<T> {
        self.lock().as_mut()?.remove(&number)
    }

    fn lock(&self) -> MutexGuard<'_, Option<HashMap<jlong, T>>> {
        self.things.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_good_until_it_is_freed() {
        let handles = Handles::new("the thing");
        let number = handles.keep("one");
        let other = handles.keep("two");
        assert_eq!(handles.get(number).ok(), Some("one"));
        assert_eq!(handles.free(number), Some("one"));
        assert_eq!(handles.free(number), None);
        assert!(matches!(
            handles.get(number),
            Err(Error::Closed { what: "the thing" })
        ));
        assert_eq!(handles.get(other).ok(), Some("two"));
        assert!(handles.get(0).is_err());
    }
}
