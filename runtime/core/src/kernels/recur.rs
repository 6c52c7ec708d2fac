//! A recurrent state a head: decays, takes up what a token brings, is asked by its query.

use core::ops::Range;

use super::Isa;
use super::lanes::{Kernel, LANES, Lanes, load_up_to, store_up_to};
use super::linear_int8::DotBlocks;
use crate::rows::{Rows, RowsMut};

/// Most values of a key.
pub(crate) const MOST_KEY_VALUES: usize = 256;

/// Vectors of a whole tile, a run of columns of a head's state that lie together.
const TILE: usize = 4;

/// A recurrence over a step's rows. A head's state is `key_dim × value_dim`.
pub(crate) struct Recurrence<'a> {
    /// `key_dim` values a head of queries; there are more of them than states, or fewer.
    pub(crate) query: Rows<'a>,
    /// `key_dim` values a head of keys, of which each serves as many states.
    pub(crate) key: Rows<'a>,
    /// `value_dim` values a state.
    pub(crate) value: Rows<'a>,
    /// Logarithm of the decay, one a state or one a state and key value.
    pub(crate) decay: Option<Rows<'a>>,
    /// How much of a token goes into the state, one a state.
    pub(crate) beta: Option<Rows<'a>>,
    /// What a state's `decay` is multiplied with, or stands for it.
    pub(crate) rate: Option<&'a [f32]>,
    /// How much of its value a token's output has besides, one a state.
    pub(crate) skip: Option<&'a [f32]>,
    /// `value_dim` values a head: one for each query, and at least one for each state.
    pub(crate) output: RowsMut<'a>,
    pub(crate) scale: f32,
    /// How many states there are.
    pub(crate) heads: usize,
    pub(crate) key_dim: usize,
    /// Whether a token brings only what its key does not find already.
    pub(crate) delta: bool,
}

/// Columns of tile `tile` of heads of `value_dim` values.
pub(crate) fn tile_columns(value_dim: usize, tile: usize) -> Range<usize> {
    let whole = value_dim / (TILE * LANES);
    let start = tile.min(whole) * TILE * LANES + tile.saturating_sub(whole) * LANES;
    let width = if tile < whole { TILE * LANES } else { LANES };
    start..value_dim.min(start + width)
}

/// How many tiles a head of `value_dim` values is cut into: whole ones, then single vectors.
pub(crate) fn tiles(value_dim: usize) -> usize {
    let whole = TILE * LANES;
    value_dim / whole + (value_dim % whole).div_ceil(LANES)
}

/// Takes some of the step's tokens, one after the other, into one tile of a head's state, and
/// computes those columns of its outputs.
///
/// With `g = exp(decay · rate)`, of a token `u = beta · (v − Σ (g·k) S)`, or `beta · v` without the
/// delta rule; `S = fma(k, u, g·S)`, and `out = scale · Σ q S`, plus `skip · v` by fma. Sums are by fma
/// in the order of the key's values, each of a column by itself, so that they depend neither on
/// the tiles nor on which tokens come in one step.
///
/// `state` is `key_dim` rows of the tile's vectors.
///
/// # Safety
/// While it runs, nobody else uses these columns of the outputs that this state gives.
///
/// # Panics
/// If a key has more than [`MOST_KEY_VALUES`], or anything is narrower than its heads.
pub(crate) unsafe fn recur(
    isa: Isa,
    of: &Recurrence<'_>,
    head: usize,
    tile: usize,
    tokens: Range<usize>,
    state: &mut [[f32; LANES]],
) {
    let columns = tile_columns(of.value.width() / of.heads, tile);
    if columns.len() > LANES {
        isa.run(Tile::<TILE>(of, head, columns, tokens, state));
    } else {
        isa.run(Tile::<1>(of, head, columns, tokens, state));
    }
}

struct Tile<'a, 'r, const N: usize>(
    &'a Recurrence<'r>,
    usize,
    Range<usize>,
    Range<usize>,
    &'a mut [[f32; LANES]],
);

impl<const N: usize> Kernel for Tile<'_, '_, N> {
    type Output = ();

