"""Stores one tiny model in every way that exporters and quantizers do, and says what each should compute.

usage: storage.py STEP FOLDER

Steps, in the environments of families.requirements.txt:
  onnxruntime  transformers 4: onnxruntime's quantizers on optimum's export
  merged       transformers 4: optimum's merged decoders, after `families.py models FOLDER qwen3`
  files        either: the same weights in other files, after `onnxruntime`
  genai        transformers 5: onnxruntime-genai's builder, after `families.py models FOLDER qwen3`
  pack         either: packs what the others left in FOLDER
"""
import gzip
import shutil
import sys
from pathlib import Path

import numpy as np
import onnx

from families import COMMON, PACKED, TOKENS, lend_tokenizer, pack_export, reference_of

FAMILY = "qwen3"


def optimum():
    return onnx.load_from_string(gzip.decompress((PACKED / FAMILY / "optimum-fp32.onnx.gz").read_bytes()))


def half(model, **how):
    from onnxruntime.transformers.float16 import convert_float_to_float16

    return convert_float_to_float16(model, **how)


def blocks(size=32, **how):
    from onnxruntime.quantization import matmul_nbits_quantizer as nbits

    quantizer = nbits.MatMulNBitsQuantizer(optimum(), algo_config=nbits.DefaultWeightOnlyQuantConfig(block_size=size, accuracy_level=4, **how))
    quantizer.process()
    return quantizer.model.model


def hqq():
    from onnxruntime.quantization import matmul_nbits_quantizer as nbits

    quantizer = nbits.MatMulNBitsQuantizer(optimum(), algo_config=nbits.HQQWeightOnlyQuantConfig(block_size=32, bits=4))
    quantizer.process()
    return quantizer.model.model


def qdq(size=32, symmetric=True):
    from onnxruntime.quantization import QuantFormat

    return blocks(size, is_symmetric=symmetric, quant_format=QuantFormat.QDQ)


def bnb4(kind):
    from onnxruntime.quantization.matmul_bnb4_quantizer import MatMulBnb4Quantizer

    quantizer = MatMulBnb4Quantizer(optimum(), kind, 64)
    quantizer.process()
    return quantizer.model.model


def quantized(folder, quantize, **how):
    """Quantizers of whole models read files and write files."""
    source, out = folder / "source.onnx", folder / "quantized.onnx"
    onnx.save(optimum(), source)
    quantize(source, out, **how)
    return onnx.load(out)


def dynamic(folder, kind, **how):
    from onnxruntime.quantization import QuantType, quantize_dynamic

    return quantized(folder, quantize_dynamic, weight_type=QuantType[kind], **how)


def static(folder, form, **how):
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Texts(CalibrationDataReader):
        def __init__(self):
            caches = {given.name: given.type.tensor_type.shape.dim for given in optimum().graph.input if given.name.startswith("past")}
            empty = {name: np.zeros((1, shape[1].dim_value, 0, shape[3].dim_value), np.float32) for name, shape in caches.items()}
            plain = {"attention_mask": np.ones((1, TOKENS), np.int64), "position_ids": np.arange(TOKENS)[None]}
            text = lambda seed: np.random.default_rng(seed).integers(3, COMMON["vocab_size"], (1, TOKENS))
            self.texts = iter([{"input_ids": text(seed), **plain, **empty} for seed in range(1, 5)])

        def get_next(self):
            return next(self.texts, None)

    # Angles of positions have to stay what they are, in whatever form a model is.
    rotary = [node.name for node in optimum().graph.node if "rotary" in node.name]
    return quantized(
        folder, quantize_static, calibration_data_reader=Texts(), quant_format=QuantFormat[form], weight_type=QuantType.QInt8,
        op_types_to_quantize=["MatMul", "Gather"], nodes_to_exclude=rotary, extra_options={"MatMulConstBOnly": True}, **how,
    )


