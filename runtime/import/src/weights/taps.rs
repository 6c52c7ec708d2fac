//! Taps of a convolution, which graphs store channel after channel and plans tap after tap.

use std::rc::Rc;

use super::fault;
use crate::ImportError;
use crate::onnx::Tensor;
use crate::spec::{TensorShape, TensorSource};

/// A weight `[channels, 1, taps]` that becomes a table `taps × channels` of f32.
pub(crate) struct Taps(pub(crate) Rc<Tensor>);

impl TensorSource for Taps {
    fn stream(
        &self,
        shape: &TensorShape,
        sink: &mut dyn FnMut(&[u8]) -> Result<(), ImportError>,
    ) -> Result<f32, ImportError> {
        let values = self.0.floats()?;
        if values.iter().any(|value| !value.is_finite()) {
            return Err(fault(&self.0, "holds values that are no numbers"));
        }
        for tap in 0..shape.rows {
            let of_tap = values.iter().skip(tap).step_by(shape.rows);
            let bytes: Vec<u8> = of_tap.flat_map(|value| value.to_le_bytes()).collect();
            sink(&bytes)?;
        }
        Ok(1.0)
    }
}
