package dev.tealight.kotlin

/**
 * Why something could not be done, by what can be done about it. The message names the model and
 * the fault.
 */
public sealed class TealightException(reason: String, cause: Throwable?) :
    RuntimeException(reason, cause) {
    /** There is no such file or folder, or it cannot be read: choose another. */
    public class NotFound internal constructor(reason: String, cause: Throwable? = null) :
        TealightException(reason, cause)

    /** This version cannot run the model, or not in this way: choose another. */
    public class Unsupported internal constructor(reason: String, cause: Throwable? = null) :
        TealightException(reason, cause)

    /** The model's bytes are not what they should be: copy or compile it again. */
    public class Damaged internal constructor(reason: String, cause: Throwable? = null) :
        TealightException(reason, cause)

    /** There is not enough memory: choose a smaller context or model. */
    public class OutOfMemory internal constructor(reason: String, cause: Throwable? = null) :
        TealightException(reason, cause)

    /** The conversation does not fit the context: shorten it, or begin a new one. */
    public class ContextFull internal constructor(reason: String, cause: Throwable? = null) :
        TealightException(reason, cause)

    /** An argument cannot be used: mend the call. */
    public class InvalidInput internal constructor(reason: String, cause: Throwable? = null) :
        TealightException(reason, cause)

    /** The compiled model cannot be kept: make room, or name another folder. */
    public class Storage internal constructor(reason: String, cause: Throwable? = null) :
        TealightException(reason, cause)

    /** The chat is answering: wait, or cancel. */
    public class Busy internal constructor(reason: String, cause: Throwable? = null) :
        TealightException(reason, cause)

    /** What was called was closed before. */
    public class Closed internal constructor(reason: String, cause: Throwable? = null) :
        TealightException(reason, cause)

    /** The caller gave up before there was a result. */
    public class Cancelled internal constructor(reason: String, cause: Throwable? = null) :
        TealightException(reason, cause)

    /** Tealight has a fault: report it. */
    public class Internal internal constructor(reason: String, cause: Throwable? = null) :
        TealightException(reason, cause)
}
