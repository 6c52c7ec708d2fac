"""Puts the factors on residual sums, and on logits, into the weights before and the norms behind them.

Granite multiplies what a layer adds, and divides logits; MiniMax multiplies both sides of its sums, of which only norms see anything: a norm is
the same for x and for α · x, but for its epsilon, which becomes ε / α².
"""


def multiply(layer, factor):
    """Every product of a layer that goes into its residual sum, by a factor."""
    for name, module in layer.named_modules():
        if name.endswith(("out_proj", "o_proj", "output_linear", "down_proj")):
            for weight in module.parameters():
                weight.mul_(factor)
        elif hasattr(module, "down_proj") and hasattr(module, "num_experts"):
            module.down_proj.mul_(factor)


def write_out(model):
    import torch

    inner = getattr(model, "model", None)
    layers = getattr(inner, "layers", ())
    with torch.no_grad():
        for index, layer in enumerate(layers):
            if hasattr(layer, "residual_multiplier"):
                multiply(layer, layer.residual_multiplier)
                layer.residual_multiplier = 1.0
            if hasattr(layer, "mlp_alpha_factor"):
                behind = layers[index + 1].input_layernorm if index + 1 < len(layers) else inner.norm
                for side, part, norm in (("attn", layer.self_attn, layer.post_attention_layernorm), ("mlp", layer.mlp, behind)):
                    alpha, beta = (f"{side}_{which}_factor" for which in ("alpha", "beta"))
                    multiply(part, getattr(layer, beta) / getattr(layer, alpha))
                    norm.variance_epsilon /= getattr(layer, alpha) ** 2
                    setattr(layer, alpha, 1.0)
                    setattr(layer, beta, 1.0)
        if hasattr(model.config, "logits_scaling"):
            inner.norm.weight.div_(model.config.logits_scaling)
            model.config.logits_scaling = 1.0
