"""Conversations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from . import _ffi as ffi
from ._events import Message, Role, Text
from ._native import translated, whole
from ._options import GenerateOptions, generate_options
from ._reply import AsyncReply, Reply

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Chat:
    """A conversation with a model. It may be used from any thread, gives one answer at a time, and
    may be closed twice or during an answer. `Model.chat` makes one.

    A turn is whole or was never there: when whoever reads an answer stops before its end, is
    cancelled or fails, the conversation is as it was before the question.
    """

    def __init__(self, native: ffi.Chat) -> None:
        self._native = native

    def stream(self, text: str, **options: Unpack[GenerateOptions]) -> Reply:
        """Says something to the model. The answer is computed, on the thread that asks, as its
        events are asked for: `Text` after `Text`, then `Done`.
        """
        with translated():
            return Reply(self._native.send(whole(text), generate_options(**options)))

    def astream(self, text: str, **options: Unpack[GenerateOptions]) -> AsyncReply:
        """Says something to the model when its first event is awaited. The answer is computed off
        the event loop's thread. Cancelling the task that awaits an event stops the native work
        within one token and undoes the turn.
        """
        with translated():
            own = generate_options(**options)
        return AsyncReply(lambda: self._native.send(whole(text), own))

    def ask(self, text: str, **options: Unpack[GenerateOptions]) -> str:
        """Says something to the model and waits for the whole answer."""
        with self.stream(text, **options) as reply:
            return "".join(event.text for event in reply if isinstance(event, Text))

    async def aask(self, text: str, **options: Unpack[GenerateOptions]) -> str:
        """As `ask`, off the event loop's thread."""
        async with self.astream(text, **options) as reply:
            return "".join([event.text async for event in reply if isinstance(event, Text)])

    @property
    def messages(self) -> list[Message]:
        """The conversation so far, in whole turns, with the system prompt if there is one."""
        with translated():
            said = self._native.messages()
        return [Message(Role[message.role.name], message.content) for message in said]

    @property
    def context_left(self) -> int:
        """Tokens that there is room for after the conversation so far."""
        with translated():
            return self._native.context_left()

    def count_with(self, text: str) -> int:
        """How many tokens the conversation would have with this message."""
        with translated():
            return self._native.count_with(whole(text))

    def restore(self, messages: Iterable[Message]) -> None:
        """Replaces the conversation, for example by one that was saved."""
        saved = [
            ffi.Message(role=ffi.Role[Role(message.role).name], content=whole(message.content))
            for message in messages
        ]
        with translated():
            self._native.restore(saved)

    def clear(self) -> None:
        """Forgets all turns but the system prompt."""
        with translated():
            self._native.clear()

    def cancel(self) -> None:
        """Stops the answer that is being given, if there is one: its last event is `Done`."""
        self._native.cancel()

    def close(self) -> None:
        """Ends the chat and frees its memory, during an answer within one token."""
        self._native.release()

    def __enter__(self) -> Chat:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
