//! Tensors as programs see them: one enum over the element types, each an owned ndarray.

use std::fmt;

use half::f16;
use ndarray::{Array, ArrayD, Dimension};

/// The type of a tensor's elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum ElementType {
    F32,
    F16,
    F64,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    Bool,
}

impl ElementType {
    /// The name that Rust and ndarray use: `f32`, `i64`, `bool`.
    pub fn name(self) -> &'static str {
        match self {
            ElementType::F32 => "f32",
            ElementType::F16 => "f16",
            ElementType::F64 => "f64",
            ElementType::I8 => "i8",
            ElementType::I16 => "i16",
            ElementType::I32 => "i32",
            ElementType::I64 => "i64",
            ElementType::U8 => "u8",
            ElementType::U16 => "u16",
            ElementType::U32 => "u32",
            ElementType::U64 => "u64",
            ElementType::Bool => "bool",
        }
    }
}

impl fmt::Display for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A tensor of any element type and rank.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum Tensor {
    F32(ArrayD<f32>),
    F16(ArrayD<f16>),
    F64(ArrayD<f64>),
    I8(ArrayD<i8>),
    I16(ArrayD<i16>),
    I32(ArrayD<i32>),
    I64(ArrayD<i64>),
    U8(ArrayD<u8>),
    U16(ArrayD<u16>),
    U32(ArrayD<u32>),
    U64(ArrayD<u64>),
    Bool(ArrayD<bool>),
}

/// Does the same with the array inside a [`Tensor`], whatever its element type.
macro_rules! with_array {
    ($tensor:expr, $array:ident => $body:expr) => {
        match $tensor {
            $crate::Tensor::F32($array) => $body,
            $crate::Tensor::F16($array) => $body,
            $crate::Tensor::F64($array) => $body,
            $crate::Tensor::I8($array) => $body,
            $crate::Tensor::I16($array) => $body,
            $crate::Tensor::I32($array) => $body,
            $crate::Tensor::I64($array) => $body,
            $crate::Tensor::U8($array) => $body,
            $crate::Tensor::U16($array) => $body,
            $crate::Tensor::U32($array) => $body,
            $crate::Tensor::U64($array) => $body,
            $crate::Tensor::Bool($array) => $body,
        }
    };
}
pub(crate) use with_array;

impl Tensor {
    /// The type of the elements.
    pub fn element_type(&self) -> ElementType {
        match self {
            Tensor::F32(_) => ElementType::F32,
            Tensor::F16(_) => ElementType::F16,
            Tensor::F64(_) => ElementType::F64,
            Tensor::I8(_) => ElementType::I8,
            Tensor::I16(_) => ElementType::I16,
            Tensor::I32(_) => ElementType::I32,
            Tensor::I64(_) => ElementType::I64,
            Tensor::U8(_) => ElementType::U8,
            Tensor::U16(_) => ElementType::U16,
            Tensor::U32(_) => ElementType::U32,
            Tensor::U64(_) => ElementType::U64,
            Tensor::Bool(_) => ElementType::Bool,
        }
    }

    /// The size of each dimension.
    pub fn shape(&self) -> &[usize] {
        with_array!(self, array => array.shape())
    }

    /// A tensor of zeros (`false` for booleans).
    pub fn zeros(element: ElementType, shape: &[usize]) -> Tensor {
        match element {
            ElementType::F32 => Tensor::F32(ArrayD::zeros(shape)),
            ElementType::F16 => Tensor::F16(ArrayD::from_elem(shape, f16::ZERO)),
            ElementType::F64 => Tensor::F64(ArrayD::zeros(shape)),
            ElementType::I8 => Tensor::I8(ArrayD::zeros(shape)),
            ElementType::I16 => Tensor::I16(ArrayD::zeros(shape)),
            ElementType::I32 => Tensor::I32(ArrayD::zeros(shape)),
            ElementType::I64 => Tensor::I64(ArrayD::zeros(shape)),
            ElementType::U8 => Tensor::U8(ArrayD::zeros(shape)),
            ElementType::U16 => Tensor::U16(ArrayD::zeros(shape)),
            ElementType::U32 => Tensor::U32(ArrayD::zeros(shape)),
            ElementType::U64 => Tensor::U64(ArrayD::zeros(shape)),
            ElementType::Bool => Tensor::Bool(ArrayD::from_elem(shape, false)),
        }
    }

    /// The array, if the elements are `f32`.
    pub fn as_f32(&self) -> Option<&ArrayD<f32>> {
        match self {
            Tensor::F32(array) => Some(array),
            _ => None,
        }
    }

    /// The array, if the elements are `i64`.
    pub fn as_i64(&self) -> Option<&ArrayD<i64>> {
        match self {
            Tensor::I64(array) => Some(array),
            _ => None,
        }
    }
}

macro_rules! tensor_from_array {
    ($($element:ty => $variant:ident),*) => {$(
        impl<D: Dimension> From<Array<$element, D>> for Tensor {
            fn from(array: Array<$element, D>) -> Tensor {
                Tensor::$variant(array.into_dyn())
            }
        }
    )*};
}
tensor_from_array!(
    f32 => F32, f16 => F16, f64 => F64,
    i8 => I8, i16 => I16, i32 => I32, i64 => I64,
    u8 => U8, u16 => U16, u32 => U32, u64 => U64,
    bool => Bool
);