def merged(folder):
    """The decoder that begins a text and the one that continues it, as branches of one graph."""
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from optimum.exporters.onnx import main_export
    from optimum.exporters.onnx.model_configs import Qwen3OnnxConfig
    from optimum.onnx.graph_transformations import merge_decoders
    from transformers import AutoConfig

    source = folder / FAMILY / "hf"
    for name, continues in [("beginning", False), ("continuing", True)]:
        config = Qwen3OnnxConfig(AutoConfig.from_pretrained(source), task="text-generation", use_past=True, use_past_in_inputs=continues)
        main_export(
            str(source), str(folder / name), task="text-generation-with-past", framework="pt", no_post_process=True, do_validation=False,
            opset=18, custom_onnx_configs={"model": config},
        )
    plain, small = (folder / name / "model.onnx" for name in MERGED)
    for path in (plain, small):
        path.parent.mkdir(exist_ok=True)
    merge_decoders(folder / "beginning" / "model.onnx", folder / "continuing" / "model.onnx", save_path=plain, strict=False)
    quantize_dynamic(plain, small, weight_type=QuantType.QInt8, extra_options={"EnableSubgraph": True})


def apart(model, path, limit=0, **how):
    """Saves a model with its data outside of it, tensors below so many bytes apart."""
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path, save_as_external_data=True, size_threshold=limit, **how)


def in_parts(model, path, parts):
    """As transformers.js splits what browsers would not load at once: `_data`, `_data_1` and so on."""
    from onnx import external_data_helper as external

    tensors = [tensor for tensor in model.graph.initializer if len(tensor.raw_data) >= 1024]
    for index, tensor in enumerate(tensors):
        part = index * parts // len(tensors)
        external.set_external_data(tensor, f"{path.name}_data" + (f"_{part}" if part else ""))
    path.parent.mkdir(parents=True, exist_ok=True)
    external.write_external_data_tensors(model, str(path.parent))
    path.write_bytes(model.SerializeToString())


def files(folder):
    made = lambda name: onnx.load(folder / name / "model.onnx")
    apart(optimum(), folder / "file-a-tensor" / "model.onnx", all_tensors_to_one_file=False)
    apart(made("q4"), folder / "js-q4" / "onnx" / "model_q4.onnx", location="model_q4.onnx_data")
    in_parts(made("q4f16"), folder / "js-q4f16" / "onnx" / "model_q4f16.onnx", 2)


ONNXRUNTIME = {
    "fp16": lambda folder: half(optimum()),
    "fp16-f32io": lambda folder: half(optimum(), keep_io_types=True),
    "q4": lambda folder: blocks(is_symmetric=True),
    "q4-asym": lambda folder: blocks(is_symmetric=False),
    "q4-b16": lambda folder: blocks(16, is_symmetric=True),
    "q4-b128": lambda folder: blocks(128, is_symmetric=True),
    "q4-embedding": lambda folder: blocks(is_symmetric=True, op_types_to_quantize=("MatMul", "Gather"), quant_axes=(("MatMul", 0), ("Gather", 1))),
    "q4-hqq": lambda folder: hqq(),
    "q4-qdq": lambda folder: qdq(),
    "q4-qdq-asym": lambda folder: qdq(symmetric=False),
    "q4-qdq-b16": lambda folder: qdq(16),
    "q4f16": lambda folder: half(blocks(is_symmetric=True)),
    "q8": lambda folder: blocks(is_symmetric=True, bits=8),
    "bnb4-nf4": lambda folder: bnb4(1),
    "bnb4-fp4": lambda folder: bnb4(0),
    "int8": lambda folder: dynamic(folder, "QInt8"),
    "int8-channels": lambda folder: dynamic(folder, "QInt8", per_channel=True),
    "uint8": lambda folder: dynamic(folder, "QUInt8"),
    "uint8-channels": lambda folder: dynamic(folder, "QUInt8", per_channel=True, reduce_range=True),
    "static-qdq": lambda folder: static(folder, "QDQ"),
    "static-qdq-channels": lambda folder: static(folder, "QDQ", per_channel=True),
    "static-qoperator": lambda folder: static(folder, "QOperator"),
}
MERGED = ["merged", "merged-int8"]
FILES = ["file-a-tensor", "js-q4", "js-q4f16"]
# Precision, execution provider and extra options of the builder. Its k-quant wants an even number of blocks, and weights are 32 wide.
GENAI = {
    "genai-b16": ("int4", "cpu", ["block_size=16"]),
    "genai-asym": ("int4", "cpu", ["is_symmetric=false", "shared_embeddings=false"]),
    "genai-rtn-last": ("int4", "cpu", ["algo_config=rtn_last"]),
    "genai-k-quant-last": ("int4", "cpu", ["algo_config=k_quant_last", "shared_embeddings=false", "block_size=16"]),
    "genai-k-quant-mixed": ("int4", "cpu", ["algo_config=k_quant_mixed", "shared_embeddings=false", "block_size=16"]),
    "genai-int8": ("int8", "cpu", []),
    "genai-unfused": ("int4", "cpu", ["disable_qkv_fusion=true"]),
    "genai-pruned-head": ("int4", "cpu", ["prune_lm_head=true"]),
    "genai-cuda-fp16": ("fp16", "cuda", []),
    "genai-webgpu-int4": ("int4", "webgpu", []),
}


