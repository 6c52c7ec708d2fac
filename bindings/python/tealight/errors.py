"""Why something could not be done, by what can be done about it.

Every message names the model and the fault.
"""


class TealightError(Exception):
    """Something could not be done. Each kind has a class of its own."""


class NotFound(TealightError):
    """There is no such file or folder, or it cannot be read: choose another."""


class Unsupported(TealightError):
    """This version cannot run the model, or not in this way: choose another."""


class Damaged(TealightError):
    """The model's bytes are not what they should be: copy or compile it again."""


class OutOfMemory(TealightError, MemoryError):
    """There is not enough memory: choose a smaller context or model."""


class ContextFull(TealightError):
    """The conversation does not fit the context: shorten it, or begin a new one."""


class InvalidInput(TealightError, ValueError):
    """An argument cannot be used: mend the call."""


class Storage(TealightError):
    """The compiled model cannot be kept: make room, or name another folder."""


class Busy(TealightError):
    """The chat is answering: wait, or cancel."""


class Closed(TealightError):
    """What was called was closed before."""


class Cancelled(TealightError):
    """The caller gave up before there was a result."""


class Internal(TealightError):
    """Tealight has a fault: report it."""
