//! Where each buffer lies in working memory: buffers that are never needed at the same time
//! share it.
//!
//! In come the operators and the buffers' widths, out goes an offset for each buffer, in
//! floats a token. The placement is the greedy one by size (Pisarchyk and Lee 2020): the widest
//! buffer first, each into the smallest gap that those alive together with it leave.

use std::ops::RangeInclusive;

use tealight_core::ops::Op;
use tealight_core::plan::format::Stage;

use crate::spec::{BufferSpec, DecoderSpec};

use super::WriteError;

/// Offsets and widths are multiples of this many floats, 64 bytes, inside their stage's region.
const STEP: usize = 16;

/// From the first operator that touches a buffer to the last one, both included: an
/// operator's inputs and outputs are alive together.
type Lifetime = RangeInclusive<usize>;

/// The offset of each of the spec's buffers, in floats a token from the start of its stage's
/// region.
pub(super) fn place(spec: &DecoderSpec<'_>) -> Result<Vec<u32>, WriteError> {
    let lifetimes = lifetimes(spec)?;
    let mut offsets = vec![0; spec.buffers.len()];
    for stage in [Stage::Body, Stage::Head] {
        for (buffer, offset) in place_stage(&spec.buffers, &lifetimes, stage) {
            offsets[buffer] = u32::try_from(offset).map_err(|_| WriteError::TooLarge {
                what: "working memory for a token",
                count: offset as u64,
            })?;
        }
    }
    Ok(offsets)
}

/// When each buffer is needed; `None` for one that no operator touches.
fn lifetimes(spec: &DecoderSpec<'_>) -> Result<Vec<Option<Lifetime>>, WriteError> {
    let mut lifetimes: Vec<Option<Lifetime>> = vec![None; spec.buffers.len()];
    for (at, op) in spec.ops.iter().enumerate() {
        for view in op.reads().chain([op.writes()]) {
            let buffer = view.buffer.0 as usize;
            let spec_buffer = spec
                .buffers
                .get(buffer)
                .ok_or_else(|| bad_op(at, op, buffer))?;
            // The head runs once the body is through with a chunk of tokens, so what it reads
            // of the body has to last until the end.
            let stays = at >= spec.head && spec_buffer.stage == Stage::Body;
            let until = if stays { spec.ops.len() } else { at };
            let first = lifetimes[buffer]
                .as_ref()
                .map_or(at, |lifetime| *lifetime.start());
            lifetimes[buffer] = Some(first..=until);
        }
    }
    if let Some(Some(lifetime)) = lifetimes.get_mut(spec.output) {
        *lifetime = *lifetime.start()..=spec.ops.len();
    }
    Ok(lifetimes)
}

fn bad_op(at: usize, op: &Op, buffer: usize) -> WriteError {
    WriteError::UnknownBuffer {
        op: at,
        name: op.name(),
        buffer,
    }
}

/// Pairs of buffer and offset for the buffers of one stage that are used at all.
fn place_stage(
    buffers: &[BufferSpec],
    lifetimes: &[Option<Lifetime>],
    stage: Stage,
) -> Vec<(usize, usize)> {
    let mut widest_first: Vec<(usize, usize, &Lifetime)> = buffers
        .iter()
        .zip(lifetimes)
        .enumerate()
        .filter(|(_, (buffer, _))| buffer.stage == stage)
        .filter_map(|(id, (buffer, lifetime))| {
            Some((id, buffer.width.next_multiple_of(STEP), lifetime.as_ref()?))
        })
        .collect();
    widest_first
        .sort_by_key(|&(id, width, lifetime)| (std::cmp::Reverse(width), *lifetime.start(), id));

    let mut placed: Vec<Placed<'_>> = Vec::new();
    for (id, width, lifetime) in widest_first {
        let offset = best_gap(&placed, width, lifetime);
        let at = placed.partition_point(|other| other.offset <= offset);
        placed.insert(
            at,
            Placed {
                id,
                offset,
                width,
                lifetime,
            },
        );
    }
    placed
        .into_iter()
        .map(|buffer| (buffer.id, buffer.offset))
        .collect()
}

struct Placed<'a> {
    id: usize,
    offset: usize,
    width: usize,
    lifetime: &'a Lifetime,
}

