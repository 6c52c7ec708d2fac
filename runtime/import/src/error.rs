//! What can go wrong during an import.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::model_files::TextError;
use crate::onnx::Node;
use crate::write::WriteError;

/// Why a model could not be imported. No file was left behind.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The path names nothing that holds a graph.
    #[error("`{}` holds no ONNX graph: expected a folder with a .onnx file, or the file itself", path.display())]
    NoGraph {
        /// The path that was given.
        path: PathBuf,
    },
    /// A folder holds several graphs, and none of them is the obvious one.
    #[error(
        "`{}` holds several graphs ({}): name the file of one of them, such as `{}`",
        path.display(), names.join(", "), example(path, names)
    )]
    SeveralGraphs {
        /// The folder.
        path: PathBuf,
        /// The graphs' file names.
        names: Vec<String>,
    },
    /// A file could not be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The graph's file is no ONNX model, or only a part of one.
    #[error("`{}` is not a whole ONNX model: {fault}", path.display())]
    Malformed {
        /// The graph's file.
        path: PathBuf,
        /// What is wrong with it.
        fault: String,
    },
    /// A tensor's data cannot be what its description says.
    #[error("tensor `{tensor}` in `{}`: {fault}", path.display())]
    Tensor {
        /// The file that holds, or should hold, the data.
        path: PathBuf,
        /// The tensor's name.
        tensor: String,
        /// What is wrong with it.
        fault: String,
    },
    /// A tensor's external data lies where no model's data may lie.
    #[error("tensor `{tensor}` has its data in `{location}`, which {fault}")]
    ExternalPath {
        /// The tensor's name.
        tensor: String,
        /// The location as the graph gives it.
        location: String,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// Operators that are no part of a decoder that this version knows.
    #[error("{}", list(.0))]
    Unrecognised(Vec<UnrecognisedOperator>),
    /// The graph is what a tracer saw of a mixture of experts.
    #[error(
        "it is a mixture of experts traced with the experts that an example happened to hit \
         (`{node}` looks for the tokens of one); export it with models/export"
    )]
    TracedExperts {
        /// The node that finds the tokens of an expert.
        node: String,
    },
    /// An operator is known, but its quantization is not supported.
    #[error(
        "operator `{node}` ({operator}) is quantized in a way that plans do not store: {fault}"
    )]
    Quantization {
        /// The node's name.
        node: String,
        /// Domain and name of its operator.
        operator: String,
        /// What is not supported, and what is.
        fault: String,
    },
    /// An operator is known, but an attribute has a value that means nothing.
    #[error("operator `{node}` ({operator}) cannot be what it says: {fault}")]
    Attribute {
        /// The node's name.
        node: String,
        /// Domain and name of its operator.
        operator: String,
        /// What was found, and what was expected.
        fault: String,
    },
    /// The operators are known, but the whole is no decoder.
    #[error("the graph in `{}` is no decoder that can be compiled: {fault}", path.display())]
    NotADecoder {
        /// The graph's file.
        path: PathBuf,
        /// What is missing or does not fit.
        fault: String,
    },
    /// A layer is to be quantized in another way, but there is no such layer.
    #[error("there is no layer {layer}: the model has {layers}, counted from 0")]
    NoSuchLayer {
        /// The layer that was named.
        layer: usize,
        /// How many there are.
        layers: usize,
    },
    /// What a weight's linear map is given could not be found out.
    #[error("cannot run the text to calibrate `{weight}` on: {source}")]
    Calibration {
        /// The weight's name.
        weight: String,
        /// What went wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The tokenizer or another text beside the graph cannot be used.
    #[error(transparent)]
    Text(#[from] TextError),
    /// The plan could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl ImportError {
    pub(crate) fn read(path: &Path, source: io::Error) -> ImportError {
        ImportError::Read {
            path: path.to_owned(),
            source,
        }
    }

    pub(crate) fn attribute(node: &Node, fault: String) -> ImportError {
        ImportError::Attribute {
            node: node.name.clone(),
            operator: node.operator(),
            fault,
        }
    }

    pub(crate) fn malformed(path: &Path, fault: impl Into<String>) -> ImportError {
        ImportError::Malformed {
            path: path.to_owned(),
            fault: fault.into(),
        }
    }
}

/// An operator that the import could not place.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnrecognisedOperator {
    /// The operator's domain; empty for ONNX's own.
    pub domain: String,
    /// The operator's name.
    pub operator: String,
    /// The node's name in the graph.
    pub node: String,
    /// Whether the import knows no operator of that name, as opposed to one used in a way
    /// that it cannot explain.
    pub unknown: bool,
}

impl fmt::Display for UnrecognisedOperator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.domain.is_empty() {
            write!(f, "{}.", self.domain)?;
        }
        let why = if self.unknown {
            "unknown operator"
        } else {
            "unexpected use"
        };
        write!(f, "{} at node `{}` ({why})", self.operator, self.node)
    }
}

fn example(folder: &Path, names: &[String]) -> String {
    let first = names.first().map_or("", String::as_str);
    folder.join(first).display().to_string()
}

fn list(operators: &[UnrecognisedOperator]) -> String {
    let mut text = match operators.len() {
        1 => "1 operator is not recognised:".to_owned(),
        n => format!("{n} operators are not recognised:"),
    };
    for operator in operators {
        text.push_str("\n  ");
        text.push_str(&operator.to_string());
    }
    text
}
