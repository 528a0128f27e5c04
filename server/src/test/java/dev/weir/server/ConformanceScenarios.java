package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.protocol.ResponseRequest;
import dev.weir.protocol.SamplingFields;
import dev.weir.protocol.ServerEvent;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

/** Asks servers for everything that they can say, and records it. */
final class ConformanceScenarios {
    private static final String CALLS = """
            Let me see.
            <tool_call>
            {"name": "add", "arguments": {"a": 1}}
            </tool_call>
            <tool_call>
            {"name": "now", "arguments": {}}
            </tool_call>""";
    private static final String ADD =
            "\"name\":\"add\",\"description\":\"Adds.\",\"parameters\":{\"type\":\"object\",\"properties\":"
                    + "{\"a\":{\"type\":\"integer\"}},\"required\":[\"a\"],\"additionalProperties\":false}";
    private static final String TOOLS =
            ",\"tools\":[{\"type\":\"function\",\"strict\":true," + ADD + "},{\"type\":\"function\",\"name\":\"now\"}]";
    private static final String CHAT =
            "{\"messages\":[{\"role\":\"user\",\"content\":\"Rain?\"}],\"max_tokens\":40,\"temperature\":0";
    private static final String CHAT_TOOLS = ",\"tools\":[{\"type\":\"function\",\"function\":{" + ADD
            + "}},{\"type\":\"function\",\"function\":{\"name\":\"now\"}}]";
    private static final String STREAM = ",\"stream\":true";
    private static final String USAGE = STREAM + ",\"stream_options\":{\"include_usage\":true}";
    private static final String RAIN = "\"input\":\"Rain?\",\"temperature\":0";
    private static final String SHORT = RAIN + ",\"max_output_tokens\":5,\"ignore_eos\":true";
    /** After one token, none is left that may be chosen. */
    private static final String IMPOSSIBLE = ",\"allowed_token_ids\":[97],\"bad_words\":[\"aa\"]";

    private final TestServer server;
    private final Recording recording;

    private ConformanceScenarios(TestServer server, Recording recording) {
        this.server = server;
        this.recording = recording;
    }

    static Recording run() {
        Recording recording = new Recording();
        ServerLimits limits = ServerLimits.DEFAULT.withStreamInterval(Duration.ZERO);
        try (TestServer server =
                new TestServer(TestServer.Size.SMALL.withMaxTokens(4096).withLimits(limits))) {
            ConformanceScenarios scenarios = new ConformanceScenarios(server, recording);
            scenarios.responses();
            scenarios.calls();
            scenarios.stored();
            scenarios.cancelled();
            scenarios.failures();
            scenarios.refusals();
            scenarios.chats();
            scenarios.completions();
            scenarios.models();
        }
        overloaded(recording);
        slowConsumer(recording);
        embeddings(recording);
        return recording;
    }

    private String ask(String method, String path, String body) {
        return recording.exchange(server, method, path, body);
    }

    /** Asks for a response over a WebSocket, as server-sent events and as a whole, which is given back. */
    private String response(String fields) {
        try (Socket socket = new Socket(server, recording)) {
            socket.taken().send("{\"type\":\"response.create\",\"stream_id\":\"lane\"," + fields + "}");
            socket.taken().untilEnd();
        }
        ask("POST", "/v1/responses", "{" + fields + STREAM + "}");
        return ask("POST", "/v1/responses", "{" + fields + "}");
    }

    /** A WebSocket that is recorded when it is closed. */
    private record Socket(TestSocket taken, Recording recording) implements AutoCloseable {
        Socket(TestServer server, Recording recording) {
            this(server.socket(), recording);
        }

        @Override
        public void close() {
            recording.socket(taken.texts());
            taken.socket.close();
        }
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
        String said = "[{\"role\":\"system\",\"content\":\"a\"},{\"role\":\"user\",\"content\":\"b\"},"
                + "{\"role\":\"assistant\",\"content\":\"c\"},{\"type\":\"function_call\",\"call_id\":\"d\","
                + "\"name\":\"add\",\"arguments\":\"{}\"},{\"type\":\"function_call_output\",\"call_id\":\"d\","
                + "\"output\":\"e\"},{\"role\":\"developer\",\"content\":\"f\"}]";
        String path = "/v1/responses/" + id(response(SHORT.replace("\"Rain?\"", said)));
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

