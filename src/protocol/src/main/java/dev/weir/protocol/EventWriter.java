package dev.weir.protocol;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Writes the {@link ServerEvent}s of one response as JSON and numbers them. Owned by one thread at a time. The delta, of
 * which there is one per token, is put together by hand; everything else is written field by field.
 *
 * <p>What it writes knows no lane: {@link #inLane} adds the one over which an event is sent, so that an event is the same bytes on
 * whatever connection it is sent, but for its {@code stream_id}.
 */
public final class EventWriter {
    private static final String TYPE = "{\"type\":\"";

    private int sequenceNumber;

    /** An event as it is sent in a lane; null is the default lane, which has no name. */
    public static String inLane(String event, @Nullable String streamId) {
        return streamId == null
                ? event
                : event.substring(0, event.length() - 1) + ",\"stream_id\":\"" + streamId + "\"}"; // no need to quote
    }

    /** The type of an event that was written here, with which it begins. */
    public static String typeOf(String event) {
        int begin = TYPE.length();
        return event.substring(begin, event.indexOf('"', begin));
    }

    /** The next event as a JSON object, on one line. */
    public String next(ServerEvent event) {
        int number = sequenceNumber++;
        if (event instanceof ServerEvent.OutputTextDelta delta) {
            return delta(number, delta);
        }
        return Json.write(out -> {
            out.writeStartObject();
            out.writeStringField("type", event.type());
            writeFields(out, event);
            if (!(event instanceof ServerEvent.Refused)) {
                out.writeNumberField("sequence_number", number);
            }
            out.writeEndObject();
        });
    }

    /** An {@code error} event, which stands outside every response's numbering. */
    public static String error(ServerEvent.Refused event) {
        return new EventWriter().next(event);
    }

    /**
     * An {@code error} event in a stream of server-sent events, where OpenAI's API has the error's fields in the event itself; beside
     * them is the object in which clients of the WebSocket, and SDKs, look for them.
     *
     * @param lastNumber of the event before it, which it repeats: a client that goes on after that number misses nothing
     */
    public static String brokenOff(ApiError error, int lastNumber) {
        return Json.write(out -> {
            out.writeStartObject();
            out.writeStringField("type", "error");
            Json.writeNullable(out, "code", error.code());
            out.writeStringField("message", error.message());
            Json.writeNullable(out, "param", error.param());
            writeError(out, error, null, null);
            out.writeNumberField("sequence_number", lastNumber);
            out.writeEndObject();
        });
    }

    /** A {@code response.steer.failed} event, which stands outside them too. */
    public static String steerFailed(ServerEvent.SteerFailed event) {
        return new EventWriter().next(event);
    }

    /** A response as the JSON body of an HTTP reply. */
    public static String response(ResponseObject response) {
        return Json.write(out -> writeResponse(out, response));
    }

    private String delta(int number, ServerEvent.OutputTextDelta event) {
        StringBuilder out = new StringBuilder(192 + event.delta().length());
        out.append("{\"type\":\"response.output_text.delta\",\"item_id\":");
        Json.quote(out, event.itemId());
        out.append(",\"output_index\":").append(event.outputIndex()).append(",\"content_index\":0,\"delta\":");
        Json.quote(out, event.delta());
        out.append(",\"logprobs\":");
        if (event.logprobs().isEmpty()) {
            out.append("[]");
        } else {
            out.append(Json.write(json -> LogprobJson.writeTokens(json, event.logprobs(), false)));
        }
        out.append(",\"sequence_number\":").append(number);
        return out.append('}').toString();
    }

    private static void writeFields(JsonGenerator out, ServerEvent event) throws IOException {
        switch (event) {
            case ServerEvent.Created(ResponseObject response) -> writeResponseField(out, response);
            case ServerEvent.InProgress(ResponseObject response) -> writeResponseField(out, response);
            case ServerEvent.Completed(ResponseObject response) -> writeResponseField(out, response);
            case ServerEvent.Incomplete(ResponseObject response) -> writeResponseField(out, response);
            case ServerEvent.Failed(ResponseObject response) -> writeResponseField(out, response);
            case ServerEvent.OutputItemAdded(int index, OutputItem item) -> writeItemField(out, index, item);
            case ServerEvent.OutputItemDone(int index, OutputItem item) -> writeItemField(out, index, item);
            case ServerEvent.ContentPartAdded(String itemId, int index) ->
                writePartField(out, itemId, index, "", List.of());
            case ServerEvent.ContentPartDone(String itemId, int index, String text, List<TokenLogprob> logprobs) ->
                writePartField(out, itemId, index, text, logprobs);
            case ServerEvent.CallArgumentsDelta(String itemId, int index, String delta) -> {
                writePlace(out, itemId, index);
                out.writeStringField("delta", delta);
            }
            case ServerEvent.CallArgumentsDone(String itemId, int index, String name, String arguments) -> {
                writePlace(out, itemId, index);
                out.writeStringField("name", name);
                out.writeStringField("arguments", arguments);
            }
            case ServerEvent.OutputTextDone(String itemId, int index, String text, List<TokenLogprob> logprobs) -> {
                writePlace(out, itemId, index);
                out.writeNumberField("content_index", 0);
                out.writeStringField("text", text);
                out.writeFieldName("logprobs");
                LogprobJson.writeTokens(out, logprobs, false);
            }
            case ServerEvent.Refused(ApiError error, String eventId, Long retryAfter) ->
                writeError(out, error, eventId, retryAfter);
            case ServerEvent.SteerFailed(String responseId, String input, String code, String message) -> {
                out.writeObjectFieldStart("error");
                out.writeStringField("code", code);
                out.writeStringField("message", message);
                out.writeEndObject();
                out.writeObjectFieldStart("steer");
                out.writeStringField("previous_response_id", responseId);
                out.writeFieldName("input");
                out.writeRawValue(input);
                out.writeEndObject();
            }
            case ServerEvent.OutputTextDelta _ -> throw new IllegalArgumentException("a delta is written by hand");
            case ServerEvent.Unknown(String type) ->
                throw new IllegalArgumentException("an event of unknown type " + type + " cannot be written");
        }
    }

    private static void writeError(
            JsonGenerator out, ApiError error, @Nullable String eventId, @Nullable Long retryAfterSeconds)
            throws IOException {
        out.writeNumberField("status", error.status());
        out.writeObjectFieldStart("error");
        Json.writeErrorFields(out, error);
        if (eventId != null) {
            out.writeStringField("event_id", eventId);
        }
        if (retryAfterSeconds != null) {
            out.writeObjectFieldStart("headers");
            out.writeStringField("retry-after", retryAfterSeconds.toString());
            out.writeEndObject();
        }
        out.writeEndObject();
    }

    private static void writePlace(JsonGenerator out, String itemId, int outputIndex) throws IOException {
        out.writeStringField("item_id", itemId);
        out.writeNumberField("output_index", outputIndex);
    }

    private static void writePartField(
            JsonGenerator out, String itemId, int outputIndex, String text, List<TokenLogprob> logprobs)
            throws IOException {
        writePlace(out, itemId, outputIndex);
        out.writeNumberField("content_index", 0);
        out.writeFieldName("part");
        ItemJson.writePart(out, text, logprobs);
    }

    private static void writeItemField(JsonGenerator out, int outputIndex, OutputItem item) throws IOException {
        out.writeNumberField("output_index", outputIndex);
        out.writeFieldName("item");
        ItemJson.write(out, item);
    }

    private static void writeResponseField(JsonGenerator out, ResponseObject response) throws IOException {
        out.writeFieldName("response");
        writeResponse(out, response);
    }

    private static void writeResponse(JsonGenerator out, ResponseObject response) throws IOException {
        ResponseObject.Settings settings = response.settings();
        out.writeStartObject();
        out.writeStringField("id", response.id());
        out.writeStringField("object", "response");
        out.writeNumberField("created_at", response.createdAt());
        out.writeStringField("status", response.status().wire());
        out.writeBooleanField("background", false);
        writeFault(out, response.error());
        writeIncomplete(out, response.incompleteReason());
        Json.writeNullable(out, "instructions", settings.instructions());
        out.writeFieldName("max_output_tokens");
        Integer maxOutputTokens = settings.maxOutputTokens();
        if (maxOutputTokens == null) {
            out.writeNull();
        } else {
            out.writeNumber(maxOutputTokens);
        }
        out.writeStringField("model", response.model());
        out.writeArrayFieldStart("output");
        for (OutputItem item : response.output()) {
            ItemJson.write(out, item);
        }
        out.writeEndArray();
        out.writeBooleanField("parallel_tool_calls", settings.tools().parallelCalls());
        Json.writeNullable(out, "previous_response_id", settings.previousResponseId());
        writeConversation(out, settings.conversation());
        out.writeBooleanField("store", settings.store());
        out.writeNumberField("temperature", settings.temperature());
        out.writeObjectFieldStart("text");
        writeFormat(out, settings.format());
        out.writeEndObject();
        ToolsWriter.writeChoice(out, settings.tools(), false);
        ToolsWriter.writeList(out, settings.tools(), false);
        out.writeNumberField("top_p", settings.topP());
        out.writeStringField("truncation", "disabled");
        out.writeFieldName("usage");
        writeUsage(out, response.usage());
        Json.writeStrings(out, "metadata", settings.metadata());
        out.writeEndObject();
    }

    private static void writeConversation(JsonGenerator out, @Nullable String id) throws IOException {
        if (id == null) {
            out.writeNullField("conversation");
            return;
        }
        out.writeObjectFieldStart("conversation");
        out.writeStringField("id", id);
        out.writeEndObject();
    }

    private static void writeFault(JsonGenerator out, @Nullable ApiError error) throws IOException {
        if (error == null) {
            out.writeNullField("error");
            return;
        }
        out.writeObjectFieldStart("error");
        out.writeStringField("code", faultCode(error.status()));
        out.writeStringField("message", error.message());
        out.writeEndObject();
    }

    /** The code of an error of this status within a response, where OpenAI's API knows few, and no finer ones. */
    private static String faultCode(int status) {
        return status == 429 ? "rate_limit_exceeded" : status < 500 ? "invalid_prompt" : "server_error";
    }

    private static void writeIncomplete(JsonGenerator out, @Nullable String reason) throws IOException {
        if (reason == null) {
            out.writeNullField("incomplete_details");
            return;
        }
        out.writeObjectFieldStart("incomplete_details");
        out.writeStringField("reason", reason);
        out.writeEndObject();
    }

    /** What OpenAI's API has no name for is told as text. */
    private static void writeFormat(JsonGenerator out, @Nullable OutputFormat format) throws IOException {
        out.writeObjectFieldStart("format");
        switch (format) {
            case OutputFormat.JsonObject _ -> out.writeStringField("type", "json_object");
            case OutputFormat.Schema schema -> {
                out.writeStringField("type", "json_schema");
                out.writeStringField("name", schema.name());
                out.writeFieldName("schema");
                out.writeRawValue(schema.json());
                out.writeBooleanField("strict", true);
            }
            case null, default -> out.writeStringField("type", "text");
        }
        out.writeEndObject();
    }

    private static void writeUsage(JsonGenerator out, @Nullable Usage usage) throws IOException {
        if (usage == null) {
            out.writeNull();
            return;
        }
        out.writeStartObject();
        out.writeNumberField("input_tokens", usage.promptTokens());
        out.writeObjectFieldStart("input_tokens_details");
        out.writeNumberField("cached_tokens", usage.cachedTokens());
        out.writeNumberField("cache_write_tokens", 0);
        out.writeEndObject();
        out.writeNumberField("output_tokens", usage.completionTokens());
        out.writeObjectFieldStart("output_tokens_details");
        out.writeNumberField("reasoning_tokens", 0);
        out.writeEndObject();
        out.writeNumberField("total_tokens", usage.totalTokens());
        out.writeEndObject();
    }
}
