package dev.tealight;

/**
 * An answer that is being given, computed by whoever asks for {@link #next}. Closing it before its
 * end undoes the turn.
 */
public final class Reply implements AutoCloseable {
    private final Handle handle;

    /** Keeps the chat from being forgotten. */
    private final Chat chat;

    private volatile Summary summary;

    Reply(long number, Chat chat) {
        handle = new Handle(this, number, Native::replyFree);
        this.chat = chat;
    }

    /** More text, in whole characters, as soon as there is some; null when the answer has ended. */
    public String next() {
        Object event = Native.replyNext(handle.number());
        if (event instanceof String) {
            return (String) event;
        }
        if (event != null) {
            summary = (Summary) event;
        }
        return null;
    }

    /** How the answer ended and what it took; null before its end. */
    public Summary summary() {
        return summary;
    }

    /** The chat that answers. */
    public Chat chat() {
        return chat;
    }

    /** Asks the answer to end within one token, from any thread. The turn is undone. */
    public void cancel() {
        Native.replyCancel(handle.number());
    }

    @Override
    public void close() {
        Native.replyCancel(handle.number());
        handle.free();
    }
}
