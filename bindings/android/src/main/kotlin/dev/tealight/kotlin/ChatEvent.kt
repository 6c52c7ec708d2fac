package dev.tealight.kotlin

/**
 * What comes of a question. More kinds may come, such as thinking and calls of tools: a `when` over
 * events should have an `else`.
 */
public sealed interface ChatEvent {
    /** More text, in whole characters. Short texts are gathered for some 20 ms. */
    public data class Text(val text: String) : ChatEvent

    /** The last event: how the answer ended and what it took. */
    public data class Done(val summary: Summary) : ChatEvent
}

/** How an answer ended and what it took. */
public data class Summary(
    val reason: FinishReason,
    /** Tokens of the prompt, earlier turns included. */
    val promptTokens: Int,
    /** How many of them were still in the KV cache and cost nothing. */
    val reusedTokens: Int,
    /** Tokens that the model said. */
    val generatedTokens: Int,
    /** Speed through the rest of the prompt, in tokens/s. */
    val prefillTokensPerSecond: Double,
    /** Speed after the first token, in tokens/s; 0 with fewer than two tokens. */
    val decodeTokensPerSecond: Double,
    /** From the question to the first token, in seconds; null if there was none. */
    val secondsToFirstToken: Double?,
)

/** Why an answer ended. */
public enum class FinishReason {
    /** The model said a token that ends the text. */
    END_OF_TEXT,

    /** The text reached one of the caller's stop strings, which is not part of it. */
    STOP_STRING,

    /** The token budget was spent, or the context is full. */
    LENGTH,

    /** The caller cancelled; the turn was undone. */
    CANCELLED,
}

/** Who says a message. */
public enum class Role {
    /** Instructions for the whole conversation. */
    SYSTEM,

    /** The person. */
    USER,

    /** The model. */
    ASSISTANT,
}

/** One message of a conversation. */
public data class Message(val role: Role, val content: String)
