//! Threads that live as long as the pool and wait for jobs: spinning for some microseconds,
//! since the next operator follows at once, then asleep.
//!
//! Part `i` of a job is thread `i`'s, so that each finds its share of a small model in its own
//! cache. But a part belongs to whoever claims it first: when a thread is late, because it
//! slept or another program has its core, one that is done takes over what it has not begun.

use std::any::Any;
use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use super::Workers;

/// How long a thread spins before it sleeps: longer than what lies between two operators,
/// shorter than what a person's battery would notice.
const SPIN: Duration = Duration::from_micros(50);

/// Most threads: a job's parts are bits of one word.
const MOST_THREADS: usize = 64;

/// A pool of threads; the calling thread is one of them.
///
/// [`Workers::run`] may be called from several threads, whose jobs run one after the other.
/// Within a job it must not be called on the same pool: it would wait for itself. A panic in
/// a part of a job is raised again by `run`, after the other parts have ended. An idle pool
/// uses no processor time, and dropping it ends its threads.
#[derive(Debug)]
pub struct Pool {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    /// Held while a job runs.
    turn: Mutex<()>,
}

#[derive(Debug, Default)]
struct Shared {
    /// The parts of the current job that nobody has begun, one a bit.
    unclaimed: Apart<AtomicU64>,
    /// How many parts have not ended yet.
    unfinished: Apart<AtomicUsize>,
    job: JobCell,
    closing: AtomicBool,
    /// The first panic of the job.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    /// Wakes workers that wait for `unclaimed`.
    start: Bell,
    /// Wakes the caller that waits for `unfinished`.
    done: Bell,
}

/// A cache line of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Apart<T>(T);

/// The job of the current turn.
#[derive(Default)]
struct JobCell(UnsafeCell<Option<*const (dyn Fn(usize) + Sync)>>);

// SAFETY: the caller writes it while no part is unfinished, and workers read it between claiming
// a part and their decrement of `unfinished`, which order the accesses. The job itself is Sync.
unsafe impl Send for JobCell {}
// SAFETY: as above.
unsafe impl Sync for JobCell {}

impl std::fmt::Debug for JobCell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JobCell")
    }
}

/// Lets threads wait until something holds: awake for [`SPIN`], then asleep.
#[derive(Debug, Default)]
struct Bell {
    asleep: AtomicUsize,
    lock: Mutex<()>,
    wake: Condvar,
}

impl Bell {
    /// Returns once `holds` does. Whoever makes it hold must [`ring`](Bell::ring) afterwards.
    fn wait(&self, holds: impl Fn() -> bool) {
        let mut since = None;
        loop {
            for _ in 0..64 {
                if holds() {
                    return;
                }
                std::hint::spin_loop();
            }
            if since.get_or_insert_with(Instant::now).elapsed() > SPIN {
                break;
            }
        }
        let mut guard = lock(&self.lock);
        // Counted before looking again, so that a ringer that saw no sleeper rang before the look.
        self.asleep.fetch_add(1, SeqCst);
        while !holds() {
            guard = self
                .wake
                .wait(guard)
                .unwrap_or_else(PoisonError::into_inner);
        }
        self.asleep.fetch_sub(1, SeqCst);
    }

    fn ring(&self) {
        if self.asleep.load(SeqCst) > 0 {
            // With the lock held, no thread is between its look and its sleep.
            let _guard = lock(&self.lock);
            self.wake.notify_all();
        }
    }
}

/// No panic can happen while these locks are held, so poison means nothing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pool {
    /// A pool of `threads` threads with the calling one, between 1 and 64.
    ///
    /// # Errors
    /// If the system refuses a thread.
    pub fn new(threads: usize) -> std::io::Result<Pool> {
        let mut pool = Pool {
            shared: Arc::default(),
            threads: vec![],
            turn: Mutex::new(()),
        };
        for index in 1..threads.min(MOST_THREADS) {
            let shared = Arc::clone(&pool.shared);
            let thread = Builder::new()
                .name(format!("tealight-{index}"))
                .spawn(move || shared.serve(index))?;
            pool.threads.push(thread);
        }
        Ok(pool)
    }
}

impl Workers for Pool {
    fn count(&self) -> usize {
        self.threads.len() + 1
    }

    fn run(&self, job: &(dyn Fn(usize) + Sync)) {
        if self.threads.is_empty() {
            return job(0);
        }
        let turn = lock(&self.turn);
        let shared = &*self.shared;
        // SAFETY: the lifetime is only hidden: this function does not return, nor unwind,
        // before all parts have ended.
        let hidden: *const (dyn Fn(usize) + Sync + 'static) =
            unsafe { std::mem::transmute(std::ptr::from_ref(job)) };
        // SAFETY: no part of an earlier job is unfinished, so nobody reads the cell.
        unsafe { *shared.job.0.get() = Some(hidden) };
        shared.unfinished.0.store(self.count(), SeqCst);
        shared
            .unclaimed
            .0
            .store(u64::MAX >> (MOST_THREADS - self.count()), SeqCst);
        shared.start.ring();

        shared.work(0);
        shared.done.wait(|| shared.unfinished.0.load(SeqCst) == 0);

        let panic = lock(&shared.panic).take();
        drop(turn);
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }
}

impl Shared {
    /// What a thread of the pool does all its life.
    fn serve(&self, thread: usize) {
        loop {
            let closing = || self.closing.load(SeqCst);
            self.start
                .wait(|| self.unclaimed.0.load(SeqCst) != 0 || closing());
            if closing() {
                return;
            }
            self.work(thread);
        }
    }

