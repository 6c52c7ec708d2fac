"""Answers, event after event."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Callable

from . import _ffi as ffi
from ._events import Event, event
from ._native import off_loop, translated


class Reply(Iterator[Event]):
    """An answer that is being given. Whoever leaves it before its last event undoes the turn: a
    `for` loop that ends early does, and so does the end of a `with` block.
    """

    def __init__(self, native: ffi.Answering) -> None:
        self._native: ffi.Answering | None = native

    def __next__(self) -> Event:
        # Another thread may close this meanwhile.
        native = self._native
        if native is None:
            raise StopIteration
        try:
            with translated():
                told = native.next_event()
        except BaseException:
            # What was interrupted is not waited for.
            self.close()
            raise
        if told is None:
            raise StopIteration
        return event(told)

    def cancel(self) -> None:
        """Asks the answer to end, from any thread: the last event is then `Done` with the reason
        cancelled.
        """
        native = self._native
        if native is not None:
            native.cancel()

    def close(self) -> None:
        """Ends the answer, and undoes its turn unless that is whole."""
        self.cancel()
        self._native = None

    def __enter__(self) -> Reply:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncReply(AsyncIterator[Event]):
    """An answer that is being given, for `async for`. Whoever leaves it before its last event
    undoes the turn. It is one task's own.
    """

    def __init__(self, send: Callable[[], ffi.Answering]) -> None:
        self._send: Callable[[], ffi.Answering] | None = send
        self._native: ffi.Answering | None = None

    async def __anext__(self) -> Event:
        told: ffi.Event | None = None
        try:
            with translated():
                if self._send is not None:
                    send, self._send = self._send, None
                    self._native = await off_loop(send, forget=ffi.Answering.cancel)
                native = self._native
                if native is not None:
                    told = await off_loop(native.next_event, native.cancel)
        except BaseException:
            await self.aclose()
            raise
        if told is None:
            raise StopAsyncIteration
        return event(told)

    def cancel(self) -> None:
        """Asks the answer to end, from any thread: the last event is then `Done` with the reason
        cancelled.
        """
        if self._native is not None:
            self._native.cancel()

    async def aclose(self) -> None:
        """Ends the answer, and undoes its turn unless that is whole."""
        self.cancel()
        self._send = None
        self._native = None

    def __del__(self) -> None:
        # The thread that computed the last event may hold the native answer for a moment longer,
        # and the next question must not find it going on.
        self.cancel()

    async def __aenter__(self) -> AsyncReply:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
