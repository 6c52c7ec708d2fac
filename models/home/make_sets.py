"""Writes the generated evaluation sets: sentences from held-out frames, with held-out synonyms, and with both.

    python make_sets.py FOLDER [COUNT]

A set keeps only requests that the training split cannot have produced by the same frame or word: see grammar/expand.py.
"""

import json
import random
import sys

import data
from grammar.expand import Split

SETS = {"frames": Split("held", "train"), "synonyms": Split("train", "held"), "both": Split("held", "held"), "known": Split("train", "train")}


def main():
    folder = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 500
    for seed, (name, split) in enumerate(SETS.items()):
        rng = random.Random(900 + seed)
        with open(f"{folder}/eval_{name}.jsonl", "w") as file:
            for _ in range(count):
                request, answer = data.example(rng, split)
                print(json.dumps({"request": request, "answer": answer}, ensure_ascii=False), file=file)


if __name__ == "__main__":
    main()
