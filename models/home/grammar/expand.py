"""A tiny template language: from a frame and a context to one random sentence.

    (a|b|c)   one of the alternatives, each as likely
    [a|b]     the same, or nothing, half the time
    {name}    the context's entry: a list of templates to choose from, or a function

Spaces are collapsed at the end, so that optional parts need no care.
"""

import functools
import re
import zlib

SPACES = re.compile(r"\s+")
BEFORE_MARK = re.compile(r"\s+([,.?!;:%])")


@functools.lru_cache(maxsize=None)
def parse(text):
    """A template as nested tuples: ("text", s), ("slot", name), ("any", [sequence…])."""
    sequence, at = _sequence(text, 0, "")
    if at != len(text):
        raise ValueError(f"unbalanced template: {text!r} at {at}")
    return sequence


def _sequence(text, at, closers):
    parts = []
    while at < len(text) and text[at] not in closers:
        char = text[at]
        if char in "([":
            closer = ")" if char == "(" else "]"
            options = []
            while True:
                option, at = _sequence(text, at + 1, "|" + closer)
                if at >= len(text):
                    raise ValueError(f"unclosed {char} in {text!r}")
                options.append(option)
                if text[at] == closer:
                    break
            at += 1
            if char == "[":
                options += [()] * len(options)
            parts.append(("any", options))
        elif char == "{":
            end = text.index("}", at)
            parts.append(("slot", text[at + 1:end]))
            at = end + 1
        else:
            end = at
            while end < len(text) and text[end] not in "([{" and text[end] not in closers:
                if text[end] in ")]|" and not closers:
                    raise ValueError(f"stray {text[end]} in {text!r}")
                end += 1
            parts.append(("text", text[at:end]))
            at = end
    return tuple(parts), at


def render(template, rng, context):
    """One random reading of the template."""
    out = []
    _render(parse(template), rng, context, out)
    return tidy("".join(out))


def _render(sequence, rng, context, out):
    for kind, body in sequence:
        if kind == "text":
            out.append(body)
        elif kind == "any":
            _render(rng.choice(body), rng, context, out)
        else:
            entry = context[body]
            if callable(entry):
                out.append(entry())
            elif isinstance(entry, str):
                out.append(entry)
            else:
                _render(parse(rng.choice(entry)), rng, context, out)


def slots(template):
    """Names of the slots a template may use."""
    found, stack = set(), list(parse(template))
    while stack:
        kind, body = stack.pop()
        if kind == "slot":
            found.add(body)
        elif kind == "any":
            for option in body:
                stack.extend(option)
    return found


def tidy(text):
    return BEFORE_MARK.sub(r"\1", SPACES.sub(" ", text)).strip(" ,")


def bucket(key, count):
    """A stable bucket of a string: what is held out never depends on order or on Python's hash seed."""
    return zlib.crc32(("tealight " + key).encode()) % count


class Split:
    """Which frames and which synonyms may be drawn: every tenth of each is held out.

    frames, synonyms: "all", "train" (without the held-out ones) or "held" (where a list has
    held-out entries only those, otherwise its training entries).
    """

    def __init__(self, frames="all", synonyms="all"):
        self.frames, self.synonyms = frames, synonyms
        self._cache = {}

    def pick_frames(self, frames, key=lambda frame: frame):
        return self._pick(frames, self.frames, key)

    def words(self, words):
        return self._pick(words, self.synonyms, lambda word: word)

    def _pick(self, entries, mode, key):
        if mode == "all" or len(entries) < 4:
            return entries
        cached = self._cache.get((id(entries), mode))
        if cached is None:
            held = [e for e in entries if bucket(key(e), 10) == 0]
            kept = [e for e in entries if bucket(key(e), 10) != 0]
            cached = (held or kept) if mode == "held" else (kept or entries)
            self._cache[(id(entries), mode)] = cached
            self._keep = getattr(self, "_keep", []) + [entries]
        return cached

    def allows_frame(self, key):
        """For frames that are drawn from elsewhere than their own list."""
        return self.frames != "train" or bucket(key, 10) != 0
