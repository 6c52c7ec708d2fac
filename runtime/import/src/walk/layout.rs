//! How the elements of an activation tensor lie in rows: one row a token, a column each.
//!
//! Splitting, joining, slicing and reordering axes changes only the layout, never the rows.

use super::dim::Dim;

/// A factor of an axis. An axis is the product of its factors, the last one fastest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Factor {
    /// The tokens of the step.
    Sequence,
    /// All positions so far, those of the step last.
    Total,
    /// The last token of the step, whose rows a plan has beside all others: which of them are wanted
    /// is asked when it runs.
    Last,
    /// `len` columns, `stride` apart; stride 0 repeats one column.
    Columns { len: usize, stride: usize },
}

impl Factor {
    fn size(self) -> Dim {
        match self {
            Factor::Sequence => Dim::SEQUENCE,
            Factor::Total => Dim::TOTAL,
            Factor::Last => Dim::ONE,
            Factor::Columns { len, .. } => Dim::from(len),
        }
    }
}

/// The axes of a tensor over the columns of a row, which start at column `start`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) start: usize,
    /// An axis of size 1 has no factors.
    pub(crate) axes: Vec<Vec<Factor>>,
}

impl Layout {
    /// `[1, sequence, width]`.
    pub(crate) fn rows(width: usize) -> Layout {
        Layout {
            start: 0,
            axes: vec![vec![], vec![Factor::Sequence], columns(width, 1)],
        }
    }

    /// `[1, heads, sequence, head_dim]`.
    pub(crate) fn heads_first(heads: usize, head_dim: usize) -> Layout {
        let heads = columns(heads, head_dim);
        Layout {
            start: 0,
            axes: vec![vec![], heads, vec![Factor::Sequence], columns(head_dim, 1)],
        }
    }

    pub(crate) fn shape(&self) -> Option<Vec<Dim>> {
        self.axes.iter().map(|axis| size(axis)).collect()
    }

    /// The axis, counted from the end if negative.
    pub(crate) fn axis(&self, axis: i64) -> Option<usize> {
        axis_index(axis, self.axes.len())
    }

    pub(crate) fn transpose(&self, perm: &[i64]) -> Option<Layout> {
        let mut seen = vec![false; self.axes.len()];
        let mut axes = Vec::with_capacity(perm.len());
        for &from in perm {
            let from = self.axis(from)?;
            if std::mem::replace(&mut seen[from], true) {
                return None;
            }
            axes.push(self.axes[from].clone());
        }
        (axes.len() == self.axes.len()).then_some(Layout {
            start: self.start,
            axes,
        })
    }

    /// Inserts axes of size 1 at these places of the result.
    pub(crate) fn unsqueeze(&self, places: &[i64]) -> Option<Layout> {
        let rank = self.axes.len().checked_add(places.len())?;
        let places = places
            .iter()
            .map(|&place| axis_index(place, rank))
            .collect::<Option<Vec<_>>>()?;
        let mut rest = self.axes.iter();
        let axes = (0..rank)
            .map(|at| {
                if places.contains(&at) {
                    Some(vec![])
                } else {
                    rest.next().cloned()
                }
            })
            .collect::<Option<Vec<_>>>()?;
        rest.next().is_none().then_some(Layout {
            start: self.start,
            axes,
        })
    }

    /// Removes these axes of size 1.
    pub(crate) fn squeeze(&self, places: &[i64]) -> Option<Layout> {
        let places = places
            .iter()
            .map(|&p| self.axis(p))
            .collect::<Option<Vec<_>>>()?;
        if places.iter().any(|&place| !self.axes[place].is_empty()) {
            return None;
        }
        let kept = self
            .axes
            .iter()
            .enumerate()
            .filter(|(at, _)| !places.contains(at));
        Some(Layout {
            start: self.start,
            axes: kept.map(|(_, axis)| axis.clone()).collect(),
        })
    }

    /// Cuts the axis down to `from .. to`. Only columns can be cut, tokens down to the last one, or
    /// nothing at all.
    pub(crate) fn slice(&self, axis: usize, from: Dim, to: Dim) -> Option<Layout> {
        let mut layout = self.clone();
        let factors = layout.axes.get_mut(axis)?;
        if from == Dim::new(0) && to == size(factors)? {
            return Some(layout);
        }
        if factors[..] == [Factor::Sequence]
            && to == Dim::SEQUENCE
            && Some(from) == Dim::SEQUENCE.sub(Dim::ONE)
        {
            *factors = vec![Factor::Last];
            return Some(layout);
        }
        let (from, to) = (from.size()?, to.size()?);
        let (start, rest) = cut(factors, from, to)?;
        *factors = rest;
        layout.start += start;
        Some(layout)
    }

