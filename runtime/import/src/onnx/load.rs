//! Decodes a graph and checks every tensor's description, without reading their data.

use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

use bytes::Bytes;
use memmap2::Mmap;
use prost::Message;

use super::external::ExternalFiles;
use super::proto::{GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto};
use super::{Bytestore, DType, DataFile, Graph, Node, Port, Tensor, branches, sort};
use crate::ImportError;

/// Most bytes that a graph may take beside its tensors' data. The graphs of the largest
/// models stay far below.
const MAX_STRUCTURE: u64 = 64 << 20;

/// Most bytes of memory that a graph's parts take for each byte of the file. Exporters' graphs stay
/// below 10; a part that is empty, as hostile files have them, takes 70 for each of its two bytes.
const PARTS_PER_BYTE: u64 = 16;
/// And for all, so that small files need not be measured closely.
const FEW_PARTS: u64 = 4 << 20;

/// Loads the graph in the file `path`.
pub(crate) fn load(path: &Path) -> Result<Graph, ImportError> {
    let file = DataFile::open(path.to_owned())?;
    if file.len == 0 {
        return Err(ImportError::malformed(path, "the file is empty"));
    }
    // SAFETY: the mapping is only read. Another program that changes the file meanwhile could
    // change what is read, which the decoder below has to withstand from any file.
    let map = unsafe { Mmap::map(&file.file) }.map_err(|error| ImportError::read(path, error))?;
    let bytes = Bytes::from_owner(map);
    let measure = super::wire::measure(&bytes)
        .ok_or_else(|| ImportError::malformed(path, "its protobuf is damaged or cut short"))?;
    if measure.structure > MAX_STRUCTURE {
        return Err(ImportError::malformed(
            path,
            "its graph is larger than any decoder's",
        ));
    }
    if measure.parts > PARTS_PER_BYTE * file.len + FEW_PARTS {
        return Err(ImportError::malformed(
            path,
            "it has more nodes, tensors or attributes than its bytes could name",
        ));
    }
    let model = ModelProto::decode(bytes.clone())
        .map_err(|error| ImportError::malformed(path, error.to_string()))?;
    let mut graph = model
        .graph
        .ok_or_else(|| ImportError::malformed(path, "it has no graph"))?;
    branches::put_in_place(&mut graph).map_err(|fault| ImportError::malformed(path, fault))?;
    let own = model
        .opset_import
        .iter()
        .find(|set| matches!(&set.domain[..], "" | "ai.onnx"));
    let opset = own.map_or(1, |set| set.version);
    Loader {
        main: Rc::new(file),
        bytes,
        external: ExternalFiles::new(path),
        tensors: 0,
    }
    .graph(graph, opset)
}

struct Loader {
    main: Rc<DataFile>,
    bytes: Bytes,
    external: ExternalFiles,
    tensors: usize,
}

impl Loader {
    fn graph(mut self, proto: GraphProto, opset: i64) -> Result<Graph, ImportError> {
        let mut initializers = HashMap::with_capacity(proto.initializer.len());
        for tensor in proto.initializer {
            let tensor = Rc::new(self.tensor(tensor)?);
            if let Some(twice) = initializers.insert(tensor.name.clone(), tensor) {
                let fault = format!("it has two tensors named `{}`", twice.name);
                return Err(ImportError::malformed(&self.main.path, fault));
            }
        }
        let mut nodes = Vec::with_capacity(proto.node.len());
        for (index, node) in proto.node.into_iter().enumerate() {
            nodes.push(self.node(node, index)?);
        }
        // Old exporters list initializers among the inputs, as defaults.
        let inputs: Vec<Port> = proto
            .input
            .into_iter()
            .filter(|input| !initializers.contains_key(&input.name))
            .map(port)
            .collect();
        let outputs = proto.output.into_iter().map(|output| output.name).collect();
        let given = inputs
            .iter()
            .map(|p| p.name.as_str())
            .chain(initializers.keys().map(String::as_str));
        let order = sort::topological(&nodes, given)
            .map_err(|fault| ImportError::malformed(&self.main.path, fault))?;
        let nodes = sort::reorder(nodes, &order);
        Ok(Graph {
            path: self.main.path.clone(),
            opset,
            nodes,
            initializers,
            inputs,
            outputs,
        })
    }

    fn node(&mut self, proto: NodeProto, index: usize) -> Result<Node, ImportError> {
        let mut attributes = proto.attribute;
        let mut value = None;
        let mut branches = [None, None];
        for attribute in &mut attributes {
            // Only the attribute of constants is a tensor that anyone asks for.
            if let Some(tensor) = attribute.t.take().filter(|_| attribute.name == "value") {
                let name = proto.output.first().cloned().unwrap_or_default();
                value = Some(Rc::new(self.tensor(TensorProto { name, ..*tensor })?));
            }
            let branch = ["then_branch", "else_branch"];
            let branch = branch.into_iter().position(|name| attribute.name == name);
            if let (Some(graph), Some(branch)) = (attribute.g.take(), branch) {
                branches[branch] = self.stored_outputs(*graph)?;
            }
        }
        let name = match proto.name {
            name if name.is_empty() => format!("#{index}"),
            name => name,
        };
        let domain = match proto.domain.as_str() {
            "ai.onnx" => String::new(),
            _ => proto.domain,
        };
        let (op, inputs, outputs) = (proto.op_type, proto.input, proto.output);
        Ok(Node {
            name,
            domain,
            op,
            inputs,
            outputs,
            attributes,
            value,
            branches: match branches {
                [Some(yes), Some(no)] => Some([yes, no]),
                _ => None,
            },
        })
    }

