package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.protocol.Chunk;
import dev.weir.protocol.EventReader;
import dev.weir.protocol.ResponseObject;
import dev.weir.protocol.ResponseStatus;
import dev.weir.protocol.SamplingFields;
import dev.weir.protocol.ServerEvent;
import io.vertx.core.http.UpgradeRejectedException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A server that is told to stop. */
final class DrainTest {
    private static final SamplingFields GREEDY = SamplingFields.builder()
            .temperature(0)
            .maxTokens(60)
            .ignoreEos(true)
            .build();
    private static final String FIELDS = ",\"temperature\":0,\"ignore_eos\":true";
    private static final String MESSAGES = "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"max_tokens\":60";
    private static final Duration LONG = Duration.ofSeconds(60);

    private TestServer server;

    @TempDir
    private Path folder;

    @BeforeEach
    void start() {
        server = new TestServer(
                TestServer.Size.SMALL.withLimits(ServerLimits.DEFAULT.withStreamInterval(Duration.ZERO)),
                null,
                new JdbcStore(
                        new JdbcUrl("jdbc:h2:file:" + folder.resolve("responses")),
                        Duration.ofDays(1),
                        System::currentTimeMillis));
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @Test
    void nothingNewBeginsWhileWhatRunsEnds() {
        server.model.hold();
        TestSocket busy = server.socket();
        TestSocket idle = server.socket();
        busy.create("a", "Hello", GREEDY);
        String id = ((ServerEvent.Created) busy.next().event()).response().id();
        busy.until(received -> received.event() instanceof ServerEvent.ContentPartAdded);
        CompletableFuture<Void> drained = drain(LONG);

        assertThat(closeCode(idle)).isEqualTo((short) 1012);
        assertThat(server.get("/health/ready").statusCode()).isEqualTo(503);
        assertThat(server.get("/health/live").statusCode()).isEqualTo(200);
        assertThat(server.get("/health").statusCode()).isEqualTo(200);
        for (HttpResponse<String> refused : List.of(
                server.post("/v1/responses", "{\"input\":\"x\"}"),
                server.post("/v1/chat/completions", MESSAGES + "}"),
                server.post("/v1/completions", "{\"prompt\":\"x\"}"),
                server.get("/v1/models"))) {
            assertThat(refused.statusCode()).as(refused.body()).isEqualTo(503);
            assertThat(refused.headers().firstValue("Retry-After")).contains("5");
            assertThat(Objects.requireNonNull(Chunk.read(refused.body()).error())
                            .code())
                    .isEqualTo("stopping");
        }
        assertThatThrownBy(server::socket)
                .hasCauseInstanceOf(UpgradeRejectedException.class)
                .satisfies(thrown -> {
                    UpgradeRejectedException refused = (UpgradeRejectedException) thrown.getCause();
                    assertThat(refused.getStatus()).isEqualTo(503);
                    assertThat(refused.getHeaders().get("Retry-After")).isEqualTo("5");
                });
        busy.create("b", "late", GREEDY);
        ServerEvent.Refused refused = busy.nextError();
        assertThat(refused.error().code()).isEqualTo("stopping");
        assertThat(refused.error().status()).isEqualTo(503);
        assertThat(refused.retryAfterSeconds()).isEqualTo(5);
        busy.create("a", "later", GREEDY);
        assertThat(server.get("/v1/responses/" + id).statusCode()).isEqualTo(200);
        assertThat(drained).isNotDone();

        server.model.release();
        assertThat(busy.untilEnd().getLast().event()).isInstanceOfSatisfying(ServerEvent.Incomplete.class, end -> {
            assertThat(end.response().id()).isEqualTo(id);
            assertThat(end.response().status()).isEqualTo(ResponseStatus.INCOMPLETE); // for its length only
        });
        assertThat(busy.nextError().error().code())
                .as("what waited in its lane")
                .isEqualTo("stopping");
        assertThat(closeCode(busy)).isEqualTo((short) 1012);
        drained.orTimeout(20, TimeUnit.SECONDS).join();
    }

    @Test
    void whatDoesNotEndInTimeEndsAsItIsAndIsThereAfterTheRestart() throws Exception {
        server.model.hold();
        TestSocket socket = server.socket();
        List<String> sent = new ArrayList<>();
        socket.socket.textMessageHandler(sent::add);
        socket.create(null, "Hello", GREEDY);
        TestSocket gone = server.socket();
        gone.create(null, "Hello", GREEDY);
        String unread = ((ServerEvent.Created) gone.next().event()).response().id();
        gone.socket.close();
        CompletableFuture<HttpResponse<String>> chat = server.http()
                .sendAsync(
                        HttpRequest.newBuilder(server.uri("/v1/chat/completions"))
                                .POST(HttpRequest.BodyPublishers.ofString(MESSAGES + ",\"stream\":true" + FIELDS + "}"))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
        TestServer.await(() -> "three turns", () -> server.services.admission().inFlight() == 3);
        server.model.allow(8);
        TestServer.await(() -> "eight steps", () -> server.model.runs == 8);

        server.server.drain(Duration.ZERO);
        assertThat(closeCode(socket)).isEqualTo((short) 1001);
        assertThat(chat.orTimeout(20, TimeUnit.SECONDS).join().body())
                .contains("\"finish_reason\":\"stop\"")
                .endsWith("data: [DONE]\n\n");
        ServerEvent end = EventReader.read(sent.getLast()).event();
        ResponseObject cut = ((ServerEvent.Incomplete) end).response();
        assertThat(cut.status()).isEqualTo(ResponseStatus.CANCELLED);
        assertThat(cut.text()).isNotEmpty();

        server.close();
        start();
        assertThat(events(cut.id(), -1)).isEqualTo(sent);
        assertThat(events(cut.id(), 5)).isEqualTo(sent.subList(6, sent.size()));
        assertThat(EventReader.response(server.get("/v1/responses/" + cut.id()).body()))
                .isEqualTo(cut);
        assertThat(EventReader.response(server.get("/v1/responses/" + unread).body())
                        .status())
                .isEqualTo(ResponseStatus.CANCELLED);
        HttpResponse<String> next = server.post(
                "/v1/responses",
                "{\"input\":\"go on\",\"max_output_tokens\":9,\"previous_response_id\":\"" + cut.id() + "\"}");
        assertThat(next.statusCode()).as(next.body()).isEqualTo(200);
    }

    @Test
    void serverWithoutWorkIsDrainedAtOnceAndMayBeClosedTwice() throws Exception {
        TestSocket socket = server.socket();
        server.server.drain(LONG);
        assertThat(closeCode(socket)).isEqualTo((short) 1012);
        server.server.close();
    }

    private CompletableFuture<Void> drain(Duration patience) {
        CompletableFuture<Void> drained = new CompletableFuture<>();
        Thread.ofPlatform().start(() -> {
            try {
                server.server.drain(patience);
                drained.complete(null);
            } catch (InterruptedException | RuntimeException e) {
                drained.completeExceptionally(e);
            }
        });
        return drained;
    }

    private static short closeCode(TestSocket socket) {
        return socket.closed.orTimeout(20, TimeUnit.SECONDS).join();
    }

    private List<String> events(String id, int after) {
        HttpResponse<String> reply =
                server.get("/v1/responses/" + id + "?stream=true" + (after < 0 ? "" : "&starting_after=" + after));
        assertThat(reply.statusCode()).as(reply.body()).isEqualTo(200);
        return CutConnection.data(reply.body());
    }
}