/// The start of the smallest gap of at least `width` between the buffers that are alive
/// together with `lifetime`, or the end of the last of them. `placed` is sorted by offset.
fn best_gap(placed: &[Placed<'_>], width: usize, lifetime: &Lifetime) -> usize {
    let mut best: Option<(usize, usize)> = None;
    let mut end = 0;
    for other in placed.iter().filter(|other| meet(other.lifetime, lifetime)) {
        let gap = other.offset.saturating_sub(end);
        if gap >= width && best.is_none_or(|(smallest, _)| gap < smallest) {
            best = Some((gap, end));
        }
        end = end.max(other.offset + other.width);
    }
    best.map_or(end, |(_, offset)| offset)
}

fn meet(a: &Lifetime, b: &Lifetime) -> bool {
    a.start() <= b.end() && b.start() <= a.end()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tealight_core::ops::{Add, BufferId, View};

    fn view(buffer: usize) -> View {
        View {
            buffer: BufferId(buffer as u32),
            start: 0,
            width: 1,
        }
    }

    fn add(a: usize, b: usize, output: usize) -> Op {
        Op::Add(Add {
            a: view(a),
            b: view(b),
            output: view(output),
        })
    }

    fn spec(buffers: &[(usize, Stage)], ops: Vec<Op>, head: usize) -> DecoderSpec<'static> {
        DecoderSpec {
            ops,
            head,
            buffers: buffers
                .iter()
                .map(|&(width, stage)| BufferSpec { width, stage })
                .collect(),
            output: buffers.len() - 1,
            hidden: None,
            whole: false,
            caches: Vec::new(),
            tensors: Vec::new(),
            vocab: 1,
            context: 1,
        }
    }

    #[test]
    fn buffers_that_follow_each_other_share_memory() {
        use Stage::{Body, Head};
        let chain = vec![add(0, 0, 1), add(1, 1, 2), add(2, 2, 3), add(3, 3, 4)];
        let buffers = [(10, Body), (10, Body), (10, Body), (10, Body), (5, Head)];
        let offsets = place(&spec(&buffers, chain, 3)).unwrap();
        assert_eq!(offsets, [0, 16, 0, 16, 0]);
    }

    #[test]
    fn what_the_head_reads_of_the_body_stays_until_the_end() {
        use Stage::{Body, Head};
        let ops = vec![add(0, 0, 1), add(1, 1, 2), add(2, 2, 3)];
        let lives = lifetimes(&spec(
            &[(16, Body), (16, Body), (16, Head), (16, Head)],
            ops,
            1,
        ));
        assert_eq!(
            lives.unwrap(),
            [Some(0..=0), Some(0..=3), Some(1..=2), Some(2..=3)]
        );
    }

    #[test]
    fn a_buffer_that_is_not_there_is_an_error() {
        let result = place(&spec(&[(16, Stage::Body)], vec![add(0, 0, 7)], 1));
        assert!(matches!(
            result,
            Err(WriteError::UnknownBuffer {
                op: 0,
                buffer: 7,
                ..
            })
        ));
    }

    prop_compose! {
        fn any_spec()(buffers in 1_usize..20, ops in 0_usize..40)(
            widths in proptest::collection::vec((1_usize..200, any::<bool>()), buffers),
            ops in proptest::collection::vec((0..buffers, 0..buffers, 0..buffers), ops),
            head in 0..=ops,
        ) -> DecoderSpec<'static> {
            let stage = |head| if head { Stage::Head } else { Stage::Body };
            let buffers: Vec<_> = widths.into_iter().map(|(width, head)| (width, stage(head))).collect();
            spec(&buffers, ops.into_iter().map(|(a, b, c)| add(a, b, c)).collect(), head)
        }
    }

    proptest! {
        #[test]
        fn no_two_buffers_that_live_together_overlap(spec in any_spec()) {
            let offsets = place(&spec).unwrap();
            let lifetimes = lifetimes(&spec).unwrap();
            for (a, left) in spec.buffers.iter().enumerate() {
                prop_assert_eq!(offsets[a] as usize % STEP, 0);
                for (b, right) in spec.buffers.iter().enumerate().skip(a + 1) {
                    let together = match (&lifetimes[a], &lifetimes[b]) {
                        (Some(a), Some(b)) => meet(a, b) && left.stage == right.stage,
                        _ => false,
                    };
                    let (from_a, from_b) = (offsets[a] as usize, offsets[b] as usize);
                    let apart = from_a + left.width <= from_b || from_b + right.width <= from_a;
                    prop_assert!(apart || !together);
                }
            }
        }

        #[test]
        fn a_region_is_never_larger_than_its_buffers_side_by_side(spec in any_spec()) {
            let offsets = place(&spec).unwrap();
            let padded = |buffer: &BufferSpec| buffer.width.next_multiple_of(STEP);
            for stage in [Stage::Body, Stage::Head] {
                let of_stage = || spec.buffers.iter().zip(&offsets).filter(move |(b, _)| b.stage == stage);
                let sum: usize = of_stage().map(|(buffer, _)| padded(buffer)).sum();
                let end = of_stage().map(|(buffer, offset)| *offset as usize + padded(buffer)).max();
                prop_assert!(end.unwrap_or(0) <= sum);
            }
        }
    }
}
