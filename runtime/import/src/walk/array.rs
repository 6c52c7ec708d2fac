//! Small tensors whose values are known while importing.

use super::dim::Dim;

/// Most elements that folding keeps; shapes, axes and rotary frequencies stay far below.
const MAX_ELEMENTS: usize = 1 << 16;

/// A row-major tensor of known values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Array<T> {
    pub(crate) shape: Vec<usize>,
    pub(crate) data: Vec<T>,
}

/// Which elements of a tensor another one is made of.
pub(crate) struct Picks {
    pub(crate) shape: Vec<usize>,
    pub(crate) from: Vec<usize>,
}

impl<T: Clone> Array<T> {
    /// `None` if the values do not fill the shape or are too many to keep.
    pub(crate) fn new(shape: Vec<usize>, data: Vec<T>) -> Option<Array<T>> {
        (elements(&shape)? == data.len()).then_some(Array { shape, data })
    }

    pub(crate) fn scalar(value: T) -> Array<T> {
        Array {
            shape: vec![],
            data: vec![value],
        }
    }

    pub(crate) fn vector(data: Vec<T>) -> Array<T> {
        Array {
            shape: vec![data.len()],
            data,
        }
    }

    pub(crate) fn filled(shape: Vec<usize>, value: T) -> Option<Array<T>> {
        let data = vec![value; elements(&shape)?];
        Some(Array { shape, data })
    }

    /// The value of a tensor with one element.
    pub(crate) fn single(&self) -> Option<T> {
        match &self.data[..] {
            [value] => Some(value.clone()),
            _ => None,
        }
    }

    pub(crate) fn map<U>(&self, f: impl FnMut(&T) -> Option<U>) -> Option<Array<U>> {
        let data = self.data.iter().map(f).collect::<Option<Vec<U>>>()?;
        Some(Array {
            shape: self.shape.clone(),
            data,
        })
    }

    /// Combines two tensors element by element, repeating axes of size 1.
    pub(crate) fn zip<U: Clone, V>(
        &self,
        other: &Array<U>,
        f: impl Fn(&T, &U) -> Option<V>,
    ) -> Option<Array<V>> {
        let shape = broadcast(&self.shape, &other.shape)?;
        let a = repeat(&self.shape, &shape)?;
        let b = repeat(&other.shape, &shape)?;
        let pairs = a.from.iter().zip(&b.from);
        let data = pairs
            .map(|(&a, &b)| f(&self.data[a], &other.data[b]))
            .collect::<Option<Vec<V>>>()?;
        Some(Array { shape, data })
    }

    pub(crate) fn pick(&self, picks: &Picks) -> Array<T> {
        let data = picks.from.iter().map(|&at| self.data[at].clone()).collect();
        Array {
            shape: picks.shape.clone(),
            data,
        }
    }

    /// The same elements under another shape.
    pub(crate) fn with_shape(&self, shape: Vec<usize>) -> Option<Array<T>> {
        Array::new(shape, self.data.clone())
    }

    /// Joins tensors along an axis.
    pub(crate) fn concat(parts: &[&Array<T>], axis: usize) -> Option<Array<T>> {
        let first = parts.first()?;
        let mut shape = first.shape.clone();
        *shape.get_mut(axis)? = 0;
        for part in parts {
            let same = |at: usize| at == axis || part.shape[at] == first.shape[at];
            if part.shape.len() != first.shape.len() || !(0..shape.len()).all(same) {
                return None;
            }
            shape[axis] = shape[axis].checked_add(part.shape[axis])?;
        }
        let total = elements(&shape)?;
        let outer: usize = shape[..axis].iter().product();
        let inner: usize = shape[axis + 1..].iter().product();
        let mut data = Vec::with_capacity(total);
        for row in 0..outer {
            for part in parts {
                let len = part.shape[axis] * inner;
                data.extend_from_slice(&part.data[row * len..(row + 1) * len]);
            }
        }
        Array::new(shape, data)
    }
}

impl Array<Dim> {
    /// The values as plain numbers.
    pub(crate) fn numbers(&self) -> Option<Vec<i64>> {
        self.data.iter().map(|dim| dim.number()).collect()
    }
}

/// How many elements a shape has, if folding may keep that many.
pub(crate) fn elements(shape: &[usize]) -> Option<usize> {
    shape
        .iter()
        .try_fold(1usize, |product, &size| product.checked_mul(size))
        .filter(|&count| count <= MAX_ELEMENTS)
}

