package dev.tealight;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;

/** Work on a thread of the library's; cancelling it stops the native work too. */
final class Task<T> extends CompletableFuture<T> {
    private static final AtomicInteger THREADS = new AtomicInteger();

    /** Threads that end when they are idle, and do not keep a program from ending. */
    private static final ExecutorService WORKERS =
            Executors.newCachedThreadPool(
                    new ThreadFactory() {
                        @Override
                        public Thread newThread(Runnable work) {
                            Thread thread =
                                    new Thread(work, "tealight-" + THREADS.incrementAndGet());
                            thread.setDaemon(true);
                            return thread;
                        }
                    });

    private volatile Runnable stop;

    /** Work that may say with {@link #onCancel} how it is stopped. */
    interface Work<T> {
        T run(Task<T> task);
    }

    static <T> Task<T> start(Work<T> work) {
        Task<T> task = new Task<>();
        WORKERS.execute(
                () -> {
                    if (task.isCancelled()) {
                        return;
                    }
                    try {
                        task.complete(work.run(task));
                    } catch (Throwable thrown) {
                        task.completeExceptionally(thrown);
                    }
                });
        return task;
    }

    /** How the work is stopped from now on. */
    void onCancel(Runnable how) {
        stop = how;
        if (isCancelled()) {
            how.run();
        }
    }

    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        boolean cancelled = super.cancel(mayInterruptIfRunning);
        Runnable how = stop;
        if (cancelled && how != null) {
            how.run();
        }
        return cancelled;
    }
}
