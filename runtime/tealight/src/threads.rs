//! How many threads compute: as many as were asked for, or as few as are fastest here.
//!
//! Prefill and decode are told apart. Prefill is arithmetic and gains from every core; decode
//! mostly waits for memory, which a few cores exhaust, so that more only warm the device.
//!
//! Unless a number is asked for, [`cores`] says how many threads make sense, [`calibrate`] times
//! the model with that many and fewer, once, and [`record`] keeps the outcome for later starts.

mod calibrate;
mod cores;
mod record;

use tealight_core::kernels::Isa;
use tealight_core::plan::Plan;
use tealight_core::pool::{Pool, Single, Workers};

use crate::Result;
use crate::bytes::Bytes;
use crate::model::ModelOptions;
pub(crate) use cores::sensible;
use record::Record;

/// Threads that compute, the calling one included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct ThreadCounts {
    /// When a prompt is read.
    pub prefill: usize,
    /// When a token follows a token.
    pub decode: usize,
}

impl ThreadCounts {
    pub(crate) fn both(count: usize) -> ThreadCounts {
        ThreadCounts {
            prefill: count,
            decode: count,
        }
    }

    pub(crate) fn most(self) -> usize {
        self.prefill.max(self.decode)
    }
}

/// Steps of at most so many tokens wait for memory rather than for arithmetic.
const DECODE_TOKENS: usize = 4;

/// The threads of a model.
pub(crate) struct Crew {
    prefill: Box<dyn Workers + Send>,
    /// Absent if the same ones do both.
    decode: Option<Box<dyn Workers + Send>>,
}

impl Crew {
    /// The threads that were asked for, or that were the fastest when this machine was
    /// calibrated; `None` if it has to be now.
    pub(crate) fn settled(options: &ModelOptions, plan: &Plan<Bytes>, isa: Isa) -> Option<Crew> {
        let counts = match (options.threads, cores::sensible()) {
            (Some(count), _) => ThreadCounts::both(count),
            (None, 1) => ThreadCounts::both(1),
            // What cannot be kept is not worth measuring at every start.
            (None, most) => match Record::of(options, plan, isa, most) {
                None => ThreadCounts::both(most),
                Some(record) => record.read()?,
            },
        };
        Some(Crew::new(counts))
    }

    /// The threads with which the model is fastest, measured and kept for the next start.
    pub(crate) fn calibrated(options: &ModelOptions, plan: &Plan<Bytes>, isa: Isa) -> Result<Crew> {
        let most = cores::sensible();
        let counts = calibrate::fastest(plan, isa, options.activations, most)?;
        log::info!("calibrated: {counts:?} of {most} threads");
        if let Some(record) = Record::of(options, plan, isa, most) {
            record.keep(counts);
        }
        Ok(Crew::new(counts))
    }

    fn new(counts: ThreadCounts) -> Crew {
        let prefill = workers(counts.prefill);
        let decode = (counts.decode != counts.prefill).then(|| workers(counts.decode));
        Crew { prefill, decode }
    }

    /// Those that run a step of so many tokens.
    pub(crate) fn of_step(&self, tokens: usize) -> &dyn Workers {
        match &self.decode {
            Some(decode) if tokens <= DECODE_TOKENS => &**decode,
            _ => &*self.prefill,
        }
    }

    pub(crate) fn counts(&self) -> ThreadCounts {
        ThreadCounts {
            prefill: self.prefill.count(),
            decode: self.of_step(1).count(),
        }
    }
}

fn workers(threads: usize) -> Box<dyn Workers + Send> {
    match Pool::new(threads) {
        Ok(pool) if threads > 1 => Box::new(pool),
        Ok(_) => Box::new(Single),
        Err(error) => {
            log::warn!("computing on one thread, since {threads} cannot be had: {error}");
            Box::new(Single)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_of_one_token_run_on_the_threads_for_decode() {
        let crew = Crew::new(ThreadCounts {
            prefill: 3,
            decode: 2,
        });
        assert_eq!(crew.of_step(1).count(), 2);
        assert_eq!(crew.of_step(64).count(), 3);
        assert_eq!((crew.counts().prefill, crew.counts().decode), (3, 2));
        assert_eq!(crew.counts().most(), 3);
    }

    #[test]
    fn equal_counts_share_their_threads() {
        let crew = Crew::new(ThreadCounts::both(2));
        assert!(crew.decode.is_none());
        assert_eq!(crew.counts(), ThreadCounts::both(2));
    }
}
