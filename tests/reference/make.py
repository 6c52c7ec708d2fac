"""Makes the reference logits beside this script with onnxruntime (Python packages: numpy, onnx, onnxruntime, safetensors, tokenizers).

usage: make.py EXPORT_FOLDER OUT.safetensors [--text FILE] [--tokens N] [--top K]

For each of the first N tokens of the text (or of N fixed pseudo-random ids without one) the file
holds the id, the logsumexp of the logits after it, the K largest logits with their ids, and the
logit of the token that really comes next.

onnxruntime is kept from quantizing activations on its own, so that the reference is the exact
meaning of the file: MatMulNBits runs at accuracy_level 0, quantized products become float products with
the dequantized weights, and what is rounded to calibrated scales on its way is not rounded.
"""
import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper
from safetensors.numpy import save_file
from tokenizers import Tokenizer

NUMPY_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(int64)": np.int64}


def token_ids(arguments, vocabulary=512):
    if arguments.text is None:
        return np.random.default_rng(0).integers(3, vocabulary, arguments.tokens).tolist()
    tokenizer = Tokenizer.from_file(str(arguments.folder / "tokenizer.json"))
    text = arguments.text.read_text(encoding="utf8")
    return tokenizer.encode(text, add_special_tokens=False).ids[: arguments.tokens]


def without_quantized_activations(model):
    graph = model.graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.name == "accuracy_level":
                attribute.i = 0
            # How the caller keeps the cache, not what is computed: here nothing is forgotten.
            if attribute.name == "sliding_window_cache":
                attribute.i = 0
    initializers = {tensor.name: tensor for tensor in graph.initializer}
    makers = {output: node for node in graph.node for output in node.output}
    users = {}
    for node in graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)
    array = lambda name: numpy_helper.to_array(initializers[name])
    for node in [node for node in graph.node if node.op_type == "MatMulInteger"]:
        (cast,) = users[node.output[0]]
        (scaled,) = users[cast.output[0]]
        scales = makers[next(name for name in scaled.input if name != cast.output[0])]
        scale = array(next(name for name in scales.input if name in initializers))
        zero_point = array(node.input[3]).astype(np.int32)
        weight = (array(node.input[1]).astype(np.int32) - zero_point) * scale
        name = f"{node.input[1]}_float"
        graph.initializer.append(numpy_helper.from_array(weight.astype(np.float32), name))
        activations = makers[node.input[0]].input[0]
        at = list(graph.node).index(scaled)
        graph.node.remove(scaled)
        product = helper.make_node("MatMul", [activations, name], [scaled.output[0]])
        graph.node.insert(at, product)
    without_calibrated_rounding(graph, array, initializers)
    return model


def without_calibrated_rounding(graph, array, initializers):
    """Takes QuantizeLinear and DequantizeLinear of what is computed out, and makes QLinearMatMul a MatMul."""
    same, kept, rounded = {}, [], set()
    outputs = {output.name for output in graph.output}
    for node in graph.node:
        restores = node.op_type == "DequantizeLinear" and node.input[0] in rounded
        rounds = node.op_type == "QuantizeLinear" and node.input[0] not in initializers
        node.input[:] = [same.get(name, name) for name in node.input]
        if node.op_type == "QLinearMatMul":
            values, scale, zero_point = (array(name).astype(np.float32) for name in node.input[3:6])
            name = f"{node.input[3]}_float"
            graph.initializer.append(numpy_helper.from_array((values - zero_point) * scale, name))
            kept.append(helper.make_node("MatMul", [node.input[0], name], [node.output[0]]))
            rounded.add(node.output[0])
        elif rounds or restores:
            if rounds:
                rounded.add(node.output[0])
            if node.output[0] in outputs:
                kept.append(helper.make_node("Identity", [node.input[0]], [node.output[0]]))
            same[node.output[0]] = node.input[0]
        else:
            kept.append(node)
    del graph.node[:]
    graph.node.extend(kept)


def branch_that_continues(model):
    """A merged decoder's branch with a past, as a graph of its own."""
    graph = model.graph
    if "use_cache_branch" in [given.name for given in graph.input]:
        (choice,) = graph.node
        (branch,) = (attribute.g for attribute in choice.attribute if attribute.name == "then_branch")
        given = [given for given in graph.input if given.name != "use_cache_branch"]
        graph.node.remove(choice)
        graph.node.extend(branch.node)
        del graph.input[:]
        graph.input.extend(given)
    return model


def logits_of(folder, ids):
    file = next(path for path in [folder / "model.onnx", folder / "decoder_model.onnx"] if path.exists())
    model = without_quantized_activations(branch_that_continues(onnx.load(file, load_external_data=False)))
    # Beside the original, where its external data is.
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".onnx") as changed:
        changed.write(model.SerializeToString())
        changed.flush()
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        # DequantizeLinear before a product becomes MatMulNBits, in f32 as well.
        options.add_session_config_entry("session.qdq_matmulnbits_accuracy_level", "1")
        session = onnxruntime.InferenceSession(changed.name, options, providers=["CPUExecutionProvider"])
    known = {
        "input_ids": np.array([ids], np.int64),
        "attention_mask": np.ones((1, len(ids)), np.int64),
        "position_ids": np.arange(len(ids), dtype=np.int64)[None],
    }
    head = head_size(folder, model)
    # Keys and values need not be of one width; what convolutions saw, and recurrent states, begin as zeros.
    width = lambda given: given.shape[3] if isinstance(given.shape[3], int) else head
    grows = lambda given: given.name.endswith((".key", ".value"))
    shape = lambda given: (1, given.shape[1], 0, width(given)) if grows(given) else (1, *given.shape[1:])
    empty = lambda given: np.zeros(shape(given), NUMPY_TYPES[given.type])
    # In time, height and width, which are the same for text.
    if any(given.name == "position_ids" and len(given.shape) == 3 for given in session.get_inputs()):
        known["position_ids"] = np.repeat(known["position_ids"][None], 3, 0)
    feeds = {given.name: known.get(given.name) for given in session.get_inputs()}
    feeds = {given.name: empty(given) if feeds[given.name] is None else feeds[given.name] for given in session.get_inputs()}
    return session.run(["logits"], feeds)[0][0].astype(np.float64)


def head_size(folder, model):
    """From the shape of a cache, or from the builder's configuration where the cache leaves it open."""
    cache = next(given for given in model.graph.input if given.name.startswith("past") and given.name.endswith("key"))
    literal = cache.type.tensor_type.shape.dim[3].dim_value
    return literal or json.loads((folder / "genai_config.json").read_text())["model"]["decoder"]["head_size"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--text", type=Path)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--top", type=int, default=16)
    arguments = parser.parse_args()
    ids = token_ids(arguments)
    logits = logits_of(arguments.folder, ids)
    peak = logits.max(-1, keepdims=True)
    logsumexp = peak[:, 0] + np.log(np.exp(logits - peak).sum(-1))
    top = np.argsort(-logits, -1, kind="stable")[:, : arguments.top]
    next_logit = logits[np.arange(len(ids) - 1), ids[1:]]
    reference = {
        "ids": np.array(ids, np.int32),
        "logsumexp": logsumexp.astype(np.float32),
        "top_ids": top.astype(np.int32),
        "top_logits": np.take_along_axis(logits, top, -1).astype(np.float32),
        "next_logit": next_logit.astype(np.float32),
    }
    save_file(reference, arguments.out)
    perplexity = np.exp(np.mean(logsumexp[:-1] - next_logit))
    print(f"{arguments.out.name}: {len(ids)} tokens, perplexity {perplexity:.4f}")


if __name__ == "__main__":
    main()
