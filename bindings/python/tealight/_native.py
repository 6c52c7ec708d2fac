"""Between this layer and the code that UniFFI generates (`_ffi`).

Enters: calls that wait, and what Python gives them. Leaves: their results, and this layer's errors.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Callable, TypeVar, Union

from . import _ffi as ffi
from . import errors

T = TypeVar("T")

Path = Union[str, "os.PathLike[str]"]

KINDS = {kind.__name__: kind for kind in errors.TealightError.__subclasses__()}


@contextmanager
def translated() -> Iterator[None]:
    """Errors of the generated code become this layer's."""
    try:
        yield
    except ffi.TealightError as thrown:
        kind = KINDS.get(type(thrown).__name__, errors.Internal)
        raise kind(str(getattr(thrown, "reason", thrown))) from None
    except ffi.InternalError as thrown:
        raise errors.Internal(str(thrown)) from thrown
    except OverflowError as thrown:
        raise errors.InvalidInput(f"a number is too large: {thrown}") from None


def whole(text: str) -> str:
    """Native code takes whole characters: a `?` takes the place of half a surrogate pair."""
    return str.encode(text, errors="replace").decode()


def native_path(path: Path) -> str:
    """A path as native code takes it."""
    name = os.fspath(path)
    if whole(name) != name:
        raise errors.InvalidInput(f"the path {name!r} is not Unicode")
    return name


def source(path: Path | None) -> Any:
    """The generated code's `ModelSource`: without a path, the model that the library carries."""
    if path is None:
        return ffi.ModelSource.EMBEDDED()  # type: ignore[no-untyped-call]
    return ffi.ModelSource.PATH(native_path(path))


async def off_loop(
    work: Callable[[], T],
    cancel: Callable[[], None] = lambda: None,
    forget: Callable[[T], None] = lambda result: None,
) -> T:
    """Does native work on one of the event loop's threads.

    If the task is cancelled meanwhile, `cancel` ends the work, and its end is waited for: when the
    task has ended, so has what it computed. `forget` gets what came of it.
    """

    def unwanted(ended: asyncio.Future[T]) -> None:
        if not ended.cancelled() and ended.exception() is None:
            forget(ended.result())

    running = asyncio.get_running_loop().run_in_executor(None, work)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        cancel()
        running.add_done_callback(unwanted)
        await asyncio.wait([running])
        raise
