//! An ONNX file goes in, a [`Graph`] comes out: nodes in an order of execution, and tensors
//! whose bytes are still where they were.

mod branches;
mod external;
mod load;
pub(crate) mod proto;
mod sort;
mod tensor;
mod wire;

use std::collections::HashMap;
use std::path::PathBuf;
use std::rc::Rc;

pub(crate) use load::load;
pub(crate) use tensor::{Bytestore, DType, DataFile, Tensor};

use proto::AttributeProto;

/// A decoded graph.
#[derive(Debug)]
pub(crate) struct Graph {
    pub(crate) path: PathBuf,
    /// Version of ONNX's own operators.
    pub(crate) opset: i64,
    /// Each after those whose outputs it uses.
    pub(crate) nodes: Vec<Node>,
    pub(crate) initializers: HashMap<String, Rc<Tensor>>,
    /// What is fed in: names, and the sizes that are given as numbers.
    pub(crate) inputs: Vec<Port>,
    /// Names of what comes out.
    pub(crate) outputs: Vec<String>,
}

/// An input of the graph.
#[derive(Debug)]
pub(crate) struct Port {
    pub(crate) name: String,
    /// `None` where the size is a symbol or not given.
    pub(crate) shape: Vec<Option<usize>>,
}

/// An operator at work.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) name: String,
    /// Empty for ONNX's own operators.
    pub(crate) domain: String,
    pub(crate) op: String,
    /// Empty names stand for inputs that are left out.
    pub(crate) inputs: Vec<String>,
    pub(crate) outputs: Vec<String>,
    attributes: Vec<AttributeProto>,
    /// The attribute `value`, for constants.
    pub(crate) value: Option<Rc<Tensor>>,
    /// What an If gives where its condition holds and where it does not, if both are stored tensors.
    pub(crate) branches: Option<[Vec<Rc<Tensor>>; 2]>,
}

impl Node {
    /// Domain and name of the operator, for people.
    pub(crate) fn operator(&self) -> String {
        match self.domain.is_empty() {
            true => self.op.clone(),
            false => format!("{}.{}", self.domain, self.op),
        }
    }

    /// An integer attribute.
    pub(crate) fn int(&self, name: &str) -> Option<i64> {
        self.attribute(name).map(|a| a.i)
    }

    /// An integer attribute or its default.
    pub(crate) fn int_or(&self, name: &str, default: i64) -> i64 {
        self.int(name).unwrap_or(default)
    }

    /// A float attribute.
    pub(crate) fn float(&self, name: &str) -> Option<f32> {
        self.attribute(name).map(|a| a.f)
    }

    /// A text attribute.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.attribute(name)
            .and_then(|a| std::str::from_utf8(&a.s).ok())
    }

    /// An attribute that is a list of integers.
    pub(crate) fn ints(&self, name: &str) -> Option<&[i64]> {
        self.attribute(name).map(|a| a.ints.as_slice())
    }

    /// An attribute that is a list of floats.
    pub(crate) fn floats(&self, name: &str) -> Option<&[f32]> {
        self.attribute(name).map(|a| a.floats.as_slice())
    }

    /// The attributes' names.
    pub(crate) fn attribute_names(&self) -> impl Iterator<Item = &str> {
        self.attributes.iter().map(|a| a.name.as_str())
    }

    /// The name of an input that is not left out.
    pub(crate) fn input(&self, index: usize) -> Option<&str> {
        self.inputs
            .get(index)
            .map(String::as_str)
            .filter(|name| !name.is_empty())
    }

    /// Whether the output is there and named.
    pub(crate) fn has_output(&self, index: usize) -> bool {
        self.outputs.get(index).is_some_and(|name| !name.is_empty())
    }

    fn attribute(&self, name: &str) -> Option<&AttributeProto> {
        self.attributes.iter().find(|a| a.name == name)
    }
}
