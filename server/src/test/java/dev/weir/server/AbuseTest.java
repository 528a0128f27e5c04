package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.engine.PrefixPool;
import dev.weir.protocol.Chunk;
import dev.weir.protocol.EventReader.Received;
import dev.weir.protocol.SamplingFields;
import dev.weir.protocol.ServerEvent;
import io.vertx.core.buffer.Buffer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A thousand bad inputs of more than twenty kinds while eight streams run, which must not notice. */
final class AbuseTest {
    private static final int INPUTS = 1000;
    private static final int BATCH = 10;
    private static final int STREAMS = 8;
    private static final int TOKENS = 1200;
    private static final int STEPS_PER_BATCH = 10;
    private static final int MESSAGE_BYTES = 32 * 1024;

    private final long seed = Long.getLong("tests.seed", System.nanoTime());
    private final Queue<Socket> halfOpen = new ConcurrentLinkedQueue<>();
    private final ExecutorService attackers = Executors.newFixedThreadPool(4);
    private TestServer server;

    /** The sockets that carry streams; some abuse goes over the same ones. */
    private List<TestSocket> sockets;

    @BeforeEach
    void start() {
        server = new TestServer(new TestServer.Size(
                STREAMS + 2,
                6,
                4096,
                0,
                new ServerLimits(
                        MESSAGE_BYTES,
                        16,
                        32,
                        Duration.ofSeconds(30),
                        Duration.ofSeconds(75),
                        Duration.ofSeconds(60),
                        Duration.ofMillis(20),
                        Duration.ofSeconds(20),
                        new ResumeLimits(1 << 20, Duration.ofSeconds(5), Duration.ZERO)),
                PrefixPool.NONE));
    }

    @AfterEach
    void stop() throws IOException {
        attackers.shutdownNow();
        for (Socket socket : halfOpen) {
            socket.close();
        }
        server.close();
    }

    @Test
    void streamsAreTheSameAsUndisturbed() {
        System.out.println("AbuseTest runs with -Dtests.seed=" + seed);
        beginStreams();
        Map<String, String> undisturbed = endStreams(0);
        assertThat(undisturbed).hasSize(STREAMS);
        assertThat(undisturbed.values()).allSatisfy(text -> assertThat(text).hasSizeGreaterThan(TOKENS / 2));

        server.model.hold();
        beginStreams();
        TestServer.await(
                () -> "eight streams", () -> server.services.admission().inFlight() == STREAMS);
        int errorsOnStreamSockets = abuse(new Random(seed));
        assertThat(server.services.model().stats().running()).isGreaterThanOrEqualTo(STREAMS);
        server.model.release();
        assertThat(endStreams(errorsOnStreamSockets)).isEqualTo(undisturbed);

        for (Socket socket : halfOpen) {
            closeQuietly(socket);
        }
        server.awaitIdle();
        assertThat(server.get("/health").statusCode()).isEqualTo(200);
        TestServer.await(
                () -> "no sockets but the streams'",
                () -> server.get("/metrics").body().contains("weir_websockets{model_name=\"fake\"} 4.0"));
    }

    private void beginStreams() {
        if (sockets == null) {
            sockets = List.of(server.socket(), server.socket(), server.socket(), server.socket());
        }
        for (int i = 0; i < STREAMS; i++) {
            sockets.get(i % sockets.size())
                    .create(
                            "lane" + i,
                            "stream number " + i,
                            SamplingFields.builder()
                                    .temperature(1)
                                    .seed(i)
                                    .maxTokens(TOKENS)
                                    .ignoreEos(true)
                                    .build());
        }
    }

