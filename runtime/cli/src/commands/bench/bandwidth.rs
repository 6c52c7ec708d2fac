//! How fast decode could be: the bytes that a token has to read, and how fast this machine reads
//! the same bytes when it does nothing else.
//!
//! The loop reads the model's own weights, in the order of the plan, split over as many threads:
//! whatever the caches hold for decode, they hold for it as well. Where a model fits the
//! last-level cache, the bound is therefore that cache's, not the memory's.

use std::collections::HashSet;
use std::hint::black_box;
use std::sync::Barrier;
use std::thread::scope;
use std::time::Instant;

use multiversion::multiversion;
use tealight::ops::{Op, TensorId};
use tealight::{KvType, Model};

/// Bytes that a measurement reads at least, so that starting threads does not count.
const LEAST_BYTES: usize = 256 << 20;

/// Bytes of a cache line.
const LINE: usize = 64;

/// Plain loops that read memory. Which one is fastest depends on how a processor fetches ahead;
/// the fastest is the bound.
const LOOPS: [fn(&[u8]) -> u64; 3] = [one_stream, two_streams, four_streams];

/// What each generated token reads.
pub(super) struct Touched<'a> {
    /// The weights of all operators; of a table that is only looked up, nothing.
    weights: Vec<&'a [u8]>,
    model: &'a Model,
    kv: KvType,
}

impl<'a> Touched<'a> {
    pub(super) fn of(model: &'a Model, kv: KvType) -> Result<Touched<'a>, tealight::Error> {
        let plan = model.plan()?;
        let mut tables = HashSet::new();
        for op in plan.ops() {
            if let Op::Embed(op) = op {
                tables.insert(op.table);
            }
        }
        for op in plan.ops() {
            if let Op::Linear(op) = op {
                tables.remove(&op.weight);
            }
        }
        let weights = plan.tensors().enumerate();
        let weights = weights.filter(|(id, _)| !tables.contains(&TensorId(*id as u32)));
        Ok(Touched {
            weights: weights.map(|(_, tensor)| tensor.data).collect(),
            model,
            kv,
        })
    }

    /// Bytes that a token reads after so many others, `positions` of them on average.
    pub(super) fn bytes(&self, positions: f64) -> f64 {
        let seen = self
            .model
            .kv_bytes_seen(self.kv, positions.round() as usize);
        self.weight_bytes() as f64 + seen as f64
    }

    fn weight_bytes(&self) -> usize {
        self.weights.iter().map(|tensor| tensor.len()).sum()
    }

    /// Bytes/s of the fastest plain loop over the weights on so many threads.
    pub(super) fn read(&self, threads: usize) -> f64 {
        let speeds = LOOPS.map(|read| self.read_with(read, threads));
        speeds.into_iter().fold(0.0, f64::max)
    }

    fn read_with(&self, read: fn(&[u8]) -> u64, threads: usize) -> f64 {
        let bytes = self.weight_bytes().max(1);
        let passes = LEAST_BYTES.div_ceil(bytes);
        let parts = |thread: usize| {
            let tensors = self.weights.iter();
            tensors.map(move |tensor| part(tensor, thread, threads))
        };
        let ready = Barrier::new(threads);
        let run = &|thread: usize| {
            ready.wait();
            for _ in 0..passes {
                black_box(parts(thread).fold(0, |sum, part| sum ^ read(part)));
            }
        };
        let start = scope(|scope| {
            for thread in 1..threads {
                scope.spawn(move || run(thread));
            }
            let start = Instant::now();
            run(0);
            start
        });
        (bytes * passes) as f64 / start.elapsed().as_secs_f64()
    }
}

/// The whole lines of a tensor that are a thread's share.
fn part(tensor: &[u8], thread: usize, threads: usize) -> &[u8] {
    let lines = tensor.len() / LINE;
    &tensor[lines * thread / threads * LINE..lines * (thread + 1) / threads * LINE]
}

#[multiversion(targets("x86_64+avx2", "x86_64+avx512f"))]
fn one_stream(memory: &[u8]) -> u64 {
    streams::<1, 32>(memory)
}

#[multiversion(targets("x86_64+avx2", "x86_64+avx512f"))]
fn two_streams(memory: &[u8]) -> u64 {
    streams::<2, 16>(memory)
}

#[multiversion(targets("x86_64+avx2", "x86_64+avx512f"))]
fn four_streams(memory: &[u8]) -> u64 {
    streams::<4, 8>(memory)
}

/// Adds up the words of memory in `STREAMS` places in turn, `WORDS` sums in each.
#[inline(always)]
fn streams<const STREAMS: usize, const WORDS: usize>(memory: &[u8]) -> u64 {
    let words = memory.as_chunks::<8>().0;
    let each = words.len() / STREAMS / WORDS * WORDS;
    let (whole, rest) = words.split_at(each * STREAMS);
    let mut sums = [[0u64; WORDS]; STREAMS];
    for start in (0..each).step_by(WORDS) {
        for (stream, sums) in sums.iter_mut().enumerate() {
            let from = stream * each + start;
            for (sum, word) in sums.iter_mut().zip(&whole[from..from + WORDS]) {
                *sum = sum.wrapping_add(u64::from_ne_bytes(*word));
            }
        }
    }
    let rest = rest.iter().map(|word| u64::from_ne_bytes(*word));
    rest.chain(sums.into_iter().flatten())
        .fold(0, u64::wrapping_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_loop_reads_every_word() {
        for words in [0, 1, 31, 32, 33, 500] {
            let memory: Vec<u8> = (1..=words as u64).flat_map(u64::to_ne_bytes).collect();
            for read in LOOPS {
                assert_eq!(read(&memory), (1..=words as u64).sum::<u64>());
            }
        }
    }

    #[test]
    fn the_threads_parts_are_the_whole_tensor() {
        let tensor: Vec<u8> = (0..7 * LINE).map(|i| i as u8).collect();
        for threads in 1..5 {
            let parts = (0..threads).map(|thread| part(&tensor, thread, threads));
            assert_eq!(parts.collect::<Vec<_>>().concat(), tensor);
        }
    }

    #[test]
    fn a_token_reads_the_weights_once_and_the_keys_and_values_before_it() {
        let model = Model::embedded().unwrap();
        let touched = Touched::of(&model, KvType::F16).unwrap();
        let plan = model.plan().unwrap();
        let all: usize = plan.tensors().map(|tensor| tensor.data.len()).sum();
        let weights = touched.bytes(0.0);
        assert!(weights > 0.5 * all as f64 && weights <= all as f64);
        let kv = model.info().kv_bytes_per_token as f64;
        assert_eq!(touched.bytes(10.0) - weights, 10.0 * kv);
    }
}
