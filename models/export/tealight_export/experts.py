"""Makes mixtures of experts traceable.

transformers runs the experts that the tokens at hand are routed to, in a loop that depends on the tokens: traced, it keeps the experts
that the example happened to hit. Here every expert is computed for every token and weighed by what the router gave it, zero for most: the
same sum for any tokens, as one graph. Tealight recognises it, and runs only the experts whose weight is not zero.
"""
from types import MethodType

NAME = "every_expert_weighed"


def every_expert(self, hidden_states, top_k_index, top_k_weights):
    """`[tokens, hidden]`, and `[tokens, k]` twice."""
    import torch

    places = (hidden_states.shape[0], self.num_experts)
    weights = torch.zeros(places, dtype=top_k_weights.dtype).scatter(1, top_k_index, top_k_weights)
    first, last = self.gate_up_proj, self.down_proj
    if not self.is_transposed:
        first, last = first.transpose(1, 2), last.transpose(1, 2)
    both = hidden_states.unsqueeze(0) @ first
    if self.has_bias:
        both = both + self.gate_up_proj_bias.unsqueeze(1)
    every = self._apply_gate(both) @ last
    if self.has_bias:
        every = every + self.down_proj_bias.unsqueeze(1)
    return (every * weights.t().unsqueeze(-1)).sum(0)


def chosen_of_all(self, hidden_states):
    """What a softmax over the greatest logits gives is their part of one over all: what Granite computes, in the words of the others."""
    import torch

    logits = torch.nn.functional.linear(hidden_states, self.weight)
    weights, index = logits.softmax(-1).topk(self.top_k, -1)
    return logits, weights / weights.sum(-1, keepdim=True), index


def make_traceable(model):
    """Replaces the loop in every mixture of the model; raises `Refused` for experts of a kind that this does not compute."""
    from transformers.integrations.moe import ALL_EXPERTS_FUNCTIONS

    from .load import Refused

    mixtures = {name: module for name, module in model.named_modules() if hasattr(module, "down_proj") and hasattr(module, "num_experts")}
    for name, module in mixtures.items():
        # What transformers says about experts that are not gated MLPs.
        odd = ["has_post_expert_norm"] if getattr(module, "has_post_expert_norm", False) else []
        odd += [] if getattr(module, "has_gate", False) else ["no gate"]
        if odd:
            raise Refused(f"{name}: experts with {', '.join(odd)} are not exported yet")
    for router in (module for module in model.modules() if type(module).__name__.startswith("GraniteMoe") and hasattr(module, "top_k")):
        router.forward = MethodType(chosen_of_all, router)
    if mixtures:
        ALL_EXPERTS_FUNCTIONS.register(NAME, every_expert)
        model.set_experts_implementation(NAME)
    return len(mixtures)