    /** The text of each stream by its lane; fails unless the sockets carry just the expected number of errors. */
    private Map<String, String> endStreams(int expectedErrors) {
        Map<String, String> texts = new HashMap<>();
        int errors = 0;
        for (TestSocket socket : sockets) {
            Map<String, List<Received>> lanes = new HashMap<>();
            int ended = 0;
            while (ended < STREAMS / sockets.size()) {
                Received received = socket.next();
                if (received.event() instanceof ServerEvent.Refused) {
                    errors++;
                } else {
                    lanes.computeIfAbsent(String.valueOf(received.streamId()), _ -> new ArrayList<>())
                            .add(received);
                    ended += TestSocket.isEnd(received) ? 1 : 0;
                }
            }
            lanes.forEach((lane, events) -> {
                assertThat(events.getLast().event()).isInstanceOf(ServerEvent.Incomplete.class);
                assertThat(events.getLast().sequenceNumber()).isEqualTo(events.size() - 1);
                texts.put(lane, TestSocket.text(events));
            });
        }
        assertThat(errors).isEqualTo(expectedErrors);
        return texts;
    }

    /** Sends all bad inputs, a batch at a time with some steps of the model between; errors due on the streams' sockets. */
    private int abuse(Random random) {
        int kinds = Kind.values().length;
        int errorsOnStreamSockets = 0;
        for (int sent = 0; sent < INPUTS; sent += BATCH) {
            List<CompletableFuture<Void>> batch = new ArrayList<>();
            for (int i = 0; i < BATCH; i++) {
                Kind kind = Kind.values()[sent + i < kinds ? sent + i : random.nextInt(kinds)];
                TestSocket socket = sockets.get(random.nextInt(sockets.size()));
                errorsOnStreamSockets += kind.isOnStreamSocket ? 1 : 0;
                batch.add(CompletableFuture.runAsync(() -> commit(kind, socket), attackers));
            }
            CompletableFuture.allOf(batch.toArray(CompletableFuture[]::new))
                    .orTimeout(60, TimeUnit.SECONDS)
                    .join();
            server.model.allow(STEPS_PER_BATCH);
        }
        return errorsOnStreamSockets;
    }

    private enum Kind {
        MALFORMED_JSON(false),
        EMPTY_BODY(false),
        DEEP_JSON(false),
        WRONG_TYPE(false),
        UNKNOWN_MODEL(false),
        EMPTY_PROMPT(false),
        LONG_PROMPT(false),
        TOKEN_OUT_OF_VOCABULARY(false),
        TEMPERATURE_OUT_OF_RANGE(false),
        TOO_MANY_STOPS(false),
        UNSUPPORTED_FIELD(false),
        TOO_MANY_ANSWERS(false),
        UNKNOWN_PATH(false),
        WRONG_METHOD(false),
        LARGE_BODY(false),
        NOT_HTTP(false),
        HALF_A_HEADER(false),
        HALF_A_BODY(false),
        HALF_A_FRAME(false),
        BROKEN_FRAME(false),
        OVERSIZED_FRAME(false),
        FULL_QUEUE(false),
        UNKNOWN_EVENT(true),
        EVENT_NOT_JSON(true),
        EVENT_OUT_OF_RANGE(true),
        EVENT_BAD_LANE(true),
        CANCEL_OF_NOTHING(true),
        BINARY_FRAME(true);

        private final boolean isOnStreamSocket;

        Kind(boolean isOnStreamSocket) {
            this.isOnStreamSocket = isOnStreamSocket;
        }
    }