# What onnxruntime does not compute on a processor, or not for every token, is held against the same weights in a
# graph that it does, or against the model.
SAME_AS = {
    "genai-pruned-head": "genai-int4", "genai-webgpu-int4": "genai-int4", "genai-cuda-fp16": "reference", "merged": "reference",
    "file-a-tensor": "reference", "js-q4": "q4", "js-q4f16": "q4f16",
}


def genai(folder):
    import onnxruntime_genai

    sys.path.insert(0, str(Path(onnxruntime_genai.__file__).parent / "models"))
    import builder

    source, cache = str(folder / FAMILY / "hf"), str(folder / "cache")
    lend_tokenizer(folder / FAMILY / "hf")
    for name, (precision, provider, extra) in GENAI.items():
        out = str(folder / name)
        size = [] if any(option.startswith("block_size") for option in extra) else ["block_size=32"]
        options = builder.parse_extra_options(None, source, out, precision, provider, cache, extra + size)
        builder.create_model(None, source, out, precision, provider, cache, **options)


def pack(folder):
    from safetensors.numpy import load_file, save_file

    from make import logits_of

    ids = load_file(PACKED / FAMILY / "reference.safetensors")["ids"].tolist()
    for name in [*ONNXRUNTIME, *MERGED, *GENAI, *FILES]:
        made, reference = folder / name, PACKED / FAMILY / f"{name}.safetensors"
        if name in SAME_AS:
            shutil.copy(PACKED / FAMILY / f"{SAME_AS[name]}.safetensors", reference)
        else:
            save_file(reference_of(logits_of(made, ids), ids), reference)
        if name in FILES:
            pack_files(made, PACKED / FAMILY)
        else:
            pack_export(made, PACKED / FAMILY)


def pack_files(folder, out):
    """All files of a folder in one, by their paths."""
    from safetensors.numpy import save

    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    contents = {str(path.relative_to(folder)): np.frombuffer(path.read_bytes(), np.uint8) for path in paths}
    (out / f"{folder.name}.files.gz").write_bytes(gzip.compress(save(contents), mtime=0))


STEPS = {"merged": merged, "files": files, "genai": genai}


def main():
    step, folder = sys.argv[1], Path(sys.argv[2])
    if step == "onnxruntime":
        for name, make in ONNXRUNTIME.items():
            (folder / name).mkdir(parents=True, exist_ok=True)
            onnx.save(make(folder), folder / name / "model.onnx")
    elif step in STEPS:
        STEPS[step](folder)
    else:
        pack(folder)


if __name__ == "__main__":
    main()
