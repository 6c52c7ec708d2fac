//! Keys and values of the positions so far.
//!
//! For each attention operator: all keys, `[head][position / 16][key tile]`, then all values,
//! `[head][position][value vector]`, so that one head's positions are read in one sweep; of an
//! operator with a window, those that can still be seen (`windows.rs`). Behind them lies what
//! convolutions have seen (`history.rs`), and recurrent states (`states.rs`).

use core::ops::Range;

use half::f16;

#[cfg(feature = "convolution")]
use super::history::{Held, HistoryRegions};
use super::memory::{Config, KvType, Line, MemoryError, Regions, large_enough};
#[cfg(feature = "recurrence")]
use super::states::{StateRegions, States};
use super::windows::Windows;
use crate::kernels::{
    Int8Vector, Isa, KvVector, LANES, Queries, Scoring, attend, key_tiles, kv_vectors, store_key,
    store_value,
};
use crate::ops::CacheId;
use crate::plan::Plan;
use crate::rows::Rows;

/// A session's keys and values, and what its convolutions have seen.
#[derive(Debug)]
pub struct KvCache<M> {
    memory: M,
    kv: KvType,
    capacity: usize,
    windows: Windows,
    len: usize,
    #[cfg(feature = "convolution")]
    held: Held,
    #[cfg(feature = "recurrence")]
    states: States,
}

impl KvCache<()> {
    /// Lines of memory that a cache for `plan` under `config` needs.
    pub fn lines<B: AsRef<[u8]>>(plan: &Plan<B>, config: &Config) -> Result<usize, MemoryError> {
        let plan = plan.borrowed();
        let windows = Windows::of(&plan, config);
        Ok(Places::new(&plan, config.context, config.kv, &windows)?.lines)
    }

    /// Bytes of keys and values of one position. Where attention has windows, some of it is kept
    /// of the last positions only.
    pub fn position_bytes<B: AsRef<[u8]>>(plan: &Plan<B>, kv: KvType) -> usize {
        KvCache::seen_bytes(plan, kv, 1) as usize
    }