    /// Runs the thread's own part of the job, then whatever nobody else has begun.
    fn work(&self, thread: usize) {
        let mut part = thread;
        loop {
            if self.claim(part) {
                self.run(part);
            }
            let unclaimed = self.unclaimed.0.load(SeqCst);
            if unclaimed == 0 {
                return;
            }
            part = unclaimed.trailing_zeros() as usize;
        }
    }

    fn claim(&self, part: usize) -> bool {
        let bit = 1 << part;
        self.unclaimed.0.fetch_and(!bit, SeqCst) & bit != 0
    }

    /// Runs a part that the calling thread has claimed.
    fn run(&self, part: usize) {
        // SAFETY: the caller set the job before it offered the parts, and keeps it alive until
        // none is unfinished.
        let run = || unsafe {
            if let Some(job) = *self.job.0.get() {
                (*job)(part);
            }
        };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(run)) {
            lock(&self.panic).get_or_insert(panic);
        }
        if self.unfinished.0.fetch_sub(1, SeqCst) == 1 {
            self.done.ring();
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.closing.store(true, SeqCst);
        self.shared.start.ring();
        for thread in self.threads.drain(..) {
            // A worker catches the panics of its jobs and has none of its own.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_runs_once() {
        for threads in 0..5 {
            let pool = Pool::new(threads).unwrap();
            assert_eq!(pool.count(), threads.max(1));
            for round in 0..200 {
                let parts: Vec<AtomicUsize> =
                    (0..pool.count()).map(|_| Default::default()).collect();
                pool.run(&|part| {
                    parts[part].fetch_add(1, SeqCst);
                });
                assert!(parts.iter().all(|n| n.load(SeqCst) == 1));
                if round % 50 == 0 {
                    // Long enough for the workers to fall asleep.
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
        }
    }

    #[test]
    fn callers_on_several_threads_take_turns() {
        let pool = Pool::new(3).unwrap();
        let total = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..100 {
                        pool.run(&|part| {
                            total.fetch_add(part, SeqCst);
                        });
                    }
                });
            }
        });
        assert_eq!(total.load(SeqCst), 4 * 100 * 3);
    }

    #[test]
    fn the_caller_takes_over_the_part_of_a_thread_that_sleeps() {
        let pool = Pool::new(2).unwrap();
        let caller = std::thread::current().id();
        let alone = (0..200).filter(|_| {
            // Long enough for the worker to fall asleep; waking takes longer than the job.
            std::thread::sleep(Duration::from_millis(1));
            let others = AtomicUsize::new(0);
            pool.run(&|_| {
                others.fetch_add(usize::from(std::thread::current().id() != caller), SeqCst);
            });
            others.load(SeqCst) == 0
        });
        assert!(alone.count() > 0);
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_pool_lives_on() {
        let pool = Pool::new(3).unwrap();
        for guilty in 0..3 {
            let ended = AtomicUsize::new(0);
            let panic = catch_unwind(AssertUnwindSafe(|| {
                pool.run(&|part| {
                    if part == guilty {
                        std::panic::panic_any(part);
                    }
                    std::thread::sleep(Duration::from_millis(2));
                    ended.fetch_add(1, SeqCst);
                });
            }));
            assert_eq!(*panic.unwrap_err().downcast::<usize>().unwrap(), guilty);
            assert_eq!(ended.load(SeqCst), 2);
        }
        pool.run(&|_| {});
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn an_idle_worker_sleeps() {
        let pool = Pool::new(2).unwrap();
        let worker = Mutex::new(std::path::PathBuf::new());
        let caller = std::thread::current().id();
        let both = std::sync::Barrier::new(2);
        pool.run(&|_| {
            // Neither thread can do both parts.
            both.wait();
            if std::thread::current().id() != caller {
                *lock(&worker) = std::fs::read_link("/proc/thread-self").unwrap();
            }
        });
        let stat = std::path::Path::new("/proc")
            .join(&*lock(&worker))
            .join("stat");
        let ticks = || -> u64 {
            // User and system time are the 14th and 15th field; the 2nd is a name in parentheses.
            let stat = std::fs::read_to_string(&stat).unwrap();
            let fields = stat.rsplit(") ").next().unwrap().split(' ');
            fields
                .skip(11)
                .take(2)
                .map(|ticks| ticks.parse::<u64>().unwrap())
                .sum()
        };
        std::thread::sleep(Duration::from_millis(20));
        let before = ticks();
        std::thread::sleep(Duration::from_millis(200));
        assert_eq!(ticks() - before, 0);
    }
}
