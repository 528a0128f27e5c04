package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.protocol.ApiError;
import dev.weir.protocol.Chunk;
import dev.weir.protocol.SamplingFields;
import dev.weir.protocol.ServerEvent;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class HttpErrorTest {
    private static final ServerLimits IMPATIENT = new ServerLimits(
            1 << 20,
            16,
            32,
            Duration.ofMillis(200),
            Duration.ofMillis(300),
            Duration.ofMillis(500),
            Duration.ZERO,
            Duration.ofMillis(200),
            ResumeLimits.DEFAULT);

    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.small();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', nullValues = "-", textBlock = """
                    POST | /v1/completions      | {"prompt":"x"                               | 400 | invalid_json                | -
                    POST | /v1/completions      | ``                                          | 400 | invalid_json                | -
                    POST | /v1/completions      | {"prompt":""}                               | 400 | invalid_value               | prompt
                    POST | /v1/completions      | {"prompt":[258]}                            | 400 | invalid_value               | prompt[0]
                    POST | /v1/completions      | {"prompt":"x","model":"gpt-9"}              | 404 | model_not_found             | model
                    POST | /v1/completions      | {"prompt":"x","n":13}                       | 400 | integer_above_max_value     | n
                    POST | /v1/completions      | {"prompt":"x","max_tokens":512}             | 400 | context_length_exceeded     | prompt
                    POST | /v1/completions      | {"prompt":"x","min_tokens":17}              | 400 | integer_above_max_value     | min_tokens
                    POST | /v1/completions      | {"prompt":"x","stop_token_ids":[5,999]}     | 400 | invalid_value               | stop_token_ids[1]
                    POST | /v1/chat/completions | {"messages":[]}                             | 400 | invalid_value               | messages
                    POST | /v1/chat/completions | {"prompt":"x"}                              | 400 | missing_required_parameter  | messages
                    POST | /v1/responses        | {"input":"x","tools":[{}]}                  | 400 | missing_required_parameter  | tools[0].type
                    POST | /v1/responses        | {"input":"x","stream":true,"top_p":7}       | 400 | decimal_above_max_value     | top_p
                    POST | /tokenize            | {}                                          | 400 | missing_required_parameter  | prompt
                    POST | /tokenize            | {"prompt":"x","model":"y"}                  | 404 | model_not_found             | model
                    POST | /detokenize          | {"tokens":[700]}                            | 400 | invalid_value               | tokens[0]
                    POST | /v1/nothing          | {}                                          | 404 | not_found                   | -
                    GET  | /v1/completions      | -                                           | 405 | method_not_allowed          | -
                    PUT  | /v1/responses        | {}                                          | 405 | method_not_allowed          | -
                    POST | /v1/models           | {}                                          | 405 | method_not_allowed          | -
                    DELETE | /v1/models/fake    | -                                           | 405 | method_not_allowed          | -
                    GET  | /v1/models/gpt-9     | -                                           | 404 | model_not_found             | model
                    GET  | /v1/responses        | -                                           | 426 | upgrade_required            | -
                    GET  | /no/such/page        | -                                           | 404 | not_found                   | -
                    """)
    void badRequestIsAnsweredWithStatusCodeAndField(
            String method, String path, String body, int status, String code, String param) {
        HttpResponse<String> reply = server.send(HttpRequest.newBuilder(server.uri(path))
                .method(
                        method,
                        body == null ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(body))
                .build());
        assertThat(reply.statusCode()).isEqualTo(status);
        assertThat(reply.headers().firstValue("content-type")).contains("application/json");
        ApiError error = Objects.requireNonNull(Chunk.read(reply.body()).error());
        assertThat(error.code()).isEqualTo(code);
        assertThat(error.param()).isEqualTo(param);
        assertThat(error.message()).isNotBlank();
        assertThat(reply.headers().firstValue("allow").isPresent()).isEqualTo(status == 405);
    }

    @Test
    void conversationThatTheTemplateRefusesIsAnsweredInItsWords() {
        for (String path : new String[] {"/v1/chat/completions", "/tokenize"}) {
            HttpResponse<String> reply =
                    server.post(path, "{\"messages\":[{\"role\":\"assistant\",\"content\":\"I speak\"}]}");
            assertThat(reply.statusCode()).isEqualTo(400);
            ApiError error = Objects.requireNonNull(Chunk.read(reply.body()).error());
            assertThat(error.param()).isEqualTo("messages");
            assertThat(error.message())
                    .isEqualTo("messages does not fit the model's chat template: the user speaks first");
        }
    }

    @Test
    void bodyBeyondTheLimitIsRefusedWith413() {
        HttpResponse<String> reply =
                server.post("/v1/completions", "{\"prompt\":\"" + "x".repeat((1 << 20) + 1) + "\"}");
        assertThat(reply.statusCode()).isEqualTo(413);
        assertThat(Objects.requireNonNull(Chunk.read(reply.body()).error()).message())
                .contains("1048576 bytes");
    }

    @Test
    void bodyOfAnyContentTypeIsReadAsJson() {
        String body = "{\"prompt\":\"x\",\"max_tokens\":1,\"user\":\"" + "u".repeat(200_000) + "\"}";
        for (String type : new String[] {"application/x-www-form-urlencoded", "multipart/form-data; boundary=x"}) {
            HttpResponse<String> reply = server.send(HttpRequest.newBuilder(server.uri("/v1/completions"))
                    .header("content-type", type)
                    .POST(HttpRequest.BodyPublishers.ofString(body))
                    .build());
            assertThat(reply.statusCode()).as(type).isEqualTo(200);
        }
    }

    @Test
    void fullQueueIsRefusedWith429AndTheTimeToWait() {
        server.model.hold();
        TestSocket socket = server.socket();
        for (int i = 0; i < 12; i++) {
            socket.create("lane" + i, "x", SamplingFields.NONE);
            assertThat(socket.next().event()).isInstanceOf(ServerEvent.Created.class);
            socket.until(received -> received.event() instanceof ServerEvent.ContentPartAdded);
        }
        Map<String, String> asks = Map.of(
                "/v1/completions", "{\"prompt\":\"x\"}",
                "/v1/completions#", "{\"prompt\":\"x\",\"stream\":true}",
                "/v1/chat/completions", "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"stream\":true}",
                "/v1/responses", "{\"input\":\"x\"}",
                "/v1/responses#", "{\"input\":\"x\",\"stream\":true}");
        asks.forEach((path, body) -> {
            HttpResponse<String> reply = server.post(path.replace("#", ""), body);
            assertThat(reply.statusCode()).isEqualTo(429);
            assertThat(reply.headers().firstValue("retry-after").map(Integer::valueOf))
                    .hasValueSatisfying(seconds -> assertThat(seconds).isPositive());
            assertThat(Objects.requireNonNull(Chunk.read(reply.body()).error()).code())
                    .isEqualTo("overloaded");
        });
        socket.socket.close();
        server.model.release();
        server.awaitIdle();
    }

    @Test
    void clientThatLeavesCancelsItsGenerationWithinOneStep() throws Exception {
        for (boolean stream : new boolean[] {true, false}) {
            server.model.hold();
            int before = server.model.runs;
            Socket client = raw(
                    "POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s",
                    "{\"prompt\":\"leave\",\"max_tokens\":300,\"ignore_eos\":true,\"stream\":" + stream + "}");
            TestServer.await(() -> "a turn", () -> server.services.admission().inFlight() == 1);
            server.model.allow(3);
            TestServer.await(() -> "three steps", () -> server.model.runs == before + 3);
            client.close();
            TestServer.await(() -> "no turn", () -> server.services.admission().inFlight() == 0);
            server.model.allow(1);
            server.awaitIdle();
            assertThat(server.model.runs).isEqualTo(before + 4);
            server.model.release();
        }
    }

    @Test
    void connectionThatSendsHalfABodyOrNothingIsClosed() throws Exception {
        try (TestServer impatient = new TestServer(TestServer.Size.SMALL.withLimits(IMPATIENT))) {
            for (String start : new String[] {
                "POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{\"prompt\":", // body
                "GET /health HTTP/1.1\r\nHost: x\r\n\r\n" // then idle
            }) {
                try (Socket client = new Socket(InetAddress.getLoopbackAddress(), impatient.server.port())) {
                    client.setSoTimeout(10_000);
                    client.getOutputStream().write(start.getBytes(StandardCharsets.US_ASCII));
                    String reply = new String(client.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                    assertThat(reply).startsWith(start.startsWith("POST") ? "HTTP/1.1 408" : "HTTP/1.1 200");
                }
            }
        }
    }

    @Test
    void clientThatDoesNotReadItsStreamIsParkedThenDroppedAndItsSlotFreed() throws Exception {
        try (TestServer impatient = new TestServer(
                        TestServer.Size.SMALL.withLimits(IMPATIENT).withMaxTokens(200_000));
                Socket client = new Socket()) {
            client.setReceiveBufferSize(4096);
            client.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), impatient.server.port()));
            send(
                    client,
                    "POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s",
                    "{\"prompt\":\"x\",\"max_tokens\":150000,\"ignore_eos\":true,\"stream\":true}");
            TestServer.await(
                    () -> "a parked sequence",
                    () -> impatient.services.model().stats().parked() == 1);
            impatient.awaitIdle();
            assertThat(impatient.get("/metrics").body()).contains("finished_reason=\"abort\",model_name=\"fake\"} 1.0");
        }
    }

    @Test
    void garbageInsteadOfHttpIsAnsweredWith400AndTheServerGoesOn() throws Exception {
        try (Socket client = new Socket(InetAddress.getLoopbackAddress(), server.server.port())) {
            client.setSoTimeout(10_000);
            OutputStream out = client.getOutputStream();
            out.write("\u0001\u0002garbage\r\n\r\n".getBytes(StandardCharsets.ISO_8859_1));
            InputStream in = client.getInputStream();
            assertThat(new String(in.readAllBytes(), StandardCharsets.ISO_8859_1))
                    .startsWith("HTTP/1.")
                    .contains(" 400 ");
        }
        assertThat(server.get("/health").statusCode()).isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/%2", "/v1/models/%zz", "/v1/responses/%C3%zz", "/v1/responses/x?s%", "/%e9%", "/a/%-0.0"})
    void aPathWithAnEscapeThatIsNoneIsTheClientsFault(String path) throws Exception {
        try (FuzzWatch watch = new FuzzWatch();
                Socket client = new Socket(InetAddress.getLoopbackAddress(), server.server.port())) {
            client.setSoTimeout(10_000);
            client.getOutputStream()
                    .write(("GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            String reply = new String(client.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(reply)
                    .startsWith("HTTP/1.1 400 ")
                    .contains("GET " + path.replaceAll("\\?.*", "") + " is not valid HTTP");
            watch.check();
        }
    }

    private static Socket raw(String template, String body) throws Exception {
        Socket client = new Socket(InetAddress.getLoopbackAddress(), server.server.port());
        send(client, template, body);
        return client;
    }

    private static void send(Socket client, String template, String body) throws Exception {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        client.getOutputStream().write(template.formatted(bytes.length, body).getBytes(StandardCharsets.UTF_8));
    }
}
