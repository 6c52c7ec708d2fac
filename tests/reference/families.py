"""Makes the tiny models of `tests/reference/families` and what they should compute.

usage: families.py STEP FOLDER [FAMILY…]

Steps, each with the environment it needs (see families.requirements.txt):
  models   transformers 4 (5 for lfm2-moe): random weights and the reference logits or hidden states, in float32
  genai    transformers 4: onnxruntime-genai's builder, fp32 and int4
  optimum  transformers 4: optimum's export, fp32
  dynamo   transformers 5: torch.onnx's dynamo exporter, opsets 18 and 23
  ours     transformers 5: models/export, for mixtures of experts and layers with a state
  pack     either: packs what the others left in FOLDER, and why an exporter refused

Weights are random but not small, and norms and biases are random as well, so that whatever is left
out or put in the wrong place is seen. They have five significant bits, so that files compress.
"""
import gzip
import json
import shutil
import sys
import traceback
from pathlib import Path

import numpy as np
import torch

PACKED = Path(__file__).parent / "families"
TOKENS, TOP, OPTIMUM_OPSET = 40, 16, 18
HEAD_DIM = 16
COMMON = dict(
    vocab_size=96, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
    max_position_embeddings=64, bos_token_id=1, eos_token_id=2, pad_token_id=0, initializer_range=0.3,
)
SLIDING = dict(sliding_window=8, layer_types=["sliding_attention", "full_attention"])
# onnxruntime's attention wants heads of 16 values, and these have no width of their own.
TWO_HEADS = dict(num_attention_heads=2, num_key_value_heads=1)
# A factor for each pair that turns: all of a head of 16 (Phi-3.5) or half of one of 32 (Phi-4-mini).
LONG_ROPE = dict(
    type="longrope", short_factor=[1.0, 1.05, 1.1, 1.2, 1.3, 1.5, 1.7, 2.0], long_factor=[1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0]
)
LLAMA3_ROPE = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=16)
SIGMOID = dict(
    moe_intermediate_size=32, n_routed_experts=12, num_experts_per_tok=3, n_shared_experts=1, first_k_dense_replace=1, norm_topk_prob=True,
    routed_scaling_factor=2.5,
)
DEEPSEEK = dict(SIGMOID, num_key_value_heads=4, kv_lora_rank=32, qk_rope_head_dim=8, qk_nope_head_dim=16, v_head_dim=16)
DELTA = dict(
    TWO_HEADS, num_hidden_layers=3, layer_types=["linear_attention", "full_attention", "linear_attention"], head_dim=32,
    linear_key_head_dim=16, linear_value_head_dim=16, linear_num_key_heads=2, linear_num_value_heads=4, tie_word_embeddings=True,
    rope_parameters=dict(rope_type="default", rope_theta=1e4, partial_rotary_factor=0.25, mrope_section=[2, 1, 1], mrope_interleaved=True),
)
EYE = dict(depth=1, hidden_size=16, intermediate_size=16, num_heads=2, out_hidden_size=32, num_position_embeddings=16)
MAMBA = dict(
    num_hidden_layers=3, layer_types=["mamba", "attention", "mamba"], mamba_n_heads=8, mamba_d_head=8, mamba_d_state=16, mamba_d_conv=4,
    mamba_expand=2, mamba_n_groups=1, shared_intermediate_size=48, embedding_multiplier=3.0, logits_scaling=2.0, residual_multiplier=0.5,
    attention_multiplier=0.2, tie_word_embeddings=True,
)
LINEAR = dict(num_hidden_layers=3, layer_types=["linear_attention", "full_attention", "linear_attention"])
NEXT = dict(
    LINEAR, head_dim=HEAD_DIM, linear_num_key_heads=2, linear_num_value_heads=4, linear_key_head_dim=16, linear_value_head_dim=8,
    linear_conv_kernel_dim=4,
)
# What users call the family: transformers' name of the architecture, and what its configuration changes.
FAMILIES = {
    "llama-3": ("llama", dict(head_dim=HEAD_DIM, rope_scaling=LLAMA3_ROPE)),
    "qwen2": ("qwen2", dict(TWO_HEADS, tie_word_embeddings=True)),
    "qwen3": ("qwen3", dict(head_dim=HEAD_DIM, tie_word_embeddings=True)),
    "smollm3": ("smollm3", dict(TWO_HEADS, no_rope_layers=[1, 0], tie_word_embeddings=True)),
    "phi-3": ("phi3", dict(TWO_HEADS, original_max_position_embeddings=64)),
    "phi-3.5": ("phi3", dict(TWO_HEADS, original_max_position_embeddings=48, rope_scaling=LONG_ROPE)),
    "phi-4-mini": ("phi3", dict(
        TWO_HEADS, hidden_size=64, original_max_position_embeddings=48, rope_scaling=LONG_ROPE, partial_rotary_factor=0.5,
        tie_word_embeddings=True,
    )),
    "gemma-2": ("gemma2", dict(SLIDING, head_dim=HEAD_DIM, query_pre_attn_scalar=8, attn_logit_softcapping=3.0, final_logit_softcapping=4.0)),
    # The builder takes every sixth layer for the one that sees everything, whatever the configuration says.
    "gemma-3": ("gemma3_text", dict(
        num_hidden_layers=6, sliding_window=8, layer_types=["sliding_attention"] * 5 + ["full_attention"], head_dim=HEAD_DIM,
        query_pre_attn_scalar=8, tie_word_embeddings=True,
    )),
    "ernie-4.5": ("ernie4_5", dict(head_dim=HEAD_DIM, tie_word_embeddings=True)),
    "glm-edge": ("glm", dict(head_dim=HEAD_DIM)),
    "glm-4": ("glm4", dict(head_dim=HEAD_DIM)),
    "hunyuan": ("hunyuan_v1_dense", dict(head_dim=HEAD_DIM)),
    "qwen3-moe": ("qwen3_moe", dict(head_dim=HEAD_DIM, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=32, decoder_sparse_step=1, norm_topk_prob=True)),
    "mixtral": ("mixtral", dict(head_dim=HEAD_DIM, intermediate_size=32, num_local_experts=5, num_experts_per_tok=2)),
    "olmoe": ("olmoe", dict(TWO_HEADS, intermediate_size=32, num_experts=6, num_experts_per_tok=3, norm_topk_prob=False)),
    "qwen2-moe": ("qwen2_moe", dict(
        TWO_HEADS, num_experts=5, num_experts_per_tok=2, moe_intermediate_size=32, shared_expert_intermediate_size=48, decoder_sparse_step=1,
        norm_topk_prob=False,
    )),
    # A dense layer and one of experts. Keys are 24 wide, values 16.
    "deepseek-v3": ("deepseek_v3", dict(
        DEEPSEEK, n_group=4, topk_group=2, q_lora_rank=24, rope_scaling=dict(
            rope_type="yarn", factor=4.0, original_max_position_embeddings=16, mscale=1.0, mscale_all_dim=1.0, beta_fast=32, beta_slow=1,
        ),
    )),
    # Kimi's configuration: DeepSeek's architecture with one group.
    "kimi-k2": ("deepseek_v3", dict(DEEPSEEK, n_group=1, topk_group=1, q_lora_rank=24, routed_scaling_factor=2.827)),
    "moonlight": ("deepseek_v3", dict(DEEPSEEK, n_group=1, topk_group=1, q_lora_rank=None, routed_scaling_factor=2.446)),
    "glm-4.5": ("glm4_moe", dict(
        SIGMOID, head_dim=HEAD_DIM, n_group=1, topk_group=1, partial_rotary_factor=0.5, attention_bias=True, use_qk_norm=True,
    )),
    # Models of embeddings: their last layer's hidden states are what counts.
    "qwen3-embedding": ("qwen3", dict(head_dim=HEAD_DIM, tie_word_embeddings=True)),
    "bert": ("bert", dict(num_attention_heads=2)),
    # Its first position is the one behind the padding token's id.
    "xlm-roberta": ("xlm-roberta", dict(num_attention_heads=2, pad_token_id=1, bos_token_id=0, max_position_embeddings=66, type_vocab_size=1)),
    # Two short convolutions around attention; the last layer is one, so that the head begins behind it.
    "lfm2": ("lfm2", dict(
        num_hidden_layers=3, hidden_size=64, layer_types=["conv", "full_attention", "conv"], block_auto_adjust_ff_dim=False, conv_L_cache=3,
        tie_word_embeddings=True,
    )),
    # A dense layer, then experts that are chosen by sigmoids and a bias.
    "lfm2-moe": ("lfm2_moe", dict(
        num_hidden_layers=3, hidden_size=64, layer_types=["conv", "full_attention", "conv"], conv_L_cache=3, tie_word_embeddings=True,
        num_dense_layers=1, num_experts=6, num_experts_per_tok=2, moe_intermediate_size=32, use_expert_bias=True, norm_topk_prob=True,
        routed_scaling_factor=1.5,
    )),
    "gpt-oss": ("gpt_oss", dict(
        SLIDING, head_dim=HEAD_DIM, intermediate_size=32, num_local_experts=4, num_experts_per_tok=2, swiglu_limit=7.0,
        rope_scaling=dict(rope_type="yarn", factor=4.0, beta_fast=32.0, beta_slow=1.0, truncate=False, original_max_position_embeddings=1024),
    )),
    # Gated delta nets around attention whose outputs have gates, the texts of models that see. Keys serve two states each.
    "qwen3.5": ("qwen3_5", dict(tie_word_embeddings=True, text_config=DELTA, vision_config=EYE)),
    "qwen3.5-moe": ("qwen3_5_moe", dict(tie_word_embeddings=True, vision_config=EYE, text_config=dict(
        DELTA, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=32, shared_expert_intermediate_size=32,
    ))),
    # Mamba-2 around attention without positions, and with experts and positions.
    "granite-4": ("granitemoehybrid", dict(MAMBA, num_local_experts=0, position_embedding_type=None)),
    "granite-4-moe": ("granitemoehybrid", dict(
        MAMBA, intermediate_size=32, num_local_experts=6, num_experts_per_tok=2, position_embedding_type="rope",
    )),
    # The width of a block is the reference's alone: what it computes does not depend on it.
    "minimax": ("minimax", dict(
        LINEAR, head_dim=HEAD_DIM, intermediate_size=32, num_local_experts=4, num_experts_per_tok=2, block_size=8,
        linear_attn_alpha_factor=1.5, linear_attn_beta_factor=0.7, full_attn_alpha_factor=1.2, full_attn_beta_factor=0.8,
        mlp_alpha_factor=1.1, mlp_beta_factor=0.9,
    )),
    "qwen3-next": ("qwen3_next", dict(
        NEXT, initializer_range=0.2, num_experts=5, num_experts_per_tok=2, moe_intermediate_size=32, shared_expert_intermediate_size=48,
        decoder_sparse_step=1, norm_topk_prob=True, partial_rotary_factor=0.5,
    )),
    "hunyuan-moe": ("hunyuan_v1_moe", dict(head_dim=HEAD_DIM, intermediate_size=32, num_experts=6, moe_topk=2)),
}
# Families that other exporters stop at, or trace wrongly, and models/export does not.
OURS = {
    "qwen3-moe", "mixtral", "olmoe", "qwen2-moe", "deepseek-v3", "kimi-k2", "moonlight", "glm-4.5", "hunyuan-moe", "granite-4", "granite-4-moe",
    "minimax", "qwen3-next", "qwen3.5", "lfm2-moe", "gpt-oss",
}


