"""Makes the tiny decoders of `tests/reference/graphs`, which import does not recognise and tract runs.

usage: graphs.py FOLDER     (transformers 4 and optimum: see families.requirements.txt)

For each of them an export by optimum, and in `greedy.json` what transformers continues a prompt of eight tokens with.
"""
import json
import sys
from pathlib import Path

import numpy as np
import torch

from families import OPTIMUM_OPSET, five_bits, pack_export

PACKED = Path(__file__).parent / "graphs"
PROMPT, CONTINUED = 8, 16
COMMON = dict(vocab_size=96, bos_token_id=1, eos_token_id=2, pad_token_id=0, initializer_range=0.3)
LAYERS = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=2, max_position_embeddings=64)
# With a seed whose weights do not say one token for ever.
GRAPHS = {
    "gpt2": (381, dict(n_embd=32, n_layer=2, n_head=2, n_positions=64)),
    "gpt_neox": (7, dict(LAYERS, intermediate_size=64)),
    "falcon": (7, dict(LAYERS)),
}


def main():
    from optimum.exporters.onnx import main_export
    from transformers import AutoConfig, AutoModelForCausalLM

    greedy = {}
    PACKED.mkdir(exist_ok=True)
    for kind, (seed, sizes) in GRAPHS.items():
        name = kind.replace("_", "-")
        torch.manual_seed(seed)
        config = AutoConfig.for_model(kind, **{**COMMON, **sizes})
        model = AutoModelForCausalLM.from_config(config).float().eval()
        with torch.no_grad():
            for weight in model.parameters():
                if weight.dim() == 1:
                    weight.add_(0.2 * torch.randn_like(weight))
                weight.copy_(five_bits(weight))
        source, out = Path(sys.argv[1]) / f"{name}-hf", Path(sys.argv[1]) / name
        model.save_pretrained(source)
        ids = torch.tensor(np.random.default_rng(0).integers(3, COMMON["vocab_size"], PROMPT)[None])
        model.generation_config.eos_token_id = None
        greedy[name] = model.generate(ids, max_new_tokens=CONTINUED, do_sample=False)[0].tolist()
        main_export(
            str(source), str(out), task="text-generation-with-past", framework="pt", no_post_process=True, do_validation=False,
            opset=OPTIMUM_OPSET,
        )
        pack_export(out, PACKED)
    (PACKED / "greedy.json").write_text(json.dumps(greedy) + "\n")


if __name__ == "__main__":
    main()
