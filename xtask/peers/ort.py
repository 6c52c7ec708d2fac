"""Speed of onnxruntime on optimum's export: ort.py FOLDER THREADS PROMPT:GENERATE:DEPTH…

Prints the version, then a line with tokens/s for each test, each run once unmeasured before.
Keys and values go from step to step without being copied.
"""

import json
import sys
import time

import numpy as np
import onnxruntime as ort


class Decoder:
    def __init__(self, folder, threads):
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        providers = ["CPUExecutionProvider"]
        self.session = ort.InferenceSession(f"{folder}/model.onnx", options, providers)
        config = json.load(open(f"{folder}/config.json"))
        heads = config["num_key_value_heads"]
        size = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
        self.empty = np.zeros((1, heads, 0, size), np.float32)
        self.inputs = [value.name for value in self.session.get_inputs()]
        self.outputs = [value.name for value in self.session.get_outputs()]
        self.reset()

    def reset(self):
        self.length = 0
        self.past = {}

    def step(self, tokens):
        """The likeliest token after these."""
        binding = self.session.io_binding()
        after = self.length + len(tokens)
        feeds = {
            "input_ids": np.array([tokens], np.int64),
            "attention_mask": np.ones((1, after), np.int64),
            "position_ids": np.arange(self.length, after, dtype=np.int64)[None],
        }
        for name in self.inputs:
            if name in feeds:
                binding.bind_cpu_input(name, feeds[name])
            else:
                empty = lambda: ort.OrtValue.ortvalue_from_numpy(self.empty)
                binding.bind_ortvalue_input(name, self.past.get(name) or empty())
        for name in self.outputs:
            binding.bind_output(name, "cpu")
        self.session.run_with_iobinding(binding)
        found = dict(zip(self.outputs, binding.get_outputs()))
        logits = found.pop("logits").numpy()
        self.past = {name.replace("present", "past_key_values"): found[name] for name in found}
        self.length = after
        return int(logits[0, -1].argmax())


def tokens(count):
    return [i * 7919 % 40000 + 1 for i in range(count)]


def once(decoder, prompt, generate, depth):
    """Seconds of the part that is measured."""
    decoder.reset()
    if depth:
        decoder.step(tokens(depth))
    start = time.perf_counter()
    if prompt:
        decoder.step(tokens(prompt))
    token = 1
    for _ in range(generate):
        token = decoder.step([token])
    return time.perf_counter() - start


def main():
    folder, threads, *tests = sys.argv[1:]
    decoder = Decoder(folder, int(threads))
    print(ort.__version__)
    for test in tests:
        prompt, generate, depth = map(int, test.split(":"))
        once(decoder, prompt, generate, depth)
        print(test, (prompt + generate) / once(decoder, prompt, generate, depth))


main()
