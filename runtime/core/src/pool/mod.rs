//! Who does the work of an operator: one thread, or a pool of them.

#[cfg(feature = "std")]
mod threads;

#[cfg(feature = "std")]
pub use threads::Pool;

/// Threads that run the parts of a job.
pub trait Workers: Sync {
    /// How many parts a job is cut into.
    fn count(&self) -> usize;

    /// Calls `job(0)`, …, `job(count - 1)`, once each, perhaps at the same time, and returns
    /// when all have returned.
    fn run(&self, job: &(dyn Fn(usize) + Sync));
}

/// The calling thread alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Single;

impl Workers for Single {
    fn count(&self) -> usize {
        1
    }

    fn run(&self, job: &(dyn Fn(usize) + Sync)) {
        job(0);
    }
}