    /// Bytes of the keys and values that a token sees at the end of so many positions.
    pub fn seen_bytes<B: AsRef<[u8]>>(plan: &Plan<B>, kv: KvType, positions: usize) -> u64 {
        let caches = plan.caches().iter().map(|cache| {
            let [key, value] = [cache.key_dim, cache.value_dim].map(|d| kv.row_bytes(d as usize));
            let seen = match cache.window as usize {
                0 => positions,
                window => positions.min(window),
            };
            seen as u64 * (cache.heads as usize * (key + value)) as u64
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
        let plan = &plan.borrowed();
        let windows = Windows::of(plan, config);
        let places = Places::new(plan, config.context, config.kv, &windows)?;
        large_enough(memory.as_mut().len(), places.lines)?;
        Ok(KvCache {
            memory,
            kv: config.kv,
            capacity: config.context,
            windows,
            len: 0,
            #[cfg(feature = "convolution")]
            held: Held::of(plan),
            #[cfg(feature = "recurrence")]
            states: places.states,
        })
    }

    /// Forgets all positions from `len` on; how many are left.
    ///
    /// Of a plan with convolutions it may be up to 63 fewer, where more than 61 are forgotten: not
    /// every earlier position can be continued, but every 64th. One with recurrent states goes on
    /// from a few: 8 tokens before the end of a step of several tokens, of the last three such
    /// steps or of fewer and earlier ones; the last of every 64 positions that tokens came to one
    /// by one; and 0. Where attention has windows, any position can be gone back to whose window is
    /// still kept: at least those 256 before the furthest that was reached; else where the last
    /// step of several tokens began that came after one of one token, or after going back, and 8
    /// tokens before the end of the last step of several; else 0.
    pub fn truncate(&mut self, len: usize) -> usize {
        if len < self.len {
            let mut left = self.back_to(len);
            loop {
                self.len = self.windows.back_to(left);
                if self.len == left {
                    break;
                }
                left = self.back_to(self.len);
            }
        }
        self.len
    }

    /// Goes back to `len` positions, or to the most below it that convolutions and recurrent
    /// states can go on from; how many.
    fn back_to(&mut self, len: usize) -> usize {
        #[cfg(feature = "recurrence")]
        if self.states.any() {
            let memory = bytemuck::cast_slice_mut(self.memory.as_mut());
            return self.states.back_to(len, memory);
        }
        #[cfg(feature = "convolution")]
        let len = self.held.back_to(len);
        len
    }

    pub(super) fn advance(&mut self, tokens: usize) {
        #[cfg(feature = "recurrence")]
        self.states.saved(self.states.save(self.len, tokens));
        self.len += tokens;
        #[cfg(feature = "convolution")]
        self.held.advance(self.len);
    }

    /// Where all lies, for a step of so many tokens. After an error all is as before.
    pub(super) fn regions(
        &mut self,
        plan: &Plan<&[u8]>,
        #[cfg_attr(not(feature = "windows"), allow(unused))] tokens: usize,
    ) -> Result<KvRegions, MemoryError> {
        let memory = self.memory.as_mut();
        let places = Places::new(plan, self.capacity, self.kv, &self.windows)?;
        large_enough(memory.len(), places.lines)?;
        #[cfg(feature = "windows")]
        {
            if tokens > self.windows.most() {
                return Err(MemoryError::OtherStep);
            }
            if let Some(after) = self.windows.before(self.len, tokens) {
                if self.windows.moved(&after) {
                    let bytes = bytemuck::cast_slice_mut(memory);
                    let how = (self.capacity, self.kv);
                    move_kept(plan, how, &self.windows, &after, bytes)?;
                }
                self.windows = after;
            }
        }
        let first: *mut u8 = memory.as_mut_ptr().cast();
        Ok(KvRegions {
            first,
            kv: self.kv,
            capacity: self.capacity,
            windows: self.windows,
            #[cfg(feature = "recurrence")]
            states: StateRegions {
                memory: first,
                states: self.states.over(places.states),
            },
            #[cfg(feature = "convolution")]
            history: {
                // SAFETY: both start inside the memory, whose length was just compared.
                let [ring, ends] = places.history.map(|at| unsafe { first.add(at) }.cast());
                HistoryRegions::new(ring, ends, plan, self.held)
            },
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

/// How much memory a cache takes, and where convolutions keep what they have seen, in bytes.
struct Places {
    lines: usize,
    #[cfg(feature = "convolution")]
    history: [usize; 2],
    #[cfg(feature = "recurrence")]
    states: States,
}

impl Places {
    fn new(
        plan: &Plan<&[u8]>,
        capacity: usize,
        kv: KvType,
        windows: &Windows,
    ) -> Result<Places, MemoryError> {
        let mut regions = Regions::new();
        place(
            plan,
            plan.caches().len(),
            capacity,
            kv,
            windows,
            &mut regions,
        )?;
        #[cfg(feature = "convolution")]
        let history = Held::of(plan).place(capacity, &mut regions)?;
        #[cfg(feature = "recurrence")]
        let states = States::place(plan, Held::of(plan).ring(), &mut regions)?;
        Ok(Places {
            #[cfg(feature = "recurrence")]
            history: match states.any() {
                true => [states.rows(None), history[1]],
                false => history,
            },
            #[cfg(all(feature = "convolution", not(feature = "recurrence")))]
            history,
            #[cfg(feature = "recurrence")]
            states,
            lines: regions.lines(),
        })
    }
}

/// Takes the regions of the first `count` caches; where the last one's keys and values start.
fn place(
    plan: &Plan<&[u8]>,
    count: usize,
    capacity: usize,
    kv: KvType,
    windows: &Windows,
    regions: &mut Regions,
) -> Result<(usize, usize), MemoryError> {
    let mut last = (0, 0);
    for cache in &plan.caches()[..count] {
        let heads = cache.heads as usize;
        let [key, value] = [cache.key_dim, cache.value_dim].map(|dim| kv.row_bytes(dim as usize));
        let room = windows.room(cache, capacity);
        let tiled = room.checked_next_multiple_of(LANES);
        let keys = regions.take(&[heads, tiled.ok_or(MemoryError::Overflow)?], key)?;
        let values = regions.take(&[heads, room], value)?;
        last = (keys, values);
    }
    Ok(last)
}

/// Moves keys and values to where they are once `windows` are as `after`.
#[cfg(feature = "windows")]
fn move_kept(
    plan: &Plan<&[u8]>,
    (capacity, kv): (usize, KvType),
    windows: &Windows,
    after: &Windows,
    memory: &mut [u8],
) -> Result<(), MemoryError> {
    for (index, cache) in plan.caches().iter().enumerate() {
        let regions = &mut Regions::new();
        let (keys, values) = place(plan, index + 1, capacity, kv, windows, regions)?;
        let room = windows.room(cache, capacity);
        let moves = windows.moves(after, cache, capacity);
        for (first, dim) in [(keys, cache.key_dim), (values, cache.value_dim)] {
            let row = kv.row_bytes(dim as usize);
            for head in 0..cache.heads as usize {
                let head = first + head * room * row;
                for (from, to) in moves.iter().flatten() {
                    let from = head + from.start * row..head + from.end * row;
                    memory.copy_within(from, head + to * row);
                }
            }
        }
    }
    Ok(())
}

/// Pointers into a cache, for one step.
#[derive(Clone, Copy)]
pub(crate) struct KvRegions {
    first: *mut u8,
    kv: KvType,
    capacity: usize,
    windows: Windows,
    #[cfg(feature = "convolution")]
    pub(super) history: HistoryRegions,
    #[cfg(feature = "recurrence")]
    pub(super) states: StateRegions,
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
        let KvRegions {
            capacity,
            kv,
            ref windows,
            ..
        } = *self;
        let (keys, values) = place(plan, count, capacity, kv, windows, &mut Regions::new())
            .expect("the whole cache was laid out when the step began");
        Cache {
            heads: record.heads as usize,
            key_dim: record.key_dim as usize,
            value_dim: record.value_dim as usize,
            position: position - windows.gone(&record, capacity),
            capacity: windows.room(&record, capacity),
            kv,
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
    /// Of the step's first token, counted from the first that is kept.
    pub(crate) position: usize,
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
        scoring: Scoring,
        scores: &mut [f32],
    ) {
        // SAFETY: the caller's promise.
        unsafe {
            let attend = match self.kv {
                KvType::Int8 => Cache::attend_as::<Int8Vector>,
                KvType::F16 => Cache::attend_as::<[f16; LANES]>,
                KvType::F32 => Cache::attend_as::<[f32; LANES]>,
            };
            attend(self, isa, head, queries, range, scoring, scores);
        }
    }

    fn append_as<E: KvVector>(&mut self, isa: Isa, key: Rows<'_>, value: Rows<'_>) {
        let count = key.count().min(value.count());
        assert!(self.position + count <= self.capacity);
        for position in self.position..self.position + count {
            let t = position - self.position;
            let vectors = kv_vectors(self.key_dim);
            for (head, x) in key.row(t).chunks_exact(self.key_dim).enumerate() {
                assert!(head < self.heads);
                let at = head * key_tiles(self.capacity, self.key_dim) + position / LANES * vectors;
                // SAFETY: the region holds the tiles of heads × capacity keys, and nothing else
                // refers to it while the cache is borrowed mutably.
                let out = unsafe {
                    core::slice::from_raw_parts_mut(self.keys.cast::<E::Tile>().add(at), vectors)
                };
                store_key::<E>(isa, x, out, position % LANES);
            }
            let vectors = kv_vectors(self.value_dim);
            for (head, x) in value.row(t).chunks_exact(self.value_dim).enumerate() {
                assert!(head < self.heads);
                let at = (head * self.capacity + position) * vectors;
                // SAFETY: the region holds heads × capacity rows of vectors; as above.
                let out = unsafe {
                    core::slice::from_raw_parts_mut(self.values.cast::<E>().add(at), vectors)
                };
                store_value(isa, x, out);
            }
        }
    }

    /// # Safety
    /// As for `attend`.
    unsafe fn attend_as<E: KvVector>(
        &self,
        isa: Isa,
        head: usize,
        queries: &Queries<'_>,
        range: Range<usize>,
        scoring: Scoring,
        scores: &mut [f32],
    ) {
        let len = self.position + queries.rows.count();
        assert!(head < self.heads && len <= self.capacity);
        let tiles = key_tiles(self.capacity, self.key_dim);
        let vectors = self.capacity * kv_vectors(self.value_dim);
        // SAFETY: the regions hold this many for each head, all plain numbers, and nobody writes
        // them while the cache is shared.
        let (keys, values) = unsafe {
            let keys = self.keys.cast::<E::Tile>().add(head * tiles);
            let values = self.values.cast::<E>().add(head * vectors);
            (
                core::slice::from_raw_parts(keys, key_tiles(len, self.key_dim)),
                core::slice::from_raw_parts(values, len * kv_vectors(self.value_dim)),
            )
        };
        let (keys, values) = ((keys, self.key_dim), (values, self.value_dim));
        // SAFETY: the caller's promise.
        unsafe { attend::<E>(isa, queries, range, keys, values, scoring, scores) };
    }
}
