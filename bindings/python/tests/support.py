"""What the tests have in common."""

from __future__ import annotations

import os
import sys
import tempfile
import unittest
from pathlib import Path

import tealight

QUESTION = "turn off the lights in the kitchen"
ANSWER = '{"device":"light","room":"kitchen","action":"off","value":null}'

EXPORT = Path(__file__).parents[3] / "models" / "home" / "onnx"
"""The embedded model's export, so that compiling can be seen."""


def real_model(name: str) -> Path | None:
    """A model's folder in one of the folders of `TEALIGHT_TEST_MODELS`."""
    folders = os.environ.get("TEALIGHT_TEST_MODELS", "").split(os.pathsep)
    places = [Path(folder) / name for folder in folders if folder]
    found = next((place for place in places if place.exists()), None)
    if found is None:
        print(f"skipped: set TEALIGHT_TEST_MODELS to a folder that holds {name}", file=sys.stderr)
    return found


class WithFolder(unittest.TestCase):
    """Has a folder of its own."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)


class WithChat(unittest.TestCase):
    """Has the embedded model, and a chat with it."""

    def setUp(self) -> None:
        self.model = tealight.Model.load()
        self.addCleanup(self.model.close)
        self.chat = self.model.chat()
        self.addCleanup(self.chat.close)
