"""Exports a tiny model of every family with a state, and holds its graph to what the page says of it."""
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

try:
    import onnx
    import onnxruntime  # noqa: F401
    import onnxscript  # noqa: F401
    import torch
    import transformers

    missing = None if int(transformers.__version__.split(".")[0]) >= 5 else f"transformers {transformers.__version__}"
except ImportError as error:
    missing = str(error)

SIZES = dict(
    vocab_size=48, hidden_size=32, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1, head_dim=16,
    max_position_embeddings=64, initializer_range=0.3, pad_token_id=0,
)
LINEAR = ["linear_attention", "full_attention"]
DELTA = dict(
    layer_types=LINEAR, linear_num_key_heads=2, linear_num_value_heads=4, linear_key_head_dim=16, linear_value_head_dim=8,
    linear_conv_kernel_dim=4,
)
MAMBA = dict(
    layer_types=["mamba", "attention"], mamba_n_heads=8, mamba_d_head=8, mamba_d_state=16, mamba_d_conv=4, mamba_expand=2,
    shared_intermediate_size=24, num_local_experts=0, residual_multiplier=0.5, embedding_multiplier=3.0, logits_scaling=2.0,
)
EXPERTS = dict(num_local_experts=4, num_experts_per_tok=2)
# Of each family: what its configuration changes, what the first layer keeps, and the rules of its recurrences.
FAMILIES = {
    "one group of keys": ("granitemoehybrid", MAMBA, {"conv": [1, 96, 3], "recurrent": [1, 8, 16, 8]}, b"gated"),
    "two groups, and experts": (
        "granitemoehybrid", MAMBA | EXPERTS | dict(mamba_n_groups=2), {"conv": [1, 128, 3], "recurrent": [1, 8, 16, 8]}, b"gated",
    ),
    "decay a head": ("minimax", EXPERTS | dict(layer_types=LINEAR, block_size=4), {"recurrent": [1, 2, 16, 16]}, b"gated"),
    "delta net, and experts": (
        "qwen3_next", DELTA | dict(num_experts=4, num_experts_per_tok=2, moe_intermediate_size=16, shared_expert_intermediate_size=16),
        {"conv": [1, 96, 3], "recurrent": [1, 4, 16, 8]}, b"gated_delta",
    ),
    "delta net, projections apart": ("qwen3_5_text", DELTA, {"conv": [1, 96, 3], "recurrent": [1, 4, 16, 8]}, b"gated_delta"),
    "convolution alone": ("lfm2", dict(layer_types=["conv", "full_attention"], conv_L_cache=3), {"conv": [1, 32, 2]}, None),
    "convolution, and experts": (
        "lfm2_moe", dict(
            layer_types=["conv", "full_attention"], conv_L_cache=3, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=16,
            num_dense_layers=1,
        ), {"conv": [1, 32, 2]}, None,
    ),
}


def save(folder, architecture, changes):
    torch.manual_seed(1)
    config = transformers.AutoConfig.for_model(architecture, **{**SIZES, **changes})
    model = transformers.AutoModelForCausalLM.from_config(config)
    with torch.no_grad():
        for vector in (weight for weight in model.parameters() if weight.dim() == 1):
            vector.add_(0.2 * torch.rand_like(vector))
    model.save_pretrained(folder)


@unittest.skipIf(missing, f"not what requirements.txt lists: {missing}")
class LayersWithAState(unittest.TestCase):
    def test_each_is_one_node_whose_state_goes_in_and_out(self):
        from tealight_export.__main__ import export

        for family, (architecture, changes, states, rule) in FAMILIES.items():
            with self.subTest(family), tempfile.TemporaryDirectory() as folder:
                source, out = Path(folder) / "hf", Path(folder) / "onnx"
                save(source, architecture, changes)
                export(source, out)
                graph = onnx.load(out / "model.onnx", load_external_data=False).graph
                shape = lambda value: [size.dim_value for size in value.type.tensor_type.shape.dim]
                given = {value.name: shape(value) for value in graph.input if value.name.startswith("past.")}
                self.assertEqual(given, {f"past.0.{kind}": shape for kind, shape in states.items()})
                made = {value.name: shape(value) for value in graph.output if value.name.startswith("present.0")}
                self.assertEqual(made, {f"present.0.{kind}": shape for kind, shape in states.items()})
                rules = [node.attribute for node in graph.node if node.op_type == "LinearAttention"]
                rules = [attribute.s for attributes in rules for attribute in attributes if attribute.name == "update_rule"]
                self.assertEqual(rules, [rule] * ("recurrent" in states))
                kinds = [node.op_type for node in graph.node]
                self.assertEqual(kinds.count("CausalConvWithState"), int("conv" in states))
                self.assertFalse({"Loop", "Scan", "CumSum", "NonZero"} & set(kinds))

    def test_steps_within_bounds_are_refused(self):
        from tealight_export import load
        from tealight_export.__main__ import export

        with tempfile.TemporaryDirectory() as folder:
            save(Path(folder) / "hf", "granitemoehybrid", MAMBA | dict(time_step_limit=(0.0, 0.1)))
            with self.assertRaisesRegex(load.Refused, "layer 0: a Mamba with steps that are bounded"):
                export(Path(folder) / "hf", Path(folder) / "onnx")


if __name__ == "__main__":
    unittest.main()
