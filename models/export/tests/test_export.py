"""Exports a tiny mixture, and one whose graph would not be the model."""
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).parents[1]))

try:
    import onnx
    import onnxruntime  # noqa: F401
    import onnxscript  # noqa: F401
    import torch
    from transformers import DeepseekV3Config, DeepseekV3ForCausalLM, MixtralConfig, MixtralForCausalLM
    from transformers.integrations.moe import ALL_EXPERTS_FUNCTIONS  # noqa: F401

    missing = None
except ImportError as error:
    missing = str(error)

SIZES = dict(
    vocab_size=48, hidden_size=32, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=1, head_dim=16,
    num_local_experts=6, num_experts_per_tok=2, max_position_embeddings=64, initializer_range=0.3,
)


@unittest.skipIf(missing, f"not what requirements.txt lists: {missing}")
class Export(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.source, self.out = Path(folder.name) / "hf", Path(folder.name) / "onnx"
        torch.manual_seed(1)
        MixtralForCausalLM(MixtralConfig(**SIZES)).save_pretrained(self.source)

    def test_a_mixture_is_one_product_for_all_experts(self):
        from tealight_export.__main__ import export

        self.assertLess(export(self.source, self.out), 1e-4)
        graph = onnx.load(self.out / "model.onnx", load_external_data=False).graph
        kinds = [node.op_type for node in graph.node]
        self.assertEqual(kinds.count("TopK"), 1)
        self.assertEqual(kinds.count("ScatterElements"), 1)
        self.assertNotIn("NonZero", kinds)
        self.assertTrue((self.out / "config.json").is_file())
        self.assertEqual([path.name for path in self.source.parent.iterdir() if path.name.startswith(".")], [])

    def test_a_graph_that_is_not_the_model_is_not_written(self):
        from tealight_export import experts, load
        from tealight_export.__main__ import export

        whole = experts.every_expert
        with mock.patch.object(experts, "every_expert", lambda *given: 1.01 * whole(*given)):
            with self.assertRaisesRegex(load.Refused, "away from torch's"):
                export(self.source, self.out)
        self.assertFalse(self.out.exists())

    def test_a_folder_that_holds_something_is_left_alone(self):
        from tealight_export import load
        from tealight_export.__main__ import export

        self.out.mkdir()
        (self.out / "mine").write_text("kept")
        with self.assertRaisesRegex(load.Refused, "not empty"):
            export(self.source, self.out)
        self.assertEqual((self.out / "mine").read_text(), "kept")


LATENT = dict(
    {name: size for name, size in SIZES.items() if name not in ("head_dim", "num_local_experts")}, num_hidden_layers=2, num_key_value_heads=2,
    n_routed_experts=6, n_group=2, topk_group=1, n_shared_experts=1, first_k_dense_replace=1, moe_intermediate_size=16, q_lora_rank=16,
    kv_lora_rank=24, qk_rope_head_dim=4, qk_nope_head_dim=12, v_head_dim=8,
)


@unittest.skipIf(missing, f"not what requirements.txt lists: {missing}")
class LatentAttention(unittest.TestCase):
    def test_every_head_keeps_keys_and_values_of_its_own(self):
        from tealight_export.__main__ import export

        for changes in ({}, {"q_lora_rank": None}, {"rope_interleave": False}, {"attention_bias": True}):
            with self.subTest(changes), tempfile.TemporaryDirectory() as folder:
                source, out = Path(folder) / "hf", Path(folder) / "onnx"
                torch.manual_seed(1)
                model = DeepseekV3ForCausalLM(DeepseekV3Config(**{**LATENT, **changes}))
                with torch.no_grad():
                    for vector in (weight for weight in [*model.parameters(), *model.buffers()] if weight.dim() == 1):
                        vector.add_(0.2 * torch.rand_like(vector))
                model.save_pretrained(source)
                self.assertLess(export(source, out), 1e-4)
                graph = onnx.load(out / "model.onnx", load_external_data=False).graph
                shapes = {given.name: [size.dim_value for size in given.type.tensor_type.shape.dim] for given in graph.input}
                self.assertEqual(shapes["past_key_values.1.key"][1::2], [2, 16])
                self.assertEqual(shapes["past_key_values.1.value"][1::2], [2, 8])


if __name__ == "__main__":
    unittest.main()
