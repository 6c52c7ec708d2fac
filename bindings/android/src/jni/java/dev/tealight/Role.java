package dev.tealight;

/** Who says a message. */
public enum Role {
    /** Instructions for the whole conversation. */
    SYSTEM,
    /** The person. */
    USER,
    /** The model. */
    ASSISTANT
}
