//! Hidden states to one vector. Sums are in f64 and in order, so that they are the same everywhere.

use super::Pooling;

/// The hidden states of a text so far.
pub(super) struct Pool {
    pooling: Pooling,
    /// The one that is kept, or the sum of all.
    values: Vec<f64>,
    rows: usize,
}

impl Pool {
    pub(super) fn new(pooling: Pooling, width: usize) -> Pool {
        Pool {
            pooling,
            values: vec![0.0; width],
            rows: 0,
        }
    }

    /// Takes the hidden state of the next token whose one was asked for.
    pub(super) fn add(&mut self, row: &[f32]) {
        let first = self.rows == 0;
        self.rows += 1;
        let values = self.values.iter_mut().zip(row);
        match self.pooling {
            Pooling::Cls if !first => {}
            Pooling::Cls | Pooling::Last => values.for_each(|(value, x)| *value = f64::from(*x)),
            Pooling::Mean => values.for_each(|(value, x)| *value += f64::from(*x)),
        }
    }

    /// The vector: its first numbers if so many are asked for, of length 1 if that is.
    pub(super) fn finish(mut self, dimensions: Option<usize>, normalize: bool) -> Vec<f32> {
        self.values.truncate(dimensions.unwrap_or(usize::MAX));
        let mut divisor = match self.pooling {
            Pooling::Mean => self.rows.max(1) as f64,
            Pooling::Cls | Pooling::Last => 1.0,
        };
        let length = self.values.iter().map(|x| x * x).sum::<f64>().sqrt();
        if normalize && length > 0.0 {
            divisor = length;
        }
        self.values.iter().map(|x| (x / divisor) as f32).collect()
    }
}

/// How alike two vectors are: the cosine of the angle between them, from -1 to 1; 0 where one has
/// no length.
///
/// # Panics
/// If they are not equally long.
pub fn similarity(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len(), "vectors of one model are equally long");
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        let products = a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b));
        products.sum()
    };
    let lengths = (dot(a, a) * dot(b, b)).sqrt();
    if lengths > 0.0 {
        (dot(a, b) / lengths) as f32
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pooled(pooling: Pooling, normalize: bool) -> Vec<f32> {
        let mut pool = Pool::new(pooling, 2);
        for row in [[3.0, 4.0], [1.0, 0.0], [5.0, 2.0]] {
            pool.add(&row);
        }
        pool.finish(None, normalize)
    }

    #[test]
    fn the_first_the_last_or_the_mean_of_all_is_taken() {
        assert_eq!(pooled(Pooling::Cls, false), [3.0, 4.0]);
        assert_eq!(pooled(Pooling::Last, false), [5.0, 2.0]);
        assert_eq!(pooled(Pooling::Mean, false), [3.0, 2.0]);
    }

    #[test]
    fn a_vector_is_brought_to_length_1_after_it_was_cut() {
        assert_eq!(pooled(Pooling::Cls, true), [0.6, 0.8]);
        let mut pool = Pool::new(Pooling::Cls, 2);
        pool.add(&[3.0, 4.0]);
        assert_eq!(pool.finish(Some(1), true), [1.0]);
        assert_eq!(Pool::new(Pooling::Mean, 2).finish(None, true), [0.0, 0.0]);
    }

    #[test]
    fn similarity_is_the_cosine_of_the_angle() {
        assert_eq!(similarity(&[1.0, 0.0], &[0.0, 2.0]), 0.0);
        assert_eq!(similarity(&[1.0, 2.0], &[2.0, 4.0]), 1.0);
        assert_eq!(similarity(&[1.0, 2.0], &[-1.0, -2.0]), -1.0);
        assert_eq!(similarity(&[0.0, 0.0], &[-1.0, -2.0]), 0.0);
    }
}
