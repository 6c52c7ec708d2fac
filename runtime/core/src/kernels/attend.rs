//! Attention of queries over the cached positions.

use core::ops::Range;
use core::ptr;

use super::Isa;
use super::kept::{KvVector, key_tiles, kv_vectors};
use super::lanes::{Kernel, LANES, Lanes};
use super::linear_int8::DotBlocks;
use crate::rows::{Rows, RowsMut};

/// Most queries that one call serves.
pub(crate) const QUERIES: usize = if cfg!(target_os = "none") { 1 } else { 8 };

/// Bytes of a cache line.
const LINE: usize = 64;

/// How many bytes ahead values are asked for.
const VALUES_AHEAD: usize = 4096;

/// Scores that `queries` need at `positions`: a row for each, in whole vectors.
pub(crate) fn scores_len(queries: usize, positions: usize) -> Option<usize> {
    positions
        .checked_next_multiple_of(LANES)?
        .checked_mul(queries)
}

/// The queries of a step that attend to one key-value head, numbered token by token and, within
/// a token, head by head.
pub(crate) struct Queries<'a> {
    /// Query heads side by side, a row a token.
    pub(crate) rows: Rows<'a>,
    /// Outputs alike.
    pub(crate) output: RowsMut<'a>,
    /// The first of the heads.
    pub(crate) first_head: usize,
    /// How many heads.
    pub(crate) heads: usize,
    /// Position of the first token; a token attends to positions up to its own, unless to all.
    pub(crate) position: usize,
    /// To how many at most.
    pub(crate) window: usize,
    /// Whether every token attends to all positions, those behind its own too.
    #[cfg(feature = "encoders")]
    pub(crate) both_ways: bool,
    /// A score for every head, not of these alone, that weighs in as if of a value of zeros.
    #[cfg(feature = "sinks")]
    pub(crate) sinks: Option<&'a [f32]>,
}

/// What becomes of `query · key` before the softmax.
#[derive(Clone, Copy)]
pub(crate) struct Scoring {
    /// Factor.
    pub(crate) scale: f32,
    /// Then the scores are bent below this.
    pub(crate) softcap: Option<f32>,
}

impl Queries<'_> {
    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.heads * self.rows.count()
    }

    /// Token and head of query `i`.
    fn place(&self, i: usize) -> (usize, usize) {
        (i / self.heads, self.first_head + i % self.heads)
    }

    /// End of the positions that query `i` attends to.
    fn len(&self, i: usize) -> usize {
        #[cfg(feature = "encoders")]
        if self.both_ways {
            return self.position + self.rows.count();
        }
        self.position + self.place(i).0 + 1
    }

    /// The first of them.
    fn start(&self, i: usize) -> usize {
        self.len(i).saturating_sub(self.window)
    }
}

/// `softmax(scale · query · keysᵀ) · values` for the queries `range`.
///
/// `keys` are tiles, `[positions / 16][key vectors]`, and `values` vectors,
/// `[positions][value vectors]`, for at least the positions that are attended to; `scores` has
/// room as [`scores_len`] says. Rounding, step by step, for each query alone:
///
/// 1. `score = (query · key) · scale`, the dot product by one chain of fma in index order,
///    zeros filling up the last vector; with a cap then as [`Lanes::softcap`] says;
/// 2. `weight = exp(score − max)`;
/// 3. `total`: the sum of the weights by sixteen lanes, position `i` in lane `i % 16`, and the
///    tree 8-4-2-1; with a sink then plus `exp(sink − max)`, which may be infinite;
/// 4. `out = fma(weight, value, out)` from zero, position after position;
/// 5. `out = out · (1 / total)`.
///
/// # Panics
/// If a slice is too short.
///
/// # Safety
/// While it runs, nobody else uses the outputs of these queries.
pub(crate) unsafe fn attend<E: KvVector>(
    isa: Isa,
    queries: &Queries<'_>,
    range: Range<usize>,
    (keys, key_dim): (&[E::Tile], usize),
    (values, value_dim): (&[E], usize),
    scoring: Scoring,
    scores: &mut [f32],
) {
    let Some(last) = range.clone().last() else {
        return;
    };
    let len = queries.len(last);
    let room = scores_len(QUERIES.min(range.len()), len);
    assert!(key_dim > 0 && value_dim > 0 && room.is_some_and(|room| scores.len() >= room));
    isa.run(Attend {
        queries,
        range,
        keys: &keys[..key_tiles(len, key_dim)],
        key_dim,
        values: &values[..len * kv_vectors(value_dim)],
        value_dim,
        scoring,
        scores,
        inverse: [0.0; QUERIES],
    });
}

