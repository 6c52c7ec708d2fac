package dev.tealight.kotlin

import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.Paths
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import org.junit.Assert.assertEquals
import org.junit.Assert.assertSame
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder

/** The Kotlin layer, over whichever backend it was built with. */
class TealightTest {
    private val question = "turn off the lights in the kitchen"
    private val answer =
        """{"device":"light","room":"kitchen","action":"off","value":null}"""

    /** The embedded model's export, so that compiling can be seen. */
    private val export = Paths.get(System.getProperty("dev.tealight.home"))

    @get:Rule val folder = TemporaryFolder()

    private fun withChat(test: suspend (Model, Chat) -> Unit): Unit = runBlocking {
        Tealight.embedded().use { model -> model.chat().use { chat -> test(model, chat) } }
    }

    private fun ownCache() = ModelOptions(cache = folder.newFolder().path)

    private inline fun <reified E : Throwable> assertFails(
        crossinline work: suspend () -> Unit,
    ): E = assertThrows(E::class.java) { runBlocking { work() } }

    @Test
    fun `an answer streams and ends with what it took`() = withChat { _, chat ->
        val events = chat.stream(question).toList()
        val texts = events.filterIsInstance<ChatEvent.Text>()
        assertTrue("the first part is not kept back", texts.size > 1)
        assertEquals(answer, texts.joinToString("") { it.text })
        val done = events.last() as ChatEvent.Done
        assertEquals(FinishReason.END_OF_TEXT, done.summary.reason)
        assertTrue(done.summary.generatedTokens > 1)
        assertEquals(
            listOf(Message(Role.USER, question), Message(Role.ASSISTANT, answer)),
            chat.messages,
        )
    }

    @Test
    fun `an export is compiled with progress and known before`() = runBlocking {
        val options = ownCache()
        val told = mutableListOf<LoadProgress>()
        Tealight.load(export.toString(), options) { synchronized(told) { told += it } }
            .use { model -> model.chat().use { assertEquals(answer, it.ask(question)) } }
        assertTrue(told.isNotEmpty())
        val info = Tealight.info(export.toString(), options)
        assertTrue(info.hasChatTemplate && info.memoryEstimate > info.fileBytes)
        val small = options.copy(context = info.chatContext / 2, kv = KvType.INT8)
        val smaller = Tealight.info(export.toString(), small)
        assertEquals(info.chatContext / 2, smaller.chatContext)
        assertTrue(smaller.bytesPerToken < info.bytesPerToken)
        val saved =
            info.chatContext * info.bytesPerToken - smaller.chatContext * smaller.bytesPerToken
        assertTrue(info.memoryEstimate - smaller.memoryEstimate >= saved)
        Tealight.embedded().use { assertEquals(info.fileBytes, it.info.fileBytes) }
    }

    @Test
    fun `keys and values may be kept in each way`() = runBlocking {
        assertEquals(listOf("F16", "F32", "INT8"), KvType.values().map { it.name })
        for (kv in KvType.values()) {
            Tealight.embedded(ModelOptions(kv = kv)).use { model ->
                model.chat().use { assertEquals("$kv", answer, it.ask(question)) }
            }
        }
    }

    @Test
    fun `what a listener of progress throws comes through`() {
        val own = IllegalArgumentException("own")
        val options = ownCache()
        val thrown =
            assertFails<IllegalArgumentException> {
                Tealight.load(export.toString(), options) { throw own }.close()
            }
        // Coroutines may copy an exception to keep both stack traces.
        assertTrue(thrown === own || thrown.cause === own)
    }

    @Test
    fun `a collector that leaves undoes the turn`() = withChat { _, chat ->
        val left = chat.contextLeft
        assertTrue(chat.stream(question).first() is ChatEvent.Text)
        assertEquals(emptyList<Message>(), chat.messages)
        assertEquals(left, chat.contextLeft)
        assertEquals(answer, chat.ask(question))
    }

    @Test
    fun `cancelling a job stops the answer and undoes the turn`() = withChat { _, chat ->
        val heard = CompletableDeferred<Unit>()
        runBlocking {
            val job = launch {
                chat.stream(question).collect {
                    heard.complete(Unit)
                    CompletableDeferred<Unit>().await()
                }
            }
            heard.await()
            job.cancelAndJoin()
        }
        assertEquals(emptyList<Message>(), chat.messages)
        assertEquals(answer, chat.ask(question))
    }

    @Test
    fun `cancelling the chat ends the flow`() = withChat { _, chat ->
        val events = mutableListOf<ChatEvent>()
        chat.stream(question).collect {
            events += it
            chat.cancel()
        }
        val done = events.last() as ChatEvent.Done
        assertEquals(FinishReason.CANCELLED, done.summary.reason)
        assertEquals(emptyList<Message>(), chat.messages)
    }

    @Test
    fun `what a collector throws comes through and undoes the turn`() = withChat { _, chat ->
        val own = IllegalArgumentException("own")
        val thrown =
            assertFails<IllegalArgumentException> { chat.stream(question).collect { throw own } }
        assertSame(own, thrown)
        assertEquals(emptyList<Message>(), chat.messages)
        assertEquals(answer, chat.ask(question))
    }

