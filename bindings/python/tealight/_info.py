"""What is known about a model before it is loaded, and while it is."""

from __future__ import annotations

import enum
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from . import _ffi as ffi
from ._native import Path, source, translated
from ._options import ModelOptions, model_options

if TYPE_CHECKING:
    from typing_extensions import Unpack


class LoadStage(str, enum.Enum):
    """The stages of loading, in their order. A compiled model has none."""

    LOOKING = "looking"
    """Looking whether the model was compiled before."""
    WAITING = "waiting"
    """Waiting for another process that compiles the same model."""
    RECOGNISING = "recognising"
    """Recognising the graph's operators."""
    PACKING = "packing"
    """Packing the weights."""


@dataclass(frozen=True)
class LoadProgress:
    """How far the loading of a model has come."""

    stage: LoadStage
    done: int
    """Bytes behind."""
    total: int
    """Bytes altogether; 0 where nobody can tell."""


@dataclass(frozen=True)
class ModelInfo:
    """What a model says about itself, and the memory that it takes with the options it was asked
    with."""

    name: str
    """The folder's name that the model was compiled from, or what it was opened as."""
    architecture: str | None
    """The architecture's name, such as `Qwen2ForCausalLM`."""
    parameters: int | None
    """Numbers that were trained."""
    quantization: str | None
    """How most of the weights are stored, such as `int4`."""
    licence: str | None
    """The licence as the author names it."""
    vocab: int
    """Number of token ids."""
    context: int
    """Most tokens that the model can attend over."""
    file_bytes: int
    """Size of the compiled model in bytes."""
    has_tokenizer: bool
    """Whether it takes and gives text."""
    has_chat_template: bool
    """Whether it can chat."""
    chat_context: int
    """Tokens that a chat has room for, with the options."""
    bytes_per_token: int
    """Bytes that a token's keys and values take, with the options. Where attention has windows,
    some of that is kept of the last tokens only."""
    memory_estimate: int
    """About how many bytes of memory the model takes with one chat, with the options: the file
    (which the system can drop and read again), keys and values, working memory, the tokenizer."""

    @classmethod
    def read(cls, path: Path | None = None, **options: Unpack[ModelOptions]) -> ModelInfo:
        """What a model says about itself, without loading it; without a path, the model that the
        library carries. An ONNX model is compiled first if need be, which takes as long as loading
        it for the first time.
        """
        with translated():
            return info(ffi.model_info(source(path), model_options(**options)))


def info(native: ffi.ModelInfo) -> ModelInfo:
    """A description of the generated code as this layer's."""
    return ModelInfo(**{told.name: getattr(native, told.name) for told in fields(ModelInfo)})


def load_progress(native: ffi.LoadProgress) -> LoadProgress:
    """Progress of the generated code as this layer's."""
    return LoadProgress(LoadStage[native.stage.name], native.done, native.total)
