package dev.tealight;

import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * A language model, ready for any number of chats. It may be used and closed from any thread, and
 * closed twice; chats go on when their model is closed.
 *
 * <pre>{@code
 * try (Model model = Model.open("smollm2.tea"); Chat chat = model.chat()) {
 *     chat.stream("What is the capital of France?", System.out::print);
 * }
 * }</pre>
 */
public final class Model implements AutoCloseable {
    private final Handle handle;
    private final ModelInfo info;

    private Model(long number) {
        handle = new Handle(this, number, Native::modelFree);
        info = Native.modelInfo(number);
    }

    /**
     * Opens a {@code .tea} file, an {@code .onnx} file or a folder with one. An ONNX model is
     * compiled the first time, which takes a while: see {@link #openAsync}.
     */
    public static Model open(String path) {
        return open(path, new ModelOptions(), null);
    }

    /** Opens a model; {@code progress} (or null) is told how far that has come, on this thread. */
    public static Model open(
            String path, ModelOptions options, Consumer<? super LoadProgress> progress) {
        return load(Objects.requireNonNull(path, "path"), options, progress, null);
    }

    /** Opens a model on another thread. Cancelling the future gives up. */
    public static CompletableFuture<Model> openAsync(String path) {
        return openAsync(path, new ModelOptions(), null);
    }

    /** Opens a model on another thread, on which {@code progress} (or null) is called as well. */
    public static CompletableFuture<Model> openAsync(
            String path, ModelOptions options, Consumer<? super LoadProgress> progress) {
        Objects.requireNonNull(path, "path");
        return Task.start(task -> load(path, options, progress, task));
    }

    /** Opens the model that the library carries: household requests in, compact JSON out. */
    public static Model embedded() {
        return embedded(new ModelOptions());
    }

    /** Opens the model that the library carries with options. */
    public static Model embedded(ModelOptions options) {
        return load(null, options, null, null);
    }

    /**
     * What a model says about itself, without loading it. An ONNX model is compiled first if need
     * be.
     */
    public static ModelInfo info(String path) {
        return info(path, new ModelOptions());
    }

    /** What a model says about itself that will be opened with these options. */
    public static ModelInfo info(String path, ModelOptions options) {
        Objects.requireNonNull(path, "path");
        return Native.info(
                path,
                options.threads,
                options.context,
                options.kv.number,
                options.step,
                options.cache);
    }

    private static Model load(
            String path,
            ModelOptions options,
            Consumer<? super LoadProgress> progress,
            Task<Model> task) {
        long loading =
                Native.load(
                        path,
                        options.threads,
                        options.context,
                        options.kv.number,
                        options.step,
                        options.cache);
        try {
            if (task != null) {
                task.onCancel(() -> Native.loadCancel(loading));
            }
            Object news = Native.loadNext(loading);
            while (news != null) {
                if (progress != null) {
                    progress.accept((LoadProgress) news);
                }
                news = Native.loadNext(loading);
            }
            Model model = new Model(Native.loadFinish(loading));
            if (task != null && task.isCancelled()) {
                model.close();
            }
            return model;
        } finally {
            // Gives up, if the listener threw.
            Native.loadFree(loading);
        }
    }

    /** What is known about the model; also after it was closed. */
    public ModelInfo info() {
        return info;
    }

    /** A chat without instructions. */
    public Chat chat() {
        return chat(new ChatOptions());
    }

    /** A chat. */
    public Chat chat(ChatOptions options) {
        return new Chat(
                Native.modelChat(
                        handle.number(), options.system, options.context, options.thinking));
    }

    /** Gives the model up. Its memory is freed when the last of its chats is closed. */
    @Override
    public void close() {
        handle.free();
    }
}
