package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.weir.protocol.EventReader;
import dev.weir.protocol.ServerEvent;
import java.io.UncheckedIOException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** What servers said to a test: each body, chunk and event under the name by which {@link OpenAiFacts} know it. */
final class Recording {
    private static final JsonMapper JSON = new JsonMapper();
    private static final String EVENTS = " text/event-stream";
    private static final String WHOLE = " application/json";
    private static final String RESPONSE = "response";

    /** What each operation answers; events by their type. */
    static final Map<String, String> KINDS = Map.ofEntries(
            Map.entry("post /v1/chat/completions" + WHOLE, "chat.completion"),
            Map.entry("post /v1/chat/completions" + EVENTS, "chat.completion.chunk"),
            Map.entry("post /v1/completions" + WHOLE, "text_completion"),
            Map.entry("post /v1/completions" + EVENTS, "text_completion-streamed"),
            Map.entry("post /v1/responses" + WHOLE, RESPONSE),
            Map.entry("post /v1/responses" + EVENTS, "event"),
            Map.entry("get /v1/responses/{id}" + WHOLE, RESPONSE),
            Map.entry("get /v1/responses/{id}" + EVENTS, "event"),
            Map.entry("delete /v1/responses/{id}" + WHOLE, "deleted-response"),
            Map.entry("post /v1/responses/{id}/cancel" + WHOLE, RESPONSE),
            Map.entry("get /v1/responses/{id}/input_items" + WHOLE, "input-items"),
            Map.entry("post /v1/conversations" + WHOLE, "conversation"),
            Map.entry("get /v1/conversations/{id}" + WHOLE, "conversation"),
            Map.entry("post /v1/conversations/{id}" + WHOLE, "conversation"),
            Map.entry("delete /v1/conversations/{id}" + WHOLE, "deleted-conversation"),
            Map.entry("get /v1/conversations/{id}/items" + WHOLE, "conversation-items"),
            Map.entry("post /v1/conversations/{id}/items" + WHOLE, "conversation-items"),
            Map.entry("get /v1/conversations/{id}/items/{item}" + WHOLE, "conversation-item"),
            Map.entry("delete /v1/conversations/{id}/items/{item}" + WHOLE, "conversation"),
            Map.entry("get /v1/models" + WHOLE, "models"),
            Map.entry("get /v1/models/{id}" + WHOLE, "model"),
            Map.entry("post /v1/embeddings" + WHOLE, "embeddings"));

    /** Something that was said, and what it has to be. */
    record Said(String kind, JsonNode json) {}

    final List<Said> all = new ArrayList<>();
    final Set<String> operations = new TreeSet<>();
    final Set<Integer> refusals = new TreeSet<>();
    final Set<String> socketErrors = new TreeSet<>();
    final Set<Class<?>> socketEvents = new HashSet<>();
    final Set<Class<?>> serverSentEvents = new HashSet<>();

    static JsonNode json(String text) {
        try {
            return JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Asks and records the answer. */
    String exchange(TestServer server, String method, String path, String body) {
        HttpRequest request = HttpRequest.newBuilder(server.uri(path))
                .method(method, HttpRequest.BodyPublishers.ofString(body))
                .build();
        return answered(method, path, body, server.send(request));
    }

    /** Records an answer. */
    String answered(String method, String path, String asked, HttpResponse<String> reply) {
        String body = reply.body();
        if (reply.statusCode() >= 400) {
            refusals.add(reply.statusCode());
            add("error-body", body);
            return body;
        }
        String operation = method.toLowerCase(Locale.ROOT) + " "
                + path.replaceAll("\\?.*", "")
                        .replaceAll("/(resp_[^/]+|conv_[^/]+|fake)", "/{id}")
                        .replaceAll("/(msg|fc|fco)_[^/]+", "/{item}")
                + " "
                + reply.headers().firstValue("content-type").orElse("").replaceAll(";.*", "");
        operations.add(operation);
        String kind = KINDS.get(operation);
        assertThat(kind).as("what %s answers", operation).isNotNull();
        if (!operation.endsWith(EVENTS)) {
            add(kind, body);
        } else if (kind.equals("event")) {
            events(body.lines()
                    .filter(line -> line.startsWith("data: "))
                    .map(line -> line.substring("data: ".length()))
                    .toList());
        } else {
            chunks(kind, asked, body);
        }
        return body;
    }

    /** Records server-sent events of one response. */
    void events(List<String> texts) {
        List<JsonNode> events = new ArrayList<>();
        for (String text : texts) {
            Class<?> event = EventReader.read(text).event().getClass();
            serverSentEvents.add(event);
            if (event == ServerEvent.Refused.class) {
                JsonNode error = add("error-server-sent", text);
                assertThat(error.path("sequence_number"))
                        .isEqualTo(events.getLast().path("sequence_number"));
                ResponseStreamLaws.checkNumbers(events, 0);
                return;
            }
            events.add(add(json(text).path("type").textValue(), text));
        }
        stream(events);
    }

    /** Records what came over a WebSocket. */
    void socket(List<String> texts) {
        Map<String, List<JsonNode>> lanes = new LinkedHashMap<>();
        for (String text : texts) {
            ServerEvent event = EventReader.read(text).event();
            socketEvents.add(event.getClass());
            JsonNode json = add(event.type(), text);
            if (event instanceof ServerEvent.Refused refused) {
                socketErrors.add(String.valueOf(refused.error().code()));
                if ("slow_consumer".equals(refused.error().code())) { // the last that its lane hears
                    lanes.values().forEach(lane -> ResponseStreamLaws.checkNumbers(lane, 0));
                    lanes.clear();
                }
            }
            if (event instanceof ServerEvent.Refused || event instanceof ServerEvent.SteerFailed) {
                continue; // they stand outside the response's numbering
            }
            List<JsonNode> lane = lanes.computeIfAbsent(json.path("stream_id").asText(""), _ -> new ArrayList<>());
            lane.add(json);
            if (event instanceof ServerEvent.Completed
                    || event instanceof ServerEvent.Incomplete
                    || event instanceof ServerEvent.Failed) {
                stream(lane);
                lane.clear();
            }
        }
        assertThat(lanes.values()).allMatch(List::isEmpty);
    }

    private static void stream(List<JsonNode> events) {
        int first = events.getFirst().path("sequence_number").intValue();
        if (first == 0) {
            ResponseStreamLaws.check(events);
        } else {
            ResponseStreamLaws.checkNumbers(events, first); // the rest of one that was recorded whole before
        }
    }

    private void chunks(String kind, String asked, String body) {
        assertThat(body).endsWith("data: [DONE]\n\n");
        List<String> data = body.lines()
                .filter(line -> line.startsWith("data: {"))
                .map(line -> line.substring("data: ".length()))
                .toList();
        if (json(data.getLast()).has("error")) {
            data.subList(0, data.size() - 1).forEach(chunk -> add(kind, chunk));
            add("error-body", data.getLast());
        } else {
            ChunkStreamLaws.check(
                    data.stream().map(chunk -> add(kind, chunk)).toList(), asked.contains("\"include_usage\":true"));
        }
    }

    private JsonNode add(String kind, String text) {
        JsonNode json = json(text);
        all.add(new Said(kind, json));
        return json;
    }
}
