"""From trained weights to the ONNX folder: weights → Hugging Face folder → onnxruntime-genai's builder, int4, block 32.

    python export.py TRAINED ONNX

TRAINED is train.py's --out folder. The Hugging Face folder is written inside it.
"""

import json
import os
import shutil
import sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch

import tokenizer as tok
from model import Config, Home

KEPT = ["model.onnx", "model.onnx.data", "genai_config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja",
        "generation_config.json", "config.json"]


def hugging_face(trained, out):
    """A Qwen3ForCausalLM folder."""
    from transformers import GenerationConfig, Qwen3Config, Qwen3ForCausalLM
    c = Config()
    config = Qwen3Config(
        vocab_size=c.vocabulary, hidden_size=c.hidden, intermediate_size=c.intermediate, num_hidden_layers=c.layers, num_attention_heads=c.heads,
        num_key_value_heads=c.kv_heads, head_dim=c.head_dim, max_position_embeddings=c.positions, rms_norm_eps=c.eps, tie_word_embeddings=True,
        attention_bias=False, bos_token_id=None, eos_token_id=tok.END_ID, pad_token_id=tok.PAD_ID, rope_parameters={"rope_type": "default", "rope_theta": c.theta})
    model = Qwen3ForCausalLM(config).float().eval()
    weights = torch.load(f"{trained}/weights.pt")
    missing, unexpected = model.load_state_dict(weights, strict=False)
    assert not unexpected and set(missing) <= {"lm_head.weight"}, (missing, unexpected)
    model.tie_weights()
    check(model, weights)
    model.save_pretrained(out)
    GenerationConfig(do_sample=False, eos_token_id=tok.END_ID, pad_token_id=tok.PAD_ID, max_length=c.positions).save_pretrained(out)
    shutil.copy(f"{trained}/tokenizer.json", out)
    with open(f"{out}/chat_template.jinja", "w") as file:
        file.write(tok.CHAT_TEMPLATE)
    write_json(f"{out}/tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": c.positions, "eos_token": tok.END, "pad_token": tok.PAD,
        "bos_token": None, "add_bos_token": False, "clean_up_tokenization_spaces": False, "chat_template": tok.CHAT_TEMPLATE})


def check(model, weights):
    """transformers and our training code compute the same."""
    ours = Home().eval()
    ours.load_state_dict(weights)
    ids = torch.tensor([[1, 300, 400, 500, 600, 700, 2, 10]])
    with torch.no_grad():
        difference = (ours(ids, torch.arange(ids.numel())) - model(ids).logits[0]).abs().max().item()
    assert difference < 1e-3, difference


def build(source, out):
    import onnxruntime_genai
    sys.path.insert(0, os.path.join(os.path.dirname(onnxruntime_genai.__file__), "models"))
    import builder
    cache = f"{source}/../cache"
    extra = builder.parse_extra_options(None, source, out, "int4", "cpu", cache, ["int4_block_size=32"])
    builder.create_model(None, source, out, "int4", "cpu", cache, **extra)


def write_json(path, content):
    with open(path, "w") as file:
        json.dump(content, file, indent=1, ensure_ascii=False)


def main():
    trained, out = sys.argv[1:]
    source, built = f"{trained}/hf", f"{trained}/built"
    for folder in (source, built):
        shutil.rmtree(folder, ignore_errors=True)
    hugging_face(trained, source)
    build(source, built)
    print(sorted(os.listdir(built)))
    for name in ("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copy(f"{source}/{name}", f"{built}/{name}")
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    for name in KEPT:
        shutil.copy(f"{built}/{name}", f"{out}/{name}")
        print(os.path.getsize(f"{out}/{name}"), name)


if __name__ == "__main__":
    main()