EMBEDDINGS = {"qwen3-embedding", "bert", "xlm-roberta"}
# Models that see as well: all steps need transformers 5.
SEEING = {"qwen3.5", "qwen3.5-moe"}
# As the exports of older encoders are, which spell LayerNorm out.
OLD_OPSET = {"bert": 14}
# Newer builders stop at their configurations; 0.9.2 still writes them (with transformers 4).
OLD_BUILDER = {"gemma-3"}


def five_bits(values):
    return (values.view(torch.int32) & ~0x7FFFF).view(torch.float32)


def to_mxfp4(experts):
    """Rounds gpt-oss's experts, `[experts, inputs, outputs]`, to MXFP4; returns them as its checkpoints have them, which the builder reads."""
    magnitudes = torch.tensor([0, 0.5, 1, 1.5, 2, 3, 4, 6])
    stored = {}
    for name in ("gate_up_proj", "down_proj"):
        weight = getattr(experts, name)
        blocks = weight.transpose(1, 2).unflatten(-1, (-1, 32))
        exponents = torch.ceil(torch.log2(blocks.abs().amax(-1, keepdim=True) / 6)).clamp(-127, 127)
        scaled = blocks / 2**exponents
        codes = (scaled.abs()[..., None] - magnitudes).abs().argmin(-1)
        weight.copy_((magnitudes[codes] * scaled.sign() * 2**exponents).flatten(-2).transpose(1, 2))
        codes = (codes + 8 * (scaled < 0)).to(torch.uint8)
        stored[f"{name}_blocks"] = codes[..., ::2] | codes[..., 1::2] << 4
        stored[f"{name}_scales"] = (exponents[..., 0] + 127).to(torch.uint8)
    return stored


