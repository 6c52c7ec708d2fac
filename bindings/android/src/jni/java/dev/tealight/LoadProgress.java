package dev.tealight;

/** How far the loading of a model has come. */
public final class LoadProgress {
    /** The stages of loading, in their order. A compiled model has none. */
    public enum Stage {
        // The native side gives their numbers: values.rs.
        /** Looking whether the model was compiled before. */
        LOOKING,
        /** Waiting for another process that compiles the same model. */
        WAITING,
        /** Recognising the graph's operators. */
        RECOGNISING,
        /** Packing the weights. */
        PACKING
    }

    private final Stage stage;
    private final long done;
    private final long total;

    LoadProgress(int stage, long done, long total) {
        this.stage = Stage.values()[stage];
        this.done = done;
        this.total = total;
    }

    /** What is being done. */
    public Stage stage() {
        return stage;
    }

    /** Bytes behind. */
    public long done() {
        return done;
    }

    /** Bytes altogether; 0 where nobody can tell. */
    public long total() {
        return total;
    }

    @Override
    public String toString() {
        return stage + " " + done + "/" + total;
    }
}
