package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.read.ListAppender;
import dev.weir.protocol.ApiError;
import dev.weir.protocol.Chunk;
import dev.weir.protocol.SamplingFields;
import dev.weir.protocol.ServerEvent;
import dev.weir.server.ApiKey.Limits;
import io.vertx.core.http.UpgradeRejectedException;
import io.vertx.core.http.WebSocketConnectOptions;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

final class AuthenticationTest {
    private static final String COMPLETION = "{\"prompt\":\"x\",\"max_tokens\":4,\"ignore_eos\":true}";
    private static final SamplingFields SHORT =
            SamplingFields.builder().temperature(0).maxTokens(4).ignoreEos(true).build();

    private TestKeys keys;
    private TestServer server;
    private KeyRing ring;

    @TempDir
    private Path folder;

    @BeforeEach
    void makeKeys() {
        keys = new TestKeys(folder);
        keys.add("first");
    }

    @AfterEach
    void stop() {
        if (server != null) {
            server.close();
        }
    }

    @Test
    void requestWithoutAKeyIsRefusedWhereOneIsNeededAndOnlyThere() {
        start();
        for (String path : new String[] {
            "/v1/completions",
            "/v1/chat/completions",
            "/v1/responses",
            "/tokenize",
            "/detokenize",
            "/tokenize/",
            "//tokenize",
            "/v1/embeddings"
        }) {
            assertUnauthorized(server.post(path, COMPLETION), "You didn't provide an API key.");
        }
        for (String path : new String[] {"/v1/models", "/v1/models/fake", "/v1/responses"}) {
            assertUnauthorized(server.get(path), "You didn't provide an API key.");
        }
        for (String path : new String[] {"/", "/main.js", "/health", "/health/live", "/health/ready", "/metrics"}) {
            assertThat(server.get(path).statusCode()).as(path).isEqualTo(200);
        }
    }

    @Test
    void keyLetsInAndAWrongOneDoesNotAndIsNotRepeated() {
        String key = keys.add("alice");
        start();
        assertThat(post(key, "/v1/completions", COMPLETION).statusCode()).isEqualTo(200);
        assertThat(post(key, "/tokenize", "{\"prompt\":\"x\"}").statusCode()).isEqualTo(200);
        String wrong = key.substring(0, key.length() - 1) + (key.endsWith("A") ? "B" : "A");
        HttpResponse<String> reply = post(wrong, "/v1/completions", COMPLETION);
        assertUnauthorized(reply, "Incorrect API key provided: weir***" + wrong.substring(wrong.length() - 2) + ".");
        assertThat(reply.body()).doesNotContain(wrong.substring(4, 9));
        assertUnauthorized(post("short", "/v1/completions", COMPLETION), "Incorrect API key provided: ***.");
        HttpRequest basic = HttpRequest.newBuilder(server.uri("/v1/models"))
                .header("Authorization", "Basic " + key)
                .build();
        assertUnauthorized(server.send(basic), "You didn't provide an API key.");
    }

    @Test
    void keyIsForItsModelsItsOriginsAndItsTime() {
        LocalDate today = LocalDate.now(ZoneOffset.UTC);
        String other = keys.add("other", null, Limits.NONE, List.of("gpt-9"), List.of(), null);
        String site = keys.add("site", null, Limits.NONE, List.of(TestServer.MODEL), List.of("http://a.example"), null);
        String old = keys.add("old", null, Limits.NONE, List.of(), List.of(), today.minusDays(1));
        String last = keys.add("last", null, Limits.NONE, List.of(), List.of(), today.plusDays(1));
        start();
        for (String path : new String[] {"/v1/completions", "/tokenize"}) {
            HttpResponse<String> reply = post(other, path, COMPLETION.replace(",\"ignore_eos\":true", ""));
            assertThat(reply.statusCode()).isEqualTo(403);
            assertThat(error(reply).code()).isEqualTo("model_not_found");
            assertThat(error(reply).message())
                    .isEqualTo("The API key of other does not have access to model \"fake\".");
        }
        assertThat(get(other, "/v1/models/fake").statusCode()).isEqualTo(403);
        assertUnauthorized(post(old, "/v1/completions", COMPLETION), "The API key of old expired; its last day was");
        assertThat(post(last, "/v1/completions", COMPLETION).statusCode()).isEqualTo(200);
        assertThat(post(site, "/v1/completions", COMPLETION).statusCode()).isEqualTo(200);
        HttpRequest.Builder page =
                HttpRequest.newBuilder(server.uri("/v1/models")).header("Authorization", "Bearer " + site);
        assertThat(server.send(page.copy().header("Origin", "http://a.example").build())
                        .statusCode())
                .isEqualTo(200);
        HttpResponse<String> reply =
                server.send(page.header("Origin", "http://b.example").build());
        assertThat(reply.statusCode()).isEqualTo(403);
        assertThat(error(reply).code()).isEqualTo("origin_not_allowed");
    }