def models(folder, family):
    from safetensors import safe_open
    from safetensors.numpy import save_file
    from safetensors.torch import save_file as torch_file
    from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, AutoModelForImageTextToText

    architecture, changes = FAMILIES[family]
    torch.manual_seed(sum(family.encode()))
    if family in SEEING:
        config = AutoConfig.for_model(architecture, **{**changes, "text_config": {**COMMON, **changes["text_config"]}})
    else:
        config = AutoConfig.for_model(architecture, **{**COMMON, **changes})
    kind = AutoModel if family in EMBEDDINGS else AutoModelForImageTextToText if family in SEEING else AutoModelForCausalLM
    model = kind.from_config(config, attn_implementation="eager").float().eval()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() == 1:
                weight.add_(0.2 * torch.randn_like(weight))
            weight.copy_(five_bits(weight))
        for name, bias in model.named_buffers():
            # Not below zero: transformers 4 takes the experts of other groups for zeros, later ones for less than anything.
            if name.endswith("e_score_correction_bias"):
                bias.copy_(five_bits(0.3 * torch.rand_like(bias)))
        stored = {}
        for name, module in model.named_modules():
            if architecture == "gpt_oss" and name.endswith("experts"):
                # So great that some gates are at their limit.
                module.gate_up_proj.mul_(4)
                stored |= {f"{name}.{key}": value.contiguous() for key, value in to_mxfp4(module).items()}
    model.save_pretrained(folder / "hf")
    if stored:
        weights = folder / "hf" / "model.safetensors"
        with safe_open(weights, "pt") as opened:
            stored |= {key: opened.get_tensor(key) for key in opened.keys()}
        torch_file(stored, weights, metadata={"format": "pt"})
    ids = np.random.default_rng(0).integers(3, COMMON["vocab_size"], TOKENS)
    with torch.no_grad():
        if family in EMBEDDINGS:
            hidden = model(torch.tensor(ids[None])).last_hidden_state[0].numpy()
            reference = {"ids": ids.astype(np.int32), "hidden": hidden}
        else:
            logits = model(torch.tensor(ids[None]), use_cache=False).logits[0].double().numpy()
            reference = reference_of(logits, ids.tolist())
    save_file(reference, folder / "reference.safetensors")


