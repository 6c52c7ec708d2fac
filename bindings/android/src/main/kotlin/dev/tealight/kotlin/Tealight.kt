package dev.tealight.kotlin

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlinx.coroutines.withContext

/**
 * Where models come from.
 *
 * ```
 * Tealight.load("smollm2.tea").use { model ->
 *     model.chat().use { chat ->
 *         chat.stream("What is the capital of France?").collect { event ->
 *             if (event is ChatEvent.Text) print(event.text)
 *         }
 *     }
 * }
 * ```
 */
public object Tealight {
    /**
     * Opens a `.tea` file, an `.onnx` file or a folder with one, off the calling thread. An ONNX
     * model is compiled the first time; [progress] is told, on some thread, how far that has come.
     * Cancelling gives up.
     */
    public suspend fun load(
        path: String,
        options: ModelOptions = ModelOptions(),
        progress: (LoadProgress) -> Unit = {},
    ): Model = open(path, options, progress)

    /** Opens the model that the library carries: household requests in, compact JSON out. */
    public suspend fun embedded(options: ModelOptions = ModelOptions()): Model =
        open(null, options) {}

    /**
     * What a model says about itself, without loading it. An ONNX model is compiled first if need
     * be.
     */
    public suspend fun info(path: String, options: ModelOptions = ModelOptions()): ModelInfo =
        withContext(Dispatchers.IO) { backend.info(path, options) }

    private suspend fun open(
        path: String?,
        options: ModelOptions,
        progress: (LoadProgress) -> Unit,
    ): Model {
        val loading = backend.load(path, options, progress)
        return waitFor(cancel = loading::cancel, forget = Model::close) { Model(loading.await()) }
    }
}

/**
 * Does native work that takes a while on a thread for such work. If the caller is cancelled
 * meanwhile, [cancel] stops the work, and [forget] gets what came of it.
 */
internal suspend fun <T> waitFor(
    cancel: () -> Unit,
    forget: (T) -> Unit = {},
    work: () -> T,
): T = suspendCancellableCoroutine { continuation ->
    continuation.invokeOnCancellation { cancel() }
    Dispatchers.IO.dispatch(continuation.context) {
        val result = runCatching(work)
        if (continuation.isActive) {
            // What is lost if it is cancelled right now, the garbage collector closes.
            continuation.resumeWith(result)
        } else {
            result.onSuccess(forget)
        }
    }
}
