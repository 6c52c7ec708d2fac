"""Stores the weights of one tiny model in every way that exporters and quantizers do, and says what each should compute.

usage: storage.py STEP FOLDER

Steps, in the environments of families.requirements.txt:
  onnxruntime  transformers 4: onnxruntime's quantizers on optimum's export
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
# Precision, execution provider and extra options of the builder.
GENAI = {
    "genai-b16": ("int4", "cpu", ["block_size=16"]),
    "genai-asym": ("int4", "cpu", ["is_symmetric=false", "shared_embeddings=false"]),
    "genai-rtn-last": ("int4", "cpu", ["algo_config=rtn_last"]),
    "genai-int8": ("int8", "cpu", []),
    "genai-unfused": ("int4", "cpu", ["disable_qkv_fusion=true"]),
    "genai-pruned-head": ("int4", "cpu", ["prune_lm_head=true"]),
    "genai-cuda-fp16": ("fp16", "cuda", []),
    "genai-webgpu-int4": ("int4", "webgpu", []),
}


# What onnxruntime does not compute on a processor, or not for every token, is held against the same weights in a
# graph that it does, or against the model.
SAME_AS = {"genai-pruned-head": "genai-int4", "genai-webgpu-int4": "genai-int4", "genai-cuda-fp16": "reference"}


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
    for name in [*ONNXRUNTIME, *GENAI]:
        made, reference = folder / name, PACKED / FAMILY / f"{name}.safetensors"
        if name in SAME_AS:
            shutil.copy(PACKED / FAMILY / f"{SAME_AS[name]}.safetensors", reference)
        else:
            save_file(reference_of(logits_of(made, ids), ids), reference)
        pack_export(made, PACKED / FAMILY)


def main():
    step, folder = sys.argv[1], Path(sys.argv[2])
    if step == "onnxruntime":
        for name, make in ONNXRUNTIME.items():
            (folder / name).mkdir(parents=True, exist_ok=True)
            onnx.save(make(folder), folder / name / "model.onnx")
    elif step == "genai":
        genai(folder)
    else:
        pack(folder)


if __name__ == "__main__":
    main()
