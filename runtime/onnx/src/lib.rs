//! Runs any ONNX graph: named tensors go in, named tensors come out, executed by tract.
//!
//! This is the room for models that are not language models (wake words, vision, encoders), and
//! the plain f32 answer that tests hold decoder graphs against. It is a thin layer: it reads what
//! a graph takes and gives, binds the dimensions of a call, and keeps one optimised plan for each
//! set of input shapes, so that the second call with the same shapes only computes.
//!
//! ```no_run
//! use ndarray::Array;
//! use tealight_onnx::{OnnxModel, Tensor};
//!
//! # fn main() -> Result<(), tealight_onnx::OnnxError> {
//! let model = OnnxModel::open("wake-word.onnx")?;
//! let sound = Tensor::from(Array::<f32, _>::zeros((1, 1280)));
//! for (name, tensor) in model.run(&[("input", sound)])? {
//!     println!("{name}: {:?}", tensor.shape());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! - **Shapes are bound a call.** Batch, sequence and any other open dimension come from the
//!   tensors given. The shapes that exporters note for inner values are ignored: they are often wrong.
//! - **What the engine gives up on is an error.** Its panics are caught; the [`OnnxError`] names
//!   the file and the reason.

mod engine;
mod error;
mod model;
mod plans;
mod proto;
mod signature;
mod tensor;

pub use half;
pub use ndarray;

pub use error::{OnnxError, UnsupportedOperator};
pub use model::{OnnxModel, PreparedModel};
pub use signature::{Dimension, TensorInfo};
pub use tensor::{ElementType, Tensor};
