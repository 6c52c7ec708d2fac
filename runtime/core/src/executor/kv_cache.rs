//! Keys and values of the positions so far.
//!
//! For each attention operator: all keys, `[head][position][key_dim]`, then all values alike,
//! so that one head's positions are read in one sweep. A row is stored in whole vectors of
//! sixteen numbers.

use core::ops::Range;

use half::f16;

use super::memory::{Config, KvType, Line, MemoryError, Regions, large_enough};
use crate::kernels::{self, Int8Vector, Isa, LANES, Queries, kv_vectors};
use crate::ops::CacheId;
use crate::plan::Plan;
use crate::rows::Rows;

/// A session's keys and values.
#[derive(Debug)]
pub struct KvCache<M> {
    memory: M,
    kv: KvType,
    capacity: usize,
    len: usize,
}

impl KvCache<()> {
    /// Lines of memory that a cache for `plan` under `config` needs.
    pub fn lines<B: AsRef<[u8]>>(plan: &Plan<B>, config: &Config) -> Result<usize, MemoryError> {
        lines(&plan.borrowed(), config.context, config.kv)
    }

    /// Bytes of keys and values that `plan` keeps of one position.
    pub fn position_bytes<B: AsRef<[u8]>>(plan: &Plan<B>, kv: KvType) -> usize {
        let caches = plan.caches().iter().map(|cache| {
            let [key, value] = [cache.key_dim, cache.value_dim].map(|d| kv.row_bytes(d as usize));
            cache.heads as usize * (key + value)
        });
        caches.sum()
    }
}

impl<M: AsMut<[Line]>> KvCache<M> {
    /// An empty cache in `memory`, of at least [`KvCache::lines`] lines.
    pub fn new<B: AsRef<[u8]>>(
        plan: &Plan<B>,
        config: &Config,
        mut memory: M,
    ) -> Result<KvCache<M>, MemoryError> {
        let most = plan.model().context as usize;
        if config.context == 0 || config.context > most {
            return Err(MemoryError::Context {
                asked: config.context,
                most,
            });
        }
        large_enough(memory.as_mut().len(), KvCache::lines(plan, config)?)?;
        Ok(KvCache {
            memory,
            kv: config.kv,
            capacity: config.context,
            len: 0,
        })
    }

    /// Forgets all positions from `len` on.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    pub(super) fn advance(&mut self, tokens: usize) {
        self.len += tokens;
    }

    pub(super) fn regions(&mut self, plan: &Plan<&[u8]>) -> Result<KvRegions, MemoryError> {
        let memory = self.memory.as_mut();
        large_enough(memory.len(), lines(plan, self.capacity, self.kv)?)?;
        Ok(KvRegions {
            first: memory.as_mut_ptr().cast(),
            kv: self.kv,
            capacity: self.capacity,
        })
    }
}

impl<M> KvCache<M> {
    /// Positions that the cache holds.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no position is held.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Positions that the cache has room for.
    pub fn capacity(&self) -> usize {
        self.capacity
    }
}

fn lines(plan: &Plan<&[u8]>, capacity: usize, kv: KvType) -> Result<usize, MemoryError> {
    let mut regions = Regions::new();
    place(plan, plan.caches().len(), capacity, kv, &mut regions)?;
    Ok(regions.lines())
}

/// Takes the regions of the first `count` caches; where the last one's keys and values start.
fn place(
    plan: &Plan<&[u8]>,
    count: usize,
    capacity: usize,
    kv: KvType,
    regions: &mut Regions,
) -> Result<(usize, usize), MemoryError> {
    let mut last = (0, 0);
    for cache in &plan.caches()[..count] {
        let heads = cache.heads as usize;
        let [key, value] = [cache.key_dim, cache.value_dim].map(|dim| kv.row_bytes(dim as usize));
        let keys = regions.take(&[heads, capacity], key)?;
        let values = regions.take(&[heads, capacity], value)?;
        last = (keys, values);
    }
    Ok(last)
}

/// Pointers into a cache, for one step.
#[derive(Clone, Copy)]
pub(crate) struct KvRegions {
    first: *mut u8,
    kv: KvType,
    capacity: usize,
}

// SAFETY: the pointer stays valid while the step holds the cache mutably; `Cache` keeps the
// threads' writes apart.
unsafe impl Send for KvRegions {}
// SAFETY: as above.
unsafe impl Sync for KvRegions {}

