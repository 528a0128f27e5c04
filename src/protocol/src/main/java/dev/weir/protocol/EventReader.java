package dev.weir.protocol;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads {@link ServerEvent}s on the client's side, the inverse of {@link EventWriter}. Any thread. */
public final class EventReader {
    private EventReader() {}

    /**
     * An event as it arrived.
     *
     * @param event what it says
     * @param sequenceNumber its number within its response, -1 for one that has none
     * @param streamId its lane; null is the default lane
     */
    public record Received(
            ServerEvent event, int sequenceNumber, @Nullable String streamId) {}

    /**
     * Reads one event.
     *
     * @throws ProtocolException if it is not a JSON object or lacks a field
     */
    public static Received read(String json) {
        Fields fields = Json.parseObject(json);
        String type = fields.requiredString("type", "an event has one");
        Long number = fields.integer("sequence_number", 0, Integer.MAX_VALUE, "of 0 or more");
        return new Received(event(type, fields), number == null ? -1 : number.intValue(), fields.string("stream_id"));
    }

    /** Reads the JSON body of a response. */
    public static ResponseObject response(String json) {
        return response(Json.parseObject(json));
    }

    private static ServerEvent event(String type, Fields fields) {
        return switch (type) {
            case "response.output_text.delta" ->
                new ServerEvent.OutputTextDelta(
                        text(fields, "item_id"), index(fields), text(fields, "delta"), logprobs(fields));
            case "response.created" -> new ServerEvent.Created(response(inner(fields, "response")));
            case "response.in_progress" -> new ServerEvent.InProgress(response(inner(fields, "response")));
            case "response.completed" -> new ServerEvent.Completed(response(inner(fields, "response")));
            case "response.incomplete" -> new ServerEvent.Incomplete(response(inner(fields, "response")));
            case "response.failed" -> new ServerEvent.Failed(response(inner(fields, "response")));
            case "response.output_item.added" ->
                new ServerEvent.OutputItemAdded(index(fields), ItemJson.read(inner(fields, "item")));
            case "response.output_item.done" ->
                new ServerEvent.OutputItemDone(index(fields), ItemJson.read(inner(fields, "item")));
            case "response.content_part.added" ->
                new ServerEvent.ContentPartAdded(text(fields, "item_id"), index(fields));
            case "response.content_part.done" ->
                new ServerEvent.ContentPartDone(
                        text(fields, "item_id"),
                        index(fields),
                        text(inner(fields, "part"), "text"),
                        logprobs(inner(fields, "part")));
            case "response.output_text.done" ->
                new ServerEvent.OutputTextDone(
                        text(fields, "item_id"), index(fields), text(fields, "text"), logprobs(fields));
            case "response.function_call_arguments.delta" ->
                new ServerEvent.CallArgumentsDelta(text(fields, "item_id"), index(fields), text(fields, "delta"));
            case "response.function_call_arguments.done" ->
                new ServerEvent.CallArgumentsDone(
                        text(fields, "item_id"), index(fields), text(fields, "name"), text(fields, "arguments"));
            case "response.steer.failed" -> {
                Fields steer = inner(fields, "steer");
                yield new ServerEvent.SteerFailed(
                        text(steer, "previous_response_id"),
                        steer.required("input", "the server sends it").toString(),
                        text(inner(fields, "error"), "code"),
                        text(inner(fields, "error"), "message"));
            }
            case "error" -> error(fields);
            default -> new ServerEvent.Unknown(type);
        };
    }

    private static ServerEvent.Refused error(Fields fields) {
        Fields error = inner(fields, "error");
        Fields headers = error.object("headers");
        String retryAfter = headers == null ? null : headers.string("retry-after");
        Long status = fields.integer("status", 0, 999, "of three digits");
        return new ServerEvent.Refused(
                apiError(error, status == null ? 0 : status.intValue()),
                error.string("event_id"),
                retryAfter == null ? null : Long.valueOf(retryAfter));
    }

    static ApiError apiError(Fields error, int status) {
        String type = error.string("type");
        return new ApiError(
                status, type == null ? "" : type, error.string("code"), error.string("param"), text(error, "message"));
    }

    private static ResponseObject response(Fields fields) {
        List<OutputItem> output = fields.objects("output", fields.required("output", "a response has one")).stream()
                .map(ItemJson::read)
                .toList();
        Fields incomplete = fields.object("incomplete_details");
        Fields error = fields.object("error");
        Fields usage = fields.object("usage");
        Long createdAt = fields.integer("created_at", 0, Long.MAX_VALUE, "of seconds");
        return new ResponseObject(
                text(fields, "id"),
                createdAt == null ? 0 : createdAt,
                ResponseStatus.of(text(fields, "status")),
                text(fields, "model"),
                settings(fields),
                output,
                usage == null ? null : usage(usage, "input_tokens", "output_tokens"),
                incomplete == null ? null : incomplete.string("reason"),
                error == null ? null : new ApiError(500, text(error, "code"), null, null, text(error, "message")));
    }

    private static ResponseObject.Settings settings(Fields fields) {
        Double temperature = fields.decimal("temperature", 0, 2, "from 0 to 2");
        Double topP = fields.decimal("top_p", 0, 1, "from 0 to 1");
        return new ResponseObject.Settings(
                fields.string("instructions"),
                fields.smallInteger("max_output_tokens", 0, "of 0 or more"),
                temperature == null ? 1 : temperature,
                topP == null ? 1 : topP,
                fields.stringMap("metadata"),
                ToolsReader.read(fields, false),
                OutputFormatReader.read(fields),
                fields.string("previous_response_id"),
                RequestReader.conversationId(fields),
                fields.flag("store", false));
    }

    /** Reads usage under the names that the API at hand has for the tokens of the prompt and of the answer. */
    static Usage usage(Fields fields, String prompt, String completion) {
        Fields details = fields.object(prompt + "_details");
        return new Usage(
                count(fields, prompt),
                count(fields, completion),
                details == null ? 0 : count(details, "cached_tokens"));
    }

    private static int count(Fields fields, String name) {
        Integer value = fields.smallInteger(name, 0, "of 0 or more");
        return value == null ? 0 : value;
    }

    private static int index(Fields fields) {
        return count(fields, "output_index");
    }

    private static List<TokenLogprob> logprobs(Fields fields) {
        JsonNode array = fields.value("logprobs");
        return array == null ? List.of() : LogprobJson.readTokens(array);
    }

    private static Fields inner(Fields fields, String name) {
        fields.required(name, "the event has one");
        Fields inner = fields.object(name);
        if (inner == null) {
            throw new IllegalStateException(name + " is required and yet missing");
        }
        return inner;
    }

    private static String text(Fields fields, String name) {
        return fields.requiredString(name, "the server sends it");
    }
}