    @Test
    void requestsAreCountedAndRefusedWithTheTimeToWait() {
        String key = keys.add("alice", new Limits(2, 0, 0));
        start();
        HttpResponse<String> first = post(key, "/v1/completions", COMPLETION);
        assertThat(header(first, "x-ratelimit-limit-requests")).isEqualTo("2");
        assertThat(header(first, "x-ratelimit-remaining-requests")).isEqualTo("1");
        assertThat(header(first, "x-ratelimit-reset-requests")).isEqualTo("30s");
        assertThat(first.headers().map()).doesNotContainKey("x-ratelimit-limit-tokens");
        HttpResponse<String> streamed = post(key, "/v1/completions", COMPLETION.replace("{", "{\"stream\":true,"));
        assertThat(streamed.statusCode()).isEqualTo(200);
        assertThat(header(streamed, "x-ratelimit-remaining-requests")).isEqualTo("0");
        for (String path : new String[] {"/v1/completions", "/tokenize"}) {
            HttpResponse<String> refused = post(key, path, "{\"prompt\":\"x\"}");
            assertThat(refused.statusCode()).isEqualTo(429);
            assertThat(error(refused).code()).isEqualTo("rate_limit_exceeded");
            assertThat(error(refused).type()).isEqualTo("requests");
            assertThat(header(refused, "retry-after")).isEqualTo("30");
            assertThat(header(refused, "x-ratelimit-remaining-requests")).isEqualTo("0");
            assertThat(header(refused, "x-ratelimit-reset-requests")).isEqualTo("1m0s");
        }
        keys.clockMillis.addAndGet(30_000);
        assertThat(post(key, "/v1/completions", COMPLETION).statusCode()).isEqualTo(200);
    }

    @Test
    void tokensAreSetAsideAndWhatTheAnswerDidNotUseIsGivenBack() {
        String key = keys.add("alice", new Limits(0, 60, 0));
        start();
        HttpResponse<String> reply =
                post(key, "/v1/completions", "{\"prompt\":\"xyz\",\"max_tokens\":5,\"ignore_eos\":true}");
        assertThat(header(reply, "x-ratelimit-remaining-tokens")).isEqualTo("52");
        server.model.hold();
        TestSocket socket = server.socket(options().addHeader("Authorization", "Bearer " + key));
        socket.create("lane", "x", SHORT.toBuilder().maxTokens(10).build());
        socket.until(received -> received.event() instanceof ServerEvent.ContentPartAdded);
        int prompt = "\u0000user\nx\u0000assistant\n".length();
        HttpResponse<String> refused = post(key, "/v1/completions", "{\"prompt\":\"x\",\"max_tokens\":50}");
        assertThat(refused.statusCode()).isEqualTo(429);
        assertThat(error(refused).type()).isEqualTo("tokens");
        assertThat(header(refused, "x-ratelimit-remaining-tokens")).isEqualTo("" + (52 - prompt - 10));
        socket.send("{\"type\":\"response.cancel\",\"stream_id\":\"lane\"}");
        server.model.release();
        socket.untilEnd();
        server.awaitIdle();
        HttpResponse<String> models = get(key, "/v1/models");
        assertThat(Integer.parseInt(header(models, "x-ratelimit-remaining-tokens")))
                .isBetween(52 - prompt - 10, 52 - prompt);
        assertThat(post(key, "/v1/completions", "{\"prompt\":\"x\",\"max_tokens\":100}")
                        .body())
                .contains("Request too large for alice");
    }

    @Test
    void webSocketIsOpenedWithAKeyAsASubprotocolAndEachResponseIsHeldToItsLimits() {
        String key = keys.add("alice", new Limits(0, 0, 1));
        start();
        assertThat(refusal(options())).isEqualTo(401);
        assertThat(refusal(options().addSubProtocol("realtime").addSubProtocol("openai-insecure-api-key.no")))
                .isEqualTo(401);
        TestSocket socket =
                server.socket(options().addSubProtocol("realtime").addSubProtocol("openai-insecure-api-key." + key));
        assertThat(socket.socket.subProtocol()).isEqualTo("realtime");
        server.model.hold();
        socket.create("a", "x", SHORT);
        socket.until(received -> received.event() instanceof ServerEvent.ContentPartAdded);
        socket.create("b", "x", SHORT);
        ServerEvent.Refused refused = socket.nextError();
        assertThat(refused.error().status()).isEqualTo(429);
        assertThat(refused.error().code()).isEqualTo("rate_limit_exceeded");
        assertThat(refused.retryAfterSeconds()).isEqualTo(1);
        server.model.release();
        socket.untilEnd();
        socket.create("b", "x", SHORT);
        assertThat(socket.untilEnd().getLast().event()).isInstanceOf(ServerEvent.Incomplete.class);
    }

