package dev.tealight;

import java.util.OptionalDouble;

/** How an answer ended and what it took. */
public final class Summary {
    private final FinishReason reason;
    private final int promptTokens;
    private final int reusedTokens;
    private final int generatedTokens;
    private final double prefillTokensPerSecond;
    private final double decodeTokensPerSecond;
    private final double secondsToFirstToken;

    Summary(
            int reason,
            int promptTokens,
            int reusedTokens,
            int generatedTokens,
            double prefillTokensPerSecond,
            double decodeTokensPerSecond,
            double secondsToFirstToken) {
        this.reason = FinishReason.values()[reason];
        this.promptTokens = promptTokens;
        this.reusedTokens = reusedTokens;
        this.generatedTokens = generatedTokens;
        this.prefillTokensPerSecond = prefillTokensPerSecond;
        this.decodeTokensPerSecond = decodeTokensPerSecond;
        this.secondsToFirstToken = secondsToFirstToken;
    }

    /** Why it ended. */
    public FinishReason reason() {
        return reason;
    }

    /** Tokens of the prompt, earlier turns included. */
    public int promptTokens() {
        return promptTokens;
    }

    /** How many of them were still in the KV cache and cost nothing. */
    public int reusedTokens() {
        return reusedTokens;
    }

    /** Tokens that the model said. */
    public int generatedTokens() {
        return generatedTokens;
    }

    /** Speed through the rest of the prompt, in tokens/s. */
    public double prefillTokensPerSecond() {
        return prefillTokensPerSecond;
    }

    /** Speed after the first token, in tokens/s; 0 with fewer than two tokens. */
    public double decodeTokensPerSecond() {
        return decodeTokensPerSecond;
    }

    /** From the question to the first token, in seconds; empty if there was none. */
    public OptionalDouble secondsToFirstToken() {
        return Double.isNaN(secondsToFirstToken)
                ? OptionalDouble.empty()
                : OptionalDouble.of(secondsToFirstToken);
    }

    @Override
    public String toString() {
        return reason + ", " + generatedTokens + " tokens";
    }
}
