//! Rows of working memory as operators and kernels see them: one row a token.

use core::marker::PhantomData;
use core::ops::Range;

/// Rows to read: `count` rows of `width` floats.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    first: *const f32,
    stride: usize,
    width: usize,
    count: usize,
    memory: PhantomData<&'a [f32]>,
}

// SAFETY: shared rows are only read (see `new`), so any thread may hold them.
unsafe impl Send for Rows<'_> {}
// SAFETY: as above.
unsafe impl Sync for Rows<'_> {}

impl<'a> Rows<'a> {
    /// # Safety
    /// Row `t` is the `width` floats from `first + t · stride` on; for `'a` they stay
    /// readable and nobody writes them.
    pub(crate) unsafe fn new(first: *const f32, stride: usize, width: usize, count: usize) -> Self {
        Rows {
            first,
            stride,
            width,
            count,
            memory: PhantomData,
        }
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// The row of token `t`.
    pub(crate) fn row(&self, t: usize) -> &'a [f32] {
        assert!(t < self.count);
        // SAFETY: `new` promised it for every t below count.
        unsafe { core::slice::from_raw_parts(self.first.add(t * self.stride), self.width) }
    }

    /// Columns `start..start + N` of some rows, row by row.
    #[cfg(target_arch = "aarch64")]
    pub(crate) fn arrays<const N: usize>(
        &self,
        rows: Range<usize>,
        start: usize,
    ) -> impl Iterator<Item = &'a [f32; N]> + use<'a, N> {
        assert!(rows.end <= self.count && N <= self.width && start <= self.width - N);
        let (first, stride) = (self.first, self.stride);
        // SAFETY: within rows and columns by the assertion; `new` promised those.
        rows.map(move |t| unsafe { &*first.add(t * stride + start).cast() })
    }
}

/// Rows to write, shared by threads that each write other rows or other columns.
#[derive(Clone, Copy)]
pub(crate) struct RowsMut<'a> {
    first: *mut f32,
    stride: usize,
    width: usize,
    count: usize,
    memory: PhantomData<&'a mut [f32]>,
}

// SAFETY: access goes through `columns`, whose caller keeps the threads apart.
unsafe impl Send for RowsMut<'_> {}
// SAFETY: as above.
unsafe impl Sync for RowsMut<'_> {}

impl<'a> RowsMut<'a> {
    /// # Safety
    /// Row `t` is the `width` floats from `first + t · stride` on; for `'a` they are
    /// reached through this value and its copies alone.
    pub(crate) unsafe fn new(first: *mut f32, stride: usize, width: usize, count: usize) -> Self {
        RowsMut {
            first,
            stride,
            width,
            count,
            memory: PhantomData,
        }
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Columns of token `t`'s row.
    ///
    /// # Safety
    /// While the slice lives, nobody else holds one that overlaps it.
    pub(crate) unsafe fn columns(&self, t: usize, columns: Range<usize>) -> &'a mut [f32] {
        assert!(t < self.count && columns.start <= columns.end && columns.end <= self.width);
        // SAFETY: in bounds by the assertion, unshared by the caller's promise.
        unsafe {
            let first = self.first.add(t * self.stride + columns.start);
            core::slice::from_raw_parts_mut(first, columns.len())
        }
    }

    /// Columns `start..start + N` of some rows, row by row.
    ///
    /// # Safety
    /// As for [`RowsMut::columns`].
    #[cfg(target_arch = "aarch64")]
    pub(crate) unsafe fn arrays<const N: usize>(
        &self,
        rows: Range<usize>,
        start: usize,
    ) -> impl Iterator<Item = &'a mut [f32; N]> + use<'a, N> {
        assert!(rows.end <= self.count && N <= self.width && start <= self.width - N);
        let (first, stride) = (self.first, self.stride);
        // SAFETY: in bounds by the assertion, unshared by the caller's promise.
        rows.map(move |t| unsafe { &mut *first.add(t * stride + start).cast() })
    }
}
