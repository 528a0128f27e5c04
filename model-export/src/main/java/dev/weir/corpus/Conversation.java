package dev.weir.corpus;

import java.util.List;

/**
 * Turns between a user and an assistant, with the functions that it may call. Immutable; any thread.
 *
 * @param tools the declared functions, as JSON Schema would have them; mostly none
 */
record Conversation(List<Message> messages, List<ToolFunction> tools) {
    Conversation(List<Message> messages) {
        this(messages, List.of());
    }

    /** One turn. */
    sealed interface Message permits Said, Called, Returned {}

    /** What somebody said; the role is {@code system}, {@code user} or {@code assistant}. */
    record Said(String role, String content) implements Message {}

    /** That the assistant called a function. */
    record Called(String id, String function, String arguments) implements Message {}

    /** What the function gave back. */
    record Returned(String id, String content) implements Message {}

    static Message system(String content) {
        return new Said("system", content);
    }

    static Message user(String content) {
        return new Said("user", content);
    }

    static Message assistant(String content) {
        return new Said("assistant", content);
    }
}
