package dev.tealight;

/** Why an answer ended. */
public enum FinishReason {
    // The native side gives their numbers: values.rs.
    /** The model said a token that ends the text. */
    END_OF_TEXT,
    /** The text reached one of the caller's stop strings, which is not part of it. */
    STOP_STRING,
    /** The token budget was spent, or the context is full. */
    LENGTH,
    /** The caller cancelled. */
    CANCELLED
}
