package dev.weir.protocol;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.List;

/** The items of the Responses API as JSON. Any thread. */
final class ItemJson {
    private static final String CALL = "function_call";

    private ItemJson() {}

    /** An item of a response's output. */
    static void write(JsonGenerator out, OutputItem item) throws IOException {
        switch (item) {
            case OutputMessage message -> writeMessage(out, message);
            case FunctionCall(String id, ResponseStatus status, ToolCall call) -> {
                out.writeStartObject();
                out.writeStringField("id", id);
                out.writeStringField("status", status.wire());
                writeCall(out, call);
                out.writeEndObject();
            }
        }
    }

    /** An item of a conversation. */
    static void write(JsonGenerator out, ConversationItem item) throws IOException {
        out.writeStartObject();
        out.writeStringField("id", item.id());
        out.writeStringField("status", item.status().wire());
        ChatMessage message = item.message();
        if (message.callId() != null) {
            writeResult(out, message);
        } else if (!message.calls().isEmpty()) {
            writeCall(out, message.calls().getFirst());
        } else {
            out.writeStringField("type", "message");
            out.writeStringField("role", message.role());
            out.writeArrayFieldStart("content");
            if (message.isAnswer()) {
                writePart(out, message.content(), List.of());
            } else {
                out.writeStartObject();
                out.writeStringField("type", "input_text");
                out.writeStringField("text", message.content());
                out.writeEndObject();
            }
            out.writeEndArray();
        }
        out.writeEndObject();
    }

    private static void writeMessage(JsonGenerator out, OutputMessage item) throws IOException {
        out.writeStartObject();
        out.writeStringField("id", item.id());
        out.writeStringField("type", "message");
        out.writeStringField("status", item.status().wire());
        out.writeStringField("role", ChatMessage.ASSISTANT);
        out.writeArrayFieldStart("content");
        if (item.status() != ResponseStatus.IN_PROGRESS) {
            writePart(out, item.text(), item.logprobs());
        }
        out.writeEndArray();
        out.writeEndObject();
    }

    static void writePart(JsonGenerator out, String text, List<TokenLogprob> logprobs) throws IOException {
        out.writeStartObject();
        out.writeStringField("type", "output_text");
        out.writeStringField("text", text);
        out.writeArrayFieldStart("annotations");
        out.writeEndArray();
        out.writeFieldName("logprobs");
        LogprobJson.writeTokens(out, logprobs, true);
        out.writeEndObject();
    }

    /** The fields of a call but for what its item has beside it. */
    static void writeCall(JsonGenerator out, ToolCall call) throws IOException {
        out.writeStringField("type", CALL);
        out.writeStringField("call_id", call.id());
        out.writeStringField("name", call.name());
        out.writeStringField("arguments", call.arguments());
    }

    /** The fields of a call's result but for what its item has beside it. */
    static void writeResult(JsonGenerator out, ChatMessage result) throws IOException {
        out.writeStringField("type", "function_call_output");
        out.writeStringField("call_id", result.callId());
        out.writeStringField("output", result.content());
    }

    /** Reads what {@link #write} wrote. */
    static OutputItem read(Fields fields) {
        String id = text(fields, "id");
        ResponseStatus status = ResponseStatus.of(text(fields, "status"));
        if (CALL.equals(fields.string("type"))) {
            return new FunctionCall(
                    id, status, new ToolCall(text(fields, "call_id"), text(fields, "name"), text(fields, "arguments")));
        }
        JsonNode part = fields.required("content", "a message has one").path(0);
        return new OutputMessage(
                id, status, part.path("text").asText(""), LogprobJson.readTokens(part.path("logprobs")));
    }

    private static String text(Fields fields, String name) {
        return fields.requiredString(name, "the server sends it");
    }
}
