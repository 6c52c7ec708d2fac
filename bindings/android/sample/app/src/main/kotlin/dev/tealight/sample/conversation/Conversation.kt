package dev.tealight.sample.conversation

import dev.tealight.kotlin.Chat
import dev.tealight.kotlin.ChatEvent
import dev.tealight.kotlin.FinishReason
import dev.tealight.kotlin.Model
import dev.tealight.kotlin.ModelOptions
import dev.tealight.kotlin.Role
import dev.tealight.kotlin.Tealight
import dev.tealight.kotlin.TealightException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch

/** A model that can be picked. */
data class Choice(val name: String, /** Null for the one in the library. */ val path: String?)

/** Something that was said. */
data class Line(val role: Role, val text: String)

/** All that the screen shows. */
data class State(
    val choice: Choice? = null,
    val loading: Boolean = false,
    val lines: List<Line> = emptyList(),
    val answering: Boolean = false,
    val tokensPerSecond: Double? = null,
    /** What the process holds, in bytes. */
    val memory: Long = 0,
    val problem: String? = null,
)

/**
 * Loads a model, and talks with it. Nothing here knows of Android.
 *
 * @param scope where it works, which ends with the screen
 * @param cache folder for compiled models
 * @param memory what the process holds, in bytes
 */
class Conversation(
    private val scope: CoroutineScope,
    private val cache: String,
    private val memory: () -> Long,
) : AutoCloseable {
    private val mutable = MutableStateFlow(State())
    val state: StateFlow<State> = mutable.asStateFlow()

    private var model: Model? = null
    private var chat: Chat? = null
    private var work: Job? = null

    /** Puts another model in the place of the one before. */
    fun open(choice: Choice) {
        work?.cancel()
        close()
        mutable.value = State(choice = choice, loading = true)
        work = attempt {
            val options = ModelOptions(cache = cache)
            val opened =
                if (choice.path == null) Tealight.embedded(options)
                else Tealight.load(choice.path, options)
            model = opened
            chat = opened.chat()
            mutable.update { it.copy(loading = false, memory = memory()) }
        }
    }

    /** Asks, and shows the answer as it comes. */
    fun say(text: String) {
        val chat = chat ?: return
        if (text.isBlank() || state.value.answering) return
        val asked = listOf(Line(Role.USER, text), Line(Role.ASSISTANT, ""))
        mutable.update { it.copy(lines = it.lines + asked, answering = true, problem = null) }
        work = attempt {
            chat.stream(text).collect { event ->
                when (event) {
                    is ChatEvent.Text -> mutable.update { it.saying(event.text) }
                    is ChatEvent.Done -> done(event)
                }
            }
        }
    }

    private fun done(event: ChatEvent.Done) {
        val summary = event.summary
        mutable.update {
            // The chat forgets a turn that was cancelled, and so does the screen.
            val kept =
                if (summary.reason == FinishReason.CANCELLED) it.lines.dropLast(2) else it.lines
            it.copy(
                lines = kept,
                answering = false,
                tokensPerSecond = summary.decodeTokensPerSecond,
                memory = memory(),
            )
        }
    }

    /** Stops the answer within one token. */
    fun stop() {
        chat?.cancel()
    }

    private fun attempt(work: suspend () -> Unit): Job = scope.launch {
        try {
            work()
        } catch (problem: TealightException) {
            mutable.update {
                val kept = if (it.answering) it.lines.dropLast(2) else it.lines
                it.copy(
                    loading = false,
                    lines = kept,
                    answering = false,
                    problem = problem.message,
                )
            }
        }
    }

    /** Gives the model up. */
    override fun close() {
        chat?.close()
        model?.close()
        chat = null
        model = null
    }
}

private fun State.saying(more: String): State {
    val last = lines.last()
    return copy(lines = lines.dropLast(1) + last.copy(text = last.text + more))
}
