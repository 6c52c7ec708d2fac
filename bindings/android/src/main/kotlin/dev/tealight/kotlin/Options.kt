package dev.tealight.kotlin

/** How a model is opened. What is null suits the machine. */
public data class ModelOptions(
    /** Threads that compute; as few as are fastest, at most eight, if null. */
    val threads: Int? = null,
    /** Tokens that chats have room for; the model's context, at most 4096, if null. */
    val context: Int? = null,
    /** How chats keep keys and values; half precision if null. */
    val kv: KvType? = null,
    /**
     * Most tokens of a prompt that are computed together; 64 if null. Cancelling waits for the end
     * of such a step.
     */
    val step: Int? = null,
    /**
     * Folder for compiled models; the user's cache folder if null. An Android app gives its own:
     * `context.cacheDir.path`.
     */
    val cache: String? = null,
) {
    init {
        positive(threads, "threads")
        positive(context, "context")
        positive(step, "step")
    }
}

/** How chats keep keys and values. */
public enum class KvType {
    /** Half precision. */
    F16,

    /** Single precision: twice the memory. */
    F32,

    /** int8 with scales: 0.63 of the memory of half precision. */
    INT8,
}

/** How a chat begins. */
public data class ChatOptions(
    /** Instructions for the whole conversation; the template's own if null. */
    val system: String? = null,
    /** Tokens that there is room for; what the model was opened with if null. */
    val context: Int? = null,
    /** Whether models that can think before they answer should; the template's default if null. */
    val thinking: Boolean? = null,
) {
    init {
        positive(context, "context")
    }
}

/** How an answer is generated. What is null is the model's own default. */
public data class GenerateOptions(
    /** Most tokens that the model says; as many as the context has room for if null. */
    val maxTokens: Int? = null,
    /** Divides the logits; 0 always takes the likeliest token. */
    val temperature: Float? = null,
    /** Keeps this many of the likeliest tokens. */
    val topK: Int? = null,
    /** Keeps the likeliest tokens up to this probability together. */
    val topP: Float? = null,
    /** Keeps tokens of at least this share of the likeliest one's probability. */
    val minP: Float? = null,
    /** Divides the positive logits of tokens that were there before. */
    val repetitionPenalty: Float? = null,
    /** The same seed gives the same text; a new one each time if null. */
    val seed: Long? = null,
    /** The answer ends before the first of these. */
    val stop: List<String> = emptyList(),
) {
    init {
        notNegative(maxTokens, "maxTokens")
        notNegative(topK, "topK")
    }
}

/** What a model says about itself, and the memory that it takes with the options it was asked with. */
public data class ModelInfo(
    /** The folder's name that the model was compiled from, or what it was opened as. */
    val name: String,
    /** The architecture's name, such as `Qwen2ForCausalLM`. */
    val architecture: String?,
    /** Numbers that were trained. */
    val parameters: Long?,
    /** How most of the weights are stored, such as `int4`. */
    val quantization: String?,
    /** The licence as the author names it. */
    val licence: String?,
    /** Number of token ids. */
    val vocab: Int,
    /** Most tokens that the model can attend over. */
    val context: Int,
    /** Size of the compiled model in bytes. */
    val fileBytes: Long,
    /** Whether it takes and gives text. */
    val hasTokenizer: Boolean,
    /** Whether it can chat. */
    val hasChatTemplate: Boolean,
    /** Tokens that a chat has room for, with the options. */
    val chatContext: Int,
    /**
     * Bytes that a token's keys and values take, with the options. Where attention has windows,
     * some of that is kept of the last tokens only.
     */
    val bytesPerToken: Long,
    /**
     * About how many bytes of memory the model takes with one chat, with the options: the file
     * (which the system can drop and read again), keys and values, working memory, the tokenizer.
     */
    val memoryEstimate: Long,
)

/** How far the loading of a model has come. */
public data class LoadProgress(
    val stage: Stage,
    /** Bytes behind. */
    val done: Long,
    /** Bytes altogether; 0 where nobody can tell. */
    val total: Long,
) {
    /** The stages of loading, in their order. A compiled model has none. */
    public enum class Stage {
        /** Looking whether the model was compiled before. */
        LOOKING,

        /** Waiting for another process that compiles the same model. */
        WAITING,

        /** Recognising the graph's operators. */
        RECOGNISING,

        /** Packing the weights. */
        PACKING,
    }
}

private fun positive(number: Int?, what: String) {
    if (number != null && number < 1) {
        throw TealightException.InvalidInput("$what is $number, but at least 1")
    }
}

private fun notNegative(number: Int?, what: String) {
    if (number != null && number < 0) {
        throw TealightException.InvalidInput("$what is $number, but at least 0")
    }
}
