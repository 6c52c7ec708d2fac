package dev.tealight;

/**
 * The native library's methods.
 *
 * <p>Options are plain values: -1 or NaN where the caller left one open, null for no text; no path
 * is the model that the library carries. All of them may be called from any thread; a number that
 * was freed is a {@link TealightException.Closed}.
 */
final class Native {
    private Native() {}

    static {
        NativeLibrary.load();
    }

    static native ModelInfo info(
            String path, int threads, int context, int kv, int step, String cache);

    static native long load(String path, int threads, int context, int kv, int step, String cache);

    /** Waits for news: a {@link LoadProgress}, or null when loading has ended. */
    static native Object loadNext(long loading);

    static native long loadFinish(long loading);

    static native void loadCancel(long loading);

    static native void loadFree(long loading);

    static native ModelInfo modelInfo(long model);

    static native long modelChat(long model, String system, int context, int thinking);

    static native void modelFree(long model);

    static native long chatSend(
            long chat,
            String text,
            int maxTokens,
            float temperature,
            int topK,
            float topP,
            float minP,
            float repetitionPenalty,
            boolean hasSeed,
            long seed,
            String[] stop);

    /** Roles and texts in turn. */
    static native String[] chatMessages(long chat);

    static native void chatRestore(long chat, String[] rolesAndTexts);

    static native void chatClear(long chat);

    static native int chatContextLeft(long chat);

    static native int chatCountWith(long chat, String text);

    static native void chatCancel(long chat);

    /** Ends the chat, and the answer in it; its number is still to be freed. */
    static native void chatClose(long chat);

    static native void chatFree(long chat);

    /** A {@link String}, a {@link Summary} as the last event, or null after it. */
    static native Object replyNext(long reply);

    static native void replyCancel(long reply);

    static native void replyFree(long reply);
}
