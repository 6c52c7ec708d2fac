//! Small ONNX models made in tests, and where they are put.

use std::path::PathBuf;

use bytes::Bytes;
use prost::Message;
use tempfile::TempDir;

use crate::onnx::proto::{
    AttributeProto, DimensionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto,
    StringStringEntryProto, TensorProto, TensorShapeProto, TensorTypeProto, TypeProto,
    ValueInfoProto,
};

/// A model under construction.
#[derive(Clone, Debug)]
pub(crate) struct TestModel {
    graph: GraphProto,
}

impl TestModel {
    pub(crate) fn new() -> TestModel {
        TestModel {
            graph: GraphProto::default(),
        }
    }

    /// An input; 0 stands for a symbolic size.
    pub(crate) fn input(&mut self, name: &str, shape: &[i64]) {
        let dim = shape
            .iter()
            .map(|&dim_value| DimensionProto { dim_value })
            .collect();
        let tensor_type = Some(TensorTypeProto {
            shape: Some(TensorShapeProto { dim }),
        });
        let r#type = Some(TypeProto { tensor_type });
        self.graph.input.push(ValueInfoProto {
            name: name.into(),
            r#type,
        });
    }

    pub(crate) fn output(&mut self, name: &str) {
        self.graph.output.push(ValueInfoProto {
            name: name.into(),
            r#type: None,
        });
    }

    /// Floats that follow from their index.
    pub(crate) fn floats(&mut self, name: &str, shape: &[i64], value: impl Fn(usize) -> f32) {
        let count = shape.iter().product::<i64>() as usize;
        let raw = (0..count).flat_map(|at| value(at).to_le_bytes()).collect();
        self.tensor(name, 1, shape, raw);
    }

    pub(crate) fn ints(&mut self, name: &str, shape: &[i64], values: &[i64]) {
        let raw = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        self.tensor(name, 7, shape, raw);
    }

    pub(crate) fn tensor(&mut self, name: &str, data_type: i32, shape: &[i64], raw: Vec<u8>) {
        self.graph.initializer.push(TensorProto {
            dims: shape.to_vec(),
            data_type,
            name: name.into(),
            raw_data: Bytes::from(raw),
            ..TensorProto::default()
        });
    }

    /// Moves a tensor's data into a file beside the graph; its bytes are returned.
    pub(crate) fn move_out(&mut self, name: &str, entries: &[(&str, &str)]) -> Vec<u8> {
        let tensors = &mut self.graph.initializer;
        let tensor = tensors
            .iter_mut()
            .find(|t| t.name == name)
            .expect("the tensor is there");
        tensor.data_location = 1;
        tensor.external_data = entries
            .iter()
            .map(|&(key, value)| StringStringEntryProto {
                key: key.into(),
                value: value.into(),
            })
            .collect();
        std::mem::take(&mut tensor.raw_data).to_vec()
    }

    /// A node named after its first output. The operator may be written with its domain.
    pub(crate) fn node(&mut self, op: &str, inputs: &[&str], outputs: &[&str]) -> Attributes<'_> {
        let (domain, op_type) = op.rsplit_once('.').unwrap_or(("", op));
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        self.graph.node.push(NodeProto {
            input: names(inputs),
            output: names(outputs),
            name: outputs[0].into(),
            op_type: op_type.into(),
            attribute: vec![],
            domain: domain.into(),
        });
        Attributes(self.graph.node.last_mut().expect("just pushed"))
    }

    /// The node that makes a value.
    pub(crate) fn edit(&mut self, output: &str) -> &mut NodeProto {
        let nodes = &mut self.graph.node;
        nodes
            .iter_mut()
            .find(|n| n.output[0] == output)
            .expect("the node is there")
    }

    pub(crate) fn graph_mut(&mut self) -> &mut GraphProto {
        &mut self.graph
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let own = OperatorSetIdProto {
            domain: String::new(),
            version: 18,
        };
        ModelProto {
            graph: Some(self.graph.clone()),
            opset_import: vec![own],
        }
        .encode_to_vec()
    }

    pub(crate) fn save(&self) -> SavedModel {
        SavedModel::new(&self.bytes())
    }
}

