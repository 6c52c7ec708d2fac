"""The tokenizer: byte-level BPE, 1,024 entries, made for household requests and for this one kind of answer.

Entries, in order: four special tokens; the answer's fragments; the 256 bytes; merges learned from generated requests.
An answer's fragments (`{"device":"light","room":` is one token) have no merges: text that a person types never becomes one,
the model writes them, and they decode to plain text like any other token. So an answer is five to eight tokens.
"""

import json

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

import data
from grammar.commands import INTENTS
from grammar.rooms import NAMES

VOCABULARY = 1024
PAD, USER, ASSISTANT, END = "<|endoftext|>", "<|user|>", "<|assistant|>", "<|end|>"
SPECIAL = [PAD, USER, ASSISTANT, END]
PAD_ID, USER_ID, ASSISTANT_ID, END_ID = range(4)

# Only the last user message counts: each request stands alone, so a long chat neither confuses the model nor fills its context.
CHAT_TEMPLATE = (
    "{%- set ns = namespace(text='') -%}\n"
    "{%- for message in messages -%}\n"
    "{%- if message['role'] == 'user' -%}{%- set ns.text = message['content'] -%}{%- endif -%}\n"
    "{%- endfor -%}\n"
    "<|user|> {{ ns.text | lower | replace('’', \"'\") | trim }}"
    "{%- if add_generation_prompt -%}<|assistant|>{%- endif -%}\n"
)


def device_part(device):
    return '{"device":"%s","room":' % device


def room_part(room):
    return f'"{room}","action":' if room else 'null,"action":'


def action_part(action):
    return f'"{action}","value":'


REFUSAL = data.compact(data.UNSUPPORTED)
ACTIONS = sorted({action for actions, _ in INTENTS.values() for action in actions})
DIGITS = list("0123456789")
FRAGMENTS = ([REFUSAL] + [device_part(d) for d in INTENTS] + [room_part(r) for r in [None, "all", *NAMES]]
             + [action_part(a) for a in ACTIONS] + ["null}", "}", ".5}"])


def answer_parts(answer):
    """The fragments and digits that spell an answer."""
    if "error" in answer:
        return [REFUSAL]
    value = answer["value"]
    head = [device_part(answer["device"]), room_part(answer["room"]), action_part(answer["action"])]
    if value is None:
        return head + ["null}"]
    return head + list(str(int(value))) + [".5}" if value != int(value) else "}"]


def byte_alphabet():
    """The printable stand-in of each byte, in byte order (as GPT-2 does it)."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    spare = iter(range(256, 512))
    return [chr(b) if b in printable else chr(next(spare)) for b in range(256)]


def as_bytes(text):
    alphabet = byte_alphabet()
    return "".join(alphabet[b] for b in text.encode())


def train(pairs):
    """A tokenizer from (request, answer) pairs. Digits never merge: a number is copied digit by digit."""
    fragments = [as_bytes(f) for f in FRAGMENTS]
    merged = VOCABULARY - len(SPECIAL) - len(fragments)
    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    trainer = trainers.BpeTrainer(vocab_size=merged, initial_alphabet=byte_alphabet(), min_frequency=2, show_progress=False)
    without_digits = str.maketrans({d: " " for d in DIGITS})
    learner.train_from_iterator((" " + data.prompt_text(request).translate(without_digits) for request, _ in pairs), trainer)
    learned = json.loads(learner.to_str())["model"]
    order = sorted(learned["vocab"], key=learned["vocab"].get)
    entries = SPECIAL + fragments + [t for t in order if t not in fragments]
    vocabulary = {token: i for i, token in enumerate(entries[:VOCABULARY])}
    merges = [m if isinstance(m, str) else " ".join(m) for m in learned["merges"]]
    merges = [m for m in merges if m.replace(" ", "") in vocabulary and all(p in vocabulary for p in m.split(" "))]
    return build(vocabulary, merges)


def build(vocabulary, merges):
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[tuple(m.split(" ")) for m in merges]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(SPECIAL)
    return tokenizer


class Codec:
    """Requests and answers as token ids. `dropout`: the share of merges skipped at random, so that a word is also read from its parts."""

    def __init__(self, tokenizer, dropout=None):
        self.tokenizer = tokenizer
        tokenizer.model.dropout = dropout
        self.fragment = {f: tokenizer.token_to_id(as_bytes(f)) for f in FRAGMENTS + DIGITS}
        assert None not in self.fragment.values()

    def prompts(self, requests):
        encoded = self.tokenizer.encode_batch([" " + data.prompt_text(r) for r in requests], add_special_tokens=False)
        return [[USER_ID, *e.ids, ASSISTANT_ID] for e in encoded]

    def answer(self, answer):
        return [self.fragment[part] for part in answer_parts(answer)] + [END_ID]


def save(tokenizer, path):
    """tokenizer.json without white space."""
    content = json.loads(tokenizer.to_str())
    content["model"]["merges"] = [m if isinstance(m, str) else " ".join(m) for m in content["model"]["merges"]]
    with open(path, "w") as file:
        json.dump(content, file, ensure_ascii=False, separators=(",", ":"))
