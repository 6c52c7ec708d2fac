package dev.tealight.kotlin

/**
 * What this layer needs of native code. There are two: over JNI (`src/jni`) and over JNA with
 * UniFFI's generated code (`src/jna`). An artefact is built with one of them, which gives
 * `internal val backend: Backend`.
 *
 * Every call waits until it is done and throws [TealightException].
 */
internal interface Backend {
    /** Without a path, the model that the library carries. */
    fun info(path: String?, options: ModelOptions): ModelInfo

    fun load(
        path: String?,
        options: ModelOptions,
        progress: (LoadProgress) -> Unit,
    ): NativeLoading
}

internal interface NativeLoading {
    fun await(): NativeModel

    fun cancel()
}

internal interface NativeModel : AutoCloseable {
    val info: ModelInfo

    fun chat(options: ChatOptions): NativeChat
}

internal interface NativeChat : AutoCloseable {
    fun send(text: String, options: GenerateOptions): NativeReply

    fun messages(): List<Message>

    fun restore(messages: List<Message>)

    fun clear()

    fun contextLeft(): Int

    fun countWith(text: String): Int

    fun cancel()
}

internal interface NativeReply : AutoCloseable {
    /** Computes the next event; null after the last. */
    fun next(): ChatEvent?

    fun cancel()
}
