//! What attention with a window still sees of a text: its keys and values are kept of no more.
//!
//! A cache of such an operator has room for its window, the longest step, and [`BACK`] positions
//! that a session may go back by. When a step does not fit, what nobody will look at again is let
//! go: the rest moves to the front, in whole tiles of keys, so that a position stays in its lane.
//! Operators then count positions from the first one that is kept; since only distances matter to
//! a window, and rotation came before, no bit changes.
//!
//! A session goes back further than that as well: to the beginning of its last prompt, where that
//! is given up, and to a few tokens before its end, where an answer is tried again or read
//! otherwise the next time. What these two points see is put aside before it is let go.
//!
//! Windows may differ. A cache whose window is wider by some positions has room for as many more,
//! and always keeps as many more: what the narrowest ones let go says how far all have come.

use core::ops::Range;

use super::memory::Config;
use crate::kernels::LANES;
use crate::plan::Plan;
use crate::plan::format::CacheRecord;

/// How far a session can go back at any time.
const BACK: usize = 256;

/// Tokens between a prompt's second point and its end: more than templates put behind the last
/// message.
const TAIL: usize = 8;

/// How many points there are.
const POINTS: usize = 2;

/// How much the caches with windows keep.
#[derive(Clone, Copy, Debug)]
pub(super) struct Windows {
    /// Positions of the narrowest window; 0 where all caches keep all.
    least: usize,
    /// Positions that its caches have room for, a multiple of [`LANES`].
    room: usize,
    /// Positions that they have let go, likewise.
    gone: usize,
    /// Where the last prompt began, and a few tokens before its end.
    points: [Point; POINTS],
    /// Whether the last step was a part of a prompt.
    prompt: bool,
    /// The point whose copy is to be put in the place of all that is kept.
    back: Option<usize>,
}

/// A number of positions that can be gone back to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Point {
    /// 0 where it is none.
    at: usize,
    /// Whether what it sees was put aside.
    aside: bool,
}

/// Positions to be moved within each head of a cache, counted from the first that it has room for,
/// and where they go.
pub(super) type Move = (Range<usize>, usize);

impl Windows {
    pub(super) fn of(plan: &Plan<&[u8]>, config: &Config) -> Windows {
        let least = plan.caches().iter().filter_map(window).min().unwrap_or(0);
        // A window that ends within a tile keeps the whole tile.
        let room = [config.step.min(config.context), BACK, LANES - 1]
            .into_iter()
            .fold(least, usize::saturating_add)
            .checked_next_multiple_of(LANES);
        let worth =
            |room: &usize| least > 0 && room.saturating_add(POINTS * aside(least)) < config.context;
        let room = room.filter(worth);
        Windows {
            least: room.map_or(0, |_| least),
            room: room.unwrap_or(config.context),
            gone: 0,
            points: [Point::default(); POINTS],
            prompt: false,
            back: None,
        }
    }

    /// Positions that a cache has room for, out of the session's `capacity`, with what is put
    /// aside.
    #[inline]
    pub(super) fn room(&self, cache: &CacheRecord, capacity: usize) -> usize {
        if self.least == 0 {
            return capacity;
        }
        let room = |wider| {
            let aside = POINTS * (aside(self.least) + wider);
            self.room.saturating_add(wider + aside).min(capacity)
        };
        self.wider(cache).map_or(capacity, room)
    }

    /// Positions that a cache has let go.
    #[inline]
    pub(super) fn gone(&self, cache: &CacheRecord, capacity: usize) -> usize {
        if self.gone == 0 {
            return 0;
        }
        match self.wider(cache) {
            Some(wider) if self.room(cache, capacity) < capacity => self.gone.saturating_sub(wider),
            _ => 0,
        }
    }

    /// How many positions more than those of the narrowest window a cache keeps, in whole tiles;
    /// `None` where it keeps all.
    fn wider(&self, cache: &CacheRecord) -> Option<usize> {
        let window = window(cache).filter(|_| self.least > 0)?;
        Some(window.checked_sub(self.least)?.next_multiple_of(LANES))
    }

