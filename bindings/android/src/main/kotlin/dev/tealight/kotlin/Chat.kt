package dev.tealight.kotlin

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.withContext

/**
 * A conversation with a model. It may be used from any thread, gives one answer at a time, and may
 * be closed twice or during an answer.
 *
 * A turn is whole or was never there: when the collector of an answer is cancelled or throws, the
 * conversation is as it was before the question.
 */
public class Chat internal constructor(private val native: NativeChat) : AutoCloseable {
    /**
     * Says something to the model when it is collected, and emits the answer while it is computed,
     * off the collector's thread. Cancelling the collector stops the native work within one token
     * and undoes the turn.
     */
    public fun stream(
        text: String,
        options: GenerateOptions = GenerateOptions(),
    ): Flow<ChatEvent> = flow {
        // The reply must not be lost if the collector is cancelled right now.
        val reply = withContext(NonCancellable + Dispatchers.IO) { native.send(text, options) }
        try {
            while (true) {
                emit(waitFor(cancel = reply::cancel) { reply.next() } ?: break)
            }
        } finally {
            reply.close()
        }
    }

    /** Says something to the model and waits for the whole answer. */
    public suspend fun ask(text: String, options: GenerateOptions = GenerateOptions()): String {
        val answer = StringBuilder()
        stream(text, options).collect { if (it is ChatEvent.Text) answer.append(it.text) }
        return answer.toString()
    }

    /** The conversation so far, in whole turns, with the system prompt if there is one. */
    public val messages: List<Message>
        get() = native.messages()

    /** Tokens that there is room for after the conversation so far. */
    public val contextLeft: Int
        get() = native.contextLeft()

    /** Replaces the conversation, for example by one that was saved. */
    public suspend fun restore(messages: List<Message>): Unit =
        withContext(Dispatchers.IO) { native.restore(messages) }

    /** Forgets all turns but the system prompt. */
    public suspend fun clear(): Unit = withContext(Dispatchers.IO) { native.clear() }

    /** How many tokens the conversation would have with this message. */
    public suspend fun countWith(text: String): Int =
        withContext(Dispatchers.IO) { native.countWith(text) }

    /** Stops the answer that is being given, if there is one: its flow ends with `Done`. */
    public fun cancel(): Unit = native.cancel()

    /** Ends the chat and frees its memory, during an answer within one token. */
    override fun close(): Unit = native.close()
}
