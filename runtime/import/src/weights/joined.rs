//! Tensors that are made of several, one below the other.

use std::rc::Rc;

use super::{Matrix, Quantize, fault, scale};
use crate::ImportError;
use crate::calibration::{Calibration, Factor};
use crate::onnx::Tensor;
use crate::spec::{TensorShape, TensorSource};

/// Matrices of the same encoding and width; all but the last fill whole groups of rows.
pub(crate) struct JoinedMatrix {
    pub(crate) parts: Vec<Matrix>,
    /// Its name in the report.
    pub(crate) name: String,
    pub(crate) calibration: Option<Rc<dyn Calibration>>,
}

impl JoinedMatrix {
    /// The factors of what the matrices are given, where that is known and of use: of 8 bits rounding costs
    /// too little to be made up for.
    fn inputs(&self) -> Result<Option<Factor>, ImportError> {
        let of_use =
            |part: &Matrix| matches!(part, Matrix::Quantized(part) if part.to != Quantize::Int8);
        let Some(calibration) = self
            .calibration
            .as_ref()
            .filter(|_| self.parts.iter().any(of_use))
        else {
            return Ok(None);
        };
        let products = calibration.products(&self.name);
        let products = products.map_err(|source| ImportError::Calibration {
            weight: self.name.clone(),
            source,
        })?;
        Ok(products.and_then(Factor::of))
    }
}

impl TensorSource for JoinedMatrix {
    fn stream(
        &self,
        _: &TensorShape,
        sink: &mut dyn FnMut(&[u8]) -> Result<(), ImportError>,
    ) -> Result<f32, ImportError> {
        let mut greatest: Option<f32> = None;
        let mut exact = 1.0;
        for matrix in &self.parts {
            match matrix.greatest_scale()? {
                Some(scale) => greatest = Some(greatest.map_or(scale, |g| g.max(scale))),
                None => {
                    if let Matrix::Int8(matrix) = matrix {
                        exact = matrix.record_scale().unwrap_or(1.0);
                    }
                }
            }
        }
        let factor = greatest.map_or(exact, scale::factor);
        let inputs = self.inputs()?;
        for matrix in &self.parts {
            matrix.pack(factor, inputs.as_ref(), sink)?;
        }
        Ok(factor)
    }
}

/// Vectors of floats, one after the other, stored as f32.
pub(crate) struct Vectors(pub(crate) Vec<Rc<Tensor>>);

impl TensorSource for Vectors {
    fn stream(
        &self,
        _: &TensorShape,
        sink: &mut dyn FnMut(&[u8]) -> Result<(), ImportError>,
    ) -> Result<f32, ImportError> {
        for tensor in &self.0 {
            let values = tensor.floats()?;
            if values.iter().any(|value| !value.is_finite()) {
                return Err(fault(tensor, "holds values that are no numbers"));
            }
            let bytes: Vec<u8> = values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect();
            sink(&bytes)?;
        }
        Ok(1.0)
    }
}
