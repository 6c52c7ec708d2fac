//! Arguments of operators as 32-bit words.

use core::num::NonZeroU32;

use super::{BufferId, CacheId, InputPrecision, TensorId, View};
use crate::plan::format::NONE;

const WORDS: usize = 23;

/// Something that is stored as a fixed number of words.
pub(super) trait Word: Sized {
    fn put(&self, to: &mut Writer);
    /// `None` if the words have no meaning.
    fn get(from: &mut Reader<'_>) -> Option<Self>;
}

#[derive(Default)]
pub(super) struct Writer {
    words: [u32; WORDS],
    at: usize,
}

impl Writer {
    /// Writes the operator's arguments and returns its kind.
    pub(super) fn op(&mut self, kind: u32, op: &impl Word) -> u32 {
        op.put(self);
        kind
    }

    pub(super) fn put(&mut self, value: impl Word) -> &mut Writer {
        value.put(self);
        self
    }

    pub(super) fn finish(self) -> [u32; WORDS] {
        self.words
    }
}

pub(super) struct Reader<'a> {
    words: &'a [u32; WORDS],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(words: &'a [u32; WORDS]) -> Reader<'a> {
        Reader { words, at: 0 }
    }

    pub(super) fn get<T: Word>(&mut self) -> Option<T> {
        T::get(self)
    }
}

impl Word for u32 {
    fn put(&self, to: &mut Writer) {
        to.words[to.at] = *self;
        to.at += 1;
    }

    fn get(from: &mut Reader<'_>) -> Option<u32> {
        let word = *from.words.get(from.at)?;
        from.at += 1;
        Some(word)
    }
}

impl Word for f32 {
    fn put(&self, to: &mut Writer) {
        self.to_bits().put(to);
    }

    fn get(from: &mut Reader<'_>) -> Option<f32> {
        u32::get(from).map(f32::from_bits).filter(|x| x.is_finite())
    }
}

/// Absent as 0.
impl Word for Option<NonZeroU32> {
    fn put(&self, to: &mut Writer) {
        self.map_or(0, NonZeroU32::get).put(to);
    }

    fn get(from: &mut Reader<'_>) -> Option<Option<NonZeroU32>> {
        u32::get(from).map(NonZeroU32::new)
    }
}

/// A positive number; absent as 0.
impl Word for Option<f32> {
    fn put(&self, to: &mut Writer) {
        self.unwrap_or(0.0).put(to);
    }

    fn get(from: &mut Reader<'_>) -> Option<Option<f32>> {
        let number = f32::get(from).filter(|number| *number >= 0.0)?;
        Some((number > 0.0).then_some(number))
    }
}

impl Word for BufferId {
    fn put(&self, to: &mut Writer) {
        self.0.put(to);
    }

    fn get(from: &mut Reader<'_>) -> Option<BufferId> {
        u32::get(from).map(BufferId)
    }
}

impl Word for TensorId {
    fn put(&self, to: &mut Writer) {
        self.0.put(to);
    }

    fn get(from: &mut Reader<'_>) -> Option<TensorId> {
        u32::get(from).map(TensorId)
    }
}

impl Word for CacheId {
    fn put(&self, to: &mut Writer) {
        self.0.put(to);
    }

    fn get(from: &mut Reader<'_>) -> Option<CacheId> {
        u32::get(from).map(CacheId)
    }
}

impl Word for Option<TensorId> {
    fn put(&self, to: &mut Writer) {
        self.map_or(NONE, |id| id.0).put(to);
    }

    fn get(from: &mut Reader<'_>) -> Option<Option<TensorId>> {
        let id = u32::get(from)?;
        Some((id != NONE).then_some(TensorId(id)))
    }
}

impl Word for InputPrecision {
    fn put(&self, to: &mut Writer) {
        (*self as u32).put(to);
    }

    fn get(from: &mut Reader<'_>) -> Option<InputPrecision> {
        match u32::get(from)? {
            8 => Some(InputPrecision::Int8),
            16 => Some(InputPrecision::Int16),
            _ => None,
        }
    }
}

impl Word for View {
    fn put(&self, to: &mut Writer) {
        to.put(self.buffer).put(self.start).put(self.width);
    }

    fn get(from: &mut Reader<'_>) -> Option<View> {
        Some(View {
            buffer: from.get()?,
            start: from.get()?,
            width: from.get()?,
        })
    }
}

impl View {
    /// Stands where there is none.
    pub(super) const ABSENT: View = View {
        buffer: BufferId(NONE),
        start: 0,
        width: 0,
    };

    /// The view, if it is one.
    pub(super) fn if_present(self) -> Option<View> {
        (self.buffer.0 != NONE).then_some(self)
    }
}

impl Word for Option<View> {
    fn put(&self, to: &mut Writer) {
        self.unwrap_or(View::ABSENT).put(to);
    }

    fn get(from: &mut Reader<'_>) -> Option<Option<View>> {
        View::get(from).map(View::if_present)
    }
}
