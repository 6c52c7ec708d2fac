//! An open ONNX model: what it takes, what it gives, and calls.

use std::fs;
use std::path::Path;

use tract_onnx::pb::ModelProto;
use tract_onnx::prelude::Framework;
use tract_onnx::tract_hir::infer::InferenceModel;

use crate::plans::Plans;
use crate::{OnnxError, Tensor, TensorInfo, engine, proto};

/// An ONNX model, loaded and ready for calls of any fitting shapes. Shared between threads freely.
pub struct OnnxModel {
    /// What messages call the model: its path, or `model in memory`.
    file: String,
    inputs: Vec<TensorInfo>,
    outputs: Vec<TensorInfo>,
    /// The graph with its weights, not yet typed: shapes come with the calls.
    graph: InferenceModel,
    plans: Plans,
}

/// A graph that [`OnnxModel::prepare`] has prepared.
#[derive(Clone)]
pub struct PreparedModel(engine::Runnable);

impl OnnxModel {
    /// Opens a `.onnx` file. Weights in external files are read from the file's own folder, and
    /// from nowhere outside it.
    ///
    /// # Errors
    /// The file cannot be read or is not sound, or its graph has operators or types that cannot
    /// be run.
    pub fn open(path: impl AsRef<Path>) -> Result<OnnxModel, OnnxError> {
        let path = path.as_ref();
        let bytes = fs::read(path).map_err(|source| OnnxError::Read {
            path: path.to_owned(),
            source,
        })?;
        let folder = path.parent().and_then(Path::to_str);
        OnnxModel::load(path.display().to_string(), &bytes, folder)
    }

