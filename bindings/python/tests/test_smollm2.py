"""A real model that says more than a line: SmolLM2-135M-Instruct in int4."""

from __future__ import annotations

import asyncio
import threading
import unittest
from concurrent.futures import ThreadPoolExecutor

from support import real_model
from tealight import Done, FinishReason, Model, Text

FOLDER = real_model("smollm2-135m-instruct-int4")
QUESTION = "Tell me a long story about a lighthouse."


@unittest.skipIf(FOLDER is None, "no SmolLM2")
class SmolLM2(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.model = Model.load(FOLDER, context=512)
        cls.addClassCleanup(cls.model.close)

    def test_an_answer_streams_and_a_cancelled_one_is_undone(self) -> None:
        with self.model.chat() as chat:
            capital = chat.ask("What is the capital of France?", temperature=0, max_tokens=24)
            self.assertIn("Paris", capital)
            before = chat.messages
            reply = chat.stream(QUESTION, temperature=0, max_tokens=200)
            for _ in range(3):
                self.assertIsInstance(next(reply), Text)
            # While the next event is computed, or just before or after.
            threading.Timer(0.01, chat.cancel).start()
            done = [event for event in reply if isinstance(event, Done)][-1]
            self.assertEqual(done.summary.reason, FinishReason.CANCELLED)
            self.assertLess(done.summary.generated_tokens, 200)
            self.assertEqual(chat.messages, before)
            again = chat.ask("And of Germany?", temperature=0, max_tokens=24)
            self.assertIn("Berlin", again)

    def test_a_cancelled_task_leaves_the_chat_as_it_was(self) -> None:
        async def main() -> None:
            with self.model.chat() as chat:
                asking = asyncio.ensure_future(chat.aask(QUESTION, temperature=0, max_tokens=200))
                await asyncio.sleep(0.1)
                asking.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await asking
                self.assertEqual(chat.messages, [])
                answer = await chat.aask("Hello!", temperature=0, max_tokens=8)
                self.assertEqual(chat.messages[-1].content, answer)

        asyncio.run(main())

    def test_two_chats_on_one_model_say_what_they_say_alone(self) -> None:
        def say(question: str) -> str:
            with self.model.chat() as chat:
                return chat.ask(question, temperature=0, max_tokens=24)

        questions = ["Name three colours.", "Name three animals."]
        alone = [say(question) for question in questions]
        with ThreadPoolExecutor(2) as threads:
            self.assertEqual(list(threads.map(say, questions)), alone)

    def test_characters_that_tokens_split_are_handed_over_whole(self) -> None:
        with self.model.chat() as chat:
            chat.ask("写一首关于灯塔的诗 🗼", temperature=0, max_tokens=8)
            self.assertEqual(chat.messages[-2].content, "写一首关于灯塔的诗 🗼")
            chat.clear()
            # The answer is hands that clap, several tokens each.
            question = "Write a sentence in Chinese with emoji: 你好 🎉🎉🎉"
            events = list(chat.stream(question, temperature=0, max_tokens=60))
            text = "".join(event.text for event in events if isinstance(event, Text))
            self.assertEqual(text, chat.messages[-1].content)
            self.assertTrue(any(ord(character) > 127 for character in text))


if __name__ == "__main__":
    unittest.main()
