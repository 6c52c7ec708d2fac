package dev.tealight.kotlin

import dev.tealight.ffi.Answering as FfiReply
import dev.tealight.ffi.Chat as FfiChat
import dev.tealight.ffi.ChatOptions as FfiChatOptions
import dev.tealight.ffi.Event as FfiEvent
import dev.tealight.ffi.GenerateOptions as FfiGenerateOptions
import dev.tealight.ffi.InternalException as FfiInternalException
import dev.tealight.ffi.KvType as FfiKvType
import dev.tealight.ffi.LoadProgress as FfiLoadProgress
import dev.tealight.ffi.Loading as FfiLoading
import dev.tealight.ffi.Message as FfiMessage
import dev.tealight.ffi.Model as FfiModel
import dev.tealight.ffi.ModelInfo as FfiModelInfo
import dev.tealight.ffi.ModelOptions as FfiModelOptions
import dev.tealight.ffi.ModelSource as FfiModelSource
import dev.tealight.ffi.Role as FfiRole
import dev.tealight.ffi.Summary as FfiSummary
import dev.tealight.ffi.TealightException as FfiException
import dev.tealight.ffi.load as ffiLoad
import dev.tealight.ffi.modelInfo as ffiModelInfo

internal val backend: Backend = JnaBackend

/** UniFFI's generated code. */
private object JnaBackend : Backend {
    override fun info(path: String?, options: ModelOptions): ModelInfo = translated {
        ffiModelInfo(source(path), options.toFfi()).toKotlin()
    }

    override fun load(
        path: String?,
        options: ModelOptions,
        progress: (LoadProgress) -> Unit,
    ): NativeLoading = translated {
        JnaLoading(ffiLoad(source(path), options.toFfi()), progress)
    }
}

private class JnaLoading(
    private val loading: FfiLoading,
    private val progress: (LoadProgress) -> Unit,
) : NativeLoading {
    override fun await(): NativeModel = translated {
        // Gives up, if the listener throws.
        loading.use {
            while (true) {
                progress(loading.nextProgress()?.toKotlin() ?: break)
            }
            JnaModel(loading.finish())
        }
    }

    override fun cancel() = unlessClosed { loading.cancel() }
}

private class JnaModel(private val model: FfiModel) : NativeModel {
    override val info = model.info().toKotlin()

    override fun chat(options: ChatOptions): NativeChat = translated {
        val own =
            FfiChatOptions(options.system?.whole(), options.context?.toUInt(), options.thinking)
        JnaChat(model.chat(own))
    }

    override fun close() = unlessClosed {
        model.release()
        model.close()
    }
}

private class JnaChat(private val chat: FfiChat) : NativeChat {
    override fun send(text: String, options: GenerateOptions): NativeReply = translated {
        JnaReply(chat.send(text.whole(), options.toFfi()))
    }

    override fun messages() = translated {
        chat.messages().map { Message(Role.valueOf(it.role.name), it.content) }
    }

    override fun restore(messages: List<Message>) = translated {
        chat.restore(messages.map { FfiMessage(FfiRole.valueOf(it.role.name), it.content.whole()) })
    }

    override fun clear() = translated { chat.clear() }

    override fun contextLeft() = translated { chat.contextLeft().toInt() }

    override fun countWith(text: String) = translated { chat.countWith(text.whole()).toInt() }

    override fun cancel() = unlessClosed { chat.cancel() }

    override fun close() = unlessClosed {
        chat.release()
        chat.close()
    }
}

private class JnaReply(private val reply: FfiReply) : NativeReply {
    override fun next(): ChatEvent? = translated {
        when (val event = reply.nextEvent()) {
            is FfiEvent.Text -> ChatEvent.Text(event.text)
            is FfiEvent.Done -> ChatEvent.Done(event.summary.toKotlin())
            null -> null
        }
    }

    override fun cancel() = unlessClosed { reply.cancel() }

    override fun close() = unlessClosed {
        reply.cancel()
        reply.close()
    }
}

private fun source(path: String?): FfiModelSource =
    if (path == null) FfiModelSource.Embedded else FfiModelSource.Path(path)

/** Generated code refuses text that a half of a surrogate pair is in: a `?` takes its place. */
private fun String.whole(): String = encodeToByteArray().decodeToString()

/** The generated code refuses an object that was closed before with this exception. */
private inline fun unlessClosed(work: () -> Unit) {
    try {
        work()
    } catch (_: IllegalStateException) {
        // Closed before.
    }
}

private inline fun <T> translated(work: () -> T): T =
    try {
        work()
    } catch (thrown: FfiException) {
        throw thrown.toKotlin()
    } catch (thrown: FfiInternalException) {
        throw TealightException.Internal(thrown.message.orEmpty(), thrown)
    } catch (thrown: IllegalStateException) {
        throw TealightException.Closed("it was closed", thrown)
    }

private fun FfiException.toKotlin(): TealightException =
    when (this) {
        is FfiException.NotFound -> TealightException.NotFound(reason, this)
        is FfiException.Unsupported -> TealightException.Unsupported(reason, this)
        is FfiException.Damaged -> TealightException.Damaged(reason, this)
        is FfiException.OutOfMemory -> TealightException.OutOfMemory(reason, this)
        is FfiException.ContextFull -> TealightException.ContextFull(reason, this)
        is FfiException.InvalidInput -> TealightException.InvalidInput(reason, this)
        is FfiException.Storage -> TealightException.Storage(reason, this)
        is FfiException.Busy -> TealightException.Busy(reason, this)
        is FfiException.Closed -> TealightException.Closed(reason, this)
        is FfiException.Cancelled -> TealightException.Cancelled(reason, this)
        is FfiException.Internal -> TealightException.Internal(reason, this)
    }

private fun ModelOptions.toFfi() =
    FfiModelOptions(
        threads?.toUInt(),
        context?.toUInt(),
        kv?.let { FfiKvType.valueOf(it.name) },
        step?.toUInt(),
        cache,
    )

private fun GenerateOptions.toFfi() =
    FfiGenerateOptions(
        maxTokens?.toUInt(),
        temperature,
        topK?.toUInt(),
        topP,
        minP,
        repetitionPenalty,
        seed?.toULong(),
        stop.map { it.whole() },
    )

private fun FfiModelInfo.toKotlin() =
    ModelInfo(
        name,
        architecture,
        parameters?.toLong(),
        quantization,
        licence,
        vocab.toInt(),
        context.toInt(),
        fileBytes.toLong(),
        hasTokenizer,
        hasChatTemplate,
        chatContext.toInt(),
        bytesPerToken.toLong(),
        memoryEstimate.toLong(),
    )

private fun FfiLoadProgress.toKotlin() =
    LoadProgress(LoadProgress.Stage.valueOf(stage.name), done.toLong(), total.toLong())

private fun FfiSummary.toKotlin() =
    Summary(
        FinishReason.valueOf(reason.name),
        promptTokens.toInt(),
        reusedTokens.toInt(),
        generatedTokens.toInt(),
        prefillTokensPerSecond,
        decodeTokensPerSecond,
        secondsToFirstToken,
    )
