"""What can be chosen, as keywords. Whatever is left out or None is the library's or the model's own
default.
"""

from __future__ import annotations

import enum
import operator
from collections.abc import Sequence
from typing import TypedDict

from . import _ffi as ffi
from ._native import Path, native_path, whole
from .errors import InvalidInput


class KvType(str, enum.Enum):
    """How chats keep keys and values."""

    F16 = "f16"
    """Half precision."""
    F32 = "f32"
    """Single precision: twice the memory."""
    INT8 = "int8"
    """int8 with scales: 0.63 of the memory of half precision."""


class ModelOptions(TypedDict, total=False):
    """How a model is opened."""

    threads: int | None
    """Threads that compute; as few as are fastest, at most eight, if left out."""
    context: int | None
    """Tokens that chats have room for; the model's context, at most 4096, if left out."""
    kv: KvType | None
    """How chats keep keys and values; half precision if left out."""
    step: int | None
    """Most tokens of a prompt that are computed together; 64 if left out. Cancelling waits for the
    end of such a step."""
    cache: Path | None
    """Folder for compiled models; the user's cache folder if left out."""


class GenerateOptions(TypedDict, total=False):
    """How an answer is generated."""

    max_tokens: int | None
    """Most tokens that the model says; as many as the context has room for if left out."""
    temperature: float | None
    """Divides the logits; 0 always takes the likeliest token."""
    top_k: int | None
    """Keeps this many of the likeliest tokens."""
    top_p: float | None
    """Keeps the likeliest tokens up to this probability together."""
    min_p: float | None
    """Keeps tokens of at least this share of the likeliest one's probability."""
    repetition_penalty: float | None
    """Divides the positive logits of tokens that were there before."""
    seed: int | None
    """The same seed gives the same text; a new one each time if left out."""
    stop: str | Sequence[str]
    """The answer ends before the first of these."""


def model_options(
    *,
    threads: int | None = None,
    context: int | None = None,
    kv: KvType | None = None,
    step: int | None = None,
    cache: Path | None = None,
) -> ffi.ModelOptions:
    """The generated code's options."""
    return ffi.ModelOptions(
        threads=_count("threads", threads, 1),
        context=_count("context", context, 1),
        kv=None if kv is None else ffi.KvType[_kv(kv).name],
        step=_count("step", step, 1),
        cache=None if cache is None else native_path(cache),
    )


def chat_options(system: str | None, context: int | None, thinking: bool | None) -> ffi.ChatOptions:
    """The generated code's options."""
    return ffi.ChatOptions(
        system=None if system is None else whole(system),
        context=_count("context", context, 1),
        thinking=thinking,
    )


def generate_options(
    *,
    max_tokens: int | None = None,
    temperature: float | None = None,
    top_k: int | None = None,
    top_p: float | None = None,
    min_p: float | None = None,
    repetition_penalty: float | None = None,
    seed: int | None = None,
    stop: str | Sequence[str] = (),
) -> ffi.GenerateOptions:
    """The generated code's options."""
    return ffi.GenerateOptions(
        max_tokens=_count("max_tokens", max_tokens, 0),
        temperature=temperature,
        top_k=_count("top_k", top_k, 0),
        top_p=top_p,
        min_p=min_p,
        repetition_penalty=repetition_penalty,
        seed=_count("seed", seed, 0, most=2**64 - 1),
        stop=[whole(text) for text in ([stop] if isinstance(stop, str) else stop)],
    )


def _count(what: str, number: int | None, least: int, most: int = 2**32 - 1) -> int | None:
    if number is None:
        return None
    number = operator.index(number)
    if not least <= number <= most:
        raise InvalidInput(f"{what} is {number}, but at least {least} and at most {most}")
    return number


def _kv(kv: KvType) -> KvType:
    try:
        return KvType(kv)
    except ValueError:
        names = ", ".join(kind.value for kind in KvType)
        raise InvalidInput(f"kv is {kv!r}, but one of {names}") from None