    /// The outputs of a graph that is made of nothing but stored tensors.
    fn stored_outputs(
        &mut self,
        graph: GraphProto,
    ) -> Result<Option<Vec<Rc<Tensor>>>, ImportError> {
        let mut tensors = HashMap::new();
        for tensor in graph.initializer {
            tensors.insert(tensor.name.clone(), tensor);
        }
        for node in graph.node {
            let value = node.attribute.into_iter().find(|a| a.name == "value");
            let (Some(name), Some(tensor), "Constant") = (
                node.output.first(),
                value.and_then(|a| a.t),
                &node.op_type[..],
            ) else {
                return Ok(None);
            };
            let name = name.clone();
            tensors.insert(name.clone(), TensorProto { name, ..*tensor });
        }
        let mut outputs = Vec::with_capacity(graph.output.len());
        for output in &graph.output {
            match tensors.remove(&output.name) {
                Some(tensor) => outputs.push(Rc::new(self.tensor(tensor)?)),
                None => return Ok(None),
            }
        }
        Ok(Some(outputs))
    }

    fn tensor(&mut self, proto: TensorProto) -> Result<Tensor, ImportError> {
        let name = proto.name.clone();
        let path = self.main.path.clone();
        let fault = |fault: String| ImportError::Tensor {
            path: path.clone(),
            tensor: name.clone(),
            fault,
        };
        let dtype = DType::from_onnx(i64::from(proto.data_type)).ok_or_else(|| {
            fault(format!(
                "has the element type {}, which is not supported",
                proto.data_type
            ))
        })?;
        let shape = proto
            .dims
            .iter()
            .map(|&dim| usize::try_from(dim).ok())
            .collect::<Option<Vec<usize>>>()
            .ok_or_else(|| fault(format!("has the impossible shape {:?}", proto.dims)))?;
        // Zero-sized shapes must not hide an overflow in the other sizes.
        let len = shape
            .iter()
            .try_fold(1usize, |len, &dim| len.checked_mul(dim.max(1)))
            .and_then(|elements| dtype.stored_bytes(elements))
            .filter(|&len| isize::try_from(len).is_ok())
            .map(|len| if shape.contains(&0) { 0 } else { len })
            .ok_or_else(|| fault(format!("has the impossible shape {shape:?}")))?;
        let bytes = if proto.data_location == 1 {
            self.external
                .locate(&name, &proto.external_data, len as u64)?
        } else if !proto.raw_data.is_empty() {
            if proto.raw_data.len() != len {
                let found = proto.raw_data.len();
                return Err(fault(format!(
                    "has {found} bytes, its shape {shape:?} needs {len}"
                )));
            }
            self.inline(proto.raw_data)
        } else {
            Bytestore::Memory(typed_data(&proto, dtype, len).map_err(fault)?)
        };
        self.tensors += 1;
        Ok(Tensor {
            id: self.tensors,
            name: proto.name,
            dtype,
            shape,
            bytes,
        })
    }

    /// Where bytes that the decoder cut out of the mapping lie in the file.
    fn inline(&self, raw: Bytes) -> Bytestore {
        let (start, at) = (self.bytes.as_ptr() as usize, raw.as_ptr() as usize);
        match at.checked_sub(start) {
            Some(offset) if offset + raw.len() <= self.bytes.len() => Bytestore::File {
                file: self.main.clone(),
                offset: offset as u64,
            },
            _ => Bytestore::Memory(raw),
        }
    }
}

/// Values that are given one by one instead of as raw bytes.
fn typed_data(proto: &TensorProto, dtype: DType, len: usize) -> Result<Bytes, String> {
    let bytes: Vec<u8> = match dtype {
        DType::F32 => proto
            .float_data
            .iter()
            .flat_map(|x| x.to_le_bytes())
            .collect(),
        DType::I64 => proto
            .int64_data
            .iter()
            .flat_map(|x| x.to_le_bytes())
            .collect(),
        DType::I32 => proto
            .int32_data
            .iter()
            .flat_map(|x| x.to_le_bytes())
            .collect(),
        DType::U8 | DType::I8 | DType::U4 | DType::I4 | DType::Bool => {
            proto.int32_data.iter().map(|&x| x as u8).collect()
        }
        DType::F16 | DType::Bf16 => proto
            .int32_data
            .iter()
            .flat_map(|&x| (x as u16).to_le_bytes())
            .collect(),
        DType::F64 => Vec::new(),
    };
    if bytes.len() != len {
        let (found, shape) = (bytes.len(), &proto.dims);
        return Err(format!(
            "has {found} bytes of values, its shape {shape:?} needs {len}"
        ));
    }
    Ok(bytes.into())
}

fn port(proto: ValueInfoProto) -> Port {
    let shape = proto
        .r#type
        .and_then(|t| t.tensor_type)
        .and_then(|t| t.shape);
    let shape = shape.map_or(Vec::new(), |shape| {
        let size = |value: i64| usize::try_from(value).ok().filter(|&size| size > 0);
        shape.dim.iter().map(|dim| size(dim.dim_value)).collect()
    });
    Port {
        name: proto.name,
        shape,
    }
}
