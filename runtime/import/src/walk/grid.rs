//! Tensors that depend on nothing but shapes and positions: position ids, masks and what they
//! are made of.

use super::array::Array;
use super::dim::Dim;

/// A tensor whose elements follow from their indices.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Grid {
    pub(crate) shape: Vec<Dim>,
    pub(crate) content: Content,
}

/// What the element at `index` is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Content {
    /// `base + Σ steps·index`.
    Linear(Linear),
    /// `yes` where all conditions hold, otherwise `no`. Truth values are 1 and 0.
    Choice {
        when: Vec<Condition>,
        yes: f64,
        no: f64,
    },
}

/// A linear form in the indices.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Linear {
    pub(crate) base: Dim,
    /// One for each axis; 0 along axes of size 1.
    pub(crate) steps: Vec<i64>,
}

/// Holds where the form is not negative.
pub(crate) type Condition = Linear;

/// Which of two linear forms is compared how.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Comparison {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
}

impl Grid {
    /// The same number everywhere.
    pub(crate) fn filled(shape: Vec<Dim>, value: f64) -> Grid {
        Grid {
            shape,
            content: Content::Choice {
                when: vec![],
                yes: value,
                no: value,
            },
        }
    }

    pub(crate) fn linear(shape: Vec<Dim>, base: Dim, steps: Vec<i64>) -> Grid {
        let steps = steps
            .into_iter()
            .zip(&shape)
            .map(|(step, &size)| if size == Dim::ONE { 0 } else { step })
            .collect();
        Grid {
            shape,
            content: Content::Linear(Linear { base, steps }),
        }
    }

    /// Integers that lie on a grid.
    pub(crate) fn from_ints(array: &Array<Dim>) -> Option<Grid> {
        let base = *array.data.first()?;
        let mut steps = vec![0; array.shape.len()];
        let mut stride = array.data.len();
        for (step, &size) in steps.iter_mut().zip(&array.shape) {
            stride /= size.max(1);
            if size > 1 {
                *step = array.data[stride].sub(base)?.number()?;
            }
        }
        for (at, value) in array.data.iter().enumerate() {
            let (mut rest, mut expected) = (at, base);
            for (step, &size) in steps.iter().zip(&array.shape).rev() {
                let index = i64::try_from(rest % size).ok()?;
                expected = expected.add(Dim::new(step.checked_mul(index)?))?;
                rest /= size;
            }
            if *value != expected {
                return None;
            }
        }
        let shape = array.shape.iter().map(|&size| Dim::from(size)).collect();
        Some(Grid::linear(shape, base, steps))
    }

    /// The whole numbers of a linear grid of known size.
    pub(crate) fn to_ints(&self) -> Option<Array<Dim>> {
        let Content::Linear(form) = &self.content else {
            return None;
        };
        let shape = self
            .shape
            .iter()
            .map(|dim| dim.size())
            .collect::<Option<Vec<_>>>()?;
        let count = super::array::elements(&shape)?;
        let value = |at: usize| {
            let (mut rest, mut value) = (at, form.base);
            for (&step, &size) in form.steps.iter().zip(&shape).rev() {
                let index = i64::try_from(rest % size).ok()?;
                value = value.add(Dim::new(step.checked_mul(index)?))?;
                rest /= size;
            }
            Some(value)
        };
        Array::new(
            shape.clone(),
            (0..count).map(value).collect::<Option<Vec<_>>>()?,
        )
    }

    /// Numbers that are all the same.
    pub(crate) fn from_floats(array: &Array<f32>) -> Option<Grid> {
        let first = *array.data.first()?;
        let same = array.data.iter().all(|value| *value == first);
        let shape = array.shape.iter().map(|&size| Dim::from(size)).collect();
        same.then(|| Grid::filled(shape, f64::from(first)))
    }

    /// The number that stands everywhere.
    pub(crate) fn fill(&self) -> Option<f64> {
        match &self.content {
            Content::Choice { when, yes, no } if when.is_empty() || yes == no => Some(*yes),
            Content::Linear(linear) if linear.steps.iter().all(|&step| step == 0) => {
                linear.base.number().map(|number| number as f64)
            }
            _ => None,
        }
    }

    /// The greatest number, where the grid is linear or the same everywhere, and not empty.
    pub(crate) fn greatest(&self) -> Option<Dim> {
        let form = self.as_linear()?;
        let filled = self
            .shape
            .iter()
            .all(|size| size.least().is_some_and(|least| least > 0));
        filled.then(|| form.extreme(&self.shape, |step| step > 0))?
    }

