package dev.weir.protocol;

import java.util.ArrayList;
import java.util.List;

/**
 * What was said, or one call, or its result, under a name. Immutable; any thread.
 *
 * @param id its name, {@code msg_...}, {@code fc_...} or {@code fco_...}
 * @param status {@link ResponseStatus#COMPLETED}, or {@link ResponseStatus#INCOMPLETE} for an answer that was cut
 * @param message one with a call says nothing
 */
public record ConversationItem(String id, ResponseStatus status, ChatMessage message) {
    /** Makes names. */
    @FunctionalInterface
    public interface Names {
        /** The name of an item, by what it begins with and the place of the item. */
        String name(String prefix, int place);
    }

    /** Messages as items, each call by itself. */
    public static List<ConversationItem> of(List<ChatMessage> messages, Names names) {
        List<ConversationItem> items = new ArrayList<>();
        for (ChatMessage message : messages) {
            if (!message.content().isEmpty() || message.calls().isEmpty()) {
                String prefix = message.callId() == null ? "msg" : "fco";
                ChatMessage said = new ChatMessage(message.role(), message.content(), List.of(), message.callId());
                items.add(completed(names.name(prefix, items.size()), said));
            }
            for (ToolCall call : message.calls()) {
                items.add(completed(names.name("fc", items.size()), ChatMessage.assistant("", List.of(call))));
            }
        }
        return items;
    }

    /** The output of a response as items; a call that was cut, and a message that says nothing, are none. */
    public static List<ConversationItem> ofOutput(List<OutputItem> output) {
        List<ConversationItem> items = new ArrayList<>();
        for (OutputItem item : output) {
            switch (item) {
                case OutputMessage message
                when !message.text().isEmpty() ->
                    items.add(new ConversationItem(
                            message.id(), message.status(), ChatMessage.assistant(message.text(), List.of())));
                case FunctionCall(String id, ResponseStatus status, ToolCall call)
                when status == ResponseStatus.COMPLETED ->
                    items.add(completed(id, ChatMessage.assistant("", List.of(call))));
                default -> {}
            }
        }
        return items;
    }

    /** Items as messages: a call belongs to what the assistant said just before it. */
    public static List<ChatMessage> messages(List<ConversationItem> items) {
        List<ChatMessage> messages = new ArrayList<>();
        for (ConversationItem item : items) {
            item.message().addTo(messages);
        }
        return messages;
    }

    private static ConversationItem completed(String id, ChatMessage message) {
        return new ConversationItem(id, ResponseStatus.COMPLETED, message);
    }
}