def lend_tokenizer(folder):
    """The builder saves a tokenizer; which one does not matter."""
    from tokenizers import Tokenizer, models as kinds
    from transformers import PreTrainedTokenizerFast

    plain = Tokenizer(kinds.WordLevel({f"t{i}": i for i in range(COMMON["vocab_size"])}, unk_token="t0"))
    PreTrainedTokenizerFast(tokenizer_object=plain, unk_token="t0", bos_token="t1", eos_token="t2", pad_token="t0").save_pretrained(folder)


def genai(folder, family, precision):
    import onnxruntime_genai

    sys.path.insert(0, str(Path(onnxruntime_genai.__file__).parent / "models"))
    import builder

    lend_tokenizer(folder / "hf")
    source, out, cache = str(folder / "hf"), str(folder / f"genai-{precision}"), str(folder / "cache")
    extra = ["int4_block_size=32"] if precision == "int4" else None
    if family in OLD_BUILDER:
        options = builder.parse_extra_options(extra or [])
    else:
        options = builder.parse_extra_options(None, source, out, precision, "cpu", cache, extra)
    builder.create_model(None, source, out, precision, "cpu", cache, **options)


def optimum(folder, family):
    from optimum.exporters.onnx import main_export
    from transformers import AutoConfig

    if family in EMBEDDINGS:
        main_export(
            str(folder / "hf"), str(folder / "optimum-fp32"), task="feature-extraction", framework="pt", do_validation=False,
            opset=OLD_OPSET.get(family, OPTIMUM_OPSET),
        )
        return

    known = {"llama", "qwen2", "qwen3", "smollm3", "phi3", "gemma2", "gemma3_text", "glm", "qwen3_moe"}
    custom = None
    if FAMILIES[family][0] not in known:
        from optimum.exporters.onnx.model_configs import GemmaOnnxConfig, TextDecoderWithPositionIdsOnnxConfig

        class Custom(GemmaOnnxConfig, TextDecoderWithPositionIdsOnnxConfig):
            pass

        config = AutoConfig.from_pretrained(folder / "hf")
        if not getattr(config, "head_dim", None):
            config.head_dim = config.hidden_size // config.num_attention_heads
        given = Custom(config, task="text-generation", use_past=True, use_past_in_inputs=True)
        custom = {"model": given}
    main_export(
        str(folder / "hf"), str(folder / "optimum-fp32"), task="text-generation-with-past", framework="pt", no_post_process=True,
        do_validation=False, opset=OPTIMUM_OPSET, custom_onnx_configs=custom,
    )