/// A node's attributes.
pub(crate) struct Attributes<'a>(&'a mut NodeProto);

impl Attributes<'_> {
    pub(crate) fn int(self, name: &str, i: i64) -> Self {
        self.push(AttributeProto {
            name: name.into(),
            i,
            ..AttributeProto::default()
        })
    }

    pub(crate) fn float(self, name: &str, f: f32) -> Self {
        self.push(AttributeProto {
            name: name.into(),
            f,
            ..AttributeProto::default()
        })
    }

    pub(crate) fn ints(self, name: &str, ints: &[i64]) -> Self {
        let ints = ints.to_vec();
        self.push(AttributeProto {
            name: name.into(),
            ints,
            ..AttributeProto::default()
        })
    }

    pub(crate) fn text(self, name: &str, text: &str) -> Self {
        self.push(AttributeProto {
            name: name.into(),
            s: text.as_bytes().to_vec().into(),
            ..AttributeProto::default()
        })
    }

    fn push(self, attribute: AttributeProto) -> Self {
        self.0.attribute.push(attribute);
        self
    }
}

/// A model in a folder of its own.
pub(crate) struct SavedModel {
    pub(crate) folder: TempDir,
    pub(crate) path: PathBuf,
}

impl SavedModel {
    pub(crate) fn new(bytes: &[u8]) -> SavedModel {
        let folder = tempfile::tempdir().expect("a folder for temporary files");
        let path = folder.path().join("model.onnx");
        std::fs::write(&path, bytes).expect("the folder can be written");
        SavedModel { folder, path }
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.folder.path().join(name), bytes).expect("the folder can be written");
    }
}

/// The sizes of the decoders below.
const HIDDEN: i64 = 32;
const HEADS: i64 = 4;
const KV_HEADS: i64 = 2;
const HEAD_DIM: i64 = 16;
const VOCAB: i64 = 48;
const MLP: i64 = 64;
const POSITIONS: i64 = 24;

/// A frequency of the rotary tables.
fn frequency(at: usize) -> f32 {
    1.0 / 100f32.powf(at as f32 / 8.0)
}

/// What the fused and the decomposed decoder have in common: a layer's weights, the embedding
/// before it and the head behind it. `attend` adds the attention between `q`, `k`, `v` and
/// `attended`.
fn decoder(norm: fn(&mut TestModel, &str, &str, &str), attend: fn(&mut TestModel)) -> TestModel {
    let mut model = TestModel::new();
    model.input("input_ids", &[0, 0]);
    model.input("attention_mask", &[0, 0]);
    model.input("position_ids", &[0, 0]);
    model.input("past_key_values.0.key", &[0, KV_HEADS, 0, HEAD_DIM]);
    model.input("past_key_values.0.value", &[0, KV_HEADS, 0, HEAD_DIM]);
    for output in ["logits", "present.0.key", "present.0.value"] {
        model.output(output);
    }
    let weights = [
        ("embed", VOCAB, HIDDEN),
        ("wq", HIDDEN, HEADS * HEAD_DIM),
        ("wk", HIDDEN, KV_HEADS * HEAD_DIM),
        ("wv", HIDDEN, KV_HEADS * HEAD_DIM),
        ("wo", HEADS * HEAD_DIM, HIDDEN),
        ("wgate", HIDDEN, MLP),
        ("wup", HIDDEN, MLP),
        ("wdown", MLP, HIDDEN),
        ("whead", HIDDEN, VOCAB),
    ];
    for (seed, (name, rows, cols)) in weights.into_iter().enumerate() {
        let value = |at: usize| ((at * 7919 + seed * 104_729) % 251) as f32 / 251.0 - 0.5;
        model.floats(name, &[rows, cols], value);
    }
    for name in ["norm1", "norm2", "norm3"] {
        model.floats(name, &[HIDDEN], |at| 1.0 + at as f32 / 64.0);
    }
    model.node("Gather", &["embed", "input_ids"], &["x0"]);
    norm(&mut model, "x0", "norm1", "h1");
    for (weight, output) in [("wq", "q"), ("wk", "k"), ("wv", "v")] {
        model.node("MatMul", &["h1", weight], &[output]);
    }
    attend(&mut model);
    model.node("MatMul", &["attended", "wo"], &["o"]);
    model.node("Add", &["x0", "o"], &["x1"]);
    norm(&mut model, "x1", "norm2", "h2");
    model.node("MatMul", &["h2", "wgate"], &["gate"]);
    model.node("MatMul", &["h2", "wup"], &["up"]);
    model.node("Sigmoid", &["gate"], &["sigmoid"]);
    model.node("Mul", &["gate", "sigmoid"], &["silu"]);
    model.node("Mul", &["silu", "up"], &["mlp"]);
    model.node("MatMul", &["mlp", "wdown"], &["down"]);
    model.node("Add", &["down", "x1"], &["x2"]);
    norm(&mut model, "x2", "norm3", "h3");
    model.node("MatMul", &["h3", "whead"], &["logits"]);
    model
}

