"""Chats: answers as they come, cancelled, closed and left, from any thread."""

from __future__ import annotations

import threading
import unittest
from concurrent.futures import ThreadPoolExecutor

from support import ANSWER, QUESTION, WithChat
from tealight import Chat, Done, FinishReason, Message, Role, Text, errors


class Answers(WithChat):
    def test_an_answer_comes_in_parts_and_ends_with_what_it_took(self) -> None:
        *texts, done = self.chat.stream(QUESTION)
        self.assertGreater(len(texts), 1, "the first part is not kept back")
        self.assertEqual("".join(event.text for event in texts), ANSWER)
        self.assertIsInstance(done, Done)
        self.assertEqual(done.summary.reason, FinishReason.END_OF_TEXT)
        self.assertGreater(done.summary.generated_tokens, 1)
        self.assertGreater(done.summary.prompt_tokens, 1)
        self.assertGreater(done.summary.seconds_to_first_token, 0)
        turn = [Message(Role.USER, QUESTION), Message(Role.ASSISTANT, ANSWER)]
        self.assertEqual(self.chat.messages, turn)

    def test_options_reach_the_model(self) -> None:
        *_, done = self.chat.stream(QUESTION, max_tokens=1)
        self.assertEqual(done.summary.reason, FinishReason.LENGTH)
        self.assertEqual(done.summary.generated_tokens, 1)
        for stop in ["room", ["nothing", "room"]]:
            self.chat.clear()
            answer = self.chat.ask(QUESTION, temperature=0, seed=7, stop=stop)
            self.assertEqual(answer, '{"device":"light","')

    def test_one_answer_at_a_time(self) -> None:
        with self.chat.stream(QUESTION) as reply:
            next(reply)
            self.assertRaises(errors.Busy, self.chat.ask, QUESTION)
            self.assertRaises(errors.Busy, self.chat.clear)
            self.assertRaises(errors.Busy, self.chat.restore, [])
        self.assertEqual(self.chat.ask(QUESTION), ANSWER)

    def test_a_question_that_does_not_fit_is_refused_before_anything_is_lost(self) -> None:
        with self.model.chat(context=48) as small:
            answer = small.ask("lights on")
            before = small.messages
            large = "kitchen " * 200
            self.assertGreater(small.count_with(large), 48)
            self.assertRaises(errors.ContextFull, small.ask, large)
            self.assertEqual(small.messages, before)
            small.clear()
            self.assertEqual(small.ask("lights on"), answer)


class Stopping(WithChat):
    def assert_undone(self, before: list[Message], left: int) -> None:
        self.assertEqual(self.chat.messages, before)
        self.assertEqual(self.chat.context_left, left)
        self.assertEqual(self.chat.ask(QUESTION), ANSWER)

    def test_cancelling_stops_within_one_token_and_undoes_the_turn(self) -> None:
        self.chat.ask(QUESTION)
        before, left = self.chat.messages, self.chat.context_left
        reply = self.chat.stream(QUESTION)
        # The first token's text is handed over at once.
        self.assertIsInstance(next(reply), Text)
        reply.cancel()
        done = next(reply)
        self.assertEqual(done.summary.reason, FinishReason.CANCELLED)
        self.assertLessEqual(done.summary.generated_tokens, 2)
        self.assertRaises(StopIteration, next, reply)
        self.assert_undone(before, left)

    def test_cancelling_from_another_thread_ends_the_answer(self) -> None:
        before, left = self.chat.messages, self.chat.context_left
        for event in self.chat.stream(QUESTION):
            thread = threading.Thread(target=self.chat.cancel)
            thread.start()
            thread.join()
        self.assertEqual(event.summary.reason, FinishReason.CANCELLED)
        self.assert_undone(before, left)

    def test_a_loop_that_is_left_undoes_the_turn(self) -> None:
        before, left = self.chat.messages, self.chat.context_left
        for event in self.chat.stream(QUESTION):
            self.assertIsInstance(event, Text)
            break
        self.assert_undone(before, left)

    def test_what_is_raised_in_a_loop_comes_through_and_undoes_the_turn(self) -> None:
        before, left = self.chat.messages, self.chat.context_left
        own = KeyError("own")
        with self.assertRaises(KeyError) as raised, self.chat.stream(QUESTION) as reply:
            for _ in reply:
                raise own
        self.assertIs(raised.exception, own)
        self.assert_undone(before, left)

    def test_a_reply_that_is_closed_has_no_more_events(self) -> None:
        reply = self.chat.stream(QUESTION)
        next(reply)
        reply.close()
        reply.close()
        reply.cancel()
        self.assertEqual(list(reply), [])
        self.assertEqual(self.chat.ask(QUESTION), ANSWER)