    @Test
    void revokedKeyIsRefusedAndItsSocketsAreClosedWith1008WhileOthersStay() throws Exception {
        String alice = keys.add("alice");
        String bob = keys.add("bob");
        start();
        TestSocket ofAlice = server.socket(options().addHeader("Authorization", "Bearer " + alice));
        TestSocket ofBob = server.socket(options().addHeader("Authorization", "Bearer " + bob));
        ofAlice.create(null, "x", SHORT);
        ofAlice.untilEnd();
        keys.revoke("alice"); // which the server finds out by itself
        assertThat(ofAlice.closed.get(20, TimeUnit.SECONDS)).isEqualTo((short) 1008);
        assertUnauthorized(get(alice, "/v1/models"), "Incorrect API key provided");
        ofBob.create(null, "x", SHORT);
        assertThat(ofBob.untilEnd().getLast().event()).isInstanceOf(ServerEvent.Incomplete.class);
    }

    @Test
    void changedFileKeepsWhatWasUsedAndABrokenOneKeepsTheKeysAndSaysWhy() throws Exception {
        String alice = keys.add("alice", new Limits(2, 0, 0));
        start();
        post(alice, "/v1/completions", COMPLETION);
        String bob = keys.add("bob");
        ring.refresh();
        assertThat(get(bob, "/v1/models").statusCode()).isEqualTo(200);
        assertThat(header(get(alice, "/v1/models"), "x-ratelimit-remaining-requests"))
                .isEqualTo("1");
        try (Log log = new Log()) {
            Files.writeString(keys.file, "{\"keys\": " + alice);
            ring.refresh();
            Files.delete(keys.file);
            ring.refresh();
            assertThat(log.text())
                    .contains("keys.json is not JSON at line 1", "there is no key file", "still are")
                    .doesNotContain(alice);
        }
        assertThat(get(alice, "/v1/models").statusCode()).isEqualTo(200);
    }

    @Test
    void responseIsKnownToItsTenantOnly() {
        String alice = keys.add("alice", "acme", Limits.NONE, List.of(), List.of(), null);
        String bob = keys.add("bob", "acme", Limits.NONE, List.of(), List.of(), null);
        String carol = keys.add("carol");
        start();
        TestSocket socket = server.socket(options().addHeader("Authorization", "Bearer " + alice));
        socket.create(null, "x", SHORT);
        String id = ((ServerEvent.Created) socket.untilEnd().getFirst().event())
                .response()
                .id();
        String path = "/v1/responses/" + id + "?stream=true";
        assertThat(get(bob, path).statusCode()).isEqualTo(200);
        assertThat(get(carol, path).statusCode()).isEqualTo(404);
        TestSocket other = server.socket(options().addHeader("Authorization", "Bearer " + carol));
        for (String type : List.of("response.resume", "response.cancel")) {
            other.send("{\"type\":\"" + type + "\",\"response_id\":\"" + id + "\"}");
            assertThat(other.nextError().error().code()).isEqualTo("response_not_found");
        }
    }

    @Test
    void tokensAreCountedByTenantHoweverTheResponseEnds() {
        String alice = keys.add("alice", "acme", Limits.NONE, List.of(), List.of(), null);
        String bob = keys.add("bob", "acme", Limits.NONE, List.of(), List.of(), null);
        String carol = keys.add("carol");
        start();
        String body = "{\"prompt\":\"xyz\",\"max_tokens\":5,\"ignore_eos\":true}";
        post(alice, "/v1/completions", body);
        post(bob, "/v1/completions", body.replace("{", "{\"stream\":true,"));
        post(carol, "/v1/completions", body);
        post(carol, "/v1/completions", "{\"prompt\":\"xyz\",\"max_tokens\":9999}");
        server.model.hold();
        TestSocket socket = server.socket(options().addHeader("Authorization", "Bearer " + carol));
        socket.create(null, "x", SHORT);
        socket.until(received -> received.event() instanceof ServerEvent.ContentPartAdded);
        socket.send("{\"type\":\"response.cancel\"}");
        socket.untilEnd();
        TestServer.await(() -> "no turn", () -> server.services.admission().inFlight() == 0);
        server.model.release();
        int prompt = "\u0000user\nx\u0000assistant\n".length();
        assertThat(server.get("/metrics").body())
                .contains("weir_tokens_total{model_name=\"fake\",tenant=\"acme\"} 16.0")
                .contains("weir_tokens_total{model_name=\"fake\",tenant=\"carol\"} " + (8 + prompt) + ".0");
    }