/// A decoder of fused operators, as onnxruntime-genai's builder writes it.
pub(crate) fn fused() -> TestModel {
    let norm = |model: &mut TestModel, x: &str, weight: &str, output: &str| {
        model
            .node("SimplifiedLayerNormalization", &[x, weight], &[output])
            .float("epsilon", 1e-6)
            .int("axis", -1);
    };
    decoder(norm, |model| {
        let angle = |at: usize| (at / 8) as f32 * frequency(at % 8);
        model.floats("cos_cache", &[POSITIONS, 8], |at| {
            f64::from(angle(at)).cos() as f32
        });
        model.floats("sin_cache", &[POSITIONS, 8], |at| {
            f64::from(angle(at)).sin() as f32
        });
        model.ints("one", &[1], &[1]);
        model.ints("first", &[], &[1]);
        model
            .node("ReduceSum", &["attention_mask", "one"], &["length"])
            .int("keepdims", 0);
        model.node("Sub", &["length", "one"], &["last64"]);
        model.node("Cast", &["last64"], &["last"]).int("to", 6);
        model.node("Shape", &["attention_mask"], &["shape"]);
        model
            .node("Gather", &["shape", "first"], &["total64"])
            .int("axis", 0);
        model.node("Cast", &["total64"], &["total"]).int("to", 6);
        let (past_key, past_value) = ("past_key_values.0.key", "past_key_values.0.value");
        let inputs = [
            "q",
            "k",
            "v",
            past_key,
            past_value,
            "last",
            "total",
            "cos_cache",
            "sin_cache",
        ];
        let outputs = ["attended", "present.0.key", "present.0.value"];
        model
            .node("com.microsoft.GroupQueryAttention", &inputs, &outputs)
            .int("num_heads", HEADS)
            .int("kv_num_heads", KV_HEADS)
            .int("do_rotary", 1)
            .int("local_window_size", -1)
            .float("scale", 0.25);
    })
}

