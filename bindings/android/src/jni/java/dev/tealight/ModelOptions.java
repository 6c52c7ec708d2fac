package dev.tealight;

import java.util.Objects;

/** How a model is opened. Whatever is left open suits the machine. */
public final class ModelOptions {
    /** How chats keep keys and values. */
    public enum KvType {
        /** Half precision. */
        F16(0),
        /** Single precision: twice the memory. */
        F32(1),
        /** int8 with scales: 0.63 of the memory of half precision. */
        INT8(2);

        final int number;

        KvType(int number) {
            this.number = number;
        }
    }

    int threads = -1;
    int context = -1;
    KvType kv = KvType.F16;
    int step = -1;
    String cache;

    /** Threads that compute; as few as are fastest, at most eight, if left open. */
    public ModelOptions threads(int threads) {
        this.threads = Numbers.positive(threads, "threads");
        return this;
    }

    /** Tokens that chats have room for; the model's context, at most 4096, if left open. */
    public ModelOptions context(int tokens) {
        context = Numbers.positive(tokens, "context");
        return this;
    }

    /** How chats keep keys and values; half precision if left open. */
    public ModelOptions kv(KvType kv) {
        this.kv = Objects.requireNonNull(kv, "kv");
        return this;
    }

    /**
     * Most tokens of a prompt that are computed together; 64 if left open. Cancelling waits for the
     * end of such a step.
     */
    public ModelOptions step(int tokens) {
        step = Numbers.positive(tokens, "step");
        return this;
    }

    /**
     * Folder for compiled models; the user's cache folder if left open. An Android app gives its
     * own: {@code context.getCacheDir().getPath()}.
     */
    public ModelOptions cache(String folder) {
        cache = Objects.requireNonNull(folder, "folder");
        return this;
    }
}