    /// The last token of the step alone, its axis taken away.
    pub(crate) fn last(&self, axis: usize) -> Option<Layout> {
        let mut layout = self.clone();
        let tokens = (axis > 0 && axis < layout.axes.len()).then(|| layout.axes.remove(axis))?;
        let front = layout.axes.first_mut()?;
        if tokens[..] != [Factor::Sequence] || !front.is_empty() {
            return None;
        }
        front.push(Factor::Last);
        Some(layout)
    }

    /// Keeps every `step`-th column of an axis, the first one included.
    pub(crate) fn every(&self, axis: usize, step: usize) -> Option<Layout> {
        let [Factor::Columns { len, stride }] = self.axes.get(axis)?[..] else {
            return None;
        };
        let mut layout = self.clone();
        let kept = (step > 0 && len > 0).then(|| len.div_ceil(step))?;
        layout.axes[axis] = columns(kept, stride.checked_mul(step)?);
        Some(layout)
    }

    /// Repeats axes of size 1; `shape` may have more axes in front.
    pub(crate) fn expand(&self, shape: &[Dim]) -> Option<Layout> {
        let missing = shape.len().checked_sub(self.axes.len());
        let mut axes = self.axes.clone();
        for _ in 0..missing.unwrap_or(0) {
            axes.insert(0, vec![]);
        }
        let offset = axes.len() - shape.len();
        for (axis, &wanted) in axes[offset..].iter_mut().zip(shape) {
            let found = size(axis)?;
            if found == wanted || wanted == Dim::ONE {
                continue;
            }
            if found != Dim::ONE {
                return None;
            }
            *axis = columns(wanted.size()?, 0);
        }
        Some(Layout {
            start: self.start,
            axes,
        })
    }

    /// The same elements in the same order under another shape.
    ///
    /// One size may be -1 and is worked out; 0 keeps the size of the same axis.
    pub(crate) fn reshape(&self, shape: &[Dim], allow_zero: bool) -> Option<Layout> {
        let shape = complete_shape(&self.shape()?, shape, allow_zero)?;
        let mut factors: Vec<Factor> = self.axes.iter().flatten().rev().copied().collect();
        let mut axes = Vec::with_capacity(shape.len());
        for wanted in shape {
            let mut axis = Vec::new();
            let mut left = wanted;
            while left != Dim::ONE {
                let factor = factors.pop()?;
                let (taken, rest) = take(factor, left)?;
                left = rest;
                axis.push(taken.0);
                factors.extend(taken.1);
            }
            axes.push(joined(axis));
        }
        factors.is_empty().then_some(Layout {
            start: self.start,
            axes,
        })
    }

    /// The columns that the tensor covers, `(start, width)`, if they are a gapless run in
    /// which each column occurs once.
    pub(crate) fn columns(&self) -> Option<(usize, usize)> {
        let mut factors: Vec<(usize, usize)> = Vec::new();
        for factor in self.axes.iter().flatten() {
            if let Factor::Columns { len, stride } = *factor {
                factors.push((stride, len));
            }
        }
        factors.sort_unstable();
        let mut width = 1;
        for (stride, len) in factors {
            if stride != width {
                return None;
            }
            width = stride.checked_mul(len)?;
        }
        Some((self.start, width))
    }

    /// Where the tensor is parts of columns with gaps between them: how wide a part is, how far apart
    /// they begin, and the same axes over rows that hold the parts alone.
    pub(crate) fn parts(&self) -> Option<(usize, usize, Layout)> {
        let mut layout = self.packed();
        let factors = layout.axes.iter_mut().flatten();
        let mut columns = factors.filter_map(|factor| match factor {
            Factor::Columns { len, stride } => Some((len, stride)),
            _ => None,
        });
        let ((_, period), (width, 1)) = (columns.next()?, columns.next()?) else {
            return None;
        };
        if columns.next().is_some() || *period <= *width {
            return None;
        }
        let (width, period) = (*width, std::mem::replace(period, *width));
        layout.axes = layout.axes.into_iter().map(joined).collect();
        Some((width, period, layout))
    }

