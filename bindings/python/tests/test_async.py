"""Loading and answering beside an event loop."""

from __future__ import annotations

import asyncio
import threading
import unittest
from pathlib import Path
from tempfile import TemporaryDirectory

from support import ANSWER, EXPORT, QUESTION
from tealight import Done, Event, FinishReason, LoadProgress, Model, Text, errors


class Asynchronous(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        self.model = await Model.aload()
        self.addCleanup(self.model.close)
        self.chat = self.model.chat()
        self.addCleanup(self.chat.close)

    async def test_an_answer_streams(self) -> None:
        events = [event async for event in self.chat.astream(QUESTION)]
        *texts, done = events
        self.assertGreater(len(texts), 1)
        self.assertEqual("".join(event.text for event in texts), ANSWER)
        self.assertEqual(done.summary.reason, FinishReason.END_OF_TEXT)
        self.assertEqual(len(self.chat.messages), 2)

    async def test_progress_is_told_on_the_loops_thread(self) -> None:
        told: list[LoadProgress] = []
        threads = set()

        def progress(how_far: LoadProgress) -> None:
            told.append(how_far)
            threads.add(threading.current_thread())

        with TemporaryDirectory() as cache:
            (await Model.aload(EXPORT, cache=cache, progress=progress)).close()
        self.assertTrue(told)
        self.assertEqual(threads, {threading.current_thread()})

    async def test_what_a_progress_callback_raises_comes_through(self) -> None:
        own = KeyError("own")

        def progress(_: LoadProgress) -> None:
            raise own

        with TemporaryDirectory() as cache:
            with self.assertRaises(KeyError) as raised:
                await Model.aload(EXPORT, cache=cache, progress=progress)
            self.assertIs(raised.exception, own)

    async def test_a_load_that_is_cancelled_leaves_no_plan(self) -> None:
        with TemporaryDirectory() as cache:
            told = asyncio.Event()
            loading = asyncio.ensure_future(
                Model.aload(EXPORT, cache=cache, progress=lambda _: told.set())
            )
            await told.wait()
            loading.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await loading
            (await Model.aload(EXPORT, cache=cache)).close()
            self.assertEqual(len(list(Path(cache).glob("*.tea"))), 1)

    async def test_cancelling_a_task_between_events_undoes_the_turn(self) -> None:
        heard = asyncio.Event()

        async def listen() -> None:
            async for _ in self.chat.astream(QUESTION):
                heard.set()
                await asyncio.Event().wait()

        await self.cancelled(asyncio.ensure_future(listen()), heard)

    async def test_cancelling_a_task_during_an_event_undoes_the_turn(self) -> None:
        heard = asyncio.Event()

        async def listen() -> None:
            async for _ in self.chat.astream(QUESTION):
                heard.set()
                # The cancellation arrives while the next event is awaited.
                cancel.call_soon(listening.cancel)

        cancel = asyncio.get_running_loop()
        listening = asyncio.ensure_future(listen())
        await self.cancelled(listening, heard, cancel=False)

    async def cancelled(
        self, listening: asyncio.Future[None], heard: asyncio.Event, cancel: bool = True
    ) -> None:
        left = self.chat.context_left
        await heard.wait()
        if cancel:
            listening.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await listening
        self.assertEqual(self.chat.messages, [])
        self.assertEqual(self.chat.context_left, left)
        self.assertEqual(await self.chat.aask(QUESTION), ANSWER)

    async def test_cancelling_at_any_moment_leaves_whole_turns(self) -> None:
        for turns in range(100):
            self.chat.clear()
            asking = asyncio.ensure_future(self.chat.aask(QUESTION))
            for _ in range(turns):
                await asyncio.sleep(0)
            asking.cancel()
            try:
                self.assertEqual(await asking, ANSWER)
            except asyncio.CancelledError:
                pass
            said = [message.content for message in self.chat.messages]
            self.assertIn(said, [[], [QUESTION, ANSWER]])
        self.chat.clear()
        self.assertEqual(await self.chat.aask(QUESTION), ANSWER)

    async def test_waiting_too_long_cancels(self) -> None:
        async def listen() -> None:
            async for _ in self.chat.astream(QUESTION):
                await asyncio.Event().wait()

        with self.assertRaises(asyncio.TimeoutError):
            await asyncio.wait_for(listen(), 0.2)
        self.assertEqual(self.chat.messages, [])
        self.assertEqual(await self.chat.aask(QUESTION), ANSWER)

    async def test_a_loop_that_is_left_undoes_the_turn(self) -> None:
        async for event in self.chat.astream(QUESTION):
            self.assertIsInstance(event, Text)
            break
        self.assertEqual(self.chat.messages, [])
        self.assertEqual(await self.chat.aask(QUESTION), ANSWER)

    async def test_cancelling_the_chat_ends_the_answer(self) -> None:
        events: list[Event] = []
        async for event in self.chat.astream(QUESTION):
            events.append(event)
            self.chat.cancel()
        assert isinstance(events[-1], Done)
        self.assertEqual(events[-1].summary.reason, FinishReason.CANCELLED)
        self.assertLessEqual(events[-1].summary.generated_tokens, 2)

    async def test_errors_come_when_the_first_event_is_awaited(self) -> None:
        with self.chat.stream(QUESTION):
            reply = self.chat.astream(QUESTION)
            with self.assertRaises(errors.Busy):
                await reply.__anext__()
        self.assertEqual([event async for event in reply], [])
        self.chat.close()
        with self.assertRaises(errors.Closed):
            await self.chat.aask(QUESTION)
        with self.assertRaises(errors.NotFound):
            await Model.aload("nowhere/model.tea")

    async def test_many_chats_answer_at_once(self) -> None:
        async def answer() -> str:
            with self.model.chat() as own:
                return await own.aask(QUESTION)

        answers = await asyncio.gather(*(answer() for _ in range(12)))
        self.assertEqual(answers, [ANSWER] * 12)


if __name__ == "__main__":
    unittest.main()