class Closing(WithChat):
    def test_closing_during_an_answer_ends_it(self) -> None:
        reply = self.chat.stream(QUESTION)
        next(reply)
        self.chat.close()
        self.model.close()
        self.assertRaises(errors.Closed, next, reply)
        self.chat.close()
        self.assertRaises(errors.Closed, self.chat.ask, QUESTION)
        self.assertRaises(errors.Closed, self.chat.clear)
        with self.assertRaises(errors.Closed):
            self.chat.messages
        self.chat.cancel()

    def test_closing_at_any_moment_harms_nothing(self) -> None:
        with ThreadPoolExecutor(1) as threads:
            for _ in range(200):
                chat = self.model.chat()
                answering = threads.submit(chat.ask, QUESTION)
                chat.close()
                error = answering.exception()
                self.assertIsInstance(error, (type(None), errors.Closed))
                if error is None:
                    self.assertEqual(answering.result(), ANSWER)


class Threads(WithChat):
    def test_many_chats_answer_at_once(self) -> None:
        def answers(times: int) -> None:
            with self.model.chat() as own:
                for _ in range(times):
                    self.assertEqual(own.ask(QUESTION), ANSWER)
                    own.clear()

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(answers, [25] * 4))

    def test_two_chats_keep_their_own_conversations(self) -> None:
        def talk(chat: Chat, question: str) -> list[Message]:
            for _ in range(3):
                chat.ask(question)
            return chat.messages

        questions = ["lights on", "lights off"]
        chats = [self.model.chat(), self.model.chat()]
        with ThreadPoolExecutor(2) as threads:
            talks = list(threads.map(talk, chats, questions))
        alone = [talk(self.model.chat(), question) for question in questions]
        self.assertEqual(talks, alone)


class Scripts(WithChat):
    def test_text_of_any_script_comes_back_as_it_went(self) -> None:
        question = "厨房的灯 💡 关掉 👩‍👩‍👧 é\0z"
        self.chat.ask(question)
        self.assertEqual(self.chat.messages[0], Message(Role.USER, question))
        saved = [Message(Role.USER, "😀" * 500), Message(Role.ASSISTANT, "好")]
        self.chat.restore(saved)
        self.assertEqual(self.chat.messages, saved)

    def test_characters_that_tokens_split_are_handed_over_whole(self) -> None:
        # At such a temperature any token may follow any other, pieces of characters among them.
        for seed in range(20):
            self.chat.clear()
            events = list(self.chat.stream(QUESTION, temperature=1000, seed=seed, max_tokens=60))
            text = "".join(event.text for event in events if isinstance(event, Text))
            self.assertEqual(text, self.chat.messages[-1].content)
            self.assertEqual(text, text.encode().decode())

    def test_half_a_character_is_no_reason_to_fail(self) -> None:
        self.chat.ask("lights \ud83d on")
        self.assertEqual(self.chat.messages[0].content, "lights ? on")

    def test_a_system_prompt_stays(self) -> None:
        with self.model.chat("Be brief.") as chat:
            self.assertEqual(chat.messages, [Message(Role.SYSTEM, "Be brief.")])
            chat.ask("lights on")
            chat.clear()
            self.assertEqual(chat.messages, [Message(Role.SYSTEM, "Be brief.")])


if __name__ == "__main__":
    unittest.main()
