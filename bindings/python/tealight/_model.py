"""Models, and the loading of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable

from . import _ffi as ffi
from ._chat import Chat
from ._info import LoadProgress, ModelInfo, info, load_progress
from ._native import Path, off_loop, source, translated
from ._options import ModelOptions, chat_options, model_options

if TYPE_CHECKING:
    from typing_extensions import Unpack

Progress = Callable[[LoadProgress], None]


class Model:
    """A language model, ready for any number of chats. It may be used and closed from any thread,
    and closed twice; chats go on when their model is closed. `load` makes one.
    """

    def __init__(self, native: ffi.Model) -> None:
        self._native = native
        self._info = info(native.info())

    @classmethod
    def load(
        cls,
        path: Path | None = None,
        *,
        progress: Progress | None = None,
        **options: Unpack[ModelOptions],
    ) -> Model:
        """Opens a `.tea` file, an `.onnx` file or a folder with one; without a path, the model that
        the library carries: household requests in, compact JSON out.

        An ONNX model is compiled the first time, and `progress` is told how far that has come.
        What it raises gives up and comes through.
        """
        loading = _begin(path, options)
        try:
            while True:
                with translated():
                    told = loading.next_progress()
                if told is None:
                    break
                if progress is not None:
                    progress(load_progress(told))
            with translated():
                return cls(loading.finish())
        except BaseException:
            loading.cancel()
            raise

    @classmethod
    async def aload(
        cls,
        path: Path | None = None,
        *,
        progress: Progress | None = None,
        **options: Unpack[ModelOptions],
    ) -> Model:
        """As `load`, off the event loop's thread, on which `progress` is told. A task that is
        cancelled gives up.
        """
        loading = _begin(path, options)
        try:
            while True:
                with translated():
                    told = await off_loop(loading.next_progress, loading.cancel)
                if told is None:
                    break
                if progress is not None:
                    progress(load_progress(told))
            with translated():
                native = await off_loop(loading.finish, loading.cancel, ffi.Model.release)
            return cls(native)
        except BaseException:
            loading.cancel()
            raise

    @property
    def info(self) -> ModelInfo:
        """What is known about the model; also after it was closed. `ModelInfo.read` knows it before
        a model is loaded.
        """
        return self._info

    def chat(
        self,
        system: str | None = None,
        *,
        context: int | None = None,
        thinking: bool | None = None,
    ) -> Chat:
        """A chat.

        `system`: instructions for the whole conversation; the template's own if None.
        `context`: tokens that there is room for; what the model was opened with if None.
        `thinking`: whether models that can think before they answer should; the template's default
        if None.
        """
        with translated():
            return Chat(self._native.chat(chat_options(system, context, thinking)))

    def close(self) -> None:
        """Gives the model up. Its memory is freed when the last of its chats is closed."""
        self._native.release()

    def __enter__(self) -> Model:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<tealight.Model {self._info.name}>"


def _begin(path: Path | None, options: ModelOptions) -> ffi.Loading:
    with translated():
        return ffi.load(source(path), model_options(**options))
