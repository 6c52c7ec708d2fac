//! Reads what a graph says of itself: its inputs and outputs, and the operators it asks for.

use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::dimension::Value as Size;
use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, ValueInfoProto, type_proto};

use crate::{Dimension, ElementType, OnnxError, TensorInfo, UnsupportedOperator};

/// The graph of `model`.
///
/// # Errors
/// There is none, it gives nothing, or an output is a name that nothing in it makes.
pub(crate) fn graph<'a>(model: &'a ModelProto, file: &str) -> Result<&'a GraphProto, OnnxError> {
    let malformed = |reason: String| OnnxError::Malformed {
        model: file.to_owned(),
        reason,
    };
    let graph = model
        .graph
        .as_ref()
        .ok_or_else(|| malformed("it has no graph".to_owned()))?;
    if graph.output.is_empty() {
        return Err(malformed("its graph has no outputs".to_owned()));
    }
    let made: std::collections::HashSet<&str> = graph
        .node
        .iter()
        .flat_map(|node| &node.output)
        .chain(graph.input.iter().map(|input| &input.name))
        .chain(graph.initializer.iter().map(|tensor| &tensor.name))
        .map(String::as_str)
        .collect();
    match graph
        .output
        .iter()
        .find(|output| !made.contains(output.name.as_str()))
    {
        Some(output) => Err(malformed(format!(
            "nothing in it makes the output `{}`",
            output.name
        ))),
        None => Ok(graph),
    }
}

/// The inputs that a call feeds, in graph order: those that have no value in the file.
pub(crate) fn inputs(graph: &GraphProto, file: &str) -> Result<Vec<TensorInfo>, OnnxError> {
    let valued: std::collections::HashSet<&str> = graph
        .initializer
        .iter()
        .map(|tensor| tensor.name.as_str())
        .collect();
    graph
        .input
        .iter()
        .filter(|input| !valued.contains(input.name.as_str()))
        .map(|input| tensor_info(input, file))
        .collect()
}

/// The outputs, in graph order.
pub(crate) fn outputs(graph: &GraphProto, file: &str) -> Result<Vec<TensorInfo>, OnnxError> {
    graph
        .output
        .iter()
        .map(|output| tensor_info(output, file))
        .collect()
}

fn tensor_info(value: &ValueInfoProto, file: &str) -> Result<TensorInfo, OnnxError> {
    let unsupported = |found: String| OnnxError::UnsupportedType {
        model: file.to_owned(),
        name: value.name.clone(),
        found,
    };
    let Some(type_proto::Value::TensorType(tensor)) =
        value.r#type.as_ref().and_then(|t| t.value.as_ref())
    else {
        return Err(unsupported("not a tensor".to_owned()));
    };
    let data_type = DataType::try_from(tensor.elem_type)
        .map_err(|_| unsupported(format!("ONNX data type {}", tensor.elem_type)))?;
    let element = element_type(data_type)
        .ok_or_else(|| unsupported(format!("{data_type:?}").to_lowercase()))?;
    let shape = tensor.shape.as_ref().map(|shape| {
        shape
            .dim
            .iter()
            .map(|dim| match &dim.value {
                Some(Size::DimValue(size)) => {
                    usize::try_from(*size).map_or(Dimension::Open, Dimension::Fixed)
                }
                Some(Size::DimParam(name)) if !matches!(name.as_str(), "" | "?") => {
                    Dimension::Symbol(name.clone())
                }
                _ => Dimension::Open,
            })
            .collect()
    });
    Ok(TensorInfo {
        name: value.name.clone(),
        element,
        shape,
    })
}

fn element_type(data_type: DataType) -> Option<ElementType> {
    Some(match data_type {
        DataType::Float => ElementType::F32,
        DataType::Float16 => ElementType::F16,
        DataType::Double => ElementType::F64,
        DataType::Int8 => ElementType::I8,
        DataType::Int16 => ElementType::I16,
        DataType::Int32 => ElementType::I32,
        DataType::Int64 => ElementType::I64,
        DataType::Uint8 => ElementType::U8,
        DataType::Uint16 => ElementType::U16,
        DataType::Uint32 => ElementType::U32,
        DataType::Uint64 => ElementType::U64,
        DataType::Bool => ElementType::Bool,
        _ => return None,
    })
}

/// Every node, here and in the bodies of loops and branches, whose operator `known` refuses.
pub(crate) fn unsupported(
    graph: &GraphProto,
    known: &dyn Fn(&str) -> bool,
) -> Vec<UnsupportedOperator> {
    let mut found = Vec::new();
    for node in &graph.node {
        if !known(&node.op_type) {
            found.push(UnsupportedOperator {
                operator: operator_name(node),
                node: node_name(node),
            });
        }
        for attribute in &node.attribute {
            if attribute.r#type == AttributeType::Graph as i32
                && let Some(body) = &attribute.g
            {
                found.extend(unsupported(body, known));
            }
        }
    }
    found
}

fn operator_name(node: &NodeProto) -> String {
    match node.domain.as_str() {
        "" | "ai.onnx" => node.op_type.clone(),
        domain => format!("{domain}.{}", node.op_type),
    }
}

fn node_name(node: &NodeProto) -> String {
    let first_output = || node.output.first().cloned().unwrap_or_default();
    if node.name.is_empty() {
        first_output()
    } else {
        node.name.clone()
    }
}