struct Attend<'a, E: KvVector> {
    queries: &'a Queries<'a>,
    range: Range<usize>,
    keys: &'a [E::Tile],
    key_dim: usize,
    values: &'a [E],
    value_dim: usize,
    scoring: Scoring,
    scores: &'a mut [f32],
    /// One over the sum of a query's weights.
    inverse: [f32; QUERIES],
}

/// What the queries of a tile attend to.
#[derive(Clone, Copy)]
struct Seen<const Q: usize> {
    starts: [usize; Q],
    ends: [usize; Q],
    /// Blocks of sixteen positions that have scores.
    blocks: (usize, usize),
}

impl<const Q: usize> Seen<Q> {
    /// Scores of query `q`: where they begin, and how many there are.
    #[inline(always)]
    fn row(&self, q: usize) -> (usize, usize) {
        let stride = (self.blocks.1 - self.blocks.0) * LANES;
        (q * stride, self.ends[q] - self.blocks.0 * LANES)
    }

    /// Positions that all queries see. Those follow each other in time, so the first sees the
    /// least far forward and the last the least far back.
    #[inline(always)]
    fn common(&self) -> Range<usize> {
        let start = self.starts[Q - 1];
        start..self.ends[0].max(start)
    }
}

impl<E: KvVector> Kernel for Attend<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<L: DotBlocks>(mut self, lanes: L) {
        let mut first = self.range.start;
        let mut phase = Phase::Scores;
        while first < self.range.end {
            // Queries, tiles of keys and vectors of values at once: what registers hold.
            let count = match (self.range.end - first).min(L::QUERIES) {
                8.. if L::QUERIES >= 8 => self.tile::<L, 8, 2, 2>(lanes, first, phase),
                7 if L::QUERIES >= 8 => self.tile::<L, 7, 2, 4>(lanes, first, phase),
                4.. if L::MANY => self.tile::<L, 4, 4, 4>(lanes, first, phase),
                4.. if L::QUERIES >= 4 => self.tile::<L, 4, 1, 1>(lanes, first, phase),
                3 if L::MANY => self.tile::<L, 3, 4, 4>(lanes, first, phase),
                3 if L::QUERIES >= 4 => self.tile::<L, 3, 1, 1>(lanes, first, phase),
                2 if L::MANY => self.tile::<L, 2, 4, 4>(lanes, first, phase),
                2 if L::QUERIES >= 4 => self.tile::<L, 2, 2, 2>(lanes, first, phase),
                _ if L::MANY => self.tile::<L, 1, 8, 4>(lanes, first, phase),
                _ if L::QUERIES >= 4 => self.tile::<L, 1, 2, 4>(lanes, first, phase),
                _ => self.tile::<L, 1, 1, 1>(lanes, first, phase),
            };
            phase = match phase {
                Phase::Scores => {
                    self.weights(lanes, first, count);
                    Phase::Values
                }
                Phase::Values => {
                    first += count;
                    Phase::Scores
                }
            };
        }
    }
}

/// Half of a tile's work. Between the two, scores become weights, by code that all sizes of tiles
/// share.
#[derive(Clone, Copy)]
enum Phase {
    Scores,
    Values,
}

/// A query in whole vectors, and what is left over, filled up with zeros.
type Query<'a> = (&'a [[f32; LANES]], [f32; LANES]);

