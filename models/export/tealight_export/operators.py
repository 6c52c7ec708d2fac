"""The operators of com.microsoft that keep a state, and what stands beside them, each as one node of the graph that torch's exporter writes.

They stand only in graphs: what they compute is onnxruntime's to say (docs/ContribOperators.md), and `check.py` holds it against the model.
"""
from torch.onnx.ops import symbolic_multi_out


def _node(name, inputs, outputs, **attributes):
    """A node whose outputs have the shapes of the tensors in `outputs`."""
    shapes = [tensor.shape for tensor in outputs]
    return symbolic_multi_out(f"com.microsoft::{name}", inputs, attributes, dtypes=[tensor.dtype for tensor in outputs], shapes=shapes, version=1)


def causal_conv(x, weight, bias, past, activation):
    """Every channel of `[1, channels, tokens]` by its own taps, behind the `past` that it saw: `[1, channels, taps - 1]`."""
    return _node("CausalConvWithState", (x, weight, bias, past), (x, past), activation=activation)


def linear_attention(query, key, value, past, decay, beta, rule, query_heads):
    """`[1, tokens, heads · width]` each, decay (a logarithm) and beta `[1, tokens, heads]`, past `[1, heads, key width, value width]`.

    Queries and keys may have fewer heads, each of which several heads of values then share. Returns what is read, and the state behind it.
    """
    inputs = (query, key, value, past, decay) if beta is None else (query, key, value, past, decay, beta)
    heads = dict(q_num_heads=query_heads, kv_num_heads=past.shape[1])
    return _node("LinearAttention", inputs, (value, past), update_rule=rule, scale=1.0, **heads)


def gate(x, bias, scale, beta=None):
    """scale · softplus(x + bias) `[1, tokens, heads]`, and the sigmoid of `beta` if it is given."""
    given = (x, bias, scale) if beta is None else (x, bias, scale, beta)
    return _node("LinearAttentionGate", given, given[::3])


def gated_norm(x, weight, gate, epsilon):
    """RMSNorm of every head, as wide as `weight`, and then times SiLU(gate): `[1, tokens, heads · width]`."""
    (y,) = _node("GatedRMSNorm", (x, weight, gate), (x,), epsilon=epsilon)
    return y