    #[inline(always)]
    fn run<L: DotBlocks>(self, lanes: L) {
        let Tile(of, head, columns, tokens, state) = self;
        let (heads, key_dim) = (of.heads, of.key_dim);
        let value_dim = of.value.width() / heads;
        let (queries, keys) = (of.query.width() / key_dim, of.key.width() / key_dim);
        // Queries of this state, and which output the first of them makes.
        let (query, count) = if queries > heads {
            (head * (queries / heads), queries / heads)
        } else {
            (head / (heads / queries), 1)
        };
        let first_output = if queries > heads { query } else { head };
        let key = head / (heads / keys);
        let (state, []) = state.as_chunks_mut::<N>() else {
            panic!("a state's tile is not whole");
        };
        assert!(state.len() == key_dim && key_dim <= MOST_KEY_VALUES);
        let mut decay = [1.0; MOST_KEY_VALUES];
        let mut decayed = [0.0; MOST_KEY_VALUES];
        for t in tokens {
            let k = &of.key.row(t)[key * key_dim..][..key_dim];
            let v = &of.value.row(t)[head * value_dim..][columns.clone()];
            decays(lanes, of, head, t, &mut decay);
            let mut found = [lanes.splat(0.0); N];
            if of.delta {
                for i in 0..key_dim {
                    decayed[i] = decay[i] * k[i];
                }
                for (row, k) in state.iter().zip(&decayed) {
                    let k = lanes.splat(*k);
                    for n in 0..N {
                        found[n] = lanes.fma(k, lanes.load(&row[n]), found[n]);
                    }
                }
            }
            let beta = lanes.splat(of.beta.map_or(1.0, |beta| beta.row(t)[head]));
            let mut value = [lanes.splat(0.0); N];
            let mut brought = value;
            for n in 0..N {
                let end = v.len().min((n + 1) * LANES);
                value[n] = load_up_to(lanes, &v[n * LANES..end]);
                brought[n] = lanes.mul(beta, lanes.sub(value[n], found[n]));
            }
            for turn in 0..count {
                let q = &of.query.row(t)[(query + turn) * key_dim..][..key_dim];
                let mut sums = [lanes.splat(0.0); N];
                let rows = state.iter_mut().zip(k).zip(q).zip(&decay);
                if turn == 0 {
                    for (((row, k), q), g) in rows {
                        let (k, q, g) = (lanes.splat(*k), lanes.splat(*q), lanes.splat(*g));
                        for n in 0..N {
                            let kept = lanes.mul(g, lanes.load(&row[n]));
                            let now = lanes.fma(k, brought[n], kept);
                            lanes.store(now, &mut row[n]);
                            sums[n] = lanes.fma(q, now, sums[n]);
                        }
                    }
                } else {
                    for (((row, _), q), _) in rows {
                        let q = lanes.splat(*q);
                        for n in 0..N {
                            sums[n] = lanes.fma(q, lanes.load(&row[n]), sums[n]);
                        }
                    }
                }
                let first = (first_output + turn) * value_dim + columns.start;
                // SAFETY: the caller's promise.
                let out = unsafe { of.output.columns(t, first..first + columns.len()) };
                for (n, out) in out.chunks_mut(LANES).enumerate() {
                    let mut sum = lanes.mul(lanes.splat(of.scale), sums[n]);
                    if let Some(skip) = of.skip {
                        sum = lanes.fma(lanes.splat(skip[head]), value[n], sum);
                    }
                    store_up_to(lanes, sum, out);
                }
            }
        }
    }
}

/// What is left of each of a key's values in a head's state.
#[inline(always)]
fn decays<L: Lanes>(
    lanes: L,
    of: &Recurrence<'_>,
    head: usize,
    t: usize,
    decay: &mut [f32; MOST_KEY_VALUES],
) {
    let rate = lanes.splat(of.rate.map_or(1.0, |rate| rate[head]));
    let (decay, _) = decay.as_chunks_mut::<LANES>();
    match of.decay {
        None if of.rate.is_none() => {}
        Some(given) if given.width() > of.heads => {
            let given = &given.row(t)[head * of.key_dim..][..of.key_dim];
            for (decay, given) in decay.iter_mut().zip(given.chunks(LANES)) {
                let given = load_up_to(lanes, given);
                lanes.store(lanes.exp(lanes.mul(rate, given)), decay);
            }
        }
        given => {
            let given = lanes.splat(given.map_or(1.0, |given| given.row(t)[head]));
            let same = lanes.exp(lanes.mul(rate, given));
            for decay in decay.iter_mut().take(of.key_dim.div_ceil(LANES)) {
                lanes.store(same, decay);
            }
        }
    }
}
