//! Attention of one query head over the cached positions, and what the cache stores.

use bytemuck::{Pod, cast_mut, cast_ref};
use half::f16;

use super::Isa;
use super::lanes::{Kernel, LANES, Lanes};
use super::linear_int8::DotBlocks;

/// How keys and values are kept: f16, or f32 where half precision is slow.
pub(crate) trait KvElement: Pod + Send + Sync {
    fn load<L: Lanes>(lanes: L, x: &[Self; LANES]) -> L::F;
    fn store<L: Lanes>(lanes: L, x: L::F, to: &mut [Self; LANES]);
}

impl KvElement for f32 {
    #[inline(always)]
    fn load<L: Lanes>(lanes: L, x: &[f32; LANES]) -> L::F {
        lanes.load(x)
    }

    #[inline(always)]
    fn store<L: Lanes>(lanes: L, x: L::F, to: &mut [f32; LANES]) {
        lanes.store(x, to);
    }
}

impl KvElement for f16 {
    #[inline(always)]
    fn load<L: Lanes>(lanes: L, x: &[f16; LANES]) -> L::F {
        lanes.load_f16(cast_ref(x))
    }

    #[inline(always)]
    fn store<L: Lanes>(lanes: L, x: L::F, to: &mut [f16; LANES]) {
        lanes.store_f16(x, cast_mut(to));
    }
}

/// Up to sixteen elements; lanes beyond them are zero.
#[inline(always)]
fn load_some<E: KvElement, L: Lanes>(lanes: L, x: &[E]) -> L::F {
    let mut padded = [E::zeroed(); LANES];
    padded[..x.len()].copy_from_slice(x);
    E::load(lanes, &padded)
}

/// Stores a row of keys or values; f16 is rounded to nearest even.
///
/// # Panics
/// If the lengths differ.
pub(crate) fn store_kv<E: KvElement>(isa: Isa, x: &[f32], out: &mut [E]) {
    assert_eq!(x.len(), out.len());
    isa.run(StoreKv { x, out });
}

struct StoreKv<'a, E> {
    x: &'a [f32],
    out: &'a mut [E],
}

impl<E: KvElement> Kernel for StoreKv<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<L: DotBlocks>(self, lanes: L) {
        let (x, x_tail) = self.x.as_chunks();
        let (out, out_tail) = self.out.as_chunks_mut();
        for (x, out) in x.iter().zip(out) {
            E::store(lanes, lanes.load(x), out);
        }
        let mut padded = [E::zeroed(); LANES];
        E::store(lanes, lanes.load_some(x_tail), &mut padded);
        out_tail.copy_from_slice(&padded[..x_tail.len()]);
    }
}

/// `out = softmax(scale · query · keysᵀ) · values` for one head.
///
/// `keys` and `values` are `[positions][dim]`, as wide as `query` and `out`; `scores` has a
/// place for each position. Rounding, step by step:
///
/// 1. `score = (query · key) · scale`, the dot product by sixteen strided lanes of fma and the
///    tree 8-4-2-1;
/// 2. `weight = exp(score − max)`;
/// 3. `total`: the sum of the weights by sixteen strided lanes and the same tree;
/// 4. `out = fma(weight, value, out)` from zero, position after position;
/// 5. `out = out · (1 / total)`.
///
/// # Panics
/// If a slice's length does not fit.
pub(crate) fn attend<E: KvElement>(
    isa: Isa,
    query: &[f32],
    keys: &[E],
    values: &[E],
    scale: f32,
    scores: &mut [f32],
    out: &mut [f32],
) {
    assert_eq!(keys.len(), scores.len() * query.len());
    assert_eq!(values.len(), scores.len() * out.len());
    isa.run(Attend {
        query,
        keys,
        values,
        scale,
        scores,
        out,
    });
}

struct Attend<'a, E> {
    query: &'a [f32],
    keys: &'a [E],
    values: &'a [E],
    scale: f32,
    scores: &'a mut [f32],
    out: &'a mut [f32],
}

impl<E: KvElement> Kernel for Attend<'_, E> {
    type Output = ();

    #[inline(always)]
    fn run<L: DotBlocks>(self, lanes: L) {
        if self.query.is_empty() || self.out.is_empty() {
            return;
        }
        let keys = self.keys.chunks_exact(self.query.len());
        for (score, key) in self.scores.iter_mut().zip(keys) {
            *score = dot(lanes, self.query, key) * self.scale;
        }
        let total = softmax(lanes, self.scores);
        let r = lanes.splat(1.0 / total);

        let width = self.out.len();
        let mut start = 0;
        while start < width {
            let left = width - start;
            let out = &mut self.out[start..];
            let values = &self.values[start..];
            start += if left >= 8 * LANES {
                strip::<E, L, 8>(lanes, self.scores, values, width, r, out)
            } else if left >= 4 * LANES {
                strip::<E, L, 4>(lanes, self.scores, values, width, r, out)
            } else if left >= LANES {
                strip::<E, L, 1>(lanes, self.scores, values, width, r, out)
            } else {
                let mut sum = lanes.splat(0.0);
                for (weight, value) in self.scores.iter().zip(values.chunks(width)) {
                    sum = lanes.fma(lanes.splat(*weight), load_some(lanes, &value[..left]), sum);
                }
                lanes.store_some(lanes.mul(sum, r), out);
                left
            };
        }
    }
}

/// Sixteen strided lanes of fma, then the tree.
#[inline(always)]
fn dot<E: KvElement, L: Lanes>(lanes: L, query: &[f32], key: &[E]) -> f32 {
    let (query, query_tail) = query.as_chunks();
    let (key, key_tail) = key.as_chunks();
    let mut sum = lanes.splat(0.0);
    for (query, key) in query.iter().zip(key) {
        sum = lanes.fma(lanes.load(query), E::load(lanes, key), sum);
    }
    if !query_tail.is_empty() {
        sum = lanes.fma(lanes.load_some(query_tail), load_some(lanes, key_tail), sum);
    }
    lanes.sum(sum)
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

/// The weighted sum of the first `16 · N` columns of all values; returns how many that is.
#[inline(always)]
fn strip<E: KvElement, L: Lanes, const N: usize>(
    lanes: L,
    weights: &[f32],
    values: &[E],
    width: usize,
    r: L::F,
    out: &mut [f32],
) -> usize {
    let mut sums = [lanes.splat(0.0); N];
    for (weight, value) in weights.iter().zip(values.chunks(width)) {
        let weight = lanes.splat(*weight);
        let value: &[[E; LANES]; N] = value.as_chunks().0[..N].try_into().expect("N vectors");
        for (sum, value) in sums.iter_mut().zip(value) {
            *sum = lanes.fma(weight, E::load(lanes, value), *sum);
        }
    }
    for (sum, out) in sums.into_iter().zip(out.as_chunks_mut().0) {
        lanes.store(lanes.mul(sum, r), out);
    }
    N * LANES
}
