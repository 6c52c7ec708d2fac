"""Writes layers with a state as one node for what goes from token to token.

transformers runs them in chunks, or in a loop over tokens: traced, the one is a web of triangular sums for the chunk at hand, the other as many
steps as the example had. Each becomes the same function of `LinearAttention` and `CausalConvWithState` (operators.py), which keep what
they need of earlier tokens in tensors of fixed sizes, and of plain operators before and behind them. Weights that lie between each other are
brought apart, so that every product has one meaning.
"""
import torch
from torch.nn.functional import silu

from . import operators
from .load import Refused


def kept(tensor):
    return torch.nn.Parameter(tensor.detach().clone().contiguous(), requires_grad=False)


def projections(linear, sizes):
    """The rows of a product, brought apart into several."""
    weights = linear.weight.split(sizes)
    biases = [None] * len(sizes) if linear.bias is None else linear.bias.split(sizes)
    return [projection(weight, bias) for weight, bias in zip(weights, biases)]


def projection(weight, bias=None):
    made = torch.nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None)
    made.weight = kept(weight)
    if bias is not None:
        made.bias = kept(bias)
    return made


def normalized(x, weight, epsilon):
    return weight * (x * (x.pow(2).mean(-1, keepdim=True) + epsilon).rsqrt())


class Recurrent(torch.nn.Module):
    """What all of them have in common. `states` are the names and shapes of what a layer keeps."""

    def __init__(self, layer):
        super().__init__()
        self.layer_idx = layer.layer_idx

    def convolved(self, conv, x, past, activation="silu"):
        """`[1, tokens, channels]`"""
        x, present = operators.causal_conv(x.transpose(1, 2), conv.weight, conv.bias, past, activation)
        return x.transpose(1, 2), present