impl<E: KvVector> Attend<'_, E> {
    /// A phase of `Q` queries from `first` on; returns `Q`.
    #[inline(always)]
    fn tile<L: Lanes, const Q: usize, const B: usize, const N: usize>(
        &mut self,
        lanes: L,
        first: usize,
        phase: Phase,
    ) -> usize {
        let mut seen = Seen {
            starts: [0; Q],
            ends: [0; Q],
            blocks: (0, 0),
        };
        for q in 0..Q {
            seen.starts[q] = self.queries.start(first + q);
            seen.ends[q] = self.queries.len(first + q);
        }
        seen.blocks = (seen.starts[0] / LANES, seen.ends[Q - 1].div_ceil(LANES));
        match phase {
            Phase::Scores => self.all_scores::<L, Q, B>(lanes, first, &seen),
            Phase::Values => self.all_values::<L, Q, N>(lanes, first, &seen),
        }
        Q
    }

    #[inline(always)]
    fn all_scores<L: Lanes, const Q: usize, const B: usize>(
        &mut self,
        lanes: L,
        first: usize,
        seen: &Seen<Q>,
    ) {
        let mut queries = [(&[][..], [0.0; LANES]); Q];
        for q in 0..Q {
            let (t, head) = self.queries.place(first + q);
            let query = &self.queries.rows.row(t)[head * self.key_dim..][..self.key_dim];
            let (whole, tail) = query.as_chunks();
            queries[q].0 = whole;
            queries[q].1[..tail.len()].copy_from_slice(tail);
        }
        let mut block = seen.blocks.0;
        while block + B <= seen.blocks.1 {
            self.scores::<L, Q, B>(lanes, &queries, block, seen.blocks);
            block += B;
        }
        if B > 1 {
            for block in block..seen.blocks.1 {
                self.scores::<L, Q, 1>(lanes, &queries, block, seen.blocks);
            }
        }
    }

    /// Turns the scores of `count` queries from `first` on into weights, and keeps the inverse of
    /// each sum.
    #[inline(always)]
    fn weights<L: Lanes>(&mut self, lanes: L, first: usize, count: usize) {
        let from = self.queries.start(first) / LANES;
        let stride = (self.queries.len(first + count - 1).div_ceil(LANES) - from) * LANES;
        for q in 0..count {
            let len = self.queries.len(first + q) - from * LANES;
            let scores = &mut self.scores[q * stride..][..len];
            if let Some(cap) = self.scoring.softcap {
                softcap(lanes, scores, cap);
            }
            // What is out of sight weighs nothing, so it is no matter which queries share a tile.
            scores[..self.queries.start(first + q) - from * LANES].fill(f32::NEG_INFINITY);
            #[cfg_attr(not(feature = "sinks"), allow(unused))]
            let (max, total) = exponentials(lanes, scores);
            #[cfg(feature = "sinks")]
            let total = match self.queries.sinks {
                Some(sinks) => {
                    let sink = sinks[self.queries.place(first + q).1];
                    total + lanes.greatest(lanes.exp(lanes.splat(sink - max)))
                }
                None => total,
            };
            self.inverse[q] = 1.0 / total;
        }
    }

    #[inline(always)]
    fn all_values<L: Lanes, const Q: usize, const N: usize>(
        &mut self,
        lanes: L,
        first: usize,
        seen: &Seen<Q>,
    ) {
        let mut inverse = [lanes.splat(0.0); Q];
        for q in 0..Q {
            inverse[q] = lanes.splat(self.inverse[q]);
        }
        let mut start = 0;
        while start < self.value_dim {
            start += match (self.value_dim - start) / LANES {
                left if left >= N => self.strip::<L, Q, N>(lanes, first, seen, &inverse, start),
                1.. if N > 1 => self.strip::<L, Q, 1>(lanes, first, seen, &inverse, start),
                _ => {
                    self.edge::<L, Q>(lanes, first, seen, &inverse, start);
                    self.value_dim - start
                }
            };
        }
    }

    /// Scores of the positions of `B` blocks of sixteen, of those in `blocks`. The last block may
    /// hold positions that are not filled; nobody looks at their scores.
    #[inline(always)]
    fn scores<L: Lanes, const Q: usize, const B: usize>(
        &mut self,
        lanes: L,
        queries: &[Query<'_>; Q],
        block: usize,
        blocks: (usize, usize),
    ) {
        let vectors = kv_vectors(self.key_dim);
        let keys = &self.keys[block * vectors..][..B * vectors];
        let lines = size_of::<E::Tile>() / LINE;
        let mut sums = [[lanes.splat(0.0); B]; Q];
        let whole =
            L::ADDS_HALVES && scores_of_halves::<E, L, Q, B>(lanes, queries, keys, &mut sums);
        if !whole {
            for vector in 0..vectors {
                let mut tiles = [&keys[vector]; B];
                for b in 1..B {
                    tiles[b] = &keys[b * vectors + vector];
                }
                let mut numbers = [&[0.0; LANES]; Q];
                for q in 0..Q {
                    numbers[q] = queries[q].0.get(vector).unwrap_or(&queries[q].1);
                }
                for i in 0..LANES {
                    let mut columns = [lanes.splat(0.0); B];
                    for b in 0..B {
                        columns[b] = E::load_column(tiles[b], lanes, i);
                        // Line by line what the next call reads.
                        if i * lines % LANES < lines {
                            let line = (i * lines / LANES + B * vectors * lines) * LINE;
                            lanes.prefetch(ptr::from_ref(tiles[b]).wrapping_byte_add(line).cast());
                        }
                    }
                    for q in 0..Q {
                        let number = lanes.splat(numbers[q][i]);
                        for b in 0..B {
                            sums[q][b] = lanes.fma(number, columns[b], sums[q][b]);
                        }
                    }
                }
            }
        }
        for q in 0..Q {
            let row = q * (blocks.1 - blocks.0);
            let scores = &mut self.scores[(row + block - blocks.0) * LANES..];
            let scores = scores.as_chunks_mut().0;
            for b in 0..B {
                let score = lanes.mul(sums[q][b], lanes.splat(self.scoring.scale));
                lanes.store(score, &mut scores[b]);
            }
        }
    }

    /// The weighted sums of `16 · N` columns from `start` on; returns how many that is.
    #[inline(always)]
    fn strip<L: Lanes, const Q: usize, const N: usize>(
        &mut self,
        lanes: L,
        first: usize,
        seen: &Seen<Q>,
        inverse: &[L::F; Q],
        start: usize,
    ) -> usize {
        let common = seen.common();
        let mut sums = [[lanes.splat(0.0); N]; Q];
        for q in 0..Q {
            let before = seen.starts[q]..common.start.min(seen.ends[q]);
            self.weigh(lanes, seen, q, before, start, &mut sums[q]);
        }
        let mut weights = [&[][..]; Q];
        for q in 0..Q {
            let skipped = common.start - seen.blocks.0 * LANES;
            weights[q] = &self.scores[seen.row(q).0 + skipped..][..common.len()];
        }
        let value_vectors = kv_vectors(self.value_dim);
        let whole = L::ADDS_HALVES && {
            let from = common.start * value_vectors + start / LANES;
            let values = &self.values[from.min(self.values.len())..];
            add_halves(lanes, &weights, values, value_vectors, &mut sums)
        };
        if !whole {
            let values = self.values[common.start * value_vectors..].chunks_exact(value_vectors);
            for (k, value) in values.take(common.len()).enumerate() {
                let value = &value[start / LANES..][..N];
                for line in 0..size_of_val(value).div_ceil(LINE) {
                    let line = VALUES_AHEAD + line * LINE;
                    lanes.prefetch(value.as_ptr().wrapping_byte_add(line).cast());
                }
                for n in 0..N {
                    let value = value[n].load(lanes);
                    for q in 0..Q {
                        sums[q][n] = lanes.fma(lanes.splat(weights[q][k]), value, sums[q][n]);
                    }
                }
            }
        }
        for q in 0..Q {
            self.weigh(
                lanes,
                seen,
                q,
                common.end..seen.ends[q],
                start,
                &mut sums[q],
            );
            let out = self
                .output(first + q, start..start + N * LANES)
                .as_chunks_mut()
                .0;
            for n in 0..N {
                lanes.store(lanes.mul(sums[q][n], inverse[q]), &mut out[n]);
            }
        }
        N * LANES
    }

    /// Adds the weighted values of `positions`, columns from `start` on, for one query.
    #[inline(always)]
    fn weigh<L: Lanes, const Q: usize, const N: usize>(
        &self,
        lanes: L,
        seen: &Seen<Q>,
        q: usize,
        positions: Range<usize>,
        start: usize,
        sums: &mut [L::F; N],
    ) {
        let (from, vectors) = (seen.row(q).0, kv_vectors(self.value_dim));
        for k in positions {
            let weight = lanes.splat(self.scores[from + k - seen.blocks.0 * LANES]);
            let value = &self.values[k * vectors + start / LANES..][..N];
            for n in 0..N {
                sums[n] = lanes.fma(weight, value[n].load(lanes), sums[n]);
            }
        }
    }

    /// The weighted sums of the last columns, fewer than sixteen, from `start` on.
    #[inline(always)]
    fn edge<L: Lanes, const Q: usize>(
        &mut self,
        lanes: L,
        first: usize,
        seen: &Seen<Q>,
        inverse: &[L::F; Q],
        start: usize,
    ) {
        for q in 0..Q {
            let mut sums = [lanes.splat(0.0)];
            let positions = seen.starts[q]..seen.ends[q];
            self.weigh(lanes, seen, q, positions, start, &mut sums);
            let out = self.output(first + q, start..self.value_dim);
            lanes.store_some(lanes.mul(sums[0], inverse[q]), out);
        }
    }

    /// Columns of the output of query `i`'s head.
    #[inline(always)]
    fn output(&mut self, i: usize, columns: Range<usize>) -> &mut [f32] {
        let (t, head) = self.queries.place(i);
        let start = head * self.value_dim;
        let columns = start + columns.start..start + columns.end;
        // SAFETY: the caller of `attend` keeps everyone else away from these queries' outputs,
        // and the borrow ends each use here before the next.
        unsafe { self.queries.output.columns(t, columns) }
    }
}

