package dev.weir.protocol;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One message of a conversation. Immutable; any thread.
 *
 * @param role {@code system}, {@code user}, {@code assistant} or {@code tool}; {@code developer} is read as {@code system}
 * @param content its text, parts joined; empty if the assistant only calls functions
 * @param calls of functions, by the assistant
 * @param callId the call whose result this is; null unless the role is {@code tool}
 */
public record ChatMessage(
        String role,
        String content,
        List<ToolCall> calls,
        @Nullable String callId) {
    /** The role of who answers. */
    static final String ASSISTANT = "assistant";

    private static final String TOOL = "tool";

    public ChatMessage {
        calls = List.copyOf(calls);
    }

    /** A message that only says something. */
    public ChatMessage(String role, String content) {
        this(role, content, List.of(), null);
    }

    /** What the assistant said and called. */
    public static ChatMessage assistant(String content, List<ToolCall> calls) {
        return new ChatMessage(ASSISTANT, content, calls, null);
    }

    /** What a call gave back. */
    public static ChatMessage result(String callId, String content) {
        return new ChatMessage(TOOL, content, List.of(), callId);
    }

    /** Whether it is the assistant's. */
    boolean isAnswer() {
        return role.equals(ASSISTANT);
    }

    /** Ends a conversation with it: calls belong to what the assistant said just before them. */
    void addTo(List<ChatMessage> messages) {
        if (content.isEmpty()
                && !calls.isEmpty()
                && !messages.isEmpty()
                && messages.getLast().isAnswer()) {
            ChatMessage before = messages.removeLast();
            List<ToolCall> all = new ArrayList<>(before.calls());
            all.addAll(calls);
            messages.add(assistant(before.content(), all));
        } else {
            messages.add(this);
        }
    }

    /** Characters in it. */
    public int length() {
        int length = content.length();
        for (ToolCall call : calls) {
            length += call.name().length() + call.arguments().length();
        }
        return length;
    }
}