impl KvRegions {
    /// One operator's part, with `position` positions filled.
    pub(super) fn cache(&self, plan: &Plan<&[u8]>, id: CacheId, position: usize) -> Cache {
        let record = plan.caches()[id.0 as usize];
        let count = id.0 as usize + 1;
        let (keys, values) = place(plan, count, self.capacity, self.kv, &mut Regions::new())
            .expect("the whole cache was laid out when the step began");
        Cache {
            heads: record.heads as usize,
            key_dim: record.key_dim as usize,
            value_dim: record.value_dim as usize,
            position,
            capacity: self.capacity,
            kv: self.kv,
            // SAFETY: `place` stays within the lines that `regions` compared.
            keys: unsafe { self.first.add(keys) },
            // SAFETY: as above.
            values: unsafe { self.first.add(values) },
        }
    }
}

/// The keys and values of one attention operator during a step.
pub(crate) struct Cache {
    pub(crate) heads: usize,
    pub(crate) key_dim: usize,
    pub(crate) value_dim: usize,
    position: usize,
    capacity: usize,
    kv: KvType,
    keys: *mut u8,
    values: *mut u8,
}

// SAFETY: `append` runs on one thread, before and apart from any `attend`, which only reads.
unsafe impl Sync for Cache {}

impl Cache {
    /// Keeps the keys and values of the step's tokens.
    pub(crate) fn append(&mut self, isa: Isa, key: Rows<'_>, value: Rows<'_>) {
        match self.kv {
            KvType::Int8 => self.append_as::<Int8Vector>(isa, key, value),
            KvType::F16 => self.append_as::<[f16; LANES]>(isa, key, value),
            KvType::F32 => self.append_as::<[f32; LANES]>(isa, key, value),
        }
    }

    /// Attends from the queries `range` of a step to `head`.
    ///
    /// # Safety
    /// While it runs, nobody else uses the outputs of these queries.
    pub(crate) unsafe fn attend(
        &self,
        isa: Isa,
        head: usize,
        queries: &Queries<'_>,
        range: Range<usize>,
        scale: f32,
        scores: &mut [f32],
    ) {
        // SAFETY: the caller's promise.
        unsafe {
            let attend = match self.kv {
                KvType::Int8 => Cache::attend_as::<Int8Vector>,
                KvType::F16 => Cache::attend_as::<[f16; LANES]>,
                KvType::F32 => Cache::attend_as::<[f32; LANES]>,
            };
            attend(self, isa, head, queries, range, scale, scores);
        }
    }

    fn append_as<E: kernels::KvVector>(&mut self, isa: Isa, key: Rows<'_>, value: Rows<'_>) {
        for (first, dim, rows) in [
            (self.keys, self.key_dim, key),
            (self.values, self.value_dim, value),
        ] {
            for t in 0..rows.count() {
                for (head, x) in rows.row(t).chunks_exact(dim).enumerate() {
                    let vectors = kv_vectors(dim);
                    let at = (head * self.capacity + self.position + t) * vectors;
                    assert!(head < self.heads && self.position + t < self.capacity);
                    // SAFETY: the region holds heads × capacity rows of vectors, and nothing
                    // else refers to it while the cache is borrowed mutably.
                    let out = unsafe {
                        core::slice::from_raw_parts_mut(first.cast::<E>().add(at), vectors)
                    };
                    kernels::store_kv(isa, x, out);
                }
            }
        }
    }

    /// # Safety
    /// As for `attend`.
    unsafe fn attend_as<E: kernels::KvVector>(
        &self,
        isa: Isa,
        head: usize,
        queries: &Queries<'_>,
        range: Range<usize>,
        scale: f32,
        scores: &mut [f32],
    ) {
        let len = self.position + queries.rows.count();
        assert!(head < self.heads && len <= self.capacity);
        let read = |first: *mut u8, dim: usize| {
            let vectors = kv_vectors(dim);
            // SAFETY: the region holds heads × capacity rows of vectors of plain numbers, and
            // nobody writes it while the cache is shared.
            unsafe {
                let first = first.cast::<E>().add(head * self.capacity * vectors);
                (core::slice::from_raw_parts(first, len * vectors), dim)
            }
        };
        let (keys, values) = (
            read(self.keys, self.key_dim),
            read(self.values, self.value_dim),
        );
        // SAFETY: the caller's promise.
        unsafe { kernels::attend(isa, queries, range, keys, values, scale, scores) };
    }
}
