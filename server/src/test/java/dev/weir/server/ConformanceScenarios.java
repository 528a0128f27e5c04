package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.protocol.ResponseRequest;
import dev.weir.protocol.SamplingFields;
import dev.weir.protocol.ServerEvent;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** Asks servers for everything that they can say, and records it. */
final class ConformanceScenarios {
    private static final String CHAT =
            "{\"messages\":[{\"role\":\"user\",\"content\":\"Rain?\"}],\"max_tokens\":40,\"temperature\":0";
    private static final String CHAT_TOOLS = ",\"tools\":[{\"type\":\"function\",\"function\":{" + ResponseScenarios.ADD
            + "}},{\"type\":\"function\",\"function\":{\"name\":\"now\"}}]";
    private static final String USAGE = ResponseScenarios.STREAM + ",\"stream_options\":{\"include_usage\":true}";

    /** Methods by path. */
    private static final Map<String, String> OPERATIONS = Map.of(
            "/v1/responses", "POST",
            "/v1/chat/completions", "POST",
            "/v1/completions", "POST",
            "/v1/models", "GET",
            "/v1/responses/resp_none", "GET");

    private final TestServer server;
    private final Recording recording;

    private ConformanceScenarios(TestServer server, Recording recording) {
        this.server = server;
        this.recording = recording;
    }

    static Recording run(TestKeys keys) throws InterruptedException {
        Recording recording = new Recording();
        ServerLimits limits = ServerLimits.DEFAULT.withStreamInterval(Duration.ZERO);
        try (TestServer server =
                new TestServer(TestServer.Size.SMALL.withMaxTokens(4096).withLimits(limits))) {
            ConformanceScenarios scenarios = new ConformanceScenarios(server, recording);
            new ResponseScenarios(server, recording).run();
            scenarios.failures();
            scenarios.refusals();
            scenarios.chats();
            scenarios.completions();
            scenarios.models();
        }
        overloaded(recording);
        slowConsumer(recording);
        withoutKey(recording, keys);
        stopping(recording);
        embeddings(recording);
        return recording;
    }

    private String ask(String method, String path, String body) {
        return recording.exchange(server, method, path, body);
    }

    private void failures() {
        try (RecordedSocket socket = new RecordedSocket(server, recording)) {
            server.model.failsNext = true;
            socket.taken().send("{\"type\":\"response.create\"," + ResponseScenarios.RAIN + "}");
            assertThat(socket.taken().untilEnd().getLast().event()).isInstanceOf(ServerEvent.Failed.class);
        }
        for (String streamed : List.of(ResponseScenarios.STREAM, "")) {
            server.model.failsNext = true;
            ask("POST", "/v1/responses", "{" + ResponseScenarios.RAIN + streamed + "}");
            server.model.failsNext = true;
            ask("POST", "/v1/chat/completions", CHAT + streamed + "}");
            server.model.failsNext = true;
            ask("POST", "/v1/completions", "{\"prompt\":\"a\"" + streamed + "}");
        }
    }

    private void refusals() {
        try (RecordedSocket socket = new RecordedSocket(server, recording)) {
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
            ask("POST", path, "{\"model\":\"none\"" + ResponseScenarios.STREAM + "}");
            ask("PUT", path, "{}");
            ask("POST", path, "{\"input\":\"" + "x".repeat(1 << 20) + "\"}");
        }
        for (String path : List.of("/v1/responses", "/v1/responses/resp_none", "/v1/models/none", "/v1/nowhere")) {
            ask("GET", path, "");
        }
    }

    private void chats() {
        String logprobs = ",\"logprobs\":true,\"top_logprobs\":2,\"n\":2";
        for (String streamed : List.of("", ResponseScenarios.STREAM, USAGE)) {
            server.model.script = "It rains.";
            ask("POST", "/v1/chat/completions", CHAT + streamed + "}");
            ask("POST", "/v1/chat/completions", CHAT + logprobs + streamed + "}");
            server.model.script = ResponseScenarios.CALLS;
            ask("POST", "/v1/chat/completions", CHAT.replace(":40", ":400") + CHAT_TOOLS + streamed + "}");
            server.model.script = null;
            ask("POST", "/v1/chat/completions", CHAT + ",\"ignore_eos\":true" + streamed + "}");
        }
    }

    private void completions() {
        String prompts = "{\"prompt\":[\"a\",\"b\"],\"n\":2,\"max_tokens\":20,\"logprobs\":2,\"seed\":7";
        for (String streamed : List.of("", ResponseScenarios.STREAM, USAGE)) {
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
            try (RecordedSocket socket = new RecordedSocket(tiny, recording)) {
                socket.taken().create("lane", "x", SamplingFields.NONE);
                assertThat(socket.taken().nextError().retryAfterSeconds()).isNotNull();
            }
            recording.exchange(tiny, "POST", "/v1/responses", "{\"input\":\"x\"}");
        }
    }

    /** A client that does not read. */
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
            recording.events(slowly(slow, CutConnection.Transport.SERVER_SENT_EVENTS, many, 1));
            recording.socket(slowly(slow, CutConnection.Transport.WEB_SOCKET, many, 2));
        }
    }

    private static List<String> slowly(
            TestServer slow, CutConnection.Transport transport, SamplingFields fields, int ended) {
        return new CutConnection(
                        slow.server.port(),
                        transport,
                        ResponseRequest.of(null, "Rain?", fields),
                        Integer.MAX_VALUE,
                        () -> TestServer.await(
                                () -> "a slow consumer",
                                () -> slow.get("/metrics")
                                        .body()
                                        .contains("weir_slow_consumers_total{model_name=\"fake\"} " + ended + ".0")))
                .events();
    }

    private static void withoutKey(Recording recording, TestKeys keys) {
        keys.add("alice");
        try (TestServer locked = new TestServer(TestServer.Size.SMALL, keys.open())) {
            OPERATIONS.forEach((path, method) -> recording.exchange(locked, method, path, "{}"));
        }
    }

    private static void stopping(Recording recording) throws InterruptedException {
        try (TestServer server = new TestServer(TestServer.Size.SMALL)) {
            server.model.hold();
            try (RecordedSocket socket = new RecordedSocket(server, recording)) {
                socket.taken().create("a", "Hello", SamplingFields.NONE);
                socket.taken().until(received -> received.event() instanceof ServerEvent.ContentPartAdded);
                Thread draining = Thread.ofPlatform().start(() -> {
                    try {
                        server.server.drain(Duration.ofSeconds(60));
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                });
                TestServer.await(
                        () -> "a server that drains",
                        () -> server.get("/health/ready").statusCode() == 503);
                OPERATIONS.forEach((path, method) -> recording.exchange(server, method, path, "{}"));
                socket.taken().create("b", "late", SamplingFields.NONE);
                socket.taken().nextError();
                server.model.release();
                socket.taken().untilEnd();
                draining.join();
            }
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
