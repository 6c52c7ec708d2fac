//! Causal grouped-query attention (Ainslie et al. 2023) over the KV cache.

use core::num::NonZeroU32;

use super::words::{Reader, Word, Writer};
use super::{CacheId, View};
use crate::executor::Run;
use crate::kernels::{QUERIES, Queries, Scoring};
use crate::plan::check::{Checker, OpFault};

/// Appends the step's keys and values to a cache, then attends from each token to the
/// positions up to its own, all of them or the last `window`: `softmax(scale · q · kᵀ) · v`, head
/// by head.
///
/// Query head `h` reads key-value head `h / (query heads / key-value heads)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Attention {
    /// Query heads side by side, each as wide as the cache's `key_dim`.
    pub query: View,
    /// The cache's `heads × key_dim`.
    pub key: View,
    /// The cache's `heads × value_dim`.
    pub value: View,
    /// Query heads × `value_dim`.
    pub output: View,
    /// Where keys and values are kept; no other operator uses it.
    pub cache: CacheId,
    /// Factor on `q · k`.
    pub scale: f32,
    /// How many positions a token sees, its own included; all where this is left out.
    pub window: Option<NonZeroU32>,
    /// Scores become `cap · tanh(score / cap)`; positive.
    pub softcap: Option<f32>,
}

impl Word for Attention {
    fn put(&self, to: &mut Writer) {
        to.put(self.query)
            .put(self.key)
            .put(self.value)
            .put(self.output);
        to.put(self.cache).put(self.scale);
        to.put(self.window).put(self.softcap);
    }

    fn get(from: &mut Reader<'_>) -> Option<Attention> {
        Some(Attention {
            query: from.get()?,
            key: from.get()?,
            value: from.get()?,
            output: from.get()?,
            cache: from.get()?,
            scale: from.get()?,
            window: from.get()?,
            softcap: from.get()?,
        })
    }
}

impl Attention {
    pub(super) fn check(&self, checker: &Checker<'_>) -> Result<(), OpFault> {
        checker.body_only()?;
        for input in [self.query, self.key, self.value] {
            checker.reads(input)?;
            checker.disjoint(input, self.output)?;
        }
        checker.writes(self.output)?;
        let cache = checker.cache(self.cache)?;
        checker.product(self.key.width, cache.heads, cache.key_dim)?;
        checker.product(self.value.width, cache.heads, cache.value_dim)?;
        checker.multiple(self.query.width, cache.key_dim)?;
        let heads = self.query.width / cache.key_dim;
        checker.multiple(heads, cache.heads)?;
        #[cfg(feature = "windows")]
        if cache.window > 0 && self.window.is_none_or(|window| window.get() > cache.window) {
            return Err(OpFault::Window);
        }
        checker.product(self.output.width, heads, cache.value_dim)
    }

    pub(super) fn run(&self, run: &Run<'_>) {
        self.attend(run, false, None);
    }

    /// Runs it, to all tokens of the step where it is `both_ways`, with a sink a head where there
    /// are any.
    #[inline]
    pub(super) fn attend(
        &self,
        run: &Run<'_>,
        #[cfg_attr(not(feature = "encoders"), allow(unused))] both_ways: bool,
        #[cfg_attr(not(feature = "sinks"), allow(unused))] sinks: Option<&[f32]>,
    ) {
        let mut cache = run.cache(self.cache);
        cache.append(run.isa, run.rows(self.key), run.rows(self.value));

        let (rows, output) = (run.rows(self.query), run.rows_mut(self.output));
        let heads = rows.width() / cache.key_dim / cache.heads;
        // As few passes over keys and values as leave every thread one.
        let count = heads * rows.count();
        let tile = (count * cache.heads).div_ceil(run.threads()).min(QUERIES);
        let tiles = count.div_ceil(tile);
        let scoring = Scoring {
            scale: self.scale,
            softcap: self.softcap,
        };
        let window = self
            .window
            .map_or(usize::MAX, |window| window.get() as usize);
        // Neighbouring tokens cost alike, so dealing the tiles out in turn balances the threads.
        run.deal(cache.heads * tiles, |item, scores| {
            let (head, first) = (item % cache.heads, item / cache.heads * tile);
            let (first_head, position) = (head * heads, cache.position);
            let queries = Queries {
                rows,
                output,
                first_head,
                heads,
                position,
                window,
                #[cfg(feature = "encoders")]
                both_ways,
                #[cfg(feature = "sinks")]
                sinks,
            };
            let range = first..queries.count().min(first + tile);
            // SAFETY: tiles are disjoint (token, head) pairs, and each is dealt to one thread.
            unsafe { cache.attend(run.isa, head, &queries, range, scoring, scores) };
        });
    }
}
