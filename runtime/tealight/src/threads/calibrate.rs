//! Times a model's own steps with fewer and fewer threads, and takes the fewest of the fastest.

use std::time::{Duration, Instant};

use tealight_core::executor::{Activations, Arena, Config, Executor, KvCache, KvType, Logits};
use tealight_core::kernels::Isa;
use tealight_core::plan::Plan;
use tealight_core::pool::Workers;

use super::{ThreadCounts, workers};
use crate::bytes::Bytes;
use crate::memory::Memory;
use crate::{Error, Result};

/// Longest that prefill, and decode, are timed. A try that has begun is finished.
const BUDGET: Duration = Duration::from_millis(120);

/// Tries of each number of threads: other programs only ever make one slower, so the best counts.
const TRIES: usize = 8;

/// A try takes at least this long, so that the clock's steps do not count.
const LEAST: Duration = Duration::from_millis(1);

/// Tokens of a step of prefill that is timed.
const PROMPT: usize = 32;

/// How much slower fewer threads may be and still be taken, since they spare the battery.
const TOLERANCE: f64 = 1.03;

/// The numbers of threads, `most` or fewer, with which the model is fastest.
pub(super) fn fastest(
    plan: &Plan<Bytes>,
    isa: Isa,
    activations: Activations,
    most: usize,
) -> Result<ThreadCounts> {
    let crews: Vec<_> = (1..=most).map(workers).collect();
    let prompt = PROMPT.min((plan.model().context as usize).max(2) - 1);
    let mut model = Timed::new(plan, isa, activations, prompt, most)?;
    // Touches every page of the weights.
    model.time(&*crews[most - 1], prompt, 1)?;
    let mut counts = ThreadCounts::both(most);
    // Where a text is one step, no token follows another.
    let whole = plan.model().whole != 0;
    let decode = [(1, &mut counts.decode)].into_iter().filter(|_| !whole);
    for (tokens, count) in std::iter::once((prompt, &mut counts.prefill)).chain(decode) {
        let once = model.time(&*crews[most - 1], tokens, 1)?;
        let times = (LEAST.as_secs_f64() / once.as_secs_f64().max(1e-9)).ceil() as usize;
        *count = fewest(most, BUDGET, &mut |count| {
            model.time(&*crews[count - 1], tokens, times.max(1))
        })?;
    }
    Ok(counts)
}

/// The fewest threads that are hardly slower than the fastest number of them, out of those that
/// the budget suffices to try. The most come first, since they are usually the fastest.
fn fewest(
    most: usize,
    budget: Duration,
    time: &mut dyn FnMut(usize) -> Result<Duration>,
) -> Result<usize> {
    let start = Instant::now();
    let mut best = vec![Duration::MAX; most];
    'tries: for _ in 0..TRIES {
        for count in (1..=most).rev() {
            best[count - 1] = best[count - 1].min(time(count)?);
            if start.elapsed() > budget {
                break 'tries;
            }
        }
    }
    let least = best.iter().min().copied().unwrap_or_default();
    let enough = |time: &Duration| time.as_secs_f64() <= least.as_secs_f64() * TOLERANCE;
    Ok(best.iter().position(enough).map_or(most, |index| index + 1))
}

/// A model with the memory for a step of a prompt, or of one token after it.
struct Timed<'a> {
    plan: &'a Plan<Bytes>,
    isa: Isa,
    activations: Activations,
    cache: KvCache<Memory>,
    arena: Arena<Memory>,
    tokens: Vec<u32>,
}

impl<'a> Timed<'a> {
    fn new(
        plan: &'a Plan<Bytes>,
        isa: Isa,
        activations: Activations,
        prompt: usize,
        threads: usize,
    ) -> Result<Timed<'a>> {
        let config = Config {
            context: prompt + 1,
            step: prompt,
            logits: 1,
            threads,
            kv: KvType::default(),
        };
        let wrong = |source| Error::Memory {
            model: "calibration".to_owned(),
            source,
        };
        let lines = KvCache::lines(plan, &config).map_err(wrong)?;
        let cache = KvCache::new(plan, &config, Memory::new("KV cache", lines)?).map_err(wrong)?;
        let lines = Arena::lines(plan, &config).map_err(wrong)?;
        let arena = Memory::new("working memory", lines)?;
        let vocab = plan.model().vocab;
        Ok(Timed {
            plan,
            isa,
            activations,
            cache,
            arena: Arena::new(plan, &config, arena).map_err(wrong)?,
            tokens: (0..prompt as u32).map(|i| i * 7919 % vocab).collect(),
        })
    }

    /// How long a step of so many tokens takes, the mean of several.
    fn time(&mut self, workers: &dyn Workers, tokens: usize, times: usize) -> Result<Duration> {
        let executor = Executor::new(self.plan, workers, self.isa, self.activations);
        // One token stands for decode, which comes after others.
        let before = if tokens == 1 { self.tokens.len() } else { 0 };
        let start = Instant::now();
        for _ in 0..times {
            self.cache.truncate(before);
            let tokens = &self.tokens[..tokens];
            executor.step(&mut self.cache, &mut self.arena, tokens, Logits::Last)?;
        }
        Ok(start.elapsed() / times as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What [`fewest`] makes of these times in milliseconds of 1, 2, … threads.
    fn of(milliseconds: &[u64], budget: Duration) -> usize {
        let mut time = |count: usize| Ok(Duration::from_millis(milliseconds[count - 1]));
        fewest(milliseconds.len(), budget, &mut time).unwrap()
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn the_fastest_number_of_threads_is_taken() {
        assert_eq!(of(&[400, 210, 150, 120], LONG), 4);
        assert_eq!(of(&[400, 210, 150, 300], LONG), 3);
        assert_eq!(of(&[100, 210, 300], LONG), 1);
    }

    #[test]
    fn threads_that_gain_nothing_are_left_out() {
        assert_eq!(of(&[400, 205, 202, 200], LONG), 2);
    }

    #[test]
    fn a_disturbed_try_does_not_count() {
        let mut tries = 0;
        let mut time = |count: usize| {
            tries += 1;
            let disturbed = if tries == 1 { 1000 } else { 0 };
            Ok(Duration::from_millis(disturbed + [100, 60][count - 1]))
        };
        assert_eq!(fewest(2, LONG, &mut time).unwrap(), 2);
    }

    #[test]
    fn without_time_to_try_others_the_most_are_taken() {
        assert_eq!(of(&[1, 2, 3], Duration::ZERO), 3);
    }
}
