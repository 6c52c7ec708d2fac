//! What can go wrong with an ONNX model, and what to do about it.

use std::fmt;
use std::path::PathBuf;

use crate::signature::shape_text;
use crate::{Dimension, ElementType};

/// Why a model was not opened or a call was not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OnnxError {
    /// The file is not there or cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file asked for.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// The bytes are not an ONNX model, or the model is not whole.
    #[error("{model} is not a sound ONNX model: {reason}")]
    Malformed {
        /// The file, or `model in memory`.
        model: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The graph has operators that the engine does not know.
    #[error("{model} has operators that cannot be run: {}", list(operators))]
    UnsupportedOperators {
        /// The file, or `model in memory`.
        model: String,
        /// Every one of them, in graph order.
        operators: Vec<UnsupportedOperator>,
    },
    /// An input or output is not a tensor of numbers or booleans.
    #[error("{model}: `{name}` has a type that cannot be passed: {found}")]
    UnsupportedType {
        /// The file, or `model in memory`.
        model: String,
        /// The input's or output's name.
        name: String,
        /// The type as the file gives it.
        found: String,
    },
    /// The engine cannot load the graph, or cannot type it for the shapes of a call.
    #[error("{model} cannot be prepared: {reason}")]
    Prepare {
        /// The file, or `model in memory`.
        model: String,
        /// What the engine says.
        reason: String,
    },
    /// A call leaves an input out.
    #[error("input `{name}` is missing: it takes {element} {}", shape_text(shape))]
    MissingInput {
        /// The input's name.
        name: String,
        /// Its element type.
        element: ElementType,
        /// Its shape.
        shape: Option<Vec<Dimension>>,
    },
    /// A call names an input that the model does not have, or names one twice.
    #[error("`{name}` is not an input, or is given twice; the inputs are {}", known.join(", "))]
    UnknownInput {
        /// The name given.
        name: String,
        /// The model's inputs.
        known: Vec<String>,
    },
    /// A tensor has another element type than its input.
    #[error("input `{name}` takes {expected}, found {found}")]
    WrongType {
        /// The input's name.
        name: String,
        /// The input's element type.
        expected: ElementType,
        /// The tensor's element type.
        found: ElementType,
    },
    /// A tensor's shape does not fit its input's.
    #[error("input `{name}` takes the shape {}, found {found:?}", shape_text(&Some(expected.clone())))]
    WrongShape {
        /// The input's name.
        name: String,
        /// The input's shape.
        expected: Vec<Dimension>,
        /// The tensor's shape.
        found: Vec<usize>,
    },
    /// The graph failed while it ran.
    #[error("{model} failed while running: {reason}")]
    Run {
        /// The file, or `model in memory`.
        model: String,
        /// What the engine says.
        reason: String,
    },
}

/// An operator of a graph that the engine does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsupportedOperator {
    /// Its domain and type, `com.microsoft.QMoE`; the standard domain is left out.
    pub operator: String,
    /// The name of the node, or of its first output where the node has no name.
    pub node: String,
}

impl fmt::Display for UnsupportedOperator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.operator, self.node)
    }
}

fn list(operators: &[UnsupportedOperator]) -> String {
    operators
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}
