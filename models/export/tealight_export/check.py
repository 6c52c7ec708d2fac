"""Holds a graph against the model that it was made of."""
TOKENS, FIRST = 24, 17
# Of the widest logit: sums of another order.
MOST_APART = 1e-4


def expected(model):
    """Ids that are likely to hit many experts, and the model's own logits for them, from before anything was replaced."""
    import torch

    ids = torch.randint(0, model.config.vocab_size, (1, TOKENS), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return ids.numpy(), model(ids, use_cache=False).logits[0].numpy()


def against(expected, path, model):
    """Runs the graph, first many tokens and then one after the other, and returns how far its logits are from the model's."""
    import numpy as np
    import onnxruntime

    from .load import Refused
    from .trace import empty, names

    ids, logits = expected
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    cache = [np.zeros(shape, np.float32) for shape in empty(model)]
    found = []
    for start, end in [(0, FIRST), *((at, at + 1) for at in range(FIRST, TOKENS))]:
        feed = {
            "input_ids": ids[:, start:end], "attention_mask": np.ones((1, end), np.int64), "position_ids": np.arange(start, end)[None],
            **dict(zip(names(model, 0), cache)),
        }
        taken = {given.name for given in session.get_inputs()}
        result, *cache = session.run(None, {name: value for name, value in feed.items() if name in taken})
        found.append(result[0])
    apart = float(np.abs(np.concatenate(found) - logits).max())
    if not apart <= MOST_APART * max(1.0, float(np.abs(logits).max())):
        raise Refused(f"the graph's logits are up to {apart:.2g} away from torch's: nothing was written")
    return apart
