//! Attention in both directions, of encoders: a token sees the whole text.

use super::words::{Reader, Word, Writer};
use super::{Attention, CacheId, View};
use crate::executor::Run;
use crate::plan::check::{Checker, OpFault};

/// As [`Attention`], but from each token to all of the step, those behind it too. Only plans of
/// whole texts have it, whose steps begin with an empty cache; nothing of the cache is read by a
/// later operator, so all of a plan may share one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Encode {
    /// Query heads side by side, each as wide as the cache's `key_dim`.
    pub query: View,
    /// The cache's `heads × key_dim`.
    pub key: View,
    /// The cache's `heads × value_dim`.
    pub value: View,
    /// Query heads × `value_dim`.
    pub output: View,
    /// Where keys and values are put.
    pub cache: CacheId,
    /// Factor on `q · k`.
    pub scale: f32,
}

impl Word for Encode {
    fn put(&self, to: &mut Writer) {
        to.put(self.query).put(self.key).put(self.value);
        to.put(self.output).put(self.cache).put(self.scale);
    }

    fn get(from: &mut Reader<'_>) -> Option<Encode> {
        Some(Encode {
            query: from.get()?,
            key: from.get()?,
            value: from.get()?,
            output: from.get()?,
            cache: from.get()?,
            scale: from.get()?,
        })
    }
}

impl Encode {
    pub(super) fn check(&self, checker: &Checker<'_>) -> Result<(), OpFault> {
        checker.whole_texts()?;
        self.attention().check(checker)
    }

    pub(super) fn run(&self, run: &Run<'_>) {
        self.attention().attend(run, true, None);
    }

    /// All but the direction.
    fn attention(&self) -> Attention {
        Attention {
            query: self.query,
            key: self.key,
            value: self.value,
            output: self.output,
            cache: self.cache,
            scale: self.scale,
            window: None,
            softcap: None,
        }
    }
}
