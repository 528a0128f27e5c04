package dev.weir.protocol;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.List;

/** Writes what {@link MessageReader} reads. Any thread. */
final class MessageWriter {
    private MessageWriter() {}

    /** The messages of a chat. */
    static void writeMessages(JsonGenerator out, List<ChatMessage> messages) throws IOException {
        out.writeArrayFieldStart("messages");
        for (ChatMessage message : messages) {
            out.writeStartObject();
            out.writeStringField("role", message.role());
            boolean isSilent = message.content().isEmpty() && !message.calls().isEmpty();
            Json.writeNullable(out, "content", isSilent ? null : message.content());
            if (!message.calls().isEmpty()) {
                writeCalls(out, message.calls());
            }
            if (message.callId() != null) {
                out.writeStringField("tool_call_id", message.callId());
            }
            out.writeEndObject();
        }
        out.writeEndArray();
    }

    /** The calls of a message of a chat. */
    static void writeCalls(JsonGenerator out, List<ToolCall> calls) throws IOException {
        out.writeArrayFieldStart("tool_calls");
        for (ToolCall call : calls) {
            out.writeStartObject();
            out.writeStringField("id", call.id());
            out.writeStringField("type", "function");
            out.writeObjectFieldStart("function");
            out.writeStringField("name", call.name());
            out.writeStringField("arguments", call.arguments());
            out.writeEndObject();
            out.writeEndObject();
        }
        out.writeEndArray();
    }

    /** The input of a response. */
    static void writeInput(JsonGenerator out, List<ChatMessage> input) throws IOException {
        out.writeArrayFieldStart("input");
        for (ChatMessage message : input) {
            if (message.callId() != null) {
                out.writeStartObject();
                ItemJson.writeResult(out, message);
                out.writeEndObject();
                continue;
            }
            if (!message.content().isEmpty() || message.calls().isEmpty()) {
                out.writeStartObject();
                out.writeStringField("role", message.role());
                out.writeStringField("content", message.content());
                out.writeEndObject();
            }
            for (ToolCall call : message.calls()) {
                out.writeStartObject();
                ItemJson.writeCall(out, call);
                out.writeEndObject();
            }
        }
        out.writeEndArray();
    }
}
