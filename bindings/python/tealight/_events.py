"""What comes of a question, and what a conversation consists of."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any, Union

from . import _ffi as ffi


class FinishReason(str, enum.Enum):
    """Why an answer ended."""

    END_OF_TEXT = "end_of_text"
    """The model said a token that ends the text."""
    STOP_STRING = "stop_string"
    """The text reached one of the caller's stop strings, which is not part of it."""
    LENGTH = "length"
    """The token budget was spent, or the context is full."""
    CANCELLED = "cancelled"
    """The caller cancelled; the turn was undone."""


@dataclass(frozen=True)
class Summary:
    """How an answer ended and what it took."""

    reason: FinishReason
    prompt_tokens: int
    """Tokens of the prompt, earlier turns included."""
    reused_tokens: int
    """How many of them were still in the KV cache and cost nothing."""
    generated_tokens: int
    """Tokens that the model said."""
    prefill_tokens_per_second: float
    """Speed through the rest of the prompt, in tokens/s."""
    decode_tokens_per_second: float
    """Speed after the first token, in tokens/s; 0 with fewer than two tokens."""
    seconds_to_first_token: float | None
    """From the question to the first token, in seconds; None if there was none."""


@dataclass(frozen=True)
class Text:
    """More text, in whole characters. Short texts are gathered for some 20 ms."""

    text: str


@dataclass(frozen=True)
class Done:
    """The last event: how the answer ended and what it took."""

    summary: Summary


Event = Union[Text, Done]
"""What comes of a question. More kinds may come, such as thinking and calls of tools."""


class Role(str, enum.Enum):
    """Who says a message."""

    SYSTEM = "system"
    """Instructions for the whole conversation."""
    USER = "user"
    """The person."""
    ASSISTANT = "assistant"
    """The model."""


@dataclass(frozen=True)
class Message:
    """One message of a conversation."""

    role: Role
    content: str


def event(native: Any) -> Event:
    """An event of the generated code, whose kinds are no types to a checker, as this layer's."""
    if isinstance(native, ffi.Event.TEXT):
        return Text(native.text)
    told = native.summary
    return Done(
        Summary(
            reason=FinishReason[told.reason.name],
            prompt_tokens=told.prompt_tokens,
            reused_tokens=told.reused_tokens,
            generated_tokens=told.generated_tokens,
            prefill_tokens_per_second=told.prefill_tokens_per_second,
            decode_tokens_per_second=told.decode_tokens_per_second,
            seconds_to_first_token=told.seconds_to_first_token,
        )
    )