    private void commit(Kind kind, TestSocket socket) {
        switch (kind) {
            case MALFORMED_JSON -> refused(400, "/v1/completions", "{\"prompt\":\"x\",,}");
            case EMPTY_BODY -> refused(400, "/v1/chat/completions", "");
            case DEEP_JSON -> refused(400, "/v1/responses", "[".repeat(20_000));
            case WRONG_TYPE -> refused(400, "/v1/completions", "{\"prompt\":{\"a\":1}}");
            case UNKNOWN_MODEL ->
                refused(404, "/v1/responses", "{\"input\":\"x\",\"model\":\"gpt-9\",\"stream\":true}");
            case EMPTY_PROMPT -> refused(400, "/v1/completions", "{\"prompt\":\"\"}");
            case LONG_PROMPT -> refused(400, "/v1/completions", "{\"prompt\":\"" + "y ".repeat(10_000) + "\"}");
            case TOKEN_OUT_OF_VOCABULARY -> refused(400, "/v1/completions", "{\"prompt\":[1,2,100000]}");
            case TEMPERATURE_OUT_OF_RANGE -> refused(400, "/v1/completions", "{\"prompt\":\"x\",\"temperature\":-1}");
            case TOO_MANY_STOPS ->
                refused(400, "/v1/completions", "{\"prompt\":\"x\",\"stop\":[\"1\",\"2\",\"3\",\"4\",\"5\"]}");
            case UNSUPPORTED_FIELD ->
                refused(
                        400,
                        "/v1/chat/completions",
                        "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"tools\":[{}]}");
            case TOO_MANY_ANSWERS -> refused(400, "/v1/completions", "{\"prompt\":[\"x\",\"y\"],\"n\":100}");
            case UNKNOWN_PATH -> refused(404, "/v2/completions", "{}");
            case WRONG_METHOD -> refused(405, "/v1/models", "{}");
            case LARGE_BODY -> refused(413, "/v1/completions", "\"" + "z".repeat(MESSAGE_BYTES) + "\"");
            case NOT_HTTP -> raw("\u0016\u0003\u0001\u0002 not http at all\r\n\r\n");
            case HALF_A_HEADER -> raw("POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-");
            case HALF_A_BODY ->
                raw("POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{\"prompt\":\"");
            case HALF_A_FRAME -> rawFrame("\u0081\u00fe@\u0000half of a masked frame");
            case BROKEN_FRAME -> rawFrame("\u00f3\u0005reserved bits");
            case OVERSIZED_FRAME -> oversized();
            case FULL_QUEUE -> fillQueue();
            case UNKNOWN_EVENT -> socket.send("{\"type\":\"response.sing\"}");
            case EVENT_NOT_JSON -> socket.send("response.create please");
            case EVENT_OUT_OF_RANGE ->
                socket.send("{\"type\":\"response.create\",\"input\":\"x\",\"max_output_tokens\":0}");
            case EVENT_BAD_LANE -> socket.send("{\"type\":\"response.create\",\"input\":\"x\",\"stream_id\":\"a/b\"}");
            case CANCEL_OF_NOTHING -> socket.send("{\"type\":\"response.cancel\",\"response_id\":\"resp_none\"}");
            case BINARY_FRAME -> socket.socket.writeBinaryMessage(Buffer.buffer("binary"));
        }
    }

    private void refused(int status, String path, String body) {
        HttpResponse<String> reply = server.send(HttpRequest.newBuilder(server.uri(path))
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build());
        assertThat(reply.statusCode()).as("%s %s", path, reply.body()).isEqualTo(status);
        assertThat(Chunk.read(reply.body()).error()).isNotNull();
    }

    /** Sends the beginning of something and keeps the connection open. */
    private Socket raw(String bytes) {
        try {
            Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.server.port());
            halfOpen.add(socket);
            socket.getOutputStream().write(bytes.getBytes(StandardCharsets.ISO_8859_1));
            return socket;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void rawFrame(String frame) {
        raw(TestServer.HANDSHAKE + frame);
    }

    private void oversized() {
        TestSocket socket = server.socket();
        socket.send("x".repeat(MESSAGE_BYTES + 1));
        assertThat(socket.closed.orTimeout(20, TimeUnit.SECONDS).join()).isEqualTo((short) 1009);
    }

    /** Asks for more than there is room for: two slots and six places in the queue are free. */
    private void fillQueue() {
        TestSocket socket = server.socket();
        for (int i = 0; i < 12; i++) {
            socket.create("greedy" + i, "give", SamplingFields.NONE);
        }
        ServerEvent.Refused refused =
                (ServerEvent.Refused) socket.until(received -> received.event() instanceof ServerEvent.Refused)
                        .getLast()
                        .event();
        assertThat(refused.error().code()).isEqualTo("overloaded");
        socket.socket.close();
        socket.closed.orTimeout(20, TimeUnit.SECONDS).join();
    }

    private static void closeQuietly(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