class WithCache(torch.nn.Module):
    """The decoder as a function of plain tensors."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask, position_ids, past):
        from transformers import DynamicCache

        if any(len(layer) == 1 for layer in past):
            cache = self.with_convolutions(past)
        else:
            cache = DynamicCache([tuple(layer) for layer in past])
        result = self.model(
            input_ids=input_ids, attention_mask=attention_mask, position_ids=position_ids, past_key_values=cache, use_cache=True
        )
        state = lambda layer: (layer.conv_states[0],) if hasattr(layer, "conv_states") else (layer.keys, layer.values)
        return result.logits, [state(layer) for layer in cache.layers]

    def with_convolutions(self, past):
        """A layer of one tensor is a convolution: `[batch, channels, taps]` of what it saw."""
        from transformers import DynamicCache

        cache = DynamicCache(config=self.model.config)
        for layer, state in zip(cache.layers, past):
            if len(state) == 2:
                layer.update(*state)
            else:
                layer.lazy_initialization(conv_states=state[0])
                layer.conv_states[0] = state[0].clone()
                layer.has_previous_state[0] = True
        return cache


class Hidden(torch.nn.Module):
    """A model of embeddings as a function of plain tensors."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, *inputs):
        names = ("input_ids", "attention_mask", "token_type_ids")
        return self.model(**dict(zip(names, inputs))).last_hidden_state


