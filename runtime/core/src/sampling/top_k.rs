//! Keeps the likeliest tokens.

use super::Candidate;
use super::candidates::possible;

/// Collects the `k` likeliest possible tokens (0: all) in `scratch`, at most as many as it holds.
///
/// If every token fits they stand in the order of their ids, otherwise likeliest first.
pub(super) fn select<'s>(
    logits: &[f32],
    k: usize,
    scratch: &'s mut [Candidate],
) -> &'s mut [Candidate] {
    let k = if k == 0 { logits.len() } else { k };
    let room = scratch.len().min(k);
    let mut all = logits.iter().enumerate().filter_map(|(token, l)| {
        possible(*l).map(|value| Candidate {
            token: token as u32,
            value,
        })
    });
    let heap = &mut scratch[..room];
    let mut kept = 0;
    for (slot, candidate) in heap.iter_mut().zip(all.by_ref()) {
        *slot = candidate;
        kept += 1;
    }
    let heap = &mut heap[..kept];
    if room >= logits.len() || kept < room {
        return heap;
    }
    // The least likely of the kept tokens is on top and makes way for a likelier one.
    for at in (0..kept / 2).rev() {
        sift_down(heap, at);
    }
    for candidate in all {
        if candidate.by_rank(&heap[0]).is_lt() {
            heap[0] = candidate;
            sift_down(heap, 0);
        }
    }
    heap.sort_unstable_by(Candidate::by_rank);
    heap
}

/// Restores the heap below `at`, where no parent ranks before its children.
fn sift_down(heap: &mut [Candidate], mut at: usize) {
    loop {
        let left = 2 * at + 1;
        let Some(mut worst) = heap.get(left).map(|_| left) else {
            return;
        };
        if left + 1 < heap.len() && heap[worst].by_rank(&heap[left + 1]).is_lt() {
            worst = left + 1;
        }
        if heap[worst].by_rank(&heap[at]).is_le() {
            return;
        }
        heap.swap(at, worst);
        at = worst;
    }
}
