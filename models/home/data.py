"""Examples: (request, answer) pairs in any number, from a seed."""

import json
import random

from grammar import chatter, commands, nearmiss, noise
from grammar.expand import Split

UNSUPPORTED = {"error": "unsupported"}
SHARE_SERVED = 0.58
SHARE_NEAR = 0.29


def example(rng, split):
    roll = rng.random()
    if roll < SHARE_SERVED:
        return commands.command(rng, split)
    make = nearmiss.near_miss if roll < SHARE_SERVED + SHARE_NEAR else chatter.chatter
    text = make(rng, split)
    if rng.random() < 0.5:
        text = noise.wake(rng, noise.reason(rng, text, split.words))
    return noise.type_out(rng, text, question=text.split(" ")[0] in QUESTION_WORDS) or "?", UNSUPPORTED


QUESTION_WORDS = set("what what's who who's where when why how is are was did do does can will should would could which".split())


def examples(seed, count, split=Split()):
    rng = random.Random(seed)
    return [example(rng, split) for _ in range(count)]


def compact(answer):
    """The one line that the model must write."""
    return json.dumps(answer, separators=(",", ":"), ensure_ascii=False)


def prompt_text(request):
    """What the chat template does to a request."""
    return request.lower().replace("’", "'").strip()


def conflicts(pairs):
    """Requests that the grammar answers in more than one way."""
    seen, clashes = {}, {}
    for request, answer in pairs:
        key = prompt_text(request).strip(" .!?")
        line = compact(answer)
        if seen.setdefault(key, line) != line:
            clashes.setdefault(key, {seen[key]}).add(line)
    return clashes


if __name__ == "__main__":
    import sys
    for request, answer in examples(int(sys.argv[1]), int(sys.argv[2])):
        print(request, "=>", compact(answer))
