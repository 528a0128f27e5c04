package dev.weir.loadtest;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * A reader of stream events that picks out the few fields a load tester needs in one pass over the bytes. Owner: one
 * connection. It never builds a tree and makes no string of the text, because the load tester shares its machine with
 * the server it measures: what it burns per delta, the server lacks. Malformed JSON is an IOException.
 */
final class StreamEventReader {

    private final JsonFactory json = new JsonFactory();
    private final StreamEvent event = new StreamEvent();

    /** Reads an event of the Responses API; the answer is valid until the next call. */
    StreamEvent readResponsesEvent(byte[] bytes, int offset, int length) throws IOException {
        event.clear();
        try (JsonParser parser = open(bytes, offset, length)) {
            for (String field = parser.nextFieldName(); field != null; field = parser.nextFieldName()) {
                JsonToken value = parser.nextToken();
                switch (field) {
                    case "type" -> event.type = parser.getText();
                    case "sequence_number" -> event.sequenceNumber = parser.getValueAsLong(-1);
                    case "delta", "text" -> readText(parser, value);
                    case "response" -> readResponse(parser, value);
                    case "status" -> event.status = parser.getValueAsInt(0);
                    case "error" -> readError(parser, value);
                    case "code" -> event.errorCode = parser.getValueAsString();
                    case "message" -> event.errorMessage = parser.getValueAsString();
                    default -> parser.skipChildren();
                }
            }
            requireEnd(parser);
        }
        event.kind = kindOf(event.type);
        return event;
    }

    /** Reads a chunk of chat or completions, or an error body; the answer is valid until the next call. */
    StreamEvent readChunk(byte[] bytes, int offset, int length) throws IOException {
        event.clear();
        event.kind = StreamEvent.Kind.CHUNK;
        try (JsonParser parser = open(bytes, offset, length)) {
            for (String field = parser.nextFieldName(); field != null; field = parser.nextFieldName()) {
                JsonToken value = parser.nextToken();
                switch (field) {
                    case "choices" -> readChoices(parser, value);
                    case "usage" -> readUsage(parser, value);
                    case "error" -> {
                        readError(parser, value);
                        event.kind = StreamEvent.Kind.ERROR;
                    }
                    case "message" -> event.errorMessage = parser.getValueAsString();
                    default -> parser.skipChildren();
                }
            }
            requireEnd(parser);
        }
        return event;
    }

    private JsonParser open(byte[] bytes, int offset, int length) throws IOException {
        JsonParser parser = json.createParser(bytes, offset, length);
        if (parser.nextToken() != JsonToken.START_OBJECT) {
            parser.close();
            throw new IOException("the event is not a JSON object");
        }
        return parser;
    }

    /** nextFieldName answers null for the object's end and for a truncated text alike. */
    private static void requireEnd(JsonParser parser) throws IOException {
        if (parser.currentToken() != JsonToken.END_OBJECT) {
            throw new IOException("the event's JSON is malformed near byte "
                    + parser.currentLocation().getByteOffset());
        }
    }

    private void readText(JsonParser parser, JsonToken value) throws IOException {
        if (value == JsonToken.VALUE_STRING) {
            event.text.append(parser.getTextCharacters(), parser.getTextOffset(), parser.getTextLength());
        } else {
            parser.skipChildren();
        }
    }

    private void readResponse(JsonParser parser, JsonToken start) throws IOException {
        if (start != JsonToken.START_OBJECT) {
            return;
        }
        for (String field = parser.nextFieldName(); field != null; field = parser.nextFieldName()) {
            JsonToken value = parser.nextToken();
            switch (field) {
                case "status" -> event.finishReason = parser.getValueAsString();
                case "usage" -> readUsage(parser, value);
                case "error" -> readError(parser, value);
                default -> parser.skipChildren();
            }
        }
    }

    private void readUsage(JsonParser parser, JsonToken start) throws IOException {
        if (start != JsonToken.START_OBJECT) {
            return;
        }
        for (String field = parser.nextFieldName(); field != null; field = parser.nextFieldName()) {
            parser.nextToken();
            switch (field) {
                case "input_tokens", "prompt_tokens" -> event.inputTokens = parser.getValueAsInt(-1);
                case "output_tokens", "completion_tokens" -> event.outputTokens = parser.getValueAsInt(-1);
                default -> parser.skipChildren();
            }
        }
    }

    private void readError(JsonParser parser, JsonToken start) throws IOException {
        if (start != JsonToken.START_OBJECT) {
            if (start == JsonToken.VALUE_STRING) {
                event.errorMessage = parser.getText();
            }
            return;
        }
        String errorType = null;
        for (String field = parser.nextFieldName(); field != null; field = parser.nextFieldName()) {
            parser.nextToken();
            switch (field) {
                case "code" -> event.errorCode = parser.getValueAsString();
                case "message" -> event.errorMessage = parser.getValueAsString();
                case "type" -> errorType = parser.getValueAsString();
                default -> parser.skipChildren();
            }
        }
        if (event.errorCode == null) {
            event.errorCode = errorType;
        }
    }

    private void readChoices(JsonParser parser, JsonToken start) throws IOException {
        if (start != JsonToken.START_ARRAY) {
            return;
        }
        while (parser.nextToken() == JsonToken.START_OBJECT) {
            for (String field = parser.nextFieldName(); field != null; field = parser.nextFieldName()) {
                JsonToken value = parser.nextToken();
                switch (field) {
                    case "text" -> readText(parser, value);
                    case "delta" -> readChatDelta(parser, value);
                    case "finish_reason" -> {
                        @Nullable String reason = parser.getValueAsString();
                        event.finishReason = reason;
                    }
                    default -> parser.skipChildren();
                }
            }
        }
    }

    private void readChatDelta(JsonParser parser, JsonToken start) throws IOException {
        if (start != JsonToken.START_OBJECT) {
            return;
        }
        for (String field = parser.nextFieldName(); field != null; field = parser.nextFieldName()) {
            JsonToken value = parser.nextToken();
            switch (field) {
                case "content", "reasoning_content", "reasoning" -> readText(parser, value);
                default -> parser.skipChildren();
            }
        }
    }

    private static StreamEvent.Kind kindOf(String type) {
        return switch (type) {
            case "response.output_text.delta" -> StreamEvent.Kind.TEXT_DELTA;
            case "response.queued" -> StreamEvent.Kind.QUEUED;
            case "response.created" -> StreamEvent.Kind.CREATED;
            case "response.in_progress" -> StreamEvent.Kind.IN_PROGRESS;
            case "response.output_item.added" -> StreamEvent.Kind.ITEM_ADDED;
            case "response.content_part.added" -> StreamEvent.Kind.PART_ADDED;
            case "response.output_text.done" -> StreamEvent.Kind.TEXT_DONE;
            case "response.content_part.done" -> StreamEvent.Kind.PART_DONE;
            case "response.output_item.done" -> StreamEvent.Kind.ITEM_DONE;
            case "response.completed" -> StreamEvent.Kind.COMPLETED;
            case "response.incomplete" -> StreamEvent.Kind.INCOMPLETE;
            case "response.failed" -> StreamEvent.Kind.FAILED;
            case "error" -> StreamEvent.Kind.ERROR;
            default -> type.endsWith(".delta") ? StreamEvent.Kind.OTHER_DELTA : StreamEvent.Kind.UNKNOWN;
        };
    }
}