    /// The linear form, also of whole numbers that stand everywhere.
    pub(crate) fn as_linear(&self) -> Option<Linear> {
        match &self.content {
            Content::Linear(linear) => Some(linear.clone()),
            Content::Choice { when, yes, .. } => {
                let whole = when.is_empty() && yes.fract() == 0.0 && yes.abs() < 9e15;
                let base = Dim::new(if whole { *yes as i64 } else { return None });
                Some(Linear {
                    base,
                    steps: vec![0; self.shape.len()],
                })
            }
        }
    }

    /// The sum or difference of two linear grids.
    pub(crate) fn add(&self, other: &Grid, sign: i64) -> Option<Grid> {
        let (shape, a, b) = self.aligned(other)?;
        let sum = a.as_linear()?.plus(&b.as_linear()?, sign)?;
        Some(Grid {
            shape,
            content: Content::Linear(sum),
        })
    }

    /// The product of a linear grid and a whole number.
    pub(crate) fn mul(&self, other: &Grid) -> Option<Grid> {
        let (shape, a, b) = self.aligned(other)?;
        let (a, b) = (a.as_linear()?, b.as_linear()?);
        let constant = |form: &Linear| {
            form.steps
                .iter()
                .all(|&step| step == 0)
                .then(|| form.base.number())
                .flatten()
        };
        let (form, factor) = match (constant(&a), constant(&b)) {
            (_, Some(factor)) => (a, factor),
            (Some(factor), None) => (b, factor),
            _ => return None,
        };
        Some(Grid {
            shape,
            content: Content::Linear(form.times(factor)?),
        })
    }

    /// The greater of two linear grids, if it is the same one everywhere.
    pub(crate) fn max(&self, other: &Grid) -> Option<Grid> {
        let (shape, a, b) = self.aligned(other)?;
        let (a, b) = (a.as_linear()?, b.as_linear()?);
        let greater = if a.plus(&b, -1)?.always(&shape) {
            a
        } else if b.plus(&a, -1)?.always(&shape) {
            b
        } else {
            return None;
        };
        Some(Grid {
            shape,
            content: Content::Linear(greater),
        })
    }

    /// Where a comparison of two linear grids holds.
    pub(crate) fn compare(&self, other: &Grid, how: Comparison) -> Option<Grid> {
        let (shape, a, b) = self.aligned(other)?;
        let (a, b) = (a.as_linear()?, b.as_linear()?);
        let minus_one = |form: Linear| {
            Some(Linear {
                base: form.base.sub(Dim::ONE)?,
                steps: form.steps,
            })
        };
        let (a_minus_b, b_minus_a) = (a.plus(&b, -1)?, b.plus(&a, -1)?);
        let when = match how {
            Comparison::Less => vec![minus_one(b_minus_a)?],
            Comparison::LessOrEqual => vec![b_minus_a],
            Comparison::Greater => vec![minus_one(a_minus_b)?],
            Comparison::GreaterOrEqual => vec![a_minus_b],
            Comparison::Equal => vec![a_minus_b, b_minus_a],
        };
        Some(
            Grid {
                shape,
                content: Content::Choice {
                    when,
                    yes: 1.0,
                    no: 0.0,
                },
            }
            .simplified(),
        )
    }

    /// Applies a function to every number of a choice.
    pub(crate) fn map(&self, f: impl Fn(f64) -> f64) -> Option<Grid> {
        match &self.content {
            Content::Linear(_) => {
                let value = self.fill()?;
                Some(Grid::filled(self.shape.clone(), f(value)))
            }
            Content::Choice { when, yes, no } => {
                let content = Content::Choice {
                    when: when.clone(),
                    yes: f(*yes),
                    no: f(*no),
                };
                Some(Grid {
                    shape: self.shape.clone(),
                    content,
                })
            }
        }
    }

