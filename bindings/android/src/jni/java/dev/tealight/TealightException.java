package dev.tealight;

/**
 * Why something could not be done, by what can be done about it. The message names the model and
 * the fault.
 */
public abstract class TealightException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private TealightException(String reason) {
        super(reason);
    }

    /** There is no such file or folder, or it cannot be read: choose another. */
    public static final class NotFound extends TealightException {
        private static final long serialVersionUID = 1;

        NotFound(String reason) {
            super(reason);
        }
    }

    /** This version cannot run the model, or not in this way: choose another. */
    public static final class Unsupported extends TealightException {
        private static final long serialVersionUID = 1;

        Unsupported(String reason) {
            super(reason);
        }
    }

    /** The model's bytes are not what they should be: copy or compile it again. */
    public static final class Damaged extends TealightException {
        private static final long serialVersionUID = 1;

        Damaged(String reason) {
            super(reason);
        }
    }

    /** There is not enough memory: choose a smaller context or model. */
    public static final class OutOfMemory extends TealightException {
        private static final long serialVersionUID = 1;

        OutOfMemory(String reason) {
            super(reason);
        }
    }

    /** The conversation does not fit the context: shorten it, or begin a new one. */
    public static final class ContextFull extends TealightException {
        private static final long serialVersionUID = 1;

        ContextFull(String reason) {
            super(reason);
        }
    }

    /** An argument cannot be used: mend the call. */
    public static final class InvalidInput extends TealightException {
        private static final long serialVersionUID = 1;

        InvalidInput(String reason) {
            super(reason);
        }
    }

    /** The compiled model cannot be kept: make room, or name another folder. */
    public static final class Storage extends TealightException {
        private static final long serialVersionUID = 1;

        Storage(String reason) {
            super(reason);
        }
    }

    /** The chat is answering: wait, or cancel. */
    public static final class Busy extends TealightException {
        private static final long serialVersionUID = 1;

        Busy(String reason) {
            super(reason);
        }
    }

    /** What was called was closed before. */
    public static final class Closed extends TealightException {
        private static final long serialVersionUID = 1;

        Closed(String reason) {
            super(reason);
        }
    }

    /** The caller gave up before there was a result. */
    public static final class Cancelled extends TealightException {
        private static final long serialVersionUID = 1;

        Cancelled(String reason) {
            super(reason);
        }
    }

    /** Tealight has a fault: report it. */
    public static final class Internal extends TealightException {
        private static final long serialVersionUID = 1;

        Internal(String reason) {
            super(reason);
        }
    }
}