class Mamba(Recurrent):
    """Mamba-2 as gated linear attention: what is written is dt · x under the key B, what is read is under the query C."""

    def __init__(self, layer):
        super().__init__(layer)
        self.groups, self.heads, inner = layer.n_groups, layer.num_heads, layer.intermediate_size
        self.gate, self.input, self.step = projections(layer.in_proj, [inner, layer.conv_dim, self.heads])
        self.sizes = [inner, self.groups * layer.ssm_state_size, self.groups * layer.ssm_state_size]
        self.conv, self.epsilon = layer.conv1d, layer.norm.variance_epsilon
        self.norm, self.out_proj = kept(layer.norm.weight), layer.out_proj
        if self.groups > 1:
            # Every group is normalized by itself, and what it is weighed by goes into the product behind.
            self.norm = kept(torch.ones(inner // self.groups))
            self.out_proj = projection(layer.out_proj.weight * layer.norm.weight, layer.out_proj.bias)
        self.dt_bias, self.one = kept(layer.dt_bias), kept(torch.ones_like(layer.dt_bias))
        self.rate, self.skip = kept(-layer.A_log.exp()), kept(layer.D)
        self.states = {
            "conv": (1, layer.conv_dim, layer.conv_kernel_size - 1),
            "recurrent": (1, layer.num_heads, layer.ssm_state_size, layer.head_dim),
        }

    def forward(self, hidden_states, cache_params, **given):
        conv, state = cache_params.recurrent[self.layer_idx]
        x, conv = self.convolved(self.conv, self.input(hidden_states), conv)
        x, key, query = x.split(self.sizes, -1)
        (step,) = operators.gate(self.step(hidden_states), self.dt_bias, self.one)
        by_head = lambda factors: (x.reshape(*x.shape[:2], self.heads, -1) * factors.unsqueeze(-1)).reshape(x.shape)
        y, state = operators.linear_attention(query, key, by_head(step), state, step * self.rate, None, "gated", self.groups)
        cache_params.recurrent[self.layer_idx] = conv, state
        y = (y + by_head(self.skip)) * silu(self.gate(hidden_states))
        if self.groups > 1:
            y = y.reshape(*x.shape[:2], self.groups, -1)
        return self.out_proj(normalized(y, self.norm, self.epsilon).reshape(x.shape))


class DeltaNet(Recurrent):
    """The gated delta net of Qwen3-Next and Qwen3.5."""

    def __init__(self, layer):
        super().__init__(layer)
        keys, values, width = layer.num_k_heads, layer.num_v_heads, layer.head_k_dim
        if hasattr(layer, "in_proj_qkvz"):
            # Of each head of keys: its query, its key, its heads of values, and their gates; their betas, and their decays.
            parts = layer.in_proj_qkvz.weight.view(keys, -1, layer.hidden_size).split(
                [width, width] + [values // keys * layer.head_v_dim] * 2, 1
            )
            query, key, value, gate = (part.reshape(-1, layer.hidden_size) for part in parts)
            rates = layer.in_proj_ba.weight.view(keys, 2, -1, layer.hidden_size)
            self.input, self.gate = projection(torch.cat((query, key, value))), projection(gate)
            self.beta, self.decay = (projection(rates[:, at].reshape(values, -1)) for at in (0, 1))
        else:
            self.input, self.gate, self.beta, self.decay = layer.in_proj_qkv, layer.in_proj_z, layer.in_proj_b, layer.in_proj_a
        self.conv, self.norm, self.out_proj = layer.conv1d, layer.norm, layer.out_proj
        self.sizes = [layer.key_dim, layer.key_dim, layer.value_dim]
        self.dt_bias, self.rate = kept(layer.dt_bias), kept(-layer.A_log.exp())
        self.keys, self.width = keys, width
        ones = layer.dt_bias.new_ones(width)
        self.of_query, self.of_key = kept(ones / width), kept(ones / width**0.5)
        self.states = {"conv": (1, layer.conv_dim, layer.conv_kernel_size - 1), "recurrent": (1, values, width, layer.head_v_dim)}

    def forward(self, hidden_states, cache_params, **given):
        conv, state = cache_params.recurrent[self.layer_idx]
        x, gate = self.input(hidden_states), self.gate(hidden_states)
        beta, decay = self.beta(hidden_states), self.decay(hidden_states)
        x, conv = self.convolved(self.conv, x, conv)
        query, key, value = x.split(self.sizes, -1)
        # x / √(Σx² + 1e-6) in the words of RMSNorm: what lengths and means differ by is in the weights.
        query, key = (
            normalized(x.reshape(*x.shape[:2], self.keys, self.width), weight, 1e-6 / self.width).reshape(x.shape)
            for x, weight in ((query, self.of_query), (key, self.of_key))
        )
        decay, beta = operators.gate(decay, self.dt_bias, self.rate, beta)
        y, state = operators.linear_attention(query, key, value, state, decay, beta, "gated_delta", self.keys)
        cache_params.recurrent[self.layer_idx] = conv, state
        return self.out_proj(operators.gated_norm(y, self.norm.weight, gate, self.norm.variance_epsilon))


class Lightning(Recurrent):
    """MiniMax's lightning attention: linear attention whose heads forget at rates of their own."""

    def __init__(self, layer):
        super().__init__(layer)
        self.heads, self.width, hidden = layer.num_attention_heads, layer.head_dim, layer.qkv_proj.in_features
        parts = layer.qkv_proj.weight.view(self.heads, 3, self.width, hidden)
        self.query, self.key, self.value = (projection(parts[:, at].reshape(-1, hidden)) for at in range(3))
        self.act_fn, self.norm, self.out_proj, self.output_gate = layer.act_fn, layer.norm, layer.out_proj, layer.output_gate
        self.rate = kept(-layer.slope_rate.flatten())
        self.states = {"recurrent": (1, self.heads, self.width, self.width)}

    def forward(self, hidden_states, past_key_values, **given):
        (state,) = past_key_values.recurrent[self.layer_idx]
        query, key, value = (self.act_fn(made(hidden_states)) for made in (self.query, self.key, self.value))
        decay = self.rate.expand(*hidden_states.shape[:2], self.heads)
        y, state = operators.linear_attention(query, key, value, state, decay, None, "gated", self.heads)
        past_key_values.recurrent[self.layer_idx] = (state,)
        return self.out_proj(self.output_gate(hidden_states).sigmoid() * self.norm(y)), None


class ShortConvolution(Recurrent):
    """LFM2's, between two gates."""

    def __init__(self, layer):
        super().__init__(layer)
        self.in_proj, self.conv, self.out_proj = layer.in_proj, layer.conv, layer.out_proj
        self.states = {"conv": (1, layer.conv.in_channels, layer.conv_kernel_size - 1)}

    def forward(self, hidden_states, past_key_values, **given):
        (conv,) = past_key_values.recurrent[self.layer_idx]
        before, behind, x = self.in_proj(hidden_states).transpose(1, 2).chunk(3, 1)
        x, conv = operators.causal_conv(before * x, self.conv.weight, self.conv.bias, conv, "none")
        past_key_values.recurrent[self.layer_idx] = (conv,)
        return self.out_proj((behind * x).transpose(1, 2))


# What tells a layer of transformers by.
KINDS = {
    ("in_proj", "A_log", "D"): Mamba, ("in_proj_qkvz", "A_log"): DeltaNet, ("in_proj_qkv", "A_log"): DeltaNet,
    ("qkv_proj", "slope_rate"): Lightning, ("in_proj", "conv", "conv_kernel_size"): ShortConvolution,
}
FREE = (0.0, float("inf"))


def kind(module):
    return next((made for marks, made in KINDS.items() if all(hasattr(module, mark) for mark in marks)), None)


def write_out(model):
    """Replaces every layer with a state; raises `Refused` for one that computes what the node does not."""
    for owner in list(model.modules()):
        for name, layer in list(owner.named_children()):
            made = kind(layer)
            if made is None:
                continue
            odd = getattr(layer, "activation", "silu") not in ("silu", "swish") and "another activation than SiLU"
            odd = odd or tuple(getattr(layer, "time_step_limit", FREE)) != FREE and "steps that are bounded"
            if odd:
                raise Refused(f"layer {layer.layer_idx}: a {made.__name__} with {odd} is not exported yet")
            setattr(owner, name, made(layer))


def layers(model):
    """The replaced layers of a model by their index."""
    return {layer.layer_idx: layer for layer in model.modules() if isinstance(layer, Recurrent)}
