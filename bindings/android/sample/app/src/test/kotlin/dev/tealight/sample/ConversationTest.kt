package dev.tealight.sample

import dev.tealight.kotlin.Role
import dev.tealight.sample.conversation.Choice
import dev.tealight.sample.conversation.Conversation
import dev.tealight.sample.conversation.Line
import dev.tealight.sample.conversation.State
import java.io.File
import kotlinx.coroutines.cancelChildren
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder

class ConversationTest {
    @get:Rule val folder = TemporaryFolder()

    private fun withConversation(test: suspend (Conversation) -> Unit): Unit = runBlocking {
        val conversation = Conversation(this, folder.newFolder().path) { 42 }
        withTimeout(60_000) { conversation.use { test(it) } }
        coroutineContext.cancelChildren()
    }

    private suspend fun Conversation.wait(what: (State) -> Boolean): State = state.first(what)

    @Test
    fun `a question is answered and its speed shown`() = withConversation { conversation ->
        conversation.open(Choice("embedded", null))
        conversation.wait { !it.loading }
        conversation.say("lights on")
        val state = conversation.wait { it.lines.isNotEmpty() && !it.answering }
        assertEquals(listOf(Role.USER, Role.ASSISTANT), state.lines.map(Line::role))
        assertTrue(state.lines.last().text, state.lines.last().text.startsWith("{"))
        assertTrue(state.tokensPerSecond!! > 0 && state.memory == 42L && state.problem == null)
    }

    @Test
    fun `a model that is not there is a problem and another can be opened`() =
        withConversation { conversation ->
            conversation.open(Choice("none", File(folder.root, "none.tea").path))
            val problem = conversation.wait { it.problem != null }.problem.orEmpty()
            assertTrue(problem, "none.tea" in problem)
            conversation.open(Choice("embedded", null))
            assertEquals(null, conversation.wait { !it.loading }.problem)
        }
}
