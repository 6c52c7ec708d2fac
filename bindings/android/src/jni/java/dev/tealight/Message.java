package dev.tealight;

import java.util.Objects;

/** One message of a conversation. */
public final class Message {
    private final Role role;
    private final String content;

    /** Something that someone says. */
    public Message(Role role, String content) {
        this.role = Objects.requireNonNull(role, "role");
        this.content = Objects.requireNonNull(content, "content");
    }

    /** Who says it. */
    public Role role() {
        return role;
    }

    /** What is said. */
    public String content() {
        return content;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Message
                && ((Message) other).role == role
                && ((Message) other).content.equals(content);
    }

    @Override
    public int hashCode() {
        return Objects.hash(role, content);
    }

    @Override
    public String toString() {
        return role + ": " + content;
    }
}
