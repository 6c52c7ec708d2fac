package dev.tealight;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;
import static org.junit.Assume.assumeTrue;

import java.io.File;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.AfterClass;
import org.junit.BeforeClass;
import org.junit.Test;

/** A real model that says more than a line: SmolLM2-135M-Instruct in int4. */
public class SmolLm2Test {
    private static final String NAME = "smollm2-135m-instruct-int4";
    private static final String STORY = "Tell me a long story about a lighthouse.";

    private static Model model;

    /** Looks for it in the folders of `TEALIGHT_TEST_MODELS`. */
    @BeforeClass
    public static void load() {
        String folders = System.getenv().getOrDefault("TEALIGHT_TEST_MODELS", "");
        File folder = null;
        for (String place : folders.split(File.pathSeparator)) {
            File found = new File(place, NAME);
            folder = found.exists() ? found : folder;
        }
        if (folder == null) {
            System.err.println("skipped: TEALIGHT_TEST_MODELS names no folder that holds " + NAME);
        }
        assumeTrue(folder != null);
        model = Model.open(folder.getPath(), new ModelOptions().context(512), progress -> {});
    }

    @AfterClass
    public static void close() {
        if (model != null) {
            model.close();
        }
    }

    @Test
    public void anAnswerThatIsCancelledMidwayIsUndoneAndTheNextTurnWorks() {
        try (Chat chat = model.chat()) {
            assertTrue(chat.ask("What is the capital of France?", most(24)).contains("Paris"));
            List<Message> before = chat.messages();
            try (Reply reply = chat.send(STORY, most(200))) {
                for (int part = 0; part < 3; part++) {
                    assertFalse(reply.next().isEmpty());
                }
                reply.cancel();
                assertNull(reply.next());
                assertEquals(FinishReason.CANCELLED, reply.summary().reason());
                assertTrue(reply.summary().generatedTokens() < 200);
            }
            assertEquals(before, chat.messages());
            assertTrue(chat.ask("And of Germany?", most(24)).contains("Berlin"));
        }
    }

    @Test
    public void charactersThatTokensSplitAreHandedOverWhole() {
        try (Chat chat = model.chat()) {
            // The answer is hands that clap, several tokens each.
            String question = "Write a sentence in Chinese with emoji: 你好 🎉🎉🎉";
            List<String> parts = new ArrayList<>();
            chat.stream(question, most(60), parts::add);
            String text = String.join("", parts);
            assertTrue("several parts", parts.size() > 1);
            assertTrue(text, text.codePoints().anyMatch(character -> character > 0xffff));
            for (String part : parts) {
                assertFalse(text, part.contains("\ufffd"));
                assertFalse(text, Character.isLowSurrogate(part.charAt(0)));
            }
            List<Message> turn =
                    Arrays.asList(
                            new Message(Role.USER, question), new Message(Role.ASSISTANT, text));
            assertEquals(turn, chat.messages());
        }
    }

    @Test
    public void twoChatsOnOneModelSayWhatTheySayAlone() throws Exception {
        String[] questions = {"Name three colours.", "Name three animals."};
        try (Chat one = model.chat();
                Chat other = model.chat()) {
            String[] alone = {one.ask(questions[0], most(24)), other.ask(questions[1], most(24))};
            one.clear();
            other.clear();
            CompletableFuture<String> first = one.askAsync(questions[0], most(24));
            CompletableFuture<String> second = other.askAsync(questions[1], most(24));
            assertEquals(alone[0], first.get(60, TimeUnit.SECONDS));
            assertEquals(alone[1], second.get(60, TimeUnit.SECONDS));
        }
    }

    private static GenerateOptions most(int tokens) {
        return new GenerateOptions().greedy().maxTokens(tokens);
    }
}