    @Test
    fun `closing during an answer ends it`() = withChat { model, chat ->
        assertFails<TealightException.Closed> {
            chat.stream(question).collect {
                chat.close()
                model.close()
            }
        }
        chat.close()
        model.close()
        assertFails<TealightException.Closed> { chat.ask(question) }
        assertFails<TealightException.Closed> { model.chat() }
        assertFails<TealightException.Closed> { chat.messages }
    }

    @Test
    fun `closing at any moment harms nothing`() = withChat { model, _ ->
        repeat(100) {
            withContext(Dispatchers.Default) {
                val chat = model.chat()
                val asked = async { runCatching { chat.ask(question) } }
                launch { chat.close() }
                val failed = asked.await().exceptionOrNull()
                assertTrue("$failed", failed == null || failed is TealightException.Closed)
            }
        }
    }

    @Test
    fun `chats go on when their model is closed`() = runBlocking {
        val model = Tealight.embedded()
        val chat = model.chat()
        model.close()
        assertEquals(answer, chat.ask(question))
        chat.close()
    }

    @Test
    fun `many chats answer at once`() = withChat { model, _ ->
        withContext(Dispatchers.Default) {
            List(4) {
                async {
                    model.chat().use { own ->
                        repeat(10) {
                            assertEquals(answer, own.ask(question))
                            own.clear()
                        }
                    }
                }
            }.awaitAll()
        }
    }

    @Test
    fun `one answer at a time`() = withChat { _, chat ->
        chat.stream(question).first {
            assertFails<TealightException.Busy> { chat.ask(question) }
            assertFails<TealightException.Busy> { chat.clear() }
            true
        }
        assertEquals(answer, chat.ask(question))
    }

    @Test
    fun `models that cannot be had say why`() {
        assertFails<TealightException.NotFound> { Tealight.load("nowhere/model.tea").close() }
        val cache = folder.newFolder().toPath()
        runBlocking { Tealight.load(export.toString(), ModelOptions(cache = "$cache")).close() }
        val whole = Files.readAllBytes(plan(cache))
        val file = folder.newFile("model.tea").toPath()
        Files.write(file, whole.copyOf(whole.size / 2))
        assertFails<TealightException.Damaged> { Tealight.load("$file").close() }
        // The format's version comes after eight bytes of magic.
        Files.write(file, whole.copyOf().also { it[8]++ })
        assertFails<TealightException.Unsupported> { Tealight.load("$file").close() }
    }

    private fun plan(cache: Path): Path =
        Files.list(cache).use { files ->
            files.filter { it.toString().endsWith(".tea") }.findFirst().get()
        }

    @Test
    fun `a plan that cannot be kept is a question of storage`() {
        val copy = folder.newFolder().toPath()
        Files.list(export).use { files ->
            files.forEach { Files.copy(it, copy.resolve(it.fileName)) }
        }
        // A file lies where the folder beside the model should be.
        Files.createFile(copy.resolve(".tealight"))
        val options = ModelOptions(cache = folder.newFile().path)
        assertFails<TealightException.Storage> { Tealight.load("$copy", options).close() }
    }

    @Test
    fun `a question that does not fit is refused`() = withChat { model, _ ->
        model.chat(ChatOptions(context = 48)).use { small ->
            val large = "kitchen ".repeat(200)
            assertTrue(small.countWith(large) > 48)
            assertFails<TealightException.ContextFull> { small.ask(large) }
            assertEquals(emptyList<Message>(), small.messages)
        }
    }

    @Test
    fun `senseless options are invalid input`() = withChat { model, _ ->
        assertFails<TealightException.InvalidInput> { ModelOptions(threads = 0) }
        val large = ChatOptions(context = model.info.context + 1)
        assertFails<TealightException.InvalidInput> { model.chat(large).close() }
    }

    @Test
    fun `text of any script comes back as it went`() = withChat { _, chat ->
        val other = "厨房的灯 💡 关掉 👩‍👩‍👧 é"
        chat.ask(other)
        assertEquals(other, chat.messages.first().content)
        val saved = listOf(Message(Role.USER, "😀".repeat(500)), Message(Role.ASSISTANT, "好"))
        chat.restore(saved)
        assertEquals(saved, chat.messages)
    }

    @Test
    fun `half a character is no reason to fail`() = withChat { _, chat ->
        chat.ask("lights \ud83d on")
        assertEquals(2, chat.messages.size)
    }

    @Test
    fun `a thousand loads leave nothing behind`() = runBlocking {
        loads(200)
        val before = residentKilobytes()
        loads(1000)
        val grown = residentKilobytes() - before
        assertTrue("grew by $grown kB", grown < 4096)
    }

    private suspend fun loads(times: Int) {
        repeat(times) { time ->
            Tealight.embedded(ModelOptions(threads = 2)).use { model ->
                model.chat().use { if (time % 50 == 0) it.ask(question) }
            }
        }
    }

    private fun residentKilobytes(): Long {
        System.gc()
        val line = Files.readAllLines(Paths.get("/proc/self/status")).first { "VmRSS" in it }
        return line.filter(Char::isDigit).toLong()
    }
}
