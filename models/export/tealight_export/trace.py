"""From a model to an ONNX graph, by torch's exporter."""
import sys

from . import latent

OPSET = 18
# What a layer keeps, and how the graph's inputs and outputs for it are called: as onnxruntime-genai calls them.
NAMES = {kind: ("past_key_values.{}." + kind, "present.{}." + kind) for kind in ("key", "value")}
NAMES |= {kind: ("past.{}." + kind, "present.{}." + kind) for kind in ("conv", "recurrent")}


def attended(config):
    """Heads, and how wide every layer's keys and values are in each."""
    if getattr(config, "kv_lora_rank", None):
        return latent.cache_shape(config)
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return config.num_key_value_heads, width, width


def caches(model, past=0):
    """Names and shapes of what every layer keeps of `past` tokens."""
    from . import recurrent

    heads, key, value = attended(model.config)
    plain = {"key": (1, heads, past, key), "value": (1, heads, past, value)}
    states = {index: layer.states for index, layer in recurrent.layers(model).items()}
    return [states.get(index, plain) for index in range(model.config.num_hidden_layers)]


def names(model, side):
    """What `caches` is called in the graph, one layer after the other: on side 0 as inputs, on side 1 as outputs."""
    return [NAMES[kind][side].format(index) for index, layer in enumerate(caches(model)) for kind in layer]


def empty(model):
    """Shapes of what is kept before the first token, in the order of `names`."""
    return [shape for layer in caches(model) for shape in layer.values()]


def write(model, path):
    """Writes the decoder as a function of ids, mask, positions and what it keeps of earlier tokens."""
    import torch
    from transformers.cache_utils import DynamicCache, DynamicLayer, LinearAttentionLayer

    # Any numbers that are not 0 or 1, which the exporter would take for constants.
    sequence, past = 3, 5
    shapes = caches(model, past)
    attends = ["key" in layer for layer in shapes]
    # Some models want to see a cache of their own.
    kind = getattr(sys.modules[type(model).__module__], "MiniMaxCache", DynamicCache)

    class WithCache(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, input_ids, attention_mask, position_ids, past):
            cache = kind()
            cache.layers = [DynamicLayer() if attends_here else LinearAttentionLayer() for attends_here in attends]
            cache.recurrent = {}
            for index, kept in enumerate(past):
                if attends[index]:
                    cache.layers[index].update(*kept)
                else:
                    cache.recurrent[index] = tuple(kept)
            result = self.model(
                input_ids=input_ids, attention_mask=attention_mask, position_ids=position_ids, past_key_values=cache, use_cache=True
            )
            return result.logits, [
                (layer.keys, layer.values) if attends[index] else cache.recurrent[index] for index, layer in enumerate(cache.layers)
            ]

    arguments = (
        torch.ones(1, sequence, dtype=torch.long), torch.ones(1, past + sequence, dtype=torch.long),
        torch.arange(past, past + sequence)[None], [tuple(torch.zeros(shape) for shape in layer.values()) for layer in shapes],
    )
    any_size = torch.export.Dim.DYNAMIC
    grows = [({2: any_size},) * 2 if attends_here else ({},) * len(layer) for attends_here, layer in zip(attends, shapes)]
    with torch.no_grad():
        torch.onnx.export(
            WithCache(), arguments, str(path), dynamo=True, opset_version=OPSET, external_data=True, verbose=False,
            dynamic_shapes=({1: any_size}, {1: any_size}, {1: any_size}, grows),
            input_names=["input_ids", "attention_mask", "position_ids", *names(model, 0)], output_names=["logits", *names(model, 1)],
        )
