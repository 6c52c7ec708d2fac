"""Turns text by one position a token.

Models that also see images turn parts of a head by a token's place in time, height and width. Of text the three are one number, so that
choosing between them is left out of its graph.
"""


def write_out(model):
    """Replaces such tables of angles by those of text."""
    import torch

    class Text(torch.nn.Module):
        def __init__(self, table):
            super().__init__()
            self.inv_freq, self.scaling = table.inv_freq, table.attention_scaling

        def forward(self, x, position_ids):
            angles = position_ids[:1].squeeze(0)[..., None].float() * self.inv_freq
            angles = torch.cat((angles, angles), -1)
            return angles.cos() * self.scaling, angles.sin() * self.scaling

    for owner in list(model.modules()):
        for name, table in list(owner.named_children()):
            if hasattr(table, "mrope_section"):
                setattr(owner, name, Text(table))