    /// Combines two grids number by number, where at most one set of conditions is in play.
    pub(crate) fn combine(&self, other: &Grid, f: impl Fn(f64, f64) -> f64) -> Option<Grid> {
        let (shape, a, b) = self.aligned(other)?;
        let combined = match (a.fill(), b.fill()) {
            (_, Some(b)) => a.map(|a| f(a, b))?,
            (Some(a), None) => b.map(|b| f(a, b))?,
            (None, None) => {
                let (
                    Content::Choice { when, yes, no },
                    Content::Choice {
                        when: w,
                        yes: y,
                        no: n,
                    },
                ) = (&a.content, &b.content)
                else {
                    return None;
                };
                let same = when == w;
                let (yes, no) = (f(*yes, *y), f(*no, *n));
                same.then(|| Grid {
                    shape: shape.clone(),
                    content: Content::Choice {
                        when: when.clone(),
                        yes,
                        no,
                    },
                })?
            }
        };
        Some(Grid { shape, ..combined })
    }

    /// Both hold.
    pub(crate) fn and(&self, other: &Grid) -> Option<Grid> {
        if let Some(combined) = self.combine(other, |a, b| f64::from(a != 0.0 && b != 0.0)) {
            return Some(combined);
        }
        let (shape, a, b) = self.aligned(other)?;
        let (mut when, more) = (a.truth()?, b.truth()?);
        when.extend(more);
        Some(
            Grid {
                shape,
                content: Content::Choice {
                    when,
                    yes: 1.0,
                    no: 0.0,
                },
            }
            .simplified(),
        )
    }

    /// At least one holds.
    pub(crate) fn or(&self, other: &Grid) -> Option<Grid> {
        self.combine(other, |a, b| f64::from(a != 0.0 || b != 0.0))
    }

    /// Picks from two numbers by a truth value.
    pub(crate) fn select(&self, yes: &Grid, no: &Grid) -> Option<Grid> {
        let (shape, _, _) = yes.aligned(no)?;
        let (shape, _, _) = self.aligned(&Grid::filled(shape, 0.0))?;
        let (condition, yes, no) = (
            self.expand(&shape)?,
            yes.expand(&shape)?,
            no.expand(&shape)?,
        );
        if let Some(truth) = condition.fill() {
            let picked = if truth != 0.0 { yes } else { no };
            return Some(Grid {
                shape,
                content: picked.content,
            });
        }
        let (yes, no) = (yes.fill()?, no.fill()?);
        let content = match condition.content {
            Content::Choice {
                when, yes: truth, ..
            } => {
                let (yes, no) = if truth != 0.0 { (yes, no) } else { (no, yes) };
                Content::Choice { when, yes, no }
            }
            Content::Linear(_) => return None,
        };
        Some(Grid { shape, content })
    }

    /// The opposite of a truth value.
    pub(crate) fn not(&self) -> Option<Grid> {
        self.map(|truth| f64::from(truth == 0.0))
    }

    /// Repeats axes of size 1 until the shape is `shape`.
    pub(crate) fn expand(&self, shape: &[Dim]) -> Option<Grid> {
        let missing = shape.len().checked_sub(self.shape.len())?;
        for (&from, &to) in self.shape.iter().zip(&shape[missing..]) {
            if from != to && from != Dim::ONE {
                return None;
            }
        }
        Some(Grid {
            shape: shape.to_vec(),
            content: self.content.map_forms(|form| {
                let mut steps = vec![0; missing];
                steps.extend(&form.steps);
                Some(Linear {
                    base: form.base,
                    steps,
                })
            })?,
        })
    }

    /// Rebuilds the axes: each new axis is an old one, or new with size 1.
    pub(crate) fn with_axes(&self, axes: &[Option<usize>]) -> Option<Grid> {
        let kept: Vec<usize> = axes.iter().flatten().copied().collect();
        let lost = (0..self.shape.len()).filter(|at| !kept.contains(at));
        if lost.into_iter().any(|at| self.shape[at] != Dim::ONE) {
            return None;
        }
        let size = |at: &Option<usize>| match at {
            None => Some(Dim::ONE),
            Some(at) => self.shape.get(*at).copied(),
        };
        Some(Grid {
            shape: axes.iter().map(size).collect::<Option<Vec<_>>>()?,
            content: self.content.map_forms(|form| {
                let step = |at: &Option<usize>| at.map_or(0, |at| form.steps[at]);
                Some(Linear {
                    base: form.base,
                    steps: axes.iter().map(step).collect(),
                })
            })?,
        })
    }

    /// Keeps `from .. to` of an axis.
    pub(crate) fn slice(&self, axis: usize, from: Dim, to: Dim) -> Option<Grid> {
        let mut shape = self.shape.clone();
        shape[axis] = to.sub(from)?;
        let content = self.content.map_forms(|form| {
            let shift = from.mul(Dim::new(form.steps[axis]))?;
            Some(Linear {
                base: form.base.add(shift)?,
                steps: form.steps.clone(),
            })
        })?;
        Some(Grid { shape, content }.simplified())
    }

