package dev.weir.protocol;

import java.util.List;

/** A conversation as JSON, for those who keep it: in the form of chats. Any thread. */
public final class ConversationJson {
    private static final String MESSAGES = "messages";

    private ConversationJson() {}

    /** The messages, possibly none, as one JSON object on one line. */
    public static String write(List<ChatMessage> messages) {
        return Json.write(out -> {
            out.writeStartObject();
            MessageWriter.writeMessages(out, messages);
            out.writeEndObject();
        });
    }

    /**
     * Reads what {@link #write} wrote.
     *
     * @throws ProtocolException if it is anything else
     */
    public static List<ChatMessage> read(String json) {
        Fields fields = Json.parseObject(json);
        return fields.required(MESSAGES, "a conversation has them").isEmpty()
                ? List.of()
                : MessageReader.messages(fields, MESSAGES);
    }
}
