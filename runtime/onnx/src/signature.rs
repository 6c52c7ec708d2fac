//! What a graph takes and gives: names, element types, shapes.

use std::fmt;

use crate::ElementType;

/// An input or output of a graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// The name by which it is fed or read.
    pub name: String,
    /// The type of its elements.
    pub element: ElementType,
    /// Its shape, or `None` where the file does not even give a rank.
    pub shape: Option<Vec<Dimension>>,
}

/// One dimension of a shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dimension {
    /// Always this many elements.
    Fixed(usize),
    /// Bound by each call; the file's name for it.
    Symbol(String),
    /// Bound by each call; the file does not name it.
    Open,
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Dimension::Fixed(size) => write!(f, "{size}"),
            Dimension::Symbol(name) => write!(f, "{name}"),
            Dimension::Open => write!(f, "?"),
        }
    }
}

impl fmt::Display for TensorInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} {}",
            self.name,
            self.element,
            shape_text(&self.shape)
        )
    }
}

impl TensorInfo {
    /// Whether a tensor of this concrete shape may be fed here.
    pub(crate) fn accepts(&self, found: &[usize]) -> bool {
        let Some(shape) = &self.shape else {
            return true;
        };
        let fits = |(expected, found): (&Dimension, &usize)| match expected {
            Dimension::Fixed(size) => size == found,
            Dimension::Symbol(_) | Dimension::Open => true,
        };
        shape.len() == found.len() && shape.iter().zip(found).all(fits)
    }
}

/// `[batch, 3, ?]`, or `of any shape`.
pub(crate) fn shape_text(shape: &Option<Vec<Dimension>>) -> String {
    let Some(shape) = shape else {
        return "of any shape".to_owned();
    };
    let dimensions: Vec<String> = shape.iter().map(ToString::to_string).collect();
    format!("[{}]", dimensions.join(", "))
}
