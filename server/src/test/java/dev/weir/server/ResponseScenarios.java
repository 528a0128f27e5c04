package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.protocol.ServerEvent;
import java.util.stream.Stream;

/** Asks a server for responses of every kind, over every transport, and records them. */
final class ResponseScenarios {
    static final String CALLS = """
            Let me see.
            <tool_call>
            {"name": "add", "arguments": {"a": 1}}
            </tool_call>
            <tool_call>
            {"name": "now", "arguments": {}}
            </tool_call>""";
    static final String ADD =
            "\"name\":\"add\",\"description\":\"Adds.\",\"parameters\":{\"type\":\"object\",\"properties\":"
                    + "{\"a\":{\"type\":\"integer\"}},\"required\":[\"a\"],\"additionalProperties\":false}";
    private static final String TOOLS =
            ",\"tools\":[{\"type\":\"function\",\"strict\":true," + ADD + "},{\"type\":\"function\",\"name\":\"now\"}]";
    static final String STREAM = ",\"stream\":true";
    static final String RAIN = "\"input\":\"Rain?\",\"temperature\":0";
    private static final String SHORT = RAIN + ",\"max_output_tokens\":5,\"ignore_eos\":true";
    /** After one token, none is left that may be chosen. */
    private static final String IMPOSSIBLE = ",\"allowed_token_ids\":[97],\"bad_words\":[\"aa\"]";

    private static final String SAID = "[{\"role\":\"system\",\"content\":\"a\"},{\"role\":\"user\",\"content\":\"b\"},"
            + "{\"role\":\"assistant\",\"content\":\"c\"},{\"type\":\"function_call\",\"call_id\":\"d\","
            + "\"name\":\"add\",\"arguments\":\"{}\"},{\"type\":\"function_call_output\",\"call_id\":\"d\","
            + "\"output\":\"e\"},{\"role\":\"developer\",\"content\":\"f\"}]";

    private final TestServer server;
    private final Recording recording;

    ResponseScenarios(TestServer server, Recording recording) {
        this.server = server;
        this.recording = recording;
    }

    void run() {
        responses();
        calls();
        stored();
        conversation();
        cancelled();
        response(RAIN + IMPOSSIBLE);
    }

    private String ask(String method, String path, String body) {
        return recording.exchange(server, method, path, body);
    }

    /** Asks for a response over a WebSocket, as server-sent events and as a whole, which is given back. */
    private String response(String fields) {
        try (RecordedSocket socket = new RecordedSocket(server, recording)) {
            socket.taken().send("{\"type\":\"response.create\",\"stream_id\":\"lane\"," + fields + "}");
            socket.taken().untilEnd();
        }
        ask("POST", "/v1/responses", "{" + fields + STREAM + "}");
        return ask("POST", "/v1/responses", "{" + fields + "}");
    }

    private static String id(String response) {
        return Recording.json(response).path("id").textValue();
    }

    private void responses() {
        server.model.script = "It rains.";
        String told = ",\"instructions\":\"Be brief.\",\"metadata\":{\"a\":\"b\"},\"store\":false";
        response(RAIN + told + ",\"include\":[\"message.output_text.logprobs\"],\"top_logprobs\":2");
        response(RAIN + ",\"generate\":false");
        server.model.script = null;
        response(SHORT);
        response(SHORT + ",\"text\":{\"format\":{\"type\":\"json_object\"}}");
        response(RAIN + ",\"text\":{\"format\":{\"type\":\"json_schema\",\"name\":\"sky\",\"strict\":true,"
                + "\"schema\":{\"enum\":[\"blue\",\"grey\"]}}}");
    }

