package dev.tealight;

import java.util.Objects;

/** How a chat begins. */
public final class ChatOptions {
    String system;
    int context = -1;
    int thinking = -1;

    /** Instructions for the whole conversation; the template's own if left open. */
    public ChatOptions system(String text) {
        system = Objects.requireNonNull(text, "text");
        return this;
    }

    /** Tokens that there is room for; what the model was opened with if left open. */
    public ChatOptions context(int tokens) {
        context = Numbers.positive(tokens, "context");
        return this;
    }

    /**
     * Whether models that can think before they answer should; the template's default if left open.
     */
    public ChatOptions thinking(boolean enabled) {
        thinking = enabled ? 1 : 0;
        return this;
    }
}
