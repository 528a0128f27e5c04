package dev.weir.protocol;

import java.util.List;

/** Conversations as JSON, one object on one line, for clients and for those who keep them. Any thread. */
public final class ConversationJson {
    private static final String MESSAGES = "messages";

    private ConversationJson() {}

    /** A conversation, without its items. */
    public static String write(ConversationObject conversation) {
        return Json.write(out -> {
            out.writeStartObject();
            out.writeStringField("id", conversation.id());
            out.writeStringField("object", "conversation");
            out.writeNumberField("created_at", conversation.createdAt());
            Json.writeStrings(out, "metadata", conversation.metadata());
            out.writeEndObject();
        });
    }

    /** An item of one. */
    public static String write(ConversationItem item) {
        return Json.write(out -> ItemJson.write(out, item));
    }

    /** Messages, possibly none, in the form of chats. */
    public static String write(List<ChatMessage> messages) {
        return Json.write(out -> {
            out.writeStartObject();
            MessageWriter.writeMessages(out, messages);
            out.writeEndObject();
        });
    }

    /**
     * Reads a conversation.
     *
     * @throws ProtocolException if it is anything else
     */
    public static ConversationObject readConversation(String json) {
        Fields fields = Json.parseObject(json);
        Long createdAt = fields.integer("created_at", 0, Long.MAX_VALUE, "of seconds");
        return new ConversationObject(
                fields.requiredString("id", "a conversation has one"),
                createdAt == null ? 0 : createdAt,
                fields.stringMap("metadata"));
    }

    /**
     * Reads an item.
     *
     * @throws ProtocolException if it is anything else
     */
    public static ConversationItem readItem(String json) {
        Fields fields = Json.parseObject(json);
        return new ConversationItem(
                fields.requiredString("id", "an item has one"),
                ResponseStatus.of(fields.requiredString("status", "an item has one")),
                MessageReader.item(fields));
    }

    /**
     * Reads messages.
     *
     * @throws ProtocolException if it is anything else
     */
    public static List<ChatMessage> readMessages(String json) {
        Fields fields = Json.parseObject(json);
        return fields.required(MESSAGES, "a conversation has them").isEmpty()
                ? List.of()
                : MessageReader.messages(fields, MESSAGES);
    }
}