    /// Opens a model that lies in memory. It cannot have external data.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_bytes(bytes: &[u8]) -> Result<OnnxModel, OnnxError> {
        OnnxModel::load("model in memory".to_owned(), bytes, None)
    }

    fn load(file: String, mut bytes: &[u8], folder: Option<&str>) -> Result<OnnxModel, OnnxError> {
        let onnx = engine::onnx();
        let model: ModelProto =
            onnx.proto_model_for_read(&mut bytes)
                .map_err(|error| OnnxError::Malformed {
                    model: file.clone(),
                    reason: format!("{error:#}"),
                })?;
        let graph = proto::graph(&model, &file)?;
        let operators =
            proto::unsupported(graph, &|operator| onnx.op_register.0.contains_key(operator));
        if !operators.is_empty() {
            return Err(OnnxError::UnsupportedOperators {
                model: file,
                operators,
            });
        }
        let inputs = proto::inputs(graph, &file)?;
        let outputs = proto::outputs(graph, &file)?;
        match engine::parse(&onnx, &model, folder) {
            Ok(graph) => Ok(OnnxModel {
                file,
                inputs,
                outputs,
                graph,
                plans: Plans::default(),
            }),
            Err(reason) => Err(OnnxError::Prepare {
                model: file,
                reason,
            }),
        }
    }

    /// The inputs that a call must feed, in graph order.
    pub fn inputs(&self) -> &[TensorInfo] {
        &self.inputs
    }

    /// The outputs that a call gives, in graph order.
    pub fn outputs(&self) -> &[TensorInfo] {
        &self.outputs
    }

    /// Runs the graph on `inputs`, named tensors in any order, and gives every output with its
    /// name, in graph order.
    ///
    /// The first call with a set of shapes prepares a plan for them (milliseconds to seconds);
    /// later calls with the same shapes reuse it. The plans of the last four sets are kept.
    ///
    /// # Errors
    /// An input is missing, unknown, or of another element type or shape than the model takes;
    /// or the graph cannot be prepared for these shapes or fails while it runs.
    pub fn run(&self, inputs: &[(&str, Tensor)]) -> Result<Vec<(String, Tensor)>, OnnxError> {
        let ordered = self.place(inputs)?;
        let shapes = ordered.iter().map(|t| t.shape().to_vec()).collect();
        let plan = self.plans.get_or(shapes, |shapes| {
            let elements = self.inputs.iter().map(|info| info.element);
            let facts: Vec<_> = elements.zip(shapes.iter().cloned()).collect();
            engine::prepare(&self.graph, &facts).map_err(|reason| OnnxError::Prepare {
                model: self.file.clone(),
                reason,
            })
        })?;
        self.results(&plan, ordered)
    }

    /// Prepares the graph once for calls whose inputs have these shapes, in graph order: each size a
    /// number, a symbol or a sum, such as `1`, `S` and `P+S`. Symbols are positive, or zero.
    ///
    /// Where the sizes that a call brings would each need a plan of their own, as those of a text that
    /// grows do, this saves the time for those; the engine can do it for fewer graphs.
    ///
    /// # Errors
    /// The shapes are not as many as the inputs, or the graph cannot be prepared for them.
    pub fn prepare(&self, shapes: &[Vec<String>]) -> Result<PreparedModel, OnnxError> {
        let elements = self.inputs.iter().map(|info| info.element);
        let facts: Vec<_> = elements.zip(shapes).collect();
        let prepared = match facts.len() == self.inputs.len() {
            true => engine::prepare_for_symbols(&self.graph, &facts),
            false => Err(format!(
                "{} inputs have no shape",
                self.inputs.len() - facts.len()
            )),
        };
        match prepared {
            Ok(plan) => Ok(PreparedModel(plan)),
            Err(reason) => Err(OnnxError::Prepare {
                model: self.file.clone(),
                reason,
            }),
        }
    }

    /// As [`run`](Self::run), with what [`prepare`](Self::prepare) of this model gave.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn run_prepared(
        &self,
        prepared: &PreparedModel,
        inputs: &[(&str, Tensor)],
    ) -> Result<Vec<(String, Tensor)>, OnnxError> {
        self.results(&prepared.0, self.place(inputs)?)
    }

    fn results(
        &self,
        plan: &engine::Runnable,
        inputs: Vec<&Tensor>,
    ) -> Result<Vec<(String, Tensor)>, OnnxError> {
        let elements: Vec<_> = self.outputs.iter().map(|info| info.element).collect();
        let results = engine::run(plan, inputs, &elements).map_err(|reason| OnnxError::Run {
            model: self.file.clone(),
            reason,
        })?;
        let names = self.outputs.iter().map(|info| info.name.clone());
        Ok(names.zip(results).collect())
    }

    /// The tensors of a call in the order of the graph's inputs, each checked against its input.
    fn place<'a>(&self, given: &'a [(&str, Tensor)]) -> Result<Vec<&'a Tensor>, OnnxError> {
        let mut slots: Vec<Option<&Tensor>> = vec![None; self.inputs.len()];
        for (name, tensor) in given {
            let slot = self.inputs.iter().position(|info| info.name == *name);
            match slot {
                Some(slot) if slots[slot].is_none() => slots[slot] = Some(tensor),
                _ => {
                    return Err(OnnxError::UnknownInput {
                        name: (*name).to_owned(),
                        known: self.inputs.iter().map(|info| info.name.clone()).collect(),
                    });
                }
            }
        }
        let checked = self.inputs.iter().zip(slots);
        checked.map(|(info, slot)| check(info, slot)).collect()
    }
}

fn check<'a>(info: &TensorInfo, tensor: Option<&'a Tensor>) -> Result<&'a Tensor, OnnxError> {
    let Some(tensor) = tensor else {
        return Err(OnnxError::MissingInput {
            name: info.name.clone(),
            element: info.element,
            shape: info.shape.clone(),
        });
    };
    if tensor.element_type() != info.element {
        return Err(OnnxError::WrongType {
            name: info.name.clone(),
            expected: info.element,
            found: tensor.element_type(),
        });
    }
    if !info.accepts(tensor.shape()) {
        return Err(OnnxError::WrongShape {
            name: info.name.clone(),
            expected: info.shape.clone().unwrap_or_default(),
            found: tensor.shape().to_vec(),
        });
    }
    Ok(tensor)
}

impl std::fmt::Debug for OnnxModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OnnxModel")
            .field("file", &self.file)
            .field("inputs", &self.inputs)
            .field("outputs", &self.outputs)
            .finish_non_exhaustive()
    }
}
