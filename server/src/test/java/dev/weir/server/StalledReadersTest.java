package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.engine.EngineStats;
import dev.weir.protocol.SamplingFields;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Two hundred clients that ask and do not read take a bounded number of bytes, and nothing from those who do. */
@Timeout(120)
class StalledReadersTest {
    private static final int STALLED = 200;
    private static final int TOKENS = 8000;
    /** Tokens of each answer that is read. */
    private static final int ANSWER = 300;

    /** Bytes of events that are kept of one response. */
    private static final int KEPT = 16 << 10;

    /** What the event of a token takes at most; a window of tokens may be on its way when the log is full. */
    private static final long TOKEN_BYTES = 1024;

    private static final ServerLimits LIMITS = ServerLimits.DEFAULT
            .withStreamInterval(Duration.ZERO)
            .withStallTimeout(Duration.ofMinutes(5))
            .withResume(new ResumeLimits(KEPT, Duration.ofSeconds(60), Duration.ZERO));

    private final TestServer server = new TestServer(TestServer.Size.SMALL
            .withSlots(STALLED + 8, 64)
            .withMaxTokens(TOKENS + 64)
            .withLimits(LIMITS));
    private final List<Socket> stalled = new ArrayList<>();

    @AfterEach
    void stop() throws IOException {
        for (Socket socket : stalled) {
            socket.close();
        }
        server.close();
    }

    private void stall() {
        try {
            Socket socket = new Socket();
            stalled.add(socket);
            socket.setReceiveBufferSize(4096);
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), server.server.port()));
            socket.getOutputStream().write(TestServer.HANDSHAKE.getBytes(StandardCharsets.US_ASCII));
            skipHandshake(socket.getInputStream());
            String create = "{\"type\": \"response.create\", \"model\": \"fake\", \"input\": \"x\", \"temperature\": 0,"
                    + " \"ignore_eos\": true, \"max_output_tokens\": " + TOKENS
                    + ", \"include\": [\"message.output_text.logprobs\"], \"top_logprobs\": 4}";
            socket.getOutputStream()
                    .write(RawWebSocket.frame(
                            RawWebSocket.FIN | RawWebSocket.TEXT, create.getBytes(StandardCharsets.UTF_8)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void skipHandshake(InputStream in) throws IOException {
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            head.append((char) in.read());
        }
    }

    private String answer(TestSocket socket) {
        socket.create(
                null,
                "Hello",
                SamplingFields.builder()
                        .temperature(0)
                        .maxTokens(ANSWER)
                        .ignoreEos(true)
                        .build());
        return TestSocket.text(socket.untilEnd());
    }

    private EngineStats stats() {
        return server.services.model().stats();
    }

    @Test
    void theyAreParkedWithinTheirBytesAndOthersGoOn() {
        TestSocket reader = server.socket();
        String expected = answer(reader);
        for (int i = 0; i < STALLED; i++) {
            stall();
        }
        for (int count : new int[] {STALLED / 4, STALLED / 2, STALLED}) { // each within its time, on a slow machine too
            TestServer.await(() -> count + " parked sequences: " + stats(), () -> stats().parked() >= count);
        }

        // The kernel's buffers still take a little for some time; then all that is computed is for the one who reads.
        TestServer.await(() -> "an answer that costs no more than its own tokens", () -> {
            long tokens = server.model.chosenTokens;
            assertThat(answer(reader)).isEqualTo(expected);
            return server.model.chosenTokens - tokens == ANSWER;
        });
        assertThat(stats().parked()).isEqualTo(STALLED);
        assertThat(server.services.responses().bufferedBytes())
                .isBetween(STALLED * 1000L, STALLED * (KEPT + TokenStream.WINDOW * TOKEN_BYTES));
        assertThat(server.get("/health/ready").statusCode()).isEqualTo(200);
    }
}
