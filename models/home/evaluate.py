"""Exact match of an exported int4 model, run by onnxruntime, greedily.

    python evaluate.py ONNX eval_*.jsonl                score files of {"request", "answer"} lines
    python evaluate.py ONNX --errors eval_hand_a.jsonl  and show what went wrong
"""

import json
import sys

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

import data


class Runner:
    def __init__(self, folder):
        self.tokenizer = Tokenizer.from_file(f"{folder}/tokenizer.json")
        self.end = json.load(open(f"{folder}/generation_config.json"))["eos_token_id"]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(f"{folder}/model.onnx", options, providers=["CPUExecutionProvider"])
        self.past = [i.name for i in self.session.get_inputs() if i.name.startswith("past_key_values")]
        config = json.load(open(f"{folder}/config.json"))
        self.empty = np.zeros((1, config["num_key_value_heads"], 0, config["head_dim"]), np.float32)
        self.outputs = [o.name for o in self.session.get_outputs()]

    def answer(self, request, limit=24):
        ids = self.tokenizer.encode(f"<|user|> {data.prompt_text(request)}<|assistant|>", add_special_tokens=False).ids
        cache = {name: self.empty for name in self.past}
        step, written = ids, []
        while len(written) < limit:
            total = len(ids) + len(written)
            feed = {"input_ids": np.array([step], np.int64), "attention_mask": np.ones((1, total), np.int64), **cache}
            results = dict(zip(self.outputs, self.session.run(None, feed)))
            token = int(results["logits"][0, -1].argmax())
            if token == self.end:
                break
            written.append(token)
            step = [token]
            cache = {name: results[name.replace("past_key_values", "present")] for name in self.past}
        return self.tokenizer.decode(written, skip_special_tokens=False)


def read(path):
    return [json.loads(line) for line in open(path) if line.strip()]


def score(runner, lines, show=False):
    """(right, total), and of the served and the refused apart."""
    tally = {"all": [0, 0], "served": [0, 0], "refused": [0, 0], "device": [0, 0], "room": [0, 0], "action": [0, 0], "value": [0, 0]}
    for line in lines:
        written, expected = runner.answer(line["request"]), line["answer"]
        right = written == data.compact(expected)
        kind = "refused" if "error" in expected else "served"
        for name in ("all", kind):
            tally[name][0] += right
            tally[name][1] += 1
        if kind == "served":
            try:
                got = json.loads(written)
            except ValueError:
                got = {}
            for name in ("device", "room", "action", "value"):
                tally[name][0] += name in got and got[name] == expected[name]
                tally[name][1] += 1
        if show and not right:
            print(f"   {line['request']!r}\n      wrote {written}\n      not   {data.compact(expected)}")
    return tally


def main():
    folder, *paths = sys.argv[1:]
    runner = Runner(folder)
    show = "--errors" in paths
    for path in paths:
        if path != "--errors":
            tally = score(runner, read(path), show)
            print(path.split("/")[-1], "  ".join(f"{name} {r}/{t} {100 * r / t:.2f} %" for name, (r, t) in tally.items() if t), flush=True)


if __name__ == "__main__":
    main()
