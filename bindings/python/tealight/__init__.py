"""Small language models on this machine.

    from tealight import Model, Text

    with Model.load() as model, model.chat() as chat:
        for event in chat.stream("turn off the lights in the kitchen"):
            if isinstance(event, Text):
                print(event.text, end="", flush=True)

Everything may be called from any thread. What may take a while exists twice: as a call that waits,
and, with an `a` before its name, for `await` and `async for`.
"""

from . import errors
from ._chat import Chat
from ._events import Done, Event, FinishReason, Message, Role, Summary, Text
from ._ffi import version as _version
from ._info import LoadProgress, LoadStage, ModelInfo
from ._model import Model
from ._options import GenerateOptions, KvType, ModelOptions
from ._reply import AsyncReply, Reply
from .errors import TealightError

__all__ = [
    "AsyncReply",
    "Chat",
    "Done",
    "Event",
    "FinishReason",
    "GenerateOptions",
    "KvType",
    "LoadProgress",
    "LoadStage",
    "Message",
    "Model",
    "ModelInfo",
    "ModelOptions",
    "Reply",
    "Role",
    "Summary",
    "TealightError",
    "Text",
    "errors",
]

__version__: str = _version()
