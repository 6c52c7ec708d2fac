package dev.tealight.kotlin

import java.io.File
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.AfterClass
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Assume.assumeTrue
import org.junit.BeforeClass
import org.junit.Test

/** A real model that says more than a line: SmolLM2-135M-Instruct in int4. */
class SmolLm2Test {
    private fun withChat(test: suspend (Chat) -> Unit): Unit = runBlocking {
        model!!.chat().use { chat -> test(chat) }
    }

    private fun most(tokens: Int) = GenerateOptions(temperature = 0f, maxTokens = tokens)

    @Test
    fun `a job that is cancelled midway undoes the turn and the next one works`() =
        withChat { chat ->
            assertTrue("Paris" in chat.ask("What is the capital of France?", most(24)))
            val before = chat.messages
            val heard = CompletableDeferred<Unit>()
            var parts = 0
            runBlocking {
                val job = launch {
                    chat.stream(STORY, most(200)).collect { if (++parts == 3) heard.complete(Unit) }
                }
                heard.await()
                job.cancelAndJoin()
            }
            assertEquals(before, chat.messages)
            assertTrue("Berlin" in chat.ask("And of Germany?", most(24)))
        }

    @Test
    fun `cancelling the chat midway ends the flow before the answer is whole`() = withChat { chat ->
        val events = mutableListOf<ChatEvent>()
        chat.stream(STORY, most(200)).collect {
            events += it
            if (events.size == 3) chat.cancel()
        }
        val summary = (events.last() as ChatEvent.Done).summary
        assertEquals(FinishReason.CANCELLED, summary.reason)
        assertTrue("${summary.generatedTokens}", summary.generatedTokens < 200)
        assertEquals(emptyList<Message>(), chat.messages)
        assertEquals(2, chat.stream(STORY, most(200)).take(2).toList().size)
        assertEquals(emptyList<Message>(), chat.messages)
    }

    @Test
    fun `characters that tokens split are handed over whole`() = withChat { chat ->
        // The answer is hands that clap, several tokens each.
        val question = "Write a sentence in Chinese with emoji: 你好 🎉🎉🎉"
        val events = chat.stream(question, most(60)).toList()
        val parts = events.filterIsInstance<ChatEvent.Text>().map { it.text }
        assertTrue("several parts", parts.size > 1)
        for (part in parts) assertFalse(part, '\ufffd' in part || part.first().isLowSurrogate())
        val text = parts.joinToString("")
        assertTrue(text, text.any(Char::isSurrogate))
        assertEquals(listOf(Message(Role.USER, question), Message(Role.ASSISTANT, text)), chat.messages)
    }

    @Test
    fun `two chats on one model say what they say alone`() = runBlocking {
        val questions = listOf("Name three colours.", "Name three animals.")
        suspend fun say(question: String) = model!!.chat().use { it.ask(question, most(24)) }
        val alone = questions.map { say(it) }
        assertEquals(alone, questions.map { async { say(it) } }.awaitAll())
    }

    companion object {
        private const val NAME = "smollm2-135m-instruct-int4"
        private const val STORY = "Tell me a long story about a lighthouse."

        private var model: Model? = null

        /** Looks for it in the folders of `TEALIGHT_TEST_MODELS`. */
        @BeforeClass
        @JvmStatic
        fun load() {
            val folders = System.getenv("TEALIGHT_TEST_MODELS").orEmpty().split(File.pathSeparator)
            val folder = folders.map { File(it, NAME) }.firstOrNull { it.exists() }
            if (folder == null) {
                System.err.println("skipped: TEALIGHT_TEST_MODELS names no folder that holds $NAME")
            }
            assumeTrue(folder != null)
            val options = ModelOptions(context = 512)
            model = runBlocking { Tealight.load(folder!!.path, options) }
        }

        @AfterClass
        @JvmStatic
        fun close() {
            model?.close()
        }
    }
}
