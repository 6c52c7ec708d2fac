"""Loads a model from a folder, without asking any network."""
from pathlib import Path


class Refused(Exception):
    """Nothing was written, and this is why."""


def model(folder):
    """The causal language model in a Hugging Face folder, in float32."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    if not (Path(folder) / "config.json").is_file():
        raise Refused(f"{folder} has no config.json: it is no Hugging Face folder")
    config = AutoConfig.from_pretrained(folder, local_files_only=True)
    # Fused attention has no cap on scores, and no sinks.
    kind = AutoModelForCausalLM._model_mapping[type(config)]
    fused = getattr(kind, "_supports_sdpa", True) and not getattr(config, "attn_logit_softcapping", None)
    attention = "sdpa" if fused else "eager"
    loaded = AutoModelForCausalLM.from_pretrained(
        folder, config=config, dtype=torch.float32, attn_implementation=attention, local_files_only=True
    )
    return loaded.eval()
