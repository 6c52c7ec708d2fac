//! Attention of queries over the cached positions, and what the cache stores.

use core::ops::Range;

use bytemuck::{Pod, Zeroable, cast_mut, cast_ref};
use half::f16;

use super::Isa;
use super::lanes::{Kernel, LANES, Lanes};
use super::linear_int8::DotBlocks;
use super::quantize::round_to_int8;
use crate::rows::{Rows, RowsMut};

/// Sixteen numbers as keys and values are kept. The last vector of a row is filled up with
/// zeros.
pub(crate) trait KvVector: Pod + Send + Sync {
    fn load<L: Lanes>(&self, lanes: L) -> L::F;
    fn store<L: Lanes>(&mut self, lanes: L, x: L::F);
}

impl KvVector for [f32; LANES] {
    #[inline(always)]
    fn load<L: Lanes>(&self, lanes: L) -> L::F {
        lanes.load(self)
    }

    #[inline(always)]
    fn store<L: Lanes>(&mut self, lanes: L, x: L::F) {
        lanes.store(x, self);
    }
}

impl KvVector for [f16; LANES] {
    #[inline(always)]
    fn load<L: Lanes>(&self, lanes: L) -> L::F {
        lanes.load_f16(cast_ref(self))
    }

    #[inline(always)]
    fn store<L: Lanes>(&mut self, lanes: L, x: L::F) {
        lanes.store_f16(x, cast_mut(self));
    }
}

/// Whole numbers within ±127 with a scale, rounded as linear maps round their inputs. A number
/// is `scale · value`, rounded once.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Int8Vector {
    scale: f32,
    values: [i8; LANES],
}

impl KvVector for Int8Vector {
    #[inline(always)]
    fn load<L: Lanes>(&self, lanes: L) -> L::F {
        lanes.mul(lanes.load_i8(&self.values), lanes.splat(self.scale))
    }

    #[inline(always)]
    fn store<L: Lanes>(&mut self, lanes: L, x: L::F) {
        let ([values], scale) = round_to_int8(lanes, [x]);
        lanes.store_i8(values, &mut self.values);
        self.scale = scale;
    }
}

/// Vectors that hold a row of so many numbers.
pub(crate) fn kv_vectors(dim: usize) -> usize {
    dim.div_ceil(LANES)
}

/// Stores a row of keys or values.
///
/// # Panics
/// If `out` has not as many vectors as the row needs.
pub(crate) fn store_kv<E: KvVector>(isa: Isa, x: &[f32], out: &mut [E]) {
    assert_eq!(out.len(), kv_vectors(x.len()));
    isa.run(StoreKv { x, out });
}

struct StoreKv<'a, E> {
    x: &'a [f32],
    out: &'a mut [E],
}

impl<E: KvVector> Kernel for StoreKv<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<L: DotBlocks>(self, lanes: L) {
        let (x, tail) = self.x.as_chunks();
        let (out, last) = self.out.split_at_mut(x.len());
        for (x, out) in x.iter().zip(out) {
            out.store(lanes, lanes.load(x));
        }
        for last in last {
            last.store(lanes, lanes.load_some(tail));
        }
    }
}

/// Queries that share one pass over keys and values.
pub(crate) const QUERIES: usize = 4;

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
    /// Position of the first token; a token attends to all positions up to its own.
    pub(crate) position: usize,
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

    /// Positions that query `i` attends to.
    fn len(&self, i: usize) -> usize {
        self.position + self.place(i).0 + 1
    }
}

/// `softmax(scale · query · keysᵀ) · values` for the queries `range`.
///
/// `keys` are `[positions][key_dim]` and `values` `[positions][value_dim]`, each row in whole
/// vectors, for at least the positions that are attended to; `scores` has [`QUERIES`] places for each of them. Rounding,
/// step by step, for each query alone:
///
/// 1. `score = (query · key) · scale`, the dot product by sixteen strided lanes of fma and the
///    tree 8-4-2-1;
/// 2. `weight = exp(score − max)`;
/// 3. `total`: the sum of the weights by sixteen strided lanes and the same tree;
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
    (keys, key_dim): (&[E], usize),
    (values, value_dim): (&[E], usize),
    scale: f32,
    scores: &mut [f32],
) {
    let Some(last) = range.clone().last() else {
        return;
    };
    let len = queries.len(last);
    assert!(key_dim > 0 && value_dim > 0 && scores.len() >= QUERIES.min(range.len()) * len);
    isa.run(Attend {
        queries,
        range,
        keys: &keys[..len * kv_vectors(key_dim)],
        key_dim,
        values: &values[..len * kv_vectors(value_dim)],
        value_dim,
        scale,
        scores,
    });
}