/// [`Lanes::add_halves`] where a vector at a time is summed and all of them are halves; says
/// whether.
#[inline(always)]
fn add_halves<E: KvVector, L: Lanes, const Q: usize, const N: usize>(
    lanes: L,
    numbers: &[&[f32]; Q],
    vectors: &[E],
    stride: usize,
    sums: &mut [[L::F; N]; Q],
) -> bool {
    match (E::halves(vectors), one_each(sums)) {
        (Some(vectors), Some(sums)) => lanes.add_halves(numbers, vectors, stride, sums),
        _ => false,
    }
}

/// The same for the keys of one block, given whole vectors of the queries.
#[inline(always)]
fn scores_of_halves<E: KvVector, L: Lanes, const Q: usize, const B: usize>(
    lanes: L,
    queries: &[Query<'_>; Q],
    keys: &[E::Tile],
    sums: &mut [[L::F; B]; Q],
) -> bool {
    match (E::columns(keys), one_each(sums)) {
        (Some(columns), Some(sums)) if queries[0].0.len() == keys.len() => {
            let mut numbers = [&[][..]; Q];
            for q in 0..Q {
                numbers[q] = queries[q].0.as_flattened();
            }
            lanes.add_halves(&numbers, columns, 1, sums)
        }
        _ => false,
    }
}

/// Sums without the inner arrays, if each has one.
#[inline(always)]
fn one_each<F, const Q: usize, const N: usize>(sums: &mut [[F; N]; Q]) -> Option<&mut [F; Q]> {
    match N {
        1 => sums.as_flattened_mut().try_into().ok(),
        _ => None,
    }
}

/// Bends scores below a cap.
#[inline(always)]
fn softcap<L: Lanes>(lanes: L, scores: &mut [f32], cap: f32) {
    let (chunks, tail) = scores.as_chunks_mut::<LANES>();
    for chunk in chunks {
        lanes.store(lanes.softcap(lanes.load(chunk), cap), chunk);
    }
    if !tail.is_empty() {
        lanes.store_some(lanes.softcap(lanes.load_some(tail), cap), tail);
    }
}

/// Turns scores into weights `exp(score − max)`; returns the greatest and the weights' sum.
#[inline(always)]
pub(super) fn exponentials<L: Lanes>(lanes: L, scores: &mut [f32]) -> (f32, f32) {
    let (chunks, tail) = scores.as_chunks_mut::<LANES>();
    let mut max = lanes.splat(f32::NEG_INFINITY);
    for chunk in chunks.iter() {
        max = lanes.max(lanes.load(chunk), max);
    }
    let greatest = tail.iter().fold(
        lanes.greatest(max),
        |max, x| if *x > max { *x } else { max },
    );
    let max = lanes.splat(greatest);

    let mut total = lanes.splat(0.0);
    for chunk in chunks {
        let weights = lanes.exp(lanes.sub(lanes.load(chunk), max));
        lanes.store(weights, chunk);
        total = lanes.add(total, weights);
    }
    if !tail.is_empty() {
        let weights = lanes.exp(lanes.sub(lanes.load_some(tail), max));
        lanes.store_some(weights, tail);
        total = lanes.add(total, lanes.load_some(tail));
    }
    (greatest, lanes.sum(total))
}
