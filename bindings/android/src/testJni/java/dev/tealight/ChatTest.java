package dev.tealight;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertSame;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.After;
import org.junit.Test;

/** Chats: answers as they come, cancelled, closed and thrown through, from any thread. */
public class ChatTest {
    private static final String QUESTION = "turn off the lights in the kitchen";
    private static final String ANSWER =
            "{\"device\":\"light\",\"room\":\"kitchen\",\"action\":\"off\",\"value\":null}";

    private final Model model = Model.embedded();
    private final Chat chat = model.chat();

    @After
    public void close() {
        chat.close();
        model.close();
    }

    @Test
    public void anAnswerComesInParts() {
        List<String> parts = new ArrayList<>();
        Summary summary = chat.stream(QUESTION, parts::add);
        assertEquals(ANSWER, String.join("", parts));
        assertTrue("the first part is not kept back", parts.size() > 1);
        assertEquals(FinishReason.END_OF_TEXT, summary.reason());
        assertTrue(summary.generatedTokens() > 1 && summary.promptTokens() > 1);
        assertTrue(summary.secondsToFirstToken().getAsDouble() > 0);
        assertEquals(
                Arrays.asList(
                        new Message(Role.USER, QUESTION), new Message(Role.ASSISTANT, ANSWER)),
                chat.messages());
    }

    @Test
    public void optionsReachTheModel() {
        GenerateOptions one = new GenerateOptions().maxTokens(1);
        assertEquals(FinishReason.LENGTH, chat.stream(QUESTION, one, text -> {}).reason());
        chat.clear();
        GenerateOptions stop = new GenerateOptions().greedy().seed(7).stop("room");
        assertEquals("{\"device\":\"light\",\"", chat.ask(QUESTION, stop));
    }

    @Test
    public void cancellingStopsWithinOneTokenAndUndoesTheTurn() {
        int whole = chat.stream(QUESTION, text -> {}).generatedTokens();
        List<Message> before = chat.messages();
        int left = chat.contextLeft();
        try (Reply reply = chat.send(QUESTION)) {
            assertFalse(reply.next().isEmpty());
            reply.cancel();
            assertNull(reply.next());
            assertEquals(FinishReason.CANCELLED, reply.summary().reason());
            assertTrue(reply.summary().generatedTokens() < whole);
        }
        assertEquals(before, chat.messages());
        assertEquals(left, chat.contextLeft());
        assertEquals(ANSWER, chat.ask(QUESTION));
    }

    @Test
    public void cancellingAFutureUndoesTheTurn() throws Exception {
        CountDownLatch heard = new CountDownLatch(1);
        CountDownLatch cancelled = new CountDownLatch(1);
        CompletableFuture<Summary> answering =
                chat.streamAsync(
                        QUESTION,
                        text -> {
                            heard.countDown();
                            await(cancelled);
                        });
        await(heard);
        assertTrue(answering.cancel(true));
        cancelled.countDown();
        assertEquals(ANSWER, chat.ask(QUESTION));
        assertEquals("one turn", 2, chat.messages().size());
    }

    @Test
    public void whatAListenerThrowsComesThroughAndUndoesTheTurn() throws Exception {
        RuntimeException own = new RuntimeException("own");
        TokenListener listener =
                text -> {
                    throw own;
                };
        assertSame(
                own, assertThrows(RuntimeException.class, () -> chat.stream(QUESTION, listener)));
        ExecutionException failed =
                assertThrows(
                        ExecutionException.class,
                        () -> chat.streamAsync(QUESTION, listener).get(60, TimeUnit.SECONDS));
        assertSame(own, failed.getCause());
        assertEquals(Collections.emptyList(), chat.messages());
        assertEquals(ANSWER, chat.ask(QUESTION));
    }

    @Test
    public void aListenerMayAskAndCloseTheChat() {
        assertThrows(
                TealightException.Closed.class,
                () ->
                        chat.stream(
                                QUESTION,
                                text -> {
                                    assertTrue(chat.contextLeft() > 0);
                                    chat.close();
                                }));
        assertThrows(TealightException.Closed.class, chat::messages);
        assertThrows(TealightException.Closed.class, () -> chat.ask(QUESTION));
    }

