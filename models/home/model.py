"""Qwen3, small, in PyTorch, with the int4 rounding of its weights simulated.

Parameter names are those of transformers' Qwen3ForCausalLM, so that the weights load there as they are.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

BLOCK = 32


@dataclass(frozen=True)
class Config:
    vocabulary: int = 1024
    hidden: int = 160
    intermediate: int = 320
    layers: int = 5
    heads: int = 5
    kv_heads: int = 1
    head_dim: int = 32
    positions: int = 192
    theta: float = 10000.0
    eps: float = 1e-6


def round_weight(weight):
    """onnxruntime's symmetric int4: per row and 32 inputs, the largest magnitude becomes -8; the scale is held as float16."""
    blocks = weight.view(weight.shape[0], -1, BLOCK)
    with torch.no_grad():
        peak = blocks.gather(2, blocks.abs().argmax(2, keepdim=True))
        scale = peak / -8
        scale = torch.where(scale == 0, torch.full_like(scale, 1e-8), scale)
        rounded = torch.clamp(torch.round(blocks / scale), -8, 7) * scale.half().float()
    return (blocks + (rounded - blocks).detach()).view_as(weight)


class Quant:
    """Whether the rounding of weights is simulated; one object shared by all layers."""

    weights = False


def product(x, quant, *linears):
    """The products of x with several matrices, side by side: one pass over x."""
    weights = [round_weight(linear.weight) if quant.weights else linear.weight for linear in linears]
    return F.linear(x, weights[0] if len(weights) == 1 else torch.cat(weights)).split([len(w) for w in weights], -1)


def linear(inputs, outputs):
    return nn.Linear(inputs, outputs, bias=False)


def rms_norm(x, weight, eps: float, kind: torch.dtype):
    x = x.float()
    return (x * torch.rsqrt(x.square().mean(-1, keepdim=True) + eps) * weight).to(kind)


def norm_and_rotate(x, weight, cos, sin, eps: float):
    """RMSNorm of each head, then its rotary embedding. x: batch, sequence, heads, head_dim."""
    x = x.float()
    x = x * torch.rsqrt(x.square().mean(-1, keepdim=True) + eps) * weight
    low, high = x.chunk(2, -1)
    cos, sin = cos[None, :, None], sin[None, :, None]
    return torch.cat((low * cos - high * sin, high * cos + low * sin), -1)


def gate(x, up, kind: torch.dtype):
    return (F.silu(x.float()) * up.float()).to(kind)


def matmul_kind():
    return torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else torch.float32


class RMSNorm(nn.Module):
    def __init__(self, size, eps):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x):
        return rms_norm(x, self.weight, self.eps, matmul_kind())


class Attention(nn.Module):
    def __init__(self, c, quant):
        super().__init__()
        self.c, self.quant = c, quant
        self.q_proj = linear(c.hidden, c.heads * c.head_dim)
        self.k_proj = linear(c.hidden, c.kv_heads * c.head_dim)
        self.v_proj = linear(c.hidden, c.kv_heads * c.head_dim)
        self.o_proj = linear(c.heads * c.head_dim, c.hidden)
        self.q_norm = RMSNorm(c.head_dim, c.eps)
        self.k_norm = RMSNorm(c.head_dim, c.eps)

    def forward(self, x, cos, sin):
        b, s, _ = x.shape
        c = self.c
        q, k, v = product(x, self.quant, self.q_proj, self.k_proj, self.v_proj)
        q = norm_and_rotate(q.view(b, s, c.heads, c.head_dim), self.q_norm.weight, cos, sin, c.eps).transpose(1, 2)
        k = norm_and_rotate(k.view(b, s, c.kv_heads, c.head_dim), self.k_norm.weight, cos, sin, c.eps).transpose(1, 2)
        v = v.view(b, s, c.kv_heads, c.head_dim).transpose(1, 2)
        return attend(q.to(v.dtype), k.to(v.dtype), v).transpose(1, 2).reshape(b, s, -1)


def attend(q, k, v):
    """Causal attention for short sequences: the query heads of one key head are rows of one product."""
    b, heads, s, d = q.shape
    kv = k.shape[1]
    rows = q.reshape(b * kv, heads // kv * s, d)
    scores = torch.bmm(rows, k.reshape(b * kv, s, d).transpose(1, 2))
    mask = torch.full((s, s), float("-inf")).triu(1).repeat(heads // kv, 1)
    return torch.bmm(masked_softmax(scores, mask, d ** -0.5), v.reshape(b * kv, s, d)).view(b, heads, s, d)


def masked_softmax(scores, mask, scale: float):
    return torch.softmax(scores.float() * scale + mask, -1).to(scores.dtype)


class MLP(nn.Module):
    def __init__(self, c, quant):
        super().__init__()
        self.quant = quant
        self.gate_proj = linear(c.hidden, c.intermediate)
        self.up_proj = linear(c.hidden, c.intermediate)
        self.down_proj = linear(c.intermediate, c.hidden)

    def forward(self, x):
        middle = gate(*product(x, self.quant, self.gate_proj, self.up_proj), matmul_kind())
        return product(middle, self.quant, self.down_proj)[0]


class Layer(nn.Module):
    def __init__(self, c, quant):
        super().__init__()
        self.quant = quant
        self.input_layernorm = RMSNorm(c.hidden, c.eps)
        self.self_attn = Attention(c, quant)
        self.post_attention_layernorm = RMSNorm(c.hidden, c.eps)
        self.mlp = MLP(c, quant)

    def forward(self, x, cos, sin, wanted=None):
        y = self.self_attn(self.input_layernorm(x), cos, sin)
        if wanted is not None:
            x, y = x.flatten(0, 1)[wanted], y.flatten(0, 1)[wanted]
        x = x + product(y.to(matmul_kind()), self.quant, self.self_attn.o_proj)[0]
        return x + self.mlp(self.post_attention_layernorm(x))


class Body(nn.Module):
    def __init__(self, c, quant):
        super().__init__()
        self.embed_tokens = nn.Embedding(c.vocabulary, c.hidden)
        self.layers = nn.ModuleList(Layer(c, quant) for _ in range(c.layers))
        self.norm = RMSNorm(c.hidden, c.eps)


class Home(nn.Module):
    def __init__(self, config=Config()):
        super().__init__()
        self.config, self.quant = config, Quant()
        self.model = Body(config, self.quant)
        inverse = config.theta ** (-torch.arange(0, config.head_dim, 2).float() / config.head_dim)
        angles = torch.outer(torch.arange(config.positions).float(), inverse)
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)
        for name, weight in self.named_parameters():
            if weight.dim() == 2:
                scale = 0.02 if "embed" in name else weight.shape[1] ** -0.5
                if name.endswith(("o_proj.weight", "down_proj.weight")):
                    scale /= (2 * config.layers) ** 0.5
                nn.init.normal_(weight, std=scale)

    def forward(self, ids, wanted=None):
        """Logits of the positions in `wanted` (indices into batch × sequence), or of all."""
        table = self.model.embed_tokens.weight
        if self.quant.weights:
            table = round_weight(table)
        x = F.embedding(ids, table)
        cos, sin = self.cos[: ids.shape[1]], self.sin[: ids.shape[1]]
        *early, last = self.model.layers
        for layer in early:
            x = layer(x, cos, sin)
        x = self.model.norm(last(x, cos, sin, wanted))
        return F.linear(x, table)