    /// The same axes over rows that hold only the columns of this layout.
    pub(crate) fn packed(&self) -> Layout {
        Layout {
            start: 0,
            axes: self.axes.clone(),
        }
    }

    /// Whether the axes are `[1 …, sequence, width]` over neighbouring columns, or `[1 …, width]` of the
    /// last token.
    pub(crate) fn is_rows(&self) -> bool {
        let Some((last, front)) = self.axes.split_last() else {
            return false;
        };
        let Some((tokens, front)) = front.split_last() else {
            return false;
        };
        let packed = matches!(last[..], [] | [Factor::Columns { stride: 1, .. }]);
        let before: Vec<Factor> = front.iter().flatten().copied().collect();
        packed
            && match tokens[..] {
                [Factor::Sequence] => before.is_empty(),
                [Factor::Last] => before.is_empty(),
                [] => before == [Factor::Last],
                _ => false,
            }
    }
}

/// Columns as an axis.
pub(crate) fn columns(len: usize, stride: usize) -> Vec<Factor> {
    if len == 1 {
        vec![]
    } else {
        vec![Factor::Columns { len, stride }]
    }
}

/// An axis from its number, counted from the end if negative.
pub(crate) fn axis_index(axis: i64, rank: usize) -> Option<usize> {
    let rank = i64::try_from(rank).ok()?;
    let index = if axis < 0 {
        axis.checked_add(rank)?
    } else {
        axis
    };
    (0..rank).contains(&index).then_some(index as usize)
}

/// Replaces 0 and -1 in the target of a Reshape by what they stand for.
pub(crate) fn complete_shape(old: &[Dim], new: &[Dim], allow_zero: bool) -> Option<Vec<Dim>> {
    let mut shape = Vec::with_capacity(new.len());
    for (at, &dim) in new.iter().enumerate() {
        let keep = dim == Dim::new(0) && !allow_zero;
        shape.push(if keep { *old.get(at)? } else { dim });
    }
    let unknown: Vec<usize> = (0..shape.len())
        .filter(|&at| shape[at] == Dim::new(-1))
        .collect();
    let known = shape.iter().filter(|&&dim| dim != Dim::new(-1));
    let (old, known) = (Product::of(old.iter())?, Product::of(known)?);
    match unknown[..] {
        [] => (old == known).then_some(shape),
        [at] => {
            shape[at] = old.over(&known)?;
            Some(shape)
        }
        _ => None,
    }
}

/// A product of sizes, as a number and a list of sizes that are none.
#[derive(PartialEq)]
struct Product {
    number: i64,
    symbols: Vec<Dim>,
}

impl Product {
    fn of<'a>(dims: impl Iterator<Item = &'a Dim>) -> Option<Product> {
        let mut product = Product {
            number: 1,
            symbols: Vec::new(),
        };
        for dim in dims {
            // What all parts of a form have in common belongs to the number.
            let common = if dim.number().is_some() {
                dim.constant
            } else {
                dim.common_factor()
            };
            product.number = product.number.checked_mul(common)?;
            if dim.number().is_none() {
                product.symbols.push(dim.div(common)?);
            }
        }
        product
            .symbols
            .sort_unstable_by_key(|d| (d.constant, d.past, d.sequence));
        Some(product)
    }

    fn over(mut self, by: &Product) -> Option<Dim> {
        for symbol in &by.symbols {
            let at = self.symbols.iter().position(|s| s == symbol)?;
            self.symbols.remove(at);
        }
        let exact = self.number.checked_rem(by.number) == Some(0);
        let number = Dim::new(exact.then(|| self.number / by.number)?);
        match self.symbols[..] {
            [] => Some(number),
            [symbol] => symbol.mul(number),
            _ => None,
        }
    }
}

/// The product of an axis's factors, where it is linear.
fn size(axis: &[Factor]) -> Option<Dim> {
    axis.iter()
        .try_fold(Dim::ONE, |product, factor| product.mul(factor.size()))
}

