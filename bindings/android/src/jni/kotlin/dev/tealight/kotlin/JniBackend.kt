package dev.tealight.kotlin

import dev.tealight.Chat as JavaChat
import dev.tealight.ChatOptions as JavaChatOptions
import dev.tealight.GenerateOptions as JavaGenerateOptions
import dev.tealight.LoadProgress as JavaLoadProgress
import dev.tealight.Message as JavaMessage
import dev.tealight.Model as JavaModel
import dev.tealight.ModelInfo as JavaModelInfo
import dev.tealight.ModelOptions as JavaModelOptions
import dev.tealight.Reply as JavaReply
import dev.tealight.Role as JavaRole
import dev.tealight.Summary as JavaSummary
import dev.tealight.TealightException as JavaException
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CancellationException
import java.util.concurrent.ExecutionException

internal val backend: Backend = JniBackend

/** The Java classes of this artefact. */
private object JniBackend : Backend {
    override fun info(path: String?, options: ModelOptions): ModelInfo = translated {
        JavaModel.info(path, options.toJava()).toKotlin()
    }

    override fun load(
        path: String?,
        options: ModelOptions,
        progress: (LoadProgress) -> Unit,
    ): NativeLoading {
        val future =
            if (path == null) {
                CompletableFuture.supplyAsync { JavaModel.embedded(options.toJava()) }
            } else {
                JavaModel.openAsync(path, options.toJava()) { progress(it.toKotlin()) }
            }
        return JniLoading(future)
    }
}

private class JniLoading(private val future: CompletableFuture<JavaModel>) : NativeLoading {
    override fun await(): NativeModel = translated {
        try {
            JniModel(future.get())
        } catch (failed: ExecutionException) {
            throw failed.cause ?: failed
        } catch (cancelled: CancellationException) {
            throw TealightException.Cancelled("cancelled", cancelled)
        }
    }

    override fun cancel() {
        future.cancel(true)
    }
}

private class JniModel(private val model: JavaModel) : NativeModel {
    override val info = model.info().toKotlin()

    override fun chat(options: ChatOptions): NativeChat = translated {
        val own = JavaChatOptions()
        options.system?.let(own::system)
        options.context?.let(own::context)
        options.thinking?.let(own::thinking)
        JniChat(model.chat(own))
    }

    override fun close() = model.close()
}

private class JniChat(private val chat: JavaChat) : NativeChat {
    override fun send(text: String, options: GenerateOptions): NativeReply = translated {
        JniReply(chat.send(text, options.toJava()))
    }

    override fun messages() = translated { chat.messages().map { it.toKotlin() } }

    override fun restore(messages: List<Message>) = translated {
        chat.restore(messages.map { JavaMessage(JavaRole.valueOf(it.role.name), it.content) })
    }

    override fun clear() = translated { chat.clear() }

    override fun contextLeft() = translated { chat.contextLeft() }

    override fun countWith(text: String) = translated { chat.countWith(text) }

    override fun cancel() = chat.cancel()

    override fun close() = chat.close()
}

private class JniReply(private val reply: JavaReply) : NativeReply {
    private var ended = false

    override fun next(): ChatEvent? = translated {
        val text = reply.next()
        when {
            text != null -> ChatEvent.Text(text)
            ended -> null
            else -> {
                ended = true
                reply.summary()?.let { ChatEvent.Done(it.toKotlin()) }
            }
        }
    }

    override fun cancel() = reply.cancel()

    override fun close() = reply.close()
}

private inline fun <T> translated(work: () -> T): T =
    try {
        work()
    } catch (thrown: JavaException) {
        throw thrown.toKotlin()
    }

private fun JavaException.toKotlin(): TealightException {
    val reason = message.orEmpty()
    return when (this) {
        is JavaException.NotFound -> TealightException.NotFound(reason, this)
        is JavaException.Unsupported -> TealightException.Unsupported(reason, this)
        is JavaException.Damaged -> TealightException.Damaged(reason, this)
        is JavaException.OutOfMemory -> TealightException.OutOfMemory(reason, this)
        is JavaException.ContextFull -> TealightException.ContextFull(reason, this)
        is JavaException.InvalidInput -> TealightException.InvalidInput(reason, this)
        is JavaException.Storage -> TealightException.Storage(reason, this)
        is JavaException.Busy -> TealightException.Busy(reason, this)
        is JavaException.Closed -> TealightException.Closed(reason, this)
        is JavaException.Cancelled -> TealightException.Cancelled(reason, this)
        else -> TealightException.Internal(reason, this)
    }
}

private fun ModelOptions.toJava(): JavaModelOptions {
    val own = JavaModelOptions()
    threads?.let(own::threads)
    context?.let(own::context)
    kv?.let { own.kv(JavaModelOptions.KvType.valueOf(it.name)) }
    step?.let(own::step)
    cache?.let(own::cache)
    return own
}

private fun GenerateOptions.toJava(): JavaGenerateOptions {
    val own = JavaGenerateOptions()
    maxTokens?.let(own::maxTokens)
    temperature?.let(own::temperature)
    topK?.let(own::topK)
    topP?.let(own::topP)
    minP?.let(own::minP)
    repetitionPenalty?.let(own::repetitionPenalty)
    seed?.let(own::seed)
    stop.forEach(own::stop)
    return own
}

private fun JavaModelInfo.toKotlin() =
    ModelInfo(
        name(),
        architecture().orElse(null),
        parameters().let { if (it.isPresent) it.asLong else null },
        quantization().orElse(null),
        licence().orElse(null),
        vocab(),
        context(),
        fileBytes(),
        hasTokenizer(),
        hasChatTemplate(),
        chatContext(),
        bytesPerToken(),
        memoryEstimate(),
    )

private fun JavaLoadProgress.toKotlin() =
    LoadProgress(LoadProgress.Stage.valueOf(stage().name), done(), total())

private fun JavaMessage.toKotlin() = Message(Role.valueOf(role().name), content())

private fun JavaSummary.toKotlin() =
    Summary(
        FinishReason.valueOf(reason().name),
        promptTokens(),
        reusedTokens(),
        generatedTokens(),
        prefillTokensPerSecond(),
        decodeTokensPerSecond(),
        secondsToFirstToken().let { if (it.isPresent) it.asDouble else null },
    )
