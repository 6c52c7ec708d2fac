package dev.tealight;

/** Hears an answer while it is given. */
@FunctionalInterface
public interface TokenListener {
    /** More text, in whole characters. Short texts are gathered for some 20 ms. */
    void onText(String text);

    /** The answer has ended. */
    default void onDone(Summary summary) {}
}