/// Takes from the front of an axis's remaining factors what fills up `left`: the part taken,
/// what is left of the factor, and what is still to fill.
fn take(factor: Factor, left: Dim) -> Option<((Factor, Option<Factor>), Dim)> {
    let size = factor.size();
    if size == left {
        return Some(((factor, None), Dim::ONE));
    }
    match factor {
        Factor::Last => None,
        // A symbol times a number is filled by the symbol and then by columns, or the reverse.
        Factor::Sequence | Factor::Total => {
            let symbol = if factor == Factor::Sequence {
                left.sequence
            } else {
                left.past
            };
            (size.mul(Dim::new(symbol))? == left && symbol > 0)
                .then_some(((factor, None), Dim::new(symbol)))
        }
        Factor::Columns { len, stride } => {
            if let Some(rest) = left.div(i64::try_from(len).ok()?)
                && rest.mul(size)? == left
            {
                return Some(((factor, None), rest));
            }
            let wanted = left
                .size()
                .filter(|&wanted| wanted > 1 && len % wanted == 0)?;
            let inner = len / wanted;
            let outer = Factor::Columns {
                len: wanted,
                stride: stride * inner,
            };
            Some((
                (outer, Some(Factor::Columns { len: inner, stride })),
                Dim::ONE,
            ))
        }
    }
}

/// Joins neighbouring factors that are one run of columns.
fn joined(axis: Vec<Factor>) -> Vec<Factor> {
    let mut out: Vec<Factor> = Vec::with_capacity(axis.len());
    for factor in axis {
        if let (
            Some(Factor::Columns {
                len: outer,
                stride: outer_stride,
            }),
            Factor::Columns { len, stride },
        ) = (out.last_mut(), factor)
            && *outer_stride == stride * len
        {
            (*outer, *outer_stride) = (*outer * len, stride);
            continue;
        }
        out.push(factor);
    }
    out
}

/// Cuts an axis of columns down to `from .. to`; the first column and the new factors.
fn cut(axis: &[Factor], from: usize, to: usize) -> Option<(usize, Vec<Factor>)> {
    match *axis {
        [Factor::Columns { len, stride }] if from <= to && to <= len => {
            Some((from * stride, columns(to - from, stride)))
        }
        // Whole rows of a grid.
        [
            outer @ Factor::Columns { .. },
            Factor::Columns { len, stride },
        ] => {
            if !from.is_multiple_of(len) || !to.is_multiple_of(len) {
                return None;
            }
            let (start, mut rest) = cut(&[outer], from / len, to / len)?;
            rest.push(Factor::Columns { len, stride });
            Some((start, joined(rest)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dims(sizes: &[i64]) -> Vec<Dim> {
        sizes.iter().map(|&size| Dim::new(size)).collect()
    }

    #[test]
    fn heads_are_split_moved_and_joined_again() {
        let rows = Layout::rows(64);
        let mut shape = dims(&[1, 0, -1, 16]);
        shape[1] = Dim::SEQUENCE;
        let heads = rows
            .reshape(&shape, false)
            .unwrap()
            .transpose(&[0, 2, 1, 3])
            .unwrap();
        assert_eq!(heads, Layout::heads_first(4, 16));
        let back = heads.transpose(&[0, 2, 1, 3]).unwrap();
        assert_eq!(back.reshape(&dims(&[0, 0, -1]), false).unwrap(), rows);
    }

    #[test]
    fn repeated_heads_know_which_head_they_repeat() {
        let heads = Layout::heads_first(2, 16).unsqueeze(&[2]).unwrap();
        let mut shape = dims(&[1, 2, 3, 0, 16]);
        shape[3] = Dim::SEQUENCE;
        let repeated = heads.expand(&shape).unwrap();
        let joined = repeated.reshape(&[Dim::ONE, Dim::new(6), Dim::SEQUENCE, Dim::new(16)], false);
        let axis = &joined.unwrap().axes[1];
        let [kept, repeats] = [
            Factor::Columns { len: 2, stride: 16 },
            Factor::Columns { len: 3, stride: 0 },
        ];
        assert_eq!(axis[..], [kept, repeats]);
    }

    #[test]
    fn a_slice_of_columns_is_a_view() {
        let half = Layout::heads_first(4, 16)
            .slice(3, Dim::new(8), Dim::new(16))
            .unwrap();
        assert_eq!(half.start, 8);
        assert_eq!(half.columns(), None);
        let key = Layout::rows(96)
            .slice(2, Dim::new(64), Dim::new(80))
            .unwrap();
        assert_eq!(key.columns(), Some((64, 16)));
    }

    #[test]
    fn tokens_cannot_be_sliced() {
        assert_eq!(Layout::rows(8).slice(1, Dim::new(1), Dim::SEQUENCE), None);
    }
}
