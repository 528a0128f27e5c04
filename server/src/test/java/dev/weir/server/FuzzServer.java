package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.engine.PrefixPool;
import dev.weir.protocol.SamplingFields;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.regex.Pattern;

/**
 * A small server for inputs of all kinds, and what must hold of it between them: a client that asks properly is answered, and
 * nothing of those before is left. Closing it fails if an event loop was ever blocked.
 */
final class FuzzServer implements AutoCloseable {
    static final int MESSAGE_BYTES = 16 * 1024;

    private static final ServerLimits LIMITS = new ServerLimits(
            MESSAGE_BYTES,
            16,
            32,
            Duration.ofSeconds(30),
            Duration.ofSeconds(75),
            Duration.ofSeconds(20),
            Duration.ZERO,
            Duration.ofSeconds(20),
            new ResumeLimits(64 * 1024, Duration.ofMillis(20), Duration.ZERO));

    /** Those that the JDK's client keeps open. */
    private static final Pattern OWN_CONNECTIONS =
            Pattern.compile("weir_http_connections\\{model_name=\"fake\"} [1-4]\\.0");

    private final TestServer server = new TestServer(new TestServer.Size(4, 8, 128, 0, LIMITS, PrefixPool.NONE));
    private final FuzzWatch watch = new FuzzWatch();

    FrameProbe frameProbe() {
        return new FrameProbe(server.server.port());
    }

    HttpProbe httpProbe() {
        return new HttpProbe(server.server.port());
    }

    /** Sees that all is well and nobody is left. No probe may be open. */
    void check() {
        watch.check();
        HttpResponse<String> reply = server.post("/v1/completions", "{\"prompt\":\"x\",\"max_tokens\":3}");
        assertThat(reply.statusCode()).as(reply.body()).isEqualTo(200);
        TestSocket socket = server.socket();
        socket.create(null, "x", SamplingFields.builder().maxTokens(3).build());
        socket.untilEnd();
        socket.socket.close();
        socket.closed.join();
        server.awaitIdle();
        TestServer.await(
                () -> "no responses, but " + server.services.responses().unsettled() + " are to end and "
                        + server.services.responses().bufferedBytes() + " bytes are kept of some",
                () -> server.services.responses().unsettled() == 0
                        && server.services.responses().bufferedBytes() == 0);
        TestServer.await(
                () -> "no connections but the test's own: "
                        + server.get("/metrics").body(),
                () -> OWN_CONNECTIONS.matcher(server.get("/metrics").body()).find());
        TestServer.await(
                () -> "no sockets",
                () -> server.get("/metrics").body().contains("weir_websockets{model_name=\"fake\"} 0.0"));
        assertThat(server.get("/health").statusCode()).isEqualTo(200);
        watch.check();
    }

    /** Sees that it holds no more than at the first call. */
    void compare() {
        watch.compare();
    }

    /** For a line of output. */
    String memory() {
        return watch.memory();
    }

    @Override
    public void close() {
        try {
            server.close();
        } finally {
            watch.close();
        }
    }
}
