package dev.tealight.kotlin

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext

/**
 * A language model, ready for any number of chats. It may be used and closed from any thread, and
 * closed twice; chats go on when their model is closed.
 */
public class Model internal constructor(private val native: NativeModel) : AutoCloseable {
    /** What is known about the model; also after it was closed. */
    public val info: ModelInfo = native.info

    /** A chat. */
    public suspend fun chat(options: ChatOptions = ChatOptions()): Chat =
        withContext(Dispatchers.IO) { Chat(native.chat(options)) }

    /** A chat with instructions for the whole conversation. */
    public suspend fun chat(system: String): Chat = chat(ChatOptions(system = system))

    /** Gives the model up. Its memory is freed when the last of its chats is closed. */
    override fun close(): Unit = native.close()
}