    @Test
    public void aChatIsClosedFromAnotherThreadDuringAnAnswer() throws Exception {
        CountDownLatch heard = new CountDownLatch(1);
        CountDownLatch closed = new CountDownLatch(1);
        CompletableFuture<Summary> answering =
                chat.streamAsync(
                        QUESTION,
                        text -> {
                            heard.countDown();
                            await(closed);
                        });
        await(heard);
        chat.close();
        model.close();
        closed.countDown();
        ExecutionException failed =
                assertThrows(
                        ExecutionException.class, () -> answering.get(60, TimeUnit.SECONDS));
        assertTrue(failed.getCause() instanceof TealightException.Closed);
    }

    @Test
    public void closingAtAnyMomentHarmsNothing() throws Exception {
        for (int time = 0; time < 200; time++) {
            Chat other = model.chat();
            CompletableFuture<String> answer = other.askAsync(QUESTION);
            if (time % 2 == 0) {
                Thread.yield();
            }
            other.close();
            try {
                assertEquals(ANSWER, answer.get(60, TimeUnit.SECONDS));
            } catch (ExecutionException failed) {
                assertTrue(failed.toString(), failed.getCause() instanceof TealightException.Closed);
            }
        }
    }

    @Test
    public void oneAnswerAtATime() {
        try (Reply reply = chat.send(QUESTION)) {
            assertThrows(TealightException.Busy.class, () -> chat.ask(QUESTION));
            assertThrows(TealightException.Busy.class, chat::clear);
            assertFalse(reply.next().isEmpty());
        }
        assertEquals(ANSWER, chat.ask(QUESTION));
    }

    @Test
    public void aQuestionThatDoesNotFitIsRefusedBeforeAnythingIsLost() {
        try (Chat small = model.chat(new ChatOptions().context(48))) {
            String answer = small.ask("lights on");
            List<Message> before = small.messages();
            String large = String.join(" ", Collections.nCopies(200, "kitchen"));
            assertTrue(small.countWith(large) > 48);
            assertThrows(TealightException.ContextFull.class, () -> small.ask(large));
            assertEquals(before, small.messages());
            small.clear();
            assertEquals(answer, small.ask("lights on"));
        }
    }

    @Test
    public void manyChatsAnswerAtOnce() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(4);
        List<Future<?>> workers = new ArrayList<>();
        for (int worker = 0; worker < 4; worker++) {
            workers.add(
                    threads.submit(
                            () -> {
                                try (Chat own = model.chat()) {
                                    for (int time = 0; time < 25; time++) {
                                        assertEquals(ANSWER, own.ask(QUESTION));
                                        own.clear();
                                    }
                                }
                            }));
        }
        for (Future<?> worker : workers) {
            worker.get(120, TimeUnit.SECONDS);
        }
        threads.shutdown();
    }

    @Test
    public void textOfAnyScriptComesBackAsItWent() {
        String question = "厨房的灯 💡 关掉 👩‍👩‍👧 é\u0000z";
        try (Reply reply = chat.send(question)) {
            String text = reply.next();
            while (text != null) {
                text = reply.next();
            }
        }
        assertEquals(question, chat.messages().get(0).content());
        List<Message> saved =
                Arrays.asList(new Message(Role.USER, "😀".repeat(500)), new Message(Role.ASSISTANT, "好"));
        chat.restore(saved);
        assertEquals(saved, chat.messages());
    }

    @Test
    public void halfACharacterIsNoReasonToFail() {
        chat.ask("lights \ud83d on");
        assertEquals(2, chat.messages().size());
    }

    @Test
    public void noArgumentMayBeNull() {
        assertThrows(NullPointerException.class, () -> chat.send(null));
        assertThrows(NullPointerException.class, () -> Model.open(null));
        assertThrows(NullPointerException.class, () -> chat.countWith(null));
        assertThrows(NullPointerException.class, () -> new GenerateOptions().stop(null));
    }

    private static void await(CountDownLatch latch) {
        try {
            if (!latch.await(60, TimeUnit.SECONDS)) {
                throw new IllegalStateException(new TimeoutException());
            }
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
        }
    }
}