/// The shape that two shapes combine to.
pub(crate) fn broadcast(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let size = |shape: &[usize], at: usize| {
        (at + shape.len())
            .checked_sub(rank)
            .map_or(1, |at| shape[at])
    };
    let both = |at| match (size(a, at), size(b, at)) {
        (a, b) if a == b || b == 1 => Some(a),
        (1, b) => Some(b),
        _ => None,
    };
    let shape = (0..rank).map(both).collect::<Option<Vec<_>>>()?;
    elements(&shape)?;
    Some(shape)
}

/// Repeats axes of size 1 until the shape is `to`.
pub(crate) fn repeat(from: &[usize], to: &[usize]) -> Option<Picks> {
    let missing = to.len().checked_sub(from.len())?;
    let mut strides = vec![0; to.len()];
    let mut stride = 1;
    for at in (0..from.len()).rev() {
        if from[at] != 1 {
            if from[at] != to[missing + at] {
                return None;
            }
            strides[missing + at] = stride;
        }
        stride *= from[at];
    }
    pick(to.to_vec(), 0, &strides)
}

/// Reorders axes.
pub(crate) fn transpose(shape: &[usize], perm: &[usize]) -> Option<Picks> {
    let strides = strides(shape);
    let new = perm
        .iter()
        .map(|&at| shape.get(at).copied())
        .collect::<Option<Vec<_>>>()?;
    let strides: Vec<usize> = perm.iter().map(|&at| strides[at]).collect();
    (new.len() == shape.len()).then_some(())?;
    pick(new, 0, &strides)
}

/// Keeps `from .. to` of an axis.
pub(crate) fn slice(shape: &[usize], axis: usize, from: usize, to: usize) -> Option<Picks> {
    let strides = strides(shape);
    let mut new = shape.to_vec();
    let size = new.get_mut(axis)?;
    if to > *size {
        return None;
    }
    *size = to.saturating_sub(from);
    pick(new, from * strides[axis], &strides)
}

/// Picks entries of an axis by their indices, which may themselves form a tensor.
pub(crate) fn gather(shape: &[usize], axis: usize, indices: &Array<i64>) -> Option<Picks> {
    let size = *shape.get(axis)?;
    let outer: usize = shape[..axis].iter().product();
    let inner: usize = shape[axis + 1..].iter().product();
    let new: Vec<usize> = shape[..axis]
        .iter()
        .chain(&indices.shape)
        .chain(&shape[axis + 1..])
        .copied()
        .collect();
    elements(&new)?;
    let mut from = Vec::new();
    for row in 0..outer {
        for &index in &indices.data {
            let index = super::layout::axis_index(index, size)?;
            from.extend((0..inner).map(|at| (row * size + index) * inner + at));
        }
    }
    Some(Picks { shape: new, from })
}

fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for at in (1..shape.len()).rev() {
        strides[at - 1] = strides[at] * shape[at];
    }
    strides
}

fn pick(shape: Vec<usize>, start: usize, strides: &[usize]) -> Option<Picks> {
    let count = elements(&shape)?;
    let mut from = Vec::with_capacity(count);
    for element in 0..count {
        let (mut rest, mut at) = (element, start);
        for (size, stride) in shape.iter().zip(strides).rev() {
            at += rest % size * stride;
            rest /= size;
        }
        from.push(at);
    }
    Some(Picks { shape, from })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_of_size_one_repeat() {
        let a = Array::new(vec![2, 1], vec![10, 20]).unwrap();
        let b = Array::vector(vec![1, 2, 3]);
        let sum = a.zip(&b, |a, b| Some(a + b)).unwrap();
        assert_eq!(
            sum,
            Array::new(vec![2, 3], vec![11, 12, 13, 21, 22, 23]).unwrap()
        );
    }

    #[test]
    fn axes_are_reordered_sliced_and_joined() {
        let a = Array::new(vec![2, 3], vec![0, 1, 2, 3, 4, 5]).unwrap();
        let turned = a.pick(&transpose(&a.shape, &[1, 0]).unwrap());
        assert_eq!(turned.data, [0, 3, 1, 4, 2, 5]);
        let tail = a.pick(&slice(&a.shape, 1, 1, 3).unwrap());
        assert_eq!(tail.data, [1, 2, 4, 5]);
        let joined = Array::concat(&[&tail, &a], 1).unwrap();
        assert_eq!(joined.data, [1, 2, 0, 1, 2, 4, 5, 3, 4, 5]);
        let last = a.pick(&gather(&a.shape, 1, &Array::scalar(-1)).unwrap());
        assert_eq!((last.shape, last.data), (vec![2], vec![2, 5]));
    }
}