def dynamo_hidden(folder, opset):
    from transformers import AutoModel

    model = AutoModel.from_pretrained(folder / "hf", dtype=torch.float32).eval()
    model.config.use_cache = False
    names = ["input_ids", "attention_mask"] + ["token_type_ids"] * hasattr(model.config, "type_vocab_size")
    out = folder / f"dynamo{opset}"
    out.mkdir(exist_ok=True)
    torch.onnx.export(
        Hidden(model), tuple(torch.ones(1, 5, dtype=torch.long) for _ in names), str(out / "model.onnx"), dynamo=True, opset_version=opset,
        dynamic_shapes=(tuple({1: torch.export.Dim.DYNAMIC} for _ in names),), input_names=names, output_names=["last_hidden_state"],
        external_data=False,
    )


def dynamo(folder, family, opset):
    from transformers import AutoModelForCausalLM

    if family in EMBEDDINGS:
        return dynamo_hidden(folder, opset)

    model = AutoModelForCausalLM.from_pretrained(folder / "hf", dtype=torch.float32, attn_implementation="eager" if family in {"gemma-2", "gpt-oss"} else "sdpa").eval()
    config = model.config
    layers, heads = config.num_hidden_layers, config.num_key_value_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    sequence, past, total = 3, 5, 8
    # Latent attention keeps one compressed row a token, and the part of the keys that turns.
    latent = getattr(config, "kv_lora_rank", None)
    shapes = [(1, latent), (1, config.qk_rope_head_dim)] if latent else [(heads, width)] * 2
    kinds = getattr(config, "layer_types", None) or ["full_attention"] * layers
    convolves = [kind == "conv" for kind in kinds]
    attended = lambda: tuple(torch.zeros(1, heads, past, width) for heads, width in shapes)
    convolved = lambda: (torch.zeros(1, config.hidden_size, config.conv_L_cache),)
    arguments = (
        torch.ones(1, sequence, dtype=torch.long), torch.ones(1, total, dtype=torch.long),
        torch.arange(past, total)[None], [convolved() if layer else attended() for layer in convolves],
    )
    dim = torch.export.Dim
    s, p = dim.DYNAMIC, dim.DYNAMIC
    shapes = ({1: s}, {1: dim.DYNAMIC}, {1: s}, [({},) if layer else ({2: p}, {2: p}) for layer in convolves])
    kept = [("conv",) if layer else ("key", "value") for layer in convolves]
    names = lambda side: [f"{side}.{layer}.{kind}" for layer, kinds in enumerate(kept) for kind in kinds]
    out = folder / f"dynamo{opset}"
    out.mkdir(exist_ok=True)
    torch.onnx.export(
        WithCache(model), arguments, str(out / "model.onnx"), dynamo=True, opset_version=opset, dynamic_shapes=shapes,
        input_names=["input_ids", "attention_mask", "position_ids", *names("past_key_values")],
        output_names=["logits", *names("present")], external_data=False,
    )


def ours(folder, family):
    sys.path.insert(0, str(Path(__file__).parents[2] / "models" / "export"))
    from tealight_export.__main__ import export

    export(folder / "hf", folder / "tealight-fp32")


EXPORTS = {
    "genai": [("genai-fp32", lambda *at: genai(*at, "fp32")), ("genai-int4", lambda *at: genai(*at, "int4"))],
    "optimum": [("optimum-fp32", optimum)],
    "ours": [("tealight-fp32", ours)],
    "dynamo": [("dynamo18", lambda *at: dynamo(*at, 18)), ("dynamo23", lambda *at: dynamo(*at, 23))],
}


def attempt(folder, family, name, export):
    """Exporters exit, assert and raise alike; why they did is part of the table."""
    out, refused = folder / name, folder / f"{name}.refused"
    shutil.rmtree(out, ignore_errors=True)
    refused.unlink(missing_ok=True)
    try:
        export(folder, family)
        print("ok     ", family, name, flush=True)
    except BaseException as error:
        shutil.rmtree(out, ignore_errors=True)
        while error.__cause__ is not None:
            error = error.__cause__
        said = " ".join(str(error).split()) or traceback.format_exc().strip().splitlines()[-2].strip()
        refused.write_text(f"{type(error).__name__}: {said[:160]}\n")
        print("refused", family, name, refused.read_text().strip(), flush=True)