    /// The conditions under which a truth value holds.
    fn truth(&self) -> Option<Vec<Condition>> {
        match &self.content {
            Content::Choice { when, yes, no } => match (*yes != 0.0, *no != 0.0) {
                (true, false) => Some(when.clone()),
                (true, true) => Some(vec![]),
                // The opposite of a single condition is one as well.
                (false, true) => match &when[..] {
                    [only] => Some(vec![only.opposite()?]),
                    _ => None,
                },
                (false, false) => None,
            },
            Content::Linear(_) => None,
        }
    }

    /// Drops conditions that always hold; all of them if one never does.
    fn simplified(mut self) -> Grid {
        if let Content::Choice { when, yes, no } = &mut self.content {
            when.retain(|condition| !condition.always(&self.shape));
            if when.iter().any(|condition| condition.never(&self.shape)) {
                (*yes, *when) = (*no, vec![]);
            }
            if when.is_empty() {
                *no = *yes;
            }
        }
        self
    }

    fn aligned(&self, other: &Grid) -> Option<(Vec<Dim>, Grid, Grid)> {
        let rank = self.shape.len().max(other.shape.len());
        let size = |shape: &[Dim], at: usize| {
            (at + shape.len())
                .checked_sub(rank)
                .map_or(Dim::ONE, |at| shape[at])
        };
        let both = |at| match (size(&self.shape, at), size(&other.shape, at)) {
            (a, b) if a == b || b == Dim::ONE => Some(a),
            (a, b) if a == Dim::ONE => Some(b),
            _ => None,
        };
        let shape = (0..rank).map(both).collect::<Option<Vec<_>>>()?;
        let (a, b) = (self.expand(&shape)?, other.expand(&shape)?);
        Some((shape, a, b))
    }
}

impl Content {
    fn map_forms(&self, f: impl Fn(&Linear) -> Option<Linear>) -> Option<Content> {
        Some(match self {
            Content::Linear(form) => Content::Linear(f(form)?),
            Content::Choice { when, yes, no } => {
                let when = when.iter().map(f).collect::<Option<Vec<_>>>()?;
                Content::Choice {
                    when,
                    yes: *yes,
                    no: *no,
                }
            }
        })
    }
}

impl Linear {
    fn plus(&self, other: &Linear, sign: i64) -> Option<Linear> {
        let steps = self.steps.iter().zip(&other.steps);
        Some(Linear {
            base: self.base.add(other.base.mul(Dim::new(sign))?)?,
            steps: steps
                .map(|(a, b)| a.checked_add(b.checked_mul(sign)?))
                .collect::<Option<Vec<_>>>()?,
        })
    }

    fn times(&self, factor: i64) -> Option<Linear> {
        let steps = self.steps.iter().map(|step| step.checked_mul(factor));
        Some(Linear {
            base: self.base.mul(Dim::new(factor))?,
            steps: steps.collect::<Option<Vec<_>>>()?,
        })
    }

    /// Holds where this one does not: `-form - 1 ≥ 0`.
    pub(crate) fn opposite(&self) -> Option<Condition> {
        let form = self.times(-1)?;
        Some(Linear {
            base: form.base.sub(Dim::ONE)?,
            steps: form.steps,
        })
    }

    fn always(&self, shape: &[Dim]) -> bool {
        let least = self.extreme(shape, |step| step < 0);
        least.and_then(Dim::least).is_some_and(|least| least >= 0)
    }

    fn never(&self, shape: &[Dim]) -> bool {
        let greatest = self.extreme(shape, |step| step > 0);
        greatest
            .and_then(Dim::greatest)
            .is_some_and(|greatest| greatest < 0)
    }

    /// The form's value with the greatest index along the axes whose step is `counted`, and
    /// index 0 along the others.
    fn extreme(&self, shape: &[Dim], counted: impl Fn(i64) -> bool) -> Option<Dim> {
        let mut value = self.base;
        for (&step, &size) in self.steps.iter().zip(shape) {
            if counted(step) {
                value = value.add(size.sub(Dim::ONE)?.mul(Dim::new(step))?)?;
            }
        }
        Some(value)
    }
}

#[cfg(test)]
mod tests;