    private void calls() {
        server.model.script = CALLS;
        String called = response(RAIN + TOOLS);
        assertThat(Recording.json(called).path("output")).hasSize(3);
        server.model.script = null;
        response(SHORT + ",\"tool_choice\":\"none\"" + TOOLS);
        response(RAIN + ",\"tool_choice\":\"required\",\"parallel_tool_calls\":false" + TOOLS);
        String cut = response(
                RAIN + ",\"max_output_tokens\":50,\"tool_choice\":{\"type\":\"function\",\"name\":\"add\"}" + TOOLS);
        assertThat(Recording.json(cut).path("output").path(0).path("status").textValue())
                .isEqualTo("incomplete");
        String results = Stream.of(1, 2)
                .map(call -> "{\"type\":\"function_call_output\",\"output\":\"3\",\"call_id\":\""
                        + Recording.json(called)
                                .path("output")
                                .path(call)
                                .path("call_id")
                                .textValue() + "\"}")
                .reduce((one, other) -> one + "," + other)
                .orElseThrow();
        String next = response(SHORT.replace("\"Rain?\"", "[" + results + "]") + ",\"previous_response_id\":\""
                + id(called) + "\"" + TOOLS);
        ask("GET", "/v1/responses/" + id(next) + "/input_items", "");
    }

    private void stored() {
        String path = "/v1/responses/" + id(response(SHORT.replace("\"Rain?\"", SAID)));
        ask("GET", path, "");
        ask("GET", path + "/input_items?limit=2", "");
        String items = ask("GET", path + "/input_items?order=asc", "");
        String last = Recording.json(items).path("last_id").textValue();
        String none = ask("GET", path + "/input_items?order=asc&after=" + last, "");
        assertThat(Recording.json(none).path("data")).isEmpty();
        ask("POST", path + "/cancel", "");
        ask("DELETE", path, "");
        ask("DELETE", path, "");
    }

    private void conversation() {
        ask("POST", "/v1/conversations", "");
        String begun = ask("POST", "/v1/conversations", "{\"items\":" + SAID + ",\"metadata\":{\"a\":\"b\"}}");
        String path = "/v1/conversations/" + id(begun);
        server.model.script = CALLS;
        response(RAIN + TOOLS + ",\"conversation\":\"" + id(begun) + "\"");
        server.model.script = null;
        String items = ask("GET", path + "/items?limit=100", "");
        assertThat(Recording.json(items).path("data")).hasSize(6 + 3 * 4);
        Recording.json(items)
                .path("data")
                .forEach(item -> ask("GET", path + "/items/" + item.path("id").textValue(), ""));
        String added = ask("POST", path + "/items", "{\"items\":[{\"role\":\"user\",\"content\":\"g\"}]}");
        String last = Recording.json(added).path("last_id").textValue();
        ask("DELETE", path + "/items/" + last, "");
        ask("DELETE", path + "/items/" + last, "");
        ask("POST", path, "{\"metadata\":{}}");
        ask("GET", path, "");
        ask("DELETE", path, "");
        ask("GET", path, "");
    }

    private void cancelled() {
        server.model.hold();
        server.model.allow(6);
        String path;
        try (RecordedSocket socket = new RecordedSocket(server, recording)) {
            socket.taken()
                    .send("{\"type\":\"response.create\"," + SHORT.replace(":5", ":400") + ",\"stream_id\":\"lane\"}");
            ServerEvent.Created begun =
                    (ServerEvent.Created) socket.taken().next().event();
            path = "/v1/responses/" + begun.response().id();
            socket.taken().until(received -> received.event() instanceof ServerEvent.OutputTextDelta);
            socket.taken()
                    .send("{\"type\":\"response.steer\",\"input\":\"more\",\"previous_response_id\":\""
                            + begun.response().id() + "\"}");
            socket.taken().until(received -> received.event() instanceof ServerEvent.SteerFailed);
            ask("GET", path, "");
            ask("POST", path + "/cancel", "");
            socket.taken().untilEnd();
        }
        server.model.release();
        server.awaitIdle();
        ask("GET", path + "?stream=true", "");
        ask("GET", path + "?stream=true&starting_after=3", "");
        try (RecordedSocket socket = new RecordedSocket(server, recording)) {
            socket.taken()
                    .send("{\"type\":\"response.resume\",\"starting_after\":2,\"response_id\":\""
                            + path.substring(path.lastIndexOf('/') + 1) + "\"}");
            socket.taken().untilEnd();
        }
    }
}