/// The same decoder out of small standard operators, as tracing exporters write it.
pub(crate) fn decomposed() -> TestModel {
    let norm = |model: &mut TestModel, x: &str, weight: &str, output: &str| {
        let name = |part: &str| format!("{output}/{part}");
        let [
            square,
            mean,
            shifted,
            root,
            inverse,
            normal,
            two,
            axis,
            epsilon,
            one,
        ] = [
            "square", "mean", "shifted", "root", "inverse", "normal", "two", "axis", "epsilon",
            "one",
        ]
        .map(name);
        model.floats(&two, &[], |_| 2.0);
        model.ints(&axis, &[1], &[-1]);
        model.floats(&epsilon, &[], |_| 1e-6);
        model.floats(&one, &[], |_| 1.0);
        model.node("Pow", &[x, &two], &[&square]);
        model
            .node("ReduceMean", &[&square, &axis], &[&mean])
            .int("keepdims", 1);
        model.node("Add", &[&mean, &epsilon], &[&shifted]);
        model.node("Sqrt", &[&shifted], &[&root]);
        model.node("Div", &[&one, &root], &[&inverse]);
        model.node("Mul", &[x, &inverse], &[&normal]);
        model.node("Mul", &[weight, &normal], &[output]);
    };
    decoder(norm, |model| {
        rotary_tables(model);
        mask(model);
        for (x, heads) in [("q", HEADS), ("k", KV_HEADS), ("v", KV_HEADS)] {
            let (shape, split, moved) = (
                format!("{x}/shape"),
                format!("{x}/split"),
                format!("{x}/heads"),
            );
            model.ints(&shape, &[4], &[0, 0, heads, HEAD_DIM]);
            model.node("Reshape", &[x, &shape], &[&split]);
            model
                .node("Transpose", &[&split], &[&moved])
                .ints("perm", &[0, 2, 1, 3]);
        }
        rotate(model, "q");
        rotate(model, "k");
        let past = |x| format!("past_key_values.0.{x}");
        model
            .node("Concat", &[&past("key"), "k/turned"], &["present.0.key"])
            .int("axis", -2);
        model
            .node("Concat", &[&past("value"), "v/heads"], &["present.0.value"])
            .int("axis", 2);
        repeat(model, "present.0.key", "keys");
        repeat(model, "present.0.value", "values");
        model
            .node("Transpose", &["keys"], &["keys/t"])
            .ints("perm", &[0, 1, 3, 2]);
        model.floats("root_scale", &[], |_| 0.5);
        model.node("Mul", &["q/turned", "root_scale"], &["q/scaled"]);
        model.node("Mul", &["keys/t", "root_scale"], &["k/scaled"]);
        model.node("MatMul", &["q/scaled", "k/scaled"], &["scores"]);
        model.node("Add", &["scores", "mask"], &["masked"]);
        model
            .node("Softmax", &["masked"], &["weights"])
            .int("axis", -1);
        model.node("IsNaN", &["weights"], &["undefined"]);
        model.floats("zero", &[1], |_| 0.0);
        model.node("Where", &["undefined", "zero", "weights"], &["safe"]);
        model.node("MatMul", &["safe", "values"], &["summed"]);
        model
            .node("Transpose", &["summed"], &["summed/t"])
            .ints("perm", &[0, 2, 1, 3]);
        model.ints("joined/shape", &[3], &[0, 0, -1]);
        model.node("Reshape", &["summed/t", "joined/shape"], &["attended"]);
    })
}

fn rotary_tables(model: &mut TestModel) {
    model.floats("frequencies", &[1, 8, 1], frequency);
    model.ints("at1", &[1], &[1]);
    model.node("Unsqueeze", &["position_ids", "at1"], &["positions"]);
    model
        .node("Cast", &["positions"], &["positions/f32"])
        .int("to", 1);
    model.node("MatMul", &["frequencies", "positions/f32"], &["angles"]);
    model
        .node("Transpose", &["angles"], &["angles/t"])
        .ints("perm", &[0, 2, 1]);
    model
        .node("Concat", &["angles/t", "angles/t"], &["angles/twice"])
        .int("axis", -1);
    for (op, wave, table) in [("Cos", "cos/3", "cos"), ("Sin", "sin/3", "sin")] {
        model.node(op, &["angles/twice"], &[wave]);
        model.node("Unsqueeze", &[wave, "at1"], &[table]);
    }
}