    private void cancelled() {
        server.model.hold();
        server.model.allow(6);
        String path;
        try (Socket socket = new Socket(server, recording)) {
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
        try (Socket socket = new Socket(server, recording)) {
            socket.taken()
                    .send("{\"type\":\"response.resume\",\"starting_after\":2,\"response_id\":\""
                            + path.substring(path.lastIndexOf('/') + 1) + "\"}");
            socket.taken().untilEnd();
        }
    }

    private void failures() {
        response(RAIN + IMPOSSIBLE);
        try (Socket socket = new Socket(server, recording)) {
            server.model.failsNext = true;
            socket.taken().send("{\"type\":\"response.create\"," + RAIN + "}");
            socket.taken().untilEnd();
        }
        for (String streamed : List.of(STREAM, "")) {
            server.model.failsNext = true;
            ask("POST", "/v1/responses", "{" + RAIN + streamed + "}");
            server.model.failsNext = true;
            ask("POST", "/v1/chat/completions", CHAT + streamed + "}");
            server.model.failsNext = true;
            ask("POST", "/v1/completions", "{\"prompt\":\"a\"" + streamed + "}");
        }
    }

    private void refusals() {
        try (Socket socket = new Socket(server, recording)) {
            for (String wrong : List.of(
                    "{",
                    "{\"type\":\"response.create\",\"event_id\":\"e\",\"stream_id\":\"s\",\"input\":7}",
                    "{\"type\":\"response.create\",\"input\":\"a\",\"temperature\":3}",
                    "{\"type\":\"response.cancel\",\"response_id\":\"resp_none\"}",
                    "{\"type\":\"response.resume\",\"response_id\":\"resp_none\"}")) {
                socket.taken().send(wrong);
                socket.taken().nextError();
            }
        }
        for (String path : List.of("/v1/responses", "/v1/chat/completions", "/v1/completions", "/v1/embeddings")) {
            ask("POST", path, "{");
            ask("POST", path, "{\"model\":\"none\"" + STREAM + "}");
            ask("PUT", path, "{}");
        }
        for (String path : List.of("/v1/responses", "/v1/responses/resp_none", "/v1/models/none", "/v1/nowhere")) {
            ask("GET", path, "");
        }
    }

    private void chats() {
        String logprobs = ",\"logprobs\":true,\"top_logprobs\":2,\"n\":2";
        for (String streamed : List.of("", STREAM, USAGE)) {
            server.model.script = "It rains.";
            ask("POST", "/v1/chat/completions", CHAT + streamed + "}");
            ask("POST", "/v1/chat/completions", CHAT + logprobs + streamed + "}");
            server.model.script = CALLS;
            ask("POST", "/v1/chat/completions", CHAT.replace(":40", ":400") + CHAT_TOOLS + streamed + "}");
            server.model.script = null;
            ask("POST", "/v1/chat/completions", CHAT + ",\"ignore_eos\":true" + streamed + "}");
        }
    }

    private void completions() {
        String prompts = "{\"prompt\":[\"a\",\"b\"],\"n\":2,\"max_tokens\":20,\"logprobs\":2,\"seed\":7";
        for (String streamed : List.of("", STREAM, USAGE)) {
            ask("POST", "/v1/completions", prompts + streamed + "}");
            ask("POST", "/v1/completions", "{\"prompt\":\"a\",\"max_tokens\":1" + streamed + "}");
            ask("POST", "/v1/completions", "{\"prompt\":\"a.\",\"temperature\":0,\"echo\":true" + streamed + "}");
        }
    }

    private void models() {
        ask("GET", "/v1/models", "");
        ask("GET", "/v1/models/fake", "");
    }

    /** A server with room for one. */
    private static void overloaded(Recording recording) {
        try (TestServer tiny = new TestServer(TestServer.Size.SMALL.withSlots(1, 0))) {
            tiny.model.hold();
            TestSocket busy = tiny.socket();
            busy.create(null, "busy", SamplingFields.NONE);
            busy.next();
            try (Socket socket = new Socket(tiny, recording)) {
                socket.taken().create("lane", "x", SamplingFields.NONE);
                assertThat(socket.taken().nextError().retryAfterSeconds()).isNotNull();
            }
            recording.exchange(tiny, "POST", "/v1/responses", "{\"input\":\"x\"}");
        }
    }

    /** A client that does not read, over server-sent events. */
    private static void slowConsumer(Recording recording) {
        ServerLimits limits = ServerLimits.DEFAULT
                .withStallTimeout(Duration.ofMillis(500))
                .withResume(new ResumeLimits(128 << 10, Duration.ofSeconds(60), Duration.ofSeconds(60)));
        SamplingFields many = SamplingFields.builder()
                .temperature(0)
                .maxTokens(3000)
                .ignoreEos(true)
                .logprobs(4)
                .build();
        try (TestServer slow =
                new TestServer(TestServer.Size.SMALL.withMaxTokens(4096).withLimits(limits))) {
            recording.events(new CutConnection(
                            slow.server.port(),
                            CutConnection.Transport.SERVER_SENT_EVENTS,
                            ResponseRequest.of(null, "Rain?", many),
                            Integer.MAX_VALUE,
                            () -> TestServer.await(
                                    () -> "a slow consumer",
                                    () -> slow.get("/metrics")
                                            .body()
                                            .contains("weir_slow_consumers_total{model_name=\"fake\"} 1.0")))
                    .events());
        }
    }

    private static void embeddings(Recording recording) {
        Path folder = Path.of("../src/onnx/src/test/resources/models/tiny-embeddings");
        try (FolderServer server = new FolderServer(folder, 0, null)) {
            for (String body :
                    List.of("{\"input\":[\"a\",\"b\"]}", "{\"input\":\"a\",\"encoding_format\":\"base64\"}")) {
                recording.answered("POST", "/v1/embeddings", body, server.post("/v1/embeddings", body));
            }
        }
    }
}
