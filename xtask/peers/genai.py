"""Speed of onnxruntime-genai: genai.py FOLDER THREADS PROMPT:GENERATE:DEPTH…

Prints the version, then a line with tokens/s for each test, each run once unmeasured before.
"""

import json
import sys
import time

import onnxruntime_genai as og


def tokens(count):
    return [i * 7919 % 40000 + 1 for i in range(count)]


def once(model, prompt, generate, depth):
    """Seconds of the part that is measured."""
    params = og.GeneratorParams(model)
    length = prompt + generate + depth + 2
    params.set_search_options(max_length=length, min_length=length, do_sample=False)
    generator = og.Generator(model, params)
    if generate == 0:
        start = time.perf_counter()
        generator.append_tokens(tokens(prompt))
        generator.get_logits()
        return time.perf_counter() - start
    generator.append_tokens(tokens(depth))
    # The first takes its token from the prompt's logits, without computing any.
    generator.generate_next_token()
    start = time.perf_counter()
    for _ in range(generate):
        generator.generate_next_token()
    return time.perf_counter() - start


def main():
    folder, threads, *tests = sys.argv[1:]
    config = og.Config(folder)
    options = {"intra_op_num_threads": int(threads)}
    config.overlay(json.dumps({"model": {"decoder": {"session_options": options}}}))
    model = og.Model(config)
    print(og.__version__)
    for test in tests:
        prompt, generate, depth = map(int, test.split(":"))
        once(model, prompt, generate, depth)
        print(test, (prompt + generate) / once(model, prompt, generate, depth))


main()
