package dev.tealight;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;

/**
 * A conversation with a model. It may be used from any thread, gives one answer at a time, and may
 * be closed twice or during an answer.
 *
 * <p>A turn is whole or was never there: when an answer is cancelled, closed or fails, and when a
 * listener throws, the conversation is as it was before the question.
 */
public final class Chat implements AutoCloseable {
    private final Handle handle;

    Chat(long number) {
        handle = new Handle(this, number, Native::chatFree);
    }

    /** Says something to the model. Its answer is computed as it is asked for. */
    public Reply send(String text) {
        return send(text, new GenerateOptions());
    }

    /** Says something to the model. Its answer is computed as it is asked for. */
    public Reply send(String text, GenerateOptions options) {
        Objects.requireNonNull(text, "text");
        long reply =
                Native.chatSend(
                        handle.number(),
                        text,
                        options.maxTokens,
                        options.temperature,
                        options.topK,
                        options.topP,
                        options.minP,
                        options.repetitionPenalty,
                        options.seed != null,
                        options.seed != null ? options.seed : 0,
                        options.stop.toArray(new String[0]));
        return new Reply(reply, this);
    }

    /** Says something to the model and hears its answer, on this thread. */
    public Summary stream(String text, TokenListener listener) {
        return stream(text, new GenerateOptions(), listener);
    }

    /**
     * Says something to the model and hears its answer, on this thread. What the listener throws
     * ends the answer, undoes the turn and is thrown on.
     */
    public Summary stream(String text, GenerateOptions options, TokenListener listener) {
        return hear(text, options, listener, null);
    }

    /** Says something to the model and hears its answer, on another thread. */
    public CompletableFuture<Summary> streamAsync(String text, TokenListener listener) {
        return streamAsync(text, new GenerateOptions(), listener);
    }

    /**
     * Says something to the model and hears its answer, on another thread. Cancelling the future
     * ends the answer within one token and undoes the turn; so does what the listener throws,
     * which the future then ends with.
     */
    public CompletableFuture<Summary> streamAsync(
            String text, GenerateOptions options, TokenListener listener) {
        Objects.requireNonNull(text, "text");
        return Task.start(task -> hear(text, options, listener, task));
    }

    /** Says something to the model and waits for the whole answer. */
    public String ask(String text) {
        return ask(text, new GenerateOptions());
    }

    /** Says something to the model and waits for the whole answer. */
    public String ask(String text, GenerateOptions options) {
        StringBuilder answer = new StringBuilder();
        stream(text, options, answer::append);
        return answer.toString();
    }

    /** Says something to the model; the whole answer comes later. Cancelling undoes the turn. */
    public CompletableFuture<String> askAsync(String text) {
        return askAsync(text, new GenerateOptions());
    }

    /** Says something to the model; the whole answer comes later. Cancelling undoes the turn. */
    public CompletableFuture<String> askAsync(String text, GenerateOptions options) {
        Objects.requireNonNull(text, "text");
        return Task.start(
                task -> {
                    StringBuilder answer = new StringBuilder();
                    hear(text, options, answer::append, task);
                    return answer.toString();
                });
    }

    private Summary hear(
            String text, GenerateOptions options, TokenListener listener, Task<?> task) {
        try (Reply reply = send(text, options)) {
            if (task != null) {
                task.onCancel(reply::cancel);
            }
            String more = reply.next();
            while (more != null) {
                listener.onText(more);
                more = reply.next();
            }
            listener.onDone(reply.summary());
            return reply.summary();
        }
    }

    /** The conversation so far, in whole turns, with the system prompt if there is one. */
    public List<Message> messages() {
        String[] rolesAndTexts = Native.chatMessages(handle.number());
        List<Message> messages = new ArrayList<>();
        for (int index = 0; index < rolesAndTexts.length; index += 2) {
            Role role = Role.valueOf(rolesAndTexts[index]);
            messages.add(new Message(role, rolesAndTexts[index + 1]));
        }
        return messages;
    }

    /** Replaces the conversation, for example by one that was saved. */
    public void restore(List<Message> messages) {
        List<String> rolesAndTexts = new ArrayList<>();
        for (Message message : messages) {
            rolesAndTexts.add(message.role().name());
            rolesAndTexts.add(message.content());
        }
        Native.chatRestore(handle.number(), rolesAndTexts.toArray(new String[0]));
    }

    /** Forgets all turns but the system prompt. */
    public void clear() {
        Native.chatClear(handle.number());
    }

    /** Tokens that there is room for after the conversation so far. */
    public int contextLeft() {
        return Native.chatContextLeft(handle.number());
    }

    /** How many tokens the conversation would have with this message. */
    public int countWith(String text) {
        return Native.chatCountWith(handle.number(), Objects.requireNonNull(text, "text"));
    }

    /** Stops the answer that is being given, if there is one. */
    public void cancel() {
        Native.chatCancel(handle.number());
    }

    /** Ends the chat and frees its memory, during an answer within one token. */
    @Override
    public void close() {
        Native.chatClose(handle.number());
        handle.free();
    }
}