    @ParameterizedTest
    @ValueSource(strings = {"Bearer %s", "bearer %s", "%s"})
    void keysReachNeitherTheLogNorTheMetrics(String authorization) {
        String alice = keys.add("alice", "acme", Limits.NONE, List.of(), List.of(), null);
        String wrong = Secret.next();
        start();
        try (Log log = new Log()) {
            for (String key : new String[] {alice, wrong}) {
                server.send(HttpRequest.newBuilder(server.uri("/v1/completions"))
                        .header("Authorization", authorization.formatted(key))
                        .POST(HttpRequest.BodyPublishers.ofString(COMPLETION))
                        .build());
                HttpRequest.Builder broken = HttpRequest.newBuilder(server.uri("/v1/completions"));
                server.model.failsNext = true;
                server.send(broken.header("Authorization", authorization.formatted(key))
                        .POST(HttpRequest.BodyPublishers.ofString(COMPLETION))
                        .build());
                server.model.failsNext = false;
                try {
                    server.socket(options().addSubProtocol("realtime").addSubProtocol("openai-insecure-api-key." + key))
                            .socket
                            .close();
                } catch (CompletionException _) {
                    assertThat(key).isEqualTo(wrong);
                }
            }
            String metrics = server.get("/metrics").body();
            assertThat(metrics).contains("weir_refused_requests_total{code=\"invalid_api_key\"");
            for (String key : new String[] {alice, wrong}) {
                assertThat(metrics).doesNotContain(key.substring(5));
                assertThat(log.text()).doesNotContain(key.substring(5));
            }
            assertThat(log.text()).as("that something was logged at all").isNotEmpty();
        }
    }

    private void start() {
        ring = keys.open();
        server = new TestServer(TestServer.Size.SMALL, ring);
    }

    private WebSocketConnectOptions options() {
        return new WebSocketConnectOptions()
                .setHost("127.0.0.1")
                .setPort(server.server.port())
                .setURI("/v1/responses");
    }

    /** The status with which the server refuses to open a WebSocket. */
    private int refusal(WebSocketConnectOptions options) {
        int[] status = new int[1];
        assertThatThrownBy(() -> server.socket(options))
                .hasCauseInstanceOf(UpgradeRejectedException.class)
                .satisfies(thrown -> status[0] = ((UpgradeRejectedException) thrown.getCause()).getStatus());
        return status[0];
    }

    private HttpResponse<String> post(String key, String path, String body) {
        return server.send(HttpRequest.newBuilder(server.uri(path))
                .header("Authorization", "Bearer " + key)
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build());
    }

    private HttpResponse<String> get(String key, String path) {
        return server.send(HttpRequest.newBuilder(server.uri(path))
                .header("Authorization", "Bearer " + key)
                .build());
    }

    private static void assertUnauthorized(HttpResponse<String> reply, String message) {
        assertThat(reply.statusCode()).isEqualTo(401);
        assertThat(header(reply, "www-authenticate")).isEqualTo("Bearer");
        assertThat(error(reply).type()).isEqualTo("invalid_request_error");
        assertThat(error(reply).code()).isEqualTo("invalid_api_key");
        assertThat(error(reply).message()).startsWith(message);
    }

    private static ApiError error(HttpResponse<String> reply) {
        return Objects.requireNonNull(Chunk.read(reply.body()).error());
    }

    private static String header(HttpResponse<String> reply, String name) {
        return reply.headers().firstValue(name).orElse("none");
    }

    /** Everything that is logged, down to the finest. */
    private static final class Log implements AutoCloseable {
        private final Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        private final Level before = root.getLevel();
        private final Appender<ILoggingEvent> console = root.getAppender("STDERR");
        private final ListAppender<ILoggingEvent> events = new ListAppender<>();

        Log() {
            events.start();
            root.addAppender(events);
            root.detachAppender(console);
            root.setLevel(Level.TRACE);
        }

        String text() {
            StringBuilder text = new StringBuilder();
            for (ILoggingEvent event : List.copyOf(events.list)) {
                text.append(event.getFormattedMessage()).append('\n');
            }
            return text.toString();
        }

        @Override
        public void close() {
            root.setLevel(before);
            root.detachAppender(events);
            root.addAppender(console);
        }
    }
}
