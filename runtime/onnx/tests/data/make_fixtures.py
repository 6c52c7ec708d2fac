"""Makes the small models of this folder and what onnxruntime answers on them.

usage: python make_fixtures.py          (needs onnx, onnxruntime and numpy)

small.onnx      a convolution, a gather and a matrix product; batch and length are open
external.onnx   one matrix product whose weight lies in external.bin
unknown.onnx    two operators that no one knows, one of them inside a branch
escape.onnx     its weight's file leaves the folder
expected.json   inputs and onnxruntime's outputs for small.onnx and external.onnx
"""

import json
import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

HERE = pathlib.Path(__file__).parent
random = np.random.default_rng(7)


def save(name, nodes, inputs, outputs, initializers):
    graph = helper.make_graph(nodes, name, inputs, outputs, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (HERE / f"{name}.onnx").write_bytes(model.SerializeToString())


def weight(name, *shape):
    return numpy_helper.from_array(random.normal(0, 0.5, shape).astype(np.float32), name)


def external(name, shape, location):
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=shape)
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, "offset": "16", "length": str(4 * np.prod(shape))}.items():
        tensor.external_data.add(key=key, value=value)
    return tensor


def floats(name, *shape):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


save(
    "small",
    [
        helper.make_node("Conv", ["sound", "taps", "taps_bias"], ["bands"], "bands", pads=[1, 1], strides=[2]),
        helper.make_node("Relu", ["bands"], ["active"], "active"),
        helper.make_node("ReduceMean", ["active"], ["pooled"], "pooled", axes=[2], keepdims=0),
        helper.make_node("Gather", ["speakers", "speaker"], ["voice"], "voice"),
        helper.make_node("Add", ["pooled", "voice"], ["mixed"], "mixed"),
        helper.make_node("MatMul", ["mixed", "classes"], ["scores"], "scores"),
        helper.make_node("Shape", ["active"], ["frames"], "frames"),
    ],
    [
        floats("sound", "batch", 2, "length"),
        helper.make_tensor_value_info("speaker", TensorProto.INT64, ["batch"]),
    ],
    [floats("scores", "batch", 3), helper.make_tensor_value_info("frames", TensorProto.INT64, [3])],
    [weight("taps", 4, 2, 3), weight("taps_bias", 4), weight("speakers", 5, 4), weight("classes", 4, 3)],
)

matrix = random.normal(0, 0.5, (4, 3)).astype(np.float32)
(HERE / "external.bin").write_bytes(bytes(16) + matrix.tobytes())
product = helper.make_node("MatMul", ["x", "w"], ["y"], "product")
save("external", [product], [floats("x", "n", 4)], [floats("y", "n", 3)], [external("w", [4, 3], "external.bin")])
save("escape", [product], [floats("x", "n", 4)], [floats("y", "n", 3)], [external("w", [4, 3], "../external.bin")])

branch = helper.make_graph(
    [helper.make_node("Shimmer", ["x"], ["inner"], "then/shimmer", domain="house.made")], "then", [], [floats("inner", 4)]
)
other = helper.make_graph([helper.make_node("Identity", ["x"], ["kept"], "else/keep")], "else", [], [floats("kept", 4)])
save(
    "unknown",
    [
        helper.make_node("If", ["flag"], ["z"], "choice", then_branch=branch, else_branch=other),
        helper.make_node("Glimmer", ["z"], ["y"]),
    ],
    [floats("x", 4), helper.make_tensor_value_info("flag", TensorProto.BOOL, [])],
    [floats("y", 4)],
    [],
)


def answer(model, feeds):
    session = onnxruntime.InferenceSession(HERE / model, providers=["CPUExecutionProvider"])
    outputs = session.run(None, feeds)
    case = {"model": model}
    for part, tensors in [("inputs", feeds), ("outputs", dict(zip([o.name for o in session.get_outputs()], outputs)))]:
        case[part] = {
            name: {"type": {"f": "f32", "i": "i64"}[t.dtype.kind], "shape": t.shape, "values": t.ravel().tolist()}
            for name, t in tensors.items()
        }
    return case


def sound(batch, length):
    return random.normal(0, 1, (batch, 2, length)).astype(np.float32)


cases = [
    answer("small.onnx", {"sound": sound(1, 9), "speaker": np.array([3])}),
    answer("small.onnx", {"sound": sound(3, 16), "speaker": np.array([0, 4, 2])}),
    answer("external.onnx", {"x": random.normal(0, 1, (2, 4)).astype(np.float32)}),
]
(HERE / "expected.json").write_text(json.dumps(cases, indent=1) + "\n")