struct Attend<'a, E> {
    queries: &'a Queries<'a>,
    range: Range<usize>,
    keys: &'a [E],
    key_dim: usize,
    values: &'a [E],
    value_dim: usize,
    scale: f32,
    scores: &'a mut [f32],
}

impl<E: KvVector> Kernel for Attend<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<L: DotBlocks>(mut self, lanes: L) {
        let mut first = self.range.start;
        while first < self.range.end {
            let left = self.range.end - first;
            first += match if L::SHARED { left } else { 1 } {
                QUERIES.. => self.tile::<L, QUERIES>(lanes, first),
                3 => self.tile::<L, 3>(lanes, first),
                2 => self.tile::<L, 2>(lanes, first),
                _ => self.tile::<L, 1>(lanes, first),
            };
        }
    }
}

impl<E: KvVector> Attend<'_, E> {
    /// `Q` queries from `first` on; returns `Q`.
    #[inline(always)]
    fn tile<L: Lanes, const Q: usize>(&mut self, lanes: L, first: usize) -> usize {
        let mut lens = [0; Q];
        let mut queries = [&[][..]; Q];
        for q in 0..Q {
            let (t, head) = self.queries.place(first + q);
            lens[q] = self.queries.len(first + q);
            queries[q] = &self.queries.rows.row(t)[head * self.key_dim..][..self.key_dim];
        }
        // Queries follow each other in time, so the first sees least.
        let (common, stride) = (lens[0], lens[Q - 1]);

        let mut partial = [[lanes.splat(0.0); LANES]; Q];
        let key_vectors = kv_vectors(self.key_dim);
        let blocks = self.keys.chunks_exact(LANES * key_vectors);
        for (block, keys) in blocks.take(common / LANES).enumerate() {
            if self.key_dim == 4 * LANES {
                partial_dots::<E, L, Q, 4>(lanes, &queries, keys, &mut partial);
            } else {
                for (i, key) in keys.chunks_exact(key_vectors).enumerate() {
                    for q in 0..Q {
                        partial[q][i] = products(lanes, queries[q], key);
                    }
                }
            }
            for q in 0..Q {
                let scores = lanes.mul(lanes.sums(&partial[q]), lanes.splat(self.scale));
                let at = q * stride + block * LANES;
                let to = &mut self.scores[at..at + LANES];
                lanes.store(scores, to.try_into().expect("a whole vector"));
            }
        }
        let mut inverse = [lanes.splat(0.0); Q];
        for q in 0..Q {
            let scores = &mut self.scores[q * stride..][..lens[q]];
            for (k, score) in scores.iter_mut().enumerate().skip(common / LANES * LANES) {
                let key = &self.keys[k * key_vectors..][..key_vectors];
                *score = lanes.sum(products(lanes, queries[q], key)) * self.scale;
            }
            inverse[q] = lanes.splat(1.0 / softmax(lanes, scores));
        }

        let mut start = 0;
        while start < self.value_dim {
            start += match (self.value_dim - start) / LANES {
                4.. if L::MANY || Q == 1 => {
                    self.strip::<L, Q, 4>(lanes, first, &lens, &inverse, start)
                }
                2.. if Q == 2 => self.strip::<L, Q, 2>(lanes, first, &lens, &inverse, start),
                1.. => self.strip::<L, Q, 1>(lanes, first, &lens, &inverse, start),
                0 => {
                    self.edge::<L, Q>(lanes, first, &lens, &inverse, start);
                    self.value_dim - start
                }
            };
        }
        Q
    }

    /// The weighted sums of `16 · N` columns from `start` on; returns how many that is.
    #[inline(always)]
    fn strip<L: Lanes, const Q: usize, const N: usize>(
        &mut self,
        lanes: L,
        first: usize,
        lens: &[usize; Q],
        inverse: &[L::F; Q],
        start: usize,
    ) -> usize {
        let (common, stride) = (lens[0], lens[Q - 1]);
        let mut weights = [&[][..]; Q];
        for q in 0..Q {
            weights[q] = &self.scores[q * stride..][..common];
        }
        let mut sums = [[lanes.splat(0.0); N]; Q];
        let value_vectors = kv_vectors(self.value_dim);
        let values = self.values.chunks_exact(value_vectors);
        for (k, value) in values.take(common).enumerate() {
            let value = &value[start / LANES..][..N];
            for n in 0..N {
                let value = value[n].load(lanes);
                for q in 0..Q {
                    sums[q][n] = lanes.fma(lanes.splat(weights[q][k]), value, sums[q][n]);
                }
            }
        }
        for q in 0..Q {
            for k in common..lens[q] {
                let weight = lanes.splat(self.scores[q * stride + k]);
                let value = &self.values[k * value_vectors + start / LANES..][..N];
                for n in 0..N {
                    sums[q][n] = lanes.fma(weight, value[n].load(lanes), sums[q][n]);
                }
            }
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

    /// The weighted sums of the last columns, fewer than sixteen, from `start` on.
    #[inline(always)]
    fn edge<L: Lanes, const Q: usize>(
        &mut self,
        lanes: L,
        first: usize,
        lens: &[usize; Q],
        inverse: &[L::F; Q],
        start: usize,
    ) {
        for q in 0..Q {
            let weights = &self.scores[q * lens[Q - 1]..][..lens[q]];
            let mut sum = lanes.splat(0.0);
            let values = self.values.chunks_exact(kv_vectors(self.value_dim));
            for (weight, value) in weights.iter().zip(values) {
                let value = value[start / LANES].load(lanes);
                sum = lanes.fma(lanes.splat(*weight), value, sum);
            }
            let out = self.output(first + q, start..self.value_dim);
            lanes.store_some(lanes.mul(sum, inverse[q]), out);
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

/// The sixteen lanes of the dot products of sixteen keys, each `C` vectors long, with queries.
#[inline(always)]
fn partial_dots<E: KvVector, L: Lanes, const Q: usize, const C: usize>(
    lanes: L,
    queries: &[&[f32]; Q],
    keys: &[E],
    partial: &mut [[L::F; LANES]; Q],
) {
    let mut query = [[lanes.splat(0.0); C]; Q];
    for q in 0..Q {
        for c in 0..C {
            query[q][c] = lanes.load(&queries[q].as_chunks().0[c]);
        }
    }
    let keys = &keys[..LANES * C];
    for i in 0..LANES {
        let mut sums = [lanes.splat(0.0); Q];
        for c in 0..C {
            let key = keys[i * C + c].load(lanes);
            for q in 0..Q {
                sums[q] = lanes.fma(query[q][c], key, sums[q]);
            }
        }
        for q in 0..Q {
            partial[q][i] = sums[q];
        }
    }
}

/// Sixteen strided lanes of fma.
#[inline(always)]
fn products<E: KvVector, L: Lanes>(lanes: L, query: &[f32], key: &[E]) -> L::F {
    let (query, tail) = query.as_chunks();
    let mut sum = lanes.splat(0.0);
    for (query, key) in query.iter().zip(key) {
        sum = lanes.fma(lanes.load(query), key.load(lanes), sum);
    }
    for key in &key[query.len()..] {
        sum = lanes.fma(lanes.load_some(tail), key.load(lanes), sum);
    }
    sum
}

/// Turns scores into weights `exp(score − max)`; returns their sum.
#[inline(always)]
fn softmax<L: Lanes>(lanes: L, scores: &mut [f32]) -> f32 {
    let (chunks, tail) = scores.as_chunks_mut::<LANES>();
    let mut max = lanes.splat(f32::NEG_INFINITY);
    for chunk in chunks.iter() {
        max = lanes.max(lanes.load(chunk), max);
    }
    let max = tail.iter().fold(
        lanes.greatest(max),
        |max, x| if *x > max { *x } else { max },
    );
    let max = lanes.splat(max);

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
    lanes.sum(total)
}
