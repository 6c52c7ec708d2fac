"""Models: opening, asking, closing, and what can go wrong with them."""

from __future__ import annotations

import gc
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

from support import ANSWER, EXPORT, QUESTION, WithFolder
from tealight import KvType, LoadProgress, LoadStage, Model, ModelInfo, TealightError, errors
from tealight import _ffi as ffi
from tealight._native import KINDS, translated


class Loading(WithFolder):
    def test_an_export_is_compiled_once_and_tells_how_far_it_is(self) -> None:
        told: list[LoadProgress] = []
        with Model.load(EXPORT, cache=self.folder, progress=told.append) as model:
            self.assertEqual(model.chat().ask(QUESTION), ANSWER)
        self.assertIn(LoadStage.PACKING, [progress.stage for progress in told])
        self.assertTrue(all(progress.done <= progress.total for progress in told if progress.total))
        told.clear()
        Model.load(str(EXPORT), cache=str(self.folder), progress=told.append).close()
        self.assertEqual(told, [], "found again")

    def test_what_a_progress_callback_raises_comes_through(self) -> None:
        own = KeyError("own")

        def progress(_: LoadProgress) -> None:
            raise own

        with self.assertRaises(KeyError) as raised:
            Model.load(EXPORT, cache=self.folder, progress=progress)
        self.assertIs(raised.exception, own)
        Model.load(EXPORT, cache=self.folder).close()

    def test_a_model_is_known_before_it_is_loaded(self) -> None:
        info = ModelInfo.read(EXPORT, cache=self.folder)
        self.assertTrue(info.has_chat_template and info.has_tokenizer)
        self.assertGreater(info.vocab, 256)
        self.assertGreater(info.memory_estimate, info.file_bytes)
        half = info.chat_context // 2
        small = ModelInfo.read(EXPORT, cache=self.folder, context=half, kv="int8")
        self.assertEqual(small.chat_context, half)
        self.assertLess(small.bytes_per_token, info.bytes_per_token)
        saved = info.chat_context * info.bytes_per_token - half * small.bytes_per_token
        self.assertGreaterEqual(info.memory_estimate - small.memory_estimate, saved)
        self.assertEqual(ModelInfo.read().file_bytes, info.file_bytes)
        with Model.load() as model:
            self.assertEqual(model.info, ModelInfo.read())

    def test_keys_and_values_may_be_kept_in_each_way(self) -> None:
        self.assertEqual([kv.name for kv in KvType], [kv.name for kv in ffi.KvType])
        for kv in KvType:
            with Model.load(kv=kv) as model:
                self.assertEqual(model.chat().ask(QUESTION), ANSWER, kv)

    def test_closing_twice_is_closing(self) -> None:
        model = Model.load()
        chat = model.chat()
        model.close()
        model.close()
        self.assertRaises(errors.Closed, model.chat)
        self.assertEqual(model.info, ModelInfo.read())
        self.assertEqual(chat.ask(QUESTION), ANSWER, "chats go on")
        chat.close()
        chat.close()

    def test_a_thousand_loads_leave_nothing_behind(self) -> None:
        loads(200)
        before = resident_kilobytes()
        loads(1000)
        self.assertLess(resident_kilobytes() - before, 4096)


def loads(times: int) -> None:
    for time in range(times):
        with Model.load(threads=2) as model, model.chat() as chat:
            if time % 50 == 0:
                chat.ask("lights on")


def resident_kilobytes() -> int:
    gc.collect()
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1])


class Errors(WithFolder):
    def test_every_kind_of_native_error_has_a_class(self) -> None:
        kinds = {name for name, kind in vars(ffi.TealightError).items() if isinstance(kind, type)}
        self.assertEqual(kinds, set(KINDS))
        for name, own in KINDS.items():
            with self.assertRaisesRegex(own, "^why$") as raised, translated():
                raise getattr(ffi.TealightError, name)("why")
            self.assertIs(type(raised.exception), own)
            self.assertIsInstance(raised.exception, TealightError)

    def test_what_is_not_there_is_not_found(self) -> None:
        with self.assertRaisesRegex(errors.NotFound, "nowhere/model.tea"):
            Model.load("nowhere/model.tea")
        self.assertRaises(errors.NotFound, ModelInfo.read, "nowhere/model.tea")

    def test_broken_and_foreign_files_are_told_apart(self) -> None:
        whole = self.compiled()
        file = self.folder / "model.tea"
        file.write_bytes(whole[: len(whole) // 2])
        self.assertRaises(errors.Damaged, Model.load, file)
        # The format's version comes after eight bytes of magic.
        file.write_bytes(whole[:8] + bytes([whole[8] + 1]) + whole[9:])
        self.assertRaises(errors.Unsupported, Model.load, file)
        file.write_bytes(whole)
        Model.load(file).close()

    def compiled(self) -> bytes:
        Model.load(EXPORT, cache=self.folder / "compiled").close()
        return next((self.folder / "compiled").glob("*.tea")).read_bytes()

    def test_a_plan_that_cannot_be_kept_is_a_question_of_storage(self) -> None:
        export = self.folder / "export"
        shutil.copytree(EXPORT, export)
        # A file lies where the folder beside the model should be.
        (export / ".tealight").touch()
        (self.folder / "file").touch()
        with self.assertRaises(errors.Storage):
            Model.load(export, cache=self.folder / "file")

    def test_senseless_options_are_invalid_input(self) -> None:
        self.assertRaises(errors.InvalidInput, Model.load, threads=0)
        self.assertRaises(errors.InvalidInput, Model.load, context=2**32)
        self.assertRaises(errors.InvalidInput, Model.load, kv="f64")
        self.assertRaises(errors.InvalidInput, Model.load, "half \ud83d a character")
        self.assertRaises(TypeError, Model.load, treads=1)
        with Model.load() as model, model.chat() as chat:
            with self.assertRaises(ValueError):
                model.chat(context=model.info.context + 1)
            self.assertRaises(errors.InvalidInput, chat.ask, QUESTION, seed=-1)
            self.assertRaises(errors.InvalidInput, chat.ask, QUESTION, temperature=1e300)
            self.assertRaises(TypeError, chat.ask, QUESTION, temprature=0)
            self.assertRaises(TypeError, chat.ask, None)
            self.assertEqual(chat.messages, [])

    def test_loading_that_was_cancelled_says_so(self) -> None:
        loading = ffi.load(ffi.ModelSource.EMBEDDED(), ffi.ModelOptions())
        loading.cancel()
        with self.assertRaises(errors.Cancelled), translated():
            loading.finish()
        with self.assertRaises(errors.Closed), translated():
            loading.finish()

    @unittest.skipUnless(sys.platform == "linux", "only Linux limits a process so")
    def test_a_chat_without_memory_is_refused(self) -> None:
        # In a process of its own, which may have no more memory than it has.
        subprocess.run([sys.executable, "-c", WITHOUT_MEMORY], check=True)


WITHOUT_MEMORY = """
import resource
from tealight import Model, errors

with Model.load(threads=1) as model:
    model.chat().ask("lights on")
    resource.setrlimit(resource.RLIMIT_AS, (0, resource.RLIM_INFINITY))
    try:
        for _ in range(100):
            model.chat()
    except errors.OutOfMemory as error:
        assert isinstance(error, MemoryError)
    else:
        raise AssertionError("there was memory")
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    model.chat().ask("lights on")
"""


if __name__ == "__main__":
    unittest.main()