    /// Most tokens of a step.
    pub(super) fn most(&self) -> usize {
        match self.least {
            0 => usize::MAX,
            least => self.room - least - (LANES - 1),
        }
    }

    /// Positions that the narrowest windows have let go when only what a token behind so many
    /// sees is kept.
    fn unseen(&self, len: usize) -> usize {
        let unseen = (len + 1).saturating_sub(self.least);
        unseen - unseen % LANES
    }

    /// Whether a session can go on from so many positions where so many are gone.
    fn sees(&self, len: usize, gone: usize) -> bool {
        self.unseen(len) >= gone
    }

    /// Goes back to `len` positions, or to the most below it that can be continued; how many.
    pub(super) fn back_to(&mut self, len: usize) -> usize {
        if self.least == 0 {
            return len;
        }
        self.prompt = false;
        let len = match self.sees(len, self.gone) {
            true => len,
            false => {
                let aside = |&index: &usize| {
                    let point = self.points[index];
                    point.aside && point.at <= len
                };
                let back = (0..POINTS)
                    .filter(aside)
                    .max_by_key(|&index| self.points[index].at);
                self.back = back;
                let len = back.map_or(0, |index| self.points[index].at);
                self.gone = self.unseen(len);
                len
            }
        };
        for point in &mut self.points {
            if point.at > len {
                *point = Point::default();
            }
        }
        len
    }

    /// As a step of so many tokens, at most [`Windows::most`], after `len` positions wants it, if it
    /// matters.
    pub(super) fn before(&self, len: usize, tokens: usize) -> Option<Windows> {
        if self.least == 0 {
            return None;
        }
        let mut after = *self;
        let end = len + tokens;
        after.prompt = tokens > 1;
        if after.prompt {
            let tail = end.saturating_sub(TAIL).max(len);
            for (point, at, new) in [(0, len, !self.prompt), (1, tail, true)] {
                if new && after.points[point].at != at {
                    after.points[point] = Point { at, aside: false };
                }
            }
        }
        if end > self.gone + self.room {
            let gone = self.unseen(len.saturating_sub(BACK));
            after.gone = gone.max((end - self.room).next_multiple_of(LANES));
            for point in &mut after.points {
                let lost = !self.sees(point.at, after.gone);
                point.aside |= point.at > 0 && lost && self.sees(point.at, self.gone);
            }
        }
        after.back = None;
        Some(after)
    }

    /// Whether anything has to be moved in memory before it is as `after`.
    pub(super) fn moved(&self, after: &Windows) -> bool {
        self.back.is_some() || self.gone != after.gone
    }

    /// What has to be moved in a cache before it is as `after`, in this order.
    pub(super) fn moves(
        &self,
        after: &Windows,
        cache: &CacheRecord,
        capacity: usize,
    ) -> [Option<Move>; 2 + POINTS] {
        let mut moves = [const { None }; 2 + POINTS];
        let wider = match self.wider(cache) {
            Some(wider) if self.room(cache, capacity) < capacity => wider,
            _ => return moves,
        };
        let (room, aside) = (self.room + wider, aside(self.least) + wider);
        let slot = |index: usize| room + index * aside;
        let from = self.gone.saturating_sub(wider);
        moves[0] = self.back.map(|index| (slot(index)..slot(index) + aside, 0));
        for index in 0..POINTS {
            let (old, new) = (self.points[index], after.points[index]);
            if new.aside && new != old {
                let first = self.unseen(new.at).saturating_sub(wider) - from;
                moves[1 + index] = Some((first..first + aside, slot(index)));
            }
        }
        let to = after.gone.saturating_sub(wider);
        if to > from {
            moves[1 + POINTS] = Some((to - from..room, 0));
        }
        moves
    }
}

/// How many of the last positions a cache keeps, if not all; no context is as long as those that
/// are left out here.
fn window(cache: &CacheRecord) -> Option<usize> {
    (1..1 << 24)
        .contains(&cache.window)
        .then_some(cache.window as usize)
}

/// Positions that are put aside of a point for such a window.
fn aside(window: usize) -> usize {
    (window + LANES - 1).next_multiple_of(LANES)
}
