"""Writes latent attention out as attention over plain heads.

DeepSeek's multi-head latent attention (DeepSeek-V2, 2024) keeps one compressed row a token and makes every head's keys and values of it anew for
all positions at each step. Here they are made once, when the token comes, and kept: the same scores and sums, as the attention that every
runtime has, for a larger cache. A head's key holds what turns with the position first, neighbours brought apart into halves, as
partial rotation does elsewhere; queries lie in the same order, so their products are the same. The part that turns is shared by all
heads: a matrix of zeros and ones hands it to each.
"""


def is_latent(module):
    return hasattr(module, "kv_a_proj_with_mqa") and hasattr(module, "kv_b_proj")


def cache_shape(config):
    """Heads, and how wide their keys and values are, once it is written out."""
    return config.num_attention_heads, config.qk_nope_head_dim + config.qk_rope_head_dim, config.v_head_dim


def plain(attention):
    """The module that stands for a latent attention of transformers."""
    import torch
    from torch.nn.functional import linear
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    heads, turning, still, value = attention.num_heads, attention.qk_rope_head_dim, attention.qk_nope_head_dim, attention.v_head_dim
    rank = attention.kv_lora_rank
    order = torch.arange(turning)
    if attention.config.rope_interleave:
        order = torch.cat((order[0::2], order[1::2]))

    def turning_first(weight):
        """`[heads · (still + turning), inputs]` with every head's parts exchanged."""
        each = weight.view(heads, still + turning, -1)
        return torch.cat((each[:, still:][:, order], each[:, :still]), 1).reshape(weight.shape)

    def half_turned(x):
        return torch.cat((-x[..., turning // 2 :], x[..., : turning // 2]), -1)

    class Plain(torch.nn.Module):
        def __init__(self):
            super().__init__()
            kept = lambda tensor: torch.nn.Parameter(tensor.detach().clone().contiguous(), requires_grad=False)
            self.num_key_value_groups, self.is_causal = 1, True
            last = attention.q_proj if attention.q_lora_rank is None else attention.q_b_proj
            self.query = kept(turning_first(last.weight))
            down = attention.kv_a_proj_with_mqa
            self.compress, self.shared = kept(down.weight[:rank]), kept(down.weight[rank:][order])
            self.compress_bias = self.shared_bias = None
            if down.bias is not None:
                self.compress_bias, self.shared_bias = kept(down.bias[:rank]), kept(down.bias[rank:][order])
            up = attention.kv_b_proj.weight.view(heads, still + value, rank)
            nothing = up.new_zeros(heads, turning, rank)
            self.key = kept(torch.cat((nothing, up[:, :still]), 1).reshape(-1, rank))
            self.value = kept(up[:, still:].reshape(-1, rank))
            one_each = torch.cat((torch.eye(turning), torch.zeros(still, turning)))
            self.hand_out = kept(one_each.repeat(heads, 1))
            self.q_a_proj, self.q_a_layernorm = attention.q_a_proj, attention.q_a_layernorm
            self.kv_a_layernorm, self.o_proj = attention.kv_a_layernorm, attention.o_proj

        def forward(self, hidden_states, position_embeddings, attention_mask, past_key_values=None, **given):
            inner = hidden_states if self.q_a_proj is None else self.q_a_layernorm(self.q_a_proj(hidden_states))
            latent = self.kv_a_layernorm(linear(hidden_states, self.compress, self.compress_bias))
            key = linear(latent, self.key) + linear(linear(hidden_states, self.shared, self.shared_bias), self.hand_out)
            query, key, values = (
                x.view(*x.shape[:2], heads, -1).transpose(1, 2) for x in (linear(inner, self.query), key, linear(latent, self.value))
            )
            cos, sin = (table.unsqueeze(1) for table in position_embeddings)
            turned = lambda x: x[..., :turning] * cos + half_turned(x[..., :turning]) * sin
            query, key = (torch.cat((turned(x), x[..., turning:]), -1) for x in (query, key))
            if past_key_values is not None:
                key, values = past_key_values.update(key, values, attention.layer_idx)
            attend = ALL_ATTENTION_FUNCTIONS[attention.config._attn_implementation]
            result, _ = attend(self, query, key, values, attention_mask, dropout=0.0, scaling=attention.scaling, **given)
            return self.o_proj(result.reshape(*hidden_states.shape[:2], -1)), None

    return Plain()


def write_out(model):
    """Replaces every latent attention of the model, and returns how many there were."""
    owners = [(owner, name) for owner in model.modules() for name, module in owner.named_children() if is_latent(module)]
    for owner, name in owners:
        setattr(owner, name, plain(getattr(owner, name)))
    return len(owners)
