package dev.weir.loadtest;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.WebSocketFrame;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class ResponsesSocketClientTest {

    private final Vertx vertx = Vertx.vertx();
    private final Context context = vertx.getOrCreateContext();

    /** What the client says of one request. */
    private static final class Told implements AnswerListener {
        final AtomicInteger deltas = new AtomicInteger();
        final CompletableFuture<@Nullable Void> firstDelta = new CompletableFuture<>();
        final CompletableFuture<Long> connectNanos = new CompletableFuture<>();
        final CompletableFuture<Outcome> outcome = new CompletableFuture<>();
        final CompletableFuture<Outcome.Failed> violation = new CompletableFuture<>();

        @Override
        public void sent(long nowNanos, long connect) {
            connectNanos.complete(connect);
        }

        @Override
        public void delta(long nowNanos) {
            deltas.incrementAndGet();
            firstDelta.complete(null);
        }

        @Override
        public void usage(int inputTokens, int outputTokens) {}

        @Override
        public void ended(long nowNanos, Outcome ending) {
            outcome.complete(ending);
        }

        @Override
        public void strayed(long nowNanos, Outcome.Failed stray) {
            violation.complete(stray);
        }
    }

    private GenerationClient client(FakeServer server) {
        Target target =
                new Target(Target.parseBase(server.url()), Transport.WS, Api.RESPONSES, null, Duration.ofSeconds(5));
        return new ResponsesSocketClient(vertx.createWebSocketClient(), target, new EventLoopClock(context));
    }

    private Told generate(GenerationClient client) {
        Told told = new Told();
        context.runOnContext(_ -> client.generate("{}", told));
        return told;
    }

    @AfterEach
    void closeVertx() {
        vertx.close().await();
    }

    @Test
    void anEventOnAnIdleSocketIsAViolation() {
        List<String> events = new ArrayList<>(Answers.response("a"));
        events.add("{\"type\":\"response.output_text.delta\",\"delta\":\"b\",\"sequence_number\":9}");
        try (FakeServer server = new FakeServer(FakeServer.events(events))) {
            GenerationClient client = client(server);
            Told told = generate(client);

            assertThat(told.outcome.join()).isEqualTo(new Outcome.Done("completed"));
            assertThat(told.violation.join().kind()).isEqualTo(ErrorKind.PROTOCOL_VIOLATION);
            assertThat(told.violation.join().message()).contains("after the end of the answer");
            assertThat(generate(client).connectNanos.join())
                    .as("the socket cannot be trusted any more, so the next request opens another")
                    .isPositive();
        }
    }

    @Test
    void anEventMayComeInSeveralFrames() {
        try (FakeServer server = new FakeServer(FakeServer.events(List.of()))) {
            server.socketScript = (socket, _) -> {
                for (String event : Answers.response("größer ", "x".repeat(10_000), "\n")) {
                    byte[] bytes = event.getBytes(StandardCharsets.UTF_8);
                    int inside = bytes.length / 2;
                    for (int i = 10; i < bytes.length; i++) {
                        if (bytes[i] < 0) {
                            inside = i; // the last byte of a character of two
                        }
                    }
                    Buffer whole = Buffer.buffer(bytes);
                    var _ = socket.writeFrame(WebSocketFrame.textFrame(whole.getString(0, 10), false));
                    var _ = socket.writePing(Buffer.buffer("still there?"));
                    var _ = socket.writeFrame(WebSocketFrame.continuationFrame(whole.getBuffer(10, inside), false));
                    var _ = socket.writeFrame(
                            WebSocketFrame.continuationFrame(whole.getBuffer(inside, bytes.length), true));
                }
                return true;
            };
            Told told = generate(client(server));

            assertThat(told.outcome.join()).isEqualTo(new Outcome.Done("completed"));
            assertThat(told.deltas).hasValue(3);
        }
    }

    @Test
    void abortingForgetsTheAnswer() {
        FakeServer.Behaviour onlySecond = (_, stream, number) -> {
            List<String> events = Answers.response("a", "b");
            events.subList(0, number == 0 ? 5 : events.size()).forEach(stream::send);
        };
        try (FakeServer server = new FakeServer(onlySecond)) {
            GenerationClient client = client(server);
            Told first = generate(client);
            first.firstDelta.join();
            context.runOnContext(_ -> client.abort());
            Told second = generate(client);

            assertThat(second.outcome.join()).isEqualTo(new Outcome.Done("completed"));
            assertThat(second.connectNanos.join()).isPositive();
            assertThat(first.outcome).isNotDone();
            assertThat(server.sockets).hasValue(2);
        }
    }
}
