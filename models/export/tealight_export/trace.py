"""From a model to an ONNX graph, by torch's exporter."""
from . import latent

OPSET = 18


def cache_shape(config):
    """Heads, and how wide every layer's keys and values are in each."""
    if getattr(config, "kv_lora_rank", None):
        return latent.cache_shape(config)
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return config.num_key_value_heads, width, width


def empty_cache(config, past=0):
    """Shapes of the keys and the values of every layer, in the order of `names`."""
    heads, *widths = cache_shape(config)
    return [(1, heads, past, width) for _ in range(config.num_hidden_layers) for width in widths]


def names(config, side):
    """`past_key_values.0.key` and so on, or `present.…`."""
    return [f"{side}.{layer}.{kind}" for layer in range(config.num_hidden_layers) for kind in ("key", "value")]


def write(model, path):
    """Writes the decoder as a function of ids, mask, positions and the cache so far."""
    import torch
    from transformers import DynamicCache

    class WithCache(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, input_ids, attention_mask, position_ids, past):
            cache = DynamicCache([tuple(layer) for layer in past])
            result = self.model(
                input_ids=input_ids, attention_mask=attention_mask, position_ids=position_ids, past_key_values=cache, use_cache=True
            )
            return result.logits, [(layer.keys, layer.values) for layer in cache.layers]

    config = model.config
    # Any numbers that are not 0 or 1, which the exporter would take for constants.
    sequence, past = 3, 5
    layers = range(config.num_hidden_layers)
    cache = [torch.zeros(shape) for shape in empty_cache(config, past)]
    arguments = (
        torch.ones(1, sequence, dtype=torch.long), torch.ones(1, past + sequence, dtype=torch.long),
        torch.arange(past, past + sequence)[None], list(zip(cache[::2], cache[1::2])),
    )
    any_size = torch.export.Dim.DYNAMIC
    shapes = ({1: any_size}, {1: any_size}, {1: any_size}, [({2: any_size}, {2: any_size}) for _ in layers])
    with torch.no_grad():
        torch.onnx.export(
            WithCache(), arguments, str(path), dynamo=True, opset_version=OPSET, dynamic_shapes=shapes, external_data=True, verbose=False,
            input_names=["input_ids", "attention_mask", "position_ids", *names(config, "past_key_values")],
            output_names=["logits", *names(config, "present")],
        )