def reference_of(logits, ids):
    """What references hold, in the form of make.py."""
    peak = logits.max(-1, keepdims=True)
    top = np.argsort(-logits, -1, kind="stable")[:, :TOP]
    return {
        "ids": np.array(ids, np.int32),
        "logsumexp": (peak[:, 0] + np.log(np.exp(logits - peak).sum(-1))).astype(np.float32),
        "top_ids": top.astype(np.int32),
        "top_logits": np.take_along_axis(logits, top, -1).astype(np.float32),
        "next_logit": logits[np.arange(len(ids) - 1), ids[1:]].astype(np.float32),
    }


def hidden_of(folder, ids):
    """onnxruntime's hidden states."""
    import onnxruntime

    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    given = {
        "input_ids": np.array([ids]), "attention_mask": np.ones((1, len(ids)), np.int64), "token_type_ids": np.zeros((1, len(ids)), np.int64),
        "position_ids": np.arange(len(ids))[None],
    }
    named = {each.name for each in session.get_inputs()}
    return session.run(["last_hidden_state"], {name: value for name, value in given.items() if name in named})[0][0]


def check(folder, out, name):
    """Keeps onnxruntime's logits for quantized exports, and for those that are not what transformers computes."""
    from safetensors.numpy import load_file, save_file

    from make import logits_of

    reference = load_file(folder / "reference.safetensors")
    ids = reference["ids"].tolist()
    if "hidden" in reference:
        apart = np.abs(hidden_of(folder / name, ids) - reference["hidden"]).max()
        assert apart < 1e-4, f"{out.name} {name} is {apart} away from transformers"
        return
    logits = logits_of(folder / name, ids)
    there = np.take_along_axis(logits, reference["top_ids"].astype(np.int64), -1)
    apart = np.abs(there - reference["top_logits"]).max()
    if "int4" not in name and apart < 1e-3:
        return
    save_file(reference_of(logits, ids), out / f"{name}.safetensors")
    if "int4" not in name:
        (out / f"{name}.wrong").write_text(f"onnxruntime's logits are up to {apart:.2g} away from those of transformers\n")
        print(out.name, name, "is wrong by", apart)


def pack_export(folder, out):
    """The graph in a folder without what only people read, compressed under the folder's name."""
    import onnx

    model = onnx.load(folder / "model.onnx")
    del model.graph.value_info[:]
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    packed = gzip.compress(model.SerializeToString(deterministic=True), mtime=0)
    (out / f"{folder.name}.onnx.gz").write_bytes(packed)
    print(f"{out.name} {folder.name}: {len(packed)} bytes")


def pack(folder, family):
    out = PACKED / family
    out.mkdir(parents=True, exist_ok=True)
    shutil.copy(folder / "reference.safetensors", out)
    for name in (name for exports in EXPORTS.values() for name, _ in exports):
        for suffix in (".onnx.gz", ".refused", ".wrong", ".safetensors"):
            (out / f"{name}{suffix}").unlink(missing_ok=True)
        refused = folder / f"{name}.refused"
        if refused.exists():
            said = refused.read_text().replace(str(folder / "hf"), family)
            (out / refused.name).write_text(said)
        elif (folder / name).exists():
            check(folder, out, name)
            pack_export(folder / name, out)


def main():
    step, root, *families = sys.argv[1:]
    for family in families or FAMILIES:
        folder = Path(root) / family
        folder.mkdir(parents=True, exist_ok=True)
        if step == "models":
            models(folder, family)
        elif step == "pack":
            pack(folder, family)
        else:
            for name, export in EXPORTS[step] if step != "ours" or family in OURS else []:
                attempt(folder, family, name, export)


if __name__ == "__main__":
    main()