fn rotate(model: &mut TestModel, x: &str) {
    let name = |part: &str| format!("{x}/{part}");
    let [heads, low, high, negated, swapped, by_cos, by_sin, turned] = [
        "heads", "low", "high", "negated", "swapped", "by_cos", "by_sin", "turned",
    ]
    .map(name);
    let [start, middle, end, last] = ["start", "middle", "end", "last"].map(name);
    model.ints(&start, &[1], &[0]);
    model.ints(&middle, &[1], &[HEAD_DIM / 2]);
    model.ints(&end, &[1], &[i64::MAX]);
    model.ints(&last, &[1], &[3]);
    model.node("Slice", &[&heads, &start, &middle, &last], &[&low]);
    model.node("Slice", &[&heads, &middle, &end, &last], &[&high]);
    model.node("Neg", &[&high], &[&negated]);
    model
        .node("Concat", &[&negated, &low], &[&swapped])
        .int("axis", -1);
    model.node("Mul", &[&heads, "cos"], &[&by_cos]);
    model.node("Mul", &[&swapped, "sin"], &[&by_sin]);
    model.node("Add", &[&by_cos, &by_sin], &[&turned]);
}

/// `[1, 1, sequence, total]`: 0 up to the query's own position, then negative infinity.
fn mask(model: &mut TestModel) {
    model.ints("int0", &[], &[0]);
    model.ints("int1", &[], &[1]);
    model.ints("rows", &[3], &[0, 1, 3]);
    model.ints("cols", &[3], &[0, 1, 2]);
    model.node("Shape", &["attention_mask"], &["mask/shape"]);
    model.node("Gather", &["mask/shape", "int1"], &["mask/total"]);
    model.node("Shape", &["input_ids"], &["ids/shape"]);
    model.node("Gather", &["ids/shape", "int1"], &["mask/sequence"]);
    model.node("Sub", &["mask/total", "mask/sequence"], &["mask/past"]);
    model.node("Range", &["int0", "mask/total", "int1"], &["key/at"]);
    model.node("Range", &["mask/past", "mask/total", "int1"], &["query/at"]);
    model.node("Unsqueeze", &["key/at", "cols"], &["key/row"]);
    model.node("Unsqueeze", &["query/at", "rows"], &["query/column"]);
    model.node(
        "LessOrEqual",
        &["key/row", "query/column"],
        &["mask/visible"],
    );
    model
        .node("Cast", &["attention_mask"], &["mask/counts"])
        .int("to", 9);
    model.ints("middle", &[2], &[1, 2]);
    model.node("Unsqueeze", &["mask/counts", "middle"], &["mask/padding"]);
    model.node("And", &["mask/visible", "mask/padding"], &["mask/both"]);
    model.floats("mask/seen", &[1], |_| 0.0);
    model.floats("mask/hidden", &[1], |_| f32::NEG_INFINITY);
    model.node(
        "Where",
        &["mask/both", "mask/seen", "mask/hidden"],
        &["mask"],
    );
}

/// Repeats key-value heads for the query heads that share them.
fn repeat(model: &mut TestModel, x: &str, output: &str) {
    let name = |part: &str| format!("{output}/{part}");
    let [apart, axis, shape, expanded, joined, total, total1] = [
        "apart", "axis", "shape", "expanded", "joined", "total", "total1",
    ]
    .map(name);
    let [ones, all, count, dim, first] = ["ones", "all", "count", "dim", "first"].map(name);
    model.ints(&axis, &[1], &[2]);
    model.ints(&first, &[1], &[0]);
    model.ints(&ones, &[3], &[1, KV_HEADS, HEADS / KV_HEADS]);
    model.ints(&count, &[2], &[1, HEADS]);
    model.ints(&dim, &[1], &[HEAD_DIM]);
    model.node("Unsqueeze", &[x, &axis], &[&apart]);
    model.node("Shape", &[x], &[&all]);
    model
        .node("Gather", &[&all, &axis], &[&total])
        .int("axis", 0);
    model
        .node("Concat", &[&ones, &total, &dim], &[&shape])
        .int("axis", 0);
    model.node("Expand", &[&apart, &shape], &[&expanded]);
    model
        .node("Concat", &[&count, &total, &dim], &[&joined])
        .int("axis", 0);
    model.node("Identity", &[&joined], &[&total1]);
    model.node("Reshape", &[&expanded, &total1], &[output]);
}
