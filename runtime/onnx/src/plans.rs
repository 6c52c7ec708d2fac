//! Remembers the optimised plan of the last few sets of input shapes.

use std::sync::Mutex;

use crate::engine::Runnable;

/// Each plan may hold its own packed copy of the weights, so only a few are kept.
const KEPT: usize = 4;

/// The shapes of one call's inputs, in graph order.
pub(crate) type Shapes = Vec<Vec<usize>>;

/// The most recently used plans, the newest last.
#[derive(Default)]
pub(crate) struct Plans {
    recent: Mutex<Vec<(Shapes, Runnable)>>,
}

impl Plans {
    /// The plan for `shapes`: the one kept, or a new one out of `prepare`.
    ///
    /// # Errors
    /// What `prepare` fails with; nothing is kept then.
    pub(crate) fn get_or<E>(
        &self,
        shapes: Shapes,
        prepare: impl FnOnce(&Shapes) -> Result<Runnable, E>,
    ) -> Result<Runnable, E> {
        if let Some(plan) = self.take_up(&shapes) {
            return Ok(plan);
        }
        // Two threads may prepare the same shapes at once; that costs time, not sense.
        let plan = prepare(&shapes)?;
        let mut recent = self.lock();
        if recent.len() >= KEPT {
            recent.remove(0);
        }
        recent.push((shapes, Runnable::clone(&plan)));
        Ok(plan)
    }

    fn take_up(&self, shapes: &Shapes) -> Option<Runnable> {
        let mut recent = self.lock();
        let found = recent.iter().position(|(kept, _)| kept == shapes)?;
        let entry = recent.remove(found);
        let plan = Runnable::clone(&entry.1);
        recent.push(entry);
        Some(plan)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(Shapes, Runnable)>> {
        // Nothing panics while the list is held, and a list is sound at every moment.
        self.recent
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
