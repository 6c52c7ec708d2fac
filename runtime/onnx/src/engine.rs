//! The edge to tract: every call into it, and the conversion of tensors both ways.
//!
//! tract's internals change between patch releases and some of its paths panic on graphs that it
//! does not expect; both stay behind this file.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tract_onnx::Onnx;
use tract_onnx::pb::ModelProto;
use tract_onnx::prelude::{
    DatumType, InferenceModelExt, IntoRunnable, TDim, TValue, TractResult, TypedRunnableModel,
};
use tract_onnx::tract_hir::infer::{InferenceFact, InferenceModel};
use tract_onnx::tract_hir::internal::Datum;

use crate::tensor::with_array;
use crate::{ElementType, Tensor};

/// A graph ready to run for one set of input shapes.
pub(crate) type Runnable = Arc<TypedRunnableModel>;

/// The engine with its table of operators. The shapes noted for inner values are ignored.
pub(crate) fn onnx() -> Onnx {
    tract_onnx::onnx().with_ignore_value_info(true)
}

/// Loads the graph and its weights. `folder` is where external data lies; it must not leave it.
pub(crate) fn parse(
    onnx: &Onnx,
    proto: &ModelProto,
    folder: Option<&str>,
) -> Result<InferenceModel, String> {
    guarded(|| {
        let parsed = onnx.parse(proto, folder)?;
        if !parsed.unresolved_inputs.is_empty() {
            return Err(tract_onnx::prelude::TractError::msg(format!(
                "nothing makes the values {}",
                parsed.unresolved_inputs.join(", ")
            )));
        }
        Ok(parsed.model)
    })
}

/// Types and optimises the graph for inputs of these element types and shapes, in graph order.
pub(crate) fn prepare(
    model: &InferenceModel,
    inputs: &[(ElementType, Vec<usize>)],
) -> Result<Runnable, String> {
    guarded(|| {
        let mut model = model.clone();
        for (index, (element, shape)) in inputs.iter().enumerate() {
            let fact = InferenceFact::dt_shape(datum_type(*element), shape);
            model.set_input_fact(index, fact)?;
        }
        model.into_optimized()?.into_runnable()
    })
}

/// As [`prepare`], for shapes of numbers, symbols and sums of them.
pub(crate) fn prepare_for_symbols(
    model: &InferenceModel,
    inputs: &[(ElementType, &Vec<String>)],
) -> Result<Runnable, String> {
    guarded(|| {
        let mut model = model.clone();
        for (index, (element, shape)) in inputs.iter().enumerate() {
            let sizes = shape.iter().map(|size| model.symbols.parse_tdim(size));
            let sizes = sizes.collect::<TractResult<Vec<TDim>>>()?;
            for size in sizes.iter().flat_map(TDim::symbols) {
                model.symbols.add_assertion(format!("{size}>=0"))?;
            }
            let fact = InferenceFact::dt_shape(datum_type(*element), &sizes);
            model.set_input_fact(index, fact)?;
        }
        model.into_optimized()?.into_runnable()
    })
}

/// Runs the graph. The outputs come in graph order, each as `outputs` names its element type.
pub(crate) fn run(
    runnable: &Runnable,
    inputs: Vec<&Tensor>,
    outputs: &[ElementType],
) -> Result<Vec<Tensor>, String> {
    guarded(|| {
        let inputs = inputs.into_iter().map(into_engine).collect();
        let results = runnable.run(inputs)?;
        results
            .into_iter()
            .zip(outputs)
            .map(|(value, element)| from_engine(value, *element))
            .collect()
    })
}

/// Turns the engine's errors, and its panics, into text.
fn guarded<T>(work: impl FnOnce() -> tract_onnx::prelude::TractResult<T>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(|error| format!("{error:#}")),
        Err(panic) => {
            let said = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied());
            Err(format!(
                "the engine gave up: {}",
                said.unwrap_or("no reason given")
            ))
        }
    }
}

fn into_engine(tensor: &Tensor) -> TValue {
    with_array!(tensor, array => tract_onnx::prelude::Tensor::from(array.clone()).into())
}

fn from_engine(value: TValue, element: ElementType) -> tract_onnx::prelude::TractResult<Tensor> {
    // Shapes come out as symbolic integers and quantized values with their scale attached: the
    // file's own word for the type decides.
    let value = value.cast_to_dt(datum_type(element))?.into_owned();
    Ok(match element {
        ElementType::F32 => Tensor::F32(value.into_plain_array()?),
        ElementType::F16 => Tensor::F16(value.into_plain_array()?),
        ElementType::F64 => Tensor::F64(value.into_plain_array()?),
        ElementType::I8 => Tensor::I8(value.into_plain_array()?),
        ElementType::I16 => Tensor::I16(value.into_plain_array()?),
        ElementType::I32 => Tensor::I32(value.into_plain_array()?),
        ElementType::I64 => Tensor::I64(value.into_plain_array()?),
        ElementType::U8 => Tensor::U8(value.into_plain_array()?),
        ElementType::U16 => Tensor::U16(value.into_plain_array()?),
        ElementType::U32 => Tensor::U32(value.into_plain_array()?),
        ElementType::U64 => Tensor::U64(value.into_plain_array()?),
        ElementType::Bool => Tensor::Bool(value.into_plain_array()?),
    })
}

fn datum_type(element: ElementType) -> DatumType {
    match element {
        ElementType::F32 => f32::datum_type(),
        ElementType::F16 => half::f16::datum_type(),
        ElementType::F64 => f64::datum_type(),
        ElementType::I8 => i8::datum_type(),
        ElementType::I16 => i16::datum_type(),
        ElementType::I32 => i32::datum_type(),
        ElementType::I64 => i64::datum_type(),
        ElementType::U8 => u8::datum_type(),
        ElementType::U16 => u16::datum_type(),
        ElementType::U32 => u32::datum_type(),
        ElementType::U64 => u64::datum_type(),
        ElementType::Bool => bool::datum_type(),
    }
}
