package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.protocol.EventReader;
import dev.weir.protocol.EventReader.Received;
import dev.weir.protocol.ResponseObject;
import dev.weir.protocol.ResponseStatus;
import dev.weir.protocol.SamplingFields;
import dev.weir.protocol.ServerEvent;
import dev.weir.protocol.Usage;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.WebSocketConnectOptions;
import io.vertx.core.http.WebSocketFrame;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class WebSocketTest {
    private static final SamplingFields GREEDY = SamplingFields.builder()
            .temperature(0)
            .maxTokens(40)
            .ignoreEos(true)
            .build();

    private TestServer server;

    @BeforeEach
    void start() {
        server = TestServer.small();
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @Test
    void eventsComeInTheOrderOfTheApiAndAreNumbered() {
        TestSocket socket = server.socket();
        socket.create("lane-a", "Hello", GREEDY);
        List<Received> events = socket.untilEnd();
        assertThat(events).extracting(Received::streamId).containsOnly("lane-a");
        assertThat(events)
                .extracting(Received::sequenceNumber)
                .containsExactlyElementsOf(
                        IntStream.range(0, events.size()).boxed().toList());
        List<String> types =
                events.stream().map(received -> received.event().type()).toList();
        assertThat(types.subList(0, 4))
                .containsExactly(
                        "response.created",
                        "response.in_progress",
                        "response.output_item.added",
                        "response.content_part.added");
        assertThat(types.subList(4, types.size() - 4)).containsOnly("response.output_text.delta");
        assertThat(types.subList(types.size() - 4, types.size()))
                .containsExactly(
                        "response.output_text.done",
                        "response.content_part.done",
                        "response.output_item.done",
                        "response.incomplete");
        String text = TestSocket.text(events);
        ResponseObject response = ((ServerEvent.Incomplete) events.getLast().event()).response();
        assertThat(response.text()).isEqualTo(text);
        assertThat(response.incompleteReason()).isEqualTo("max_output_tokens");
        assertThat(response.settings().temperature()).isZero();
        assertThat(response.settings().topP()).isEqualTo(0.9);
        Usage usage = Objects.requireNonNull(response.usage());
        assertThat(usage.completionTokens()).isEqualTo(40);
        assertThat(usage.promptTokens()).isEqualTo("\u0000user\nHello\u0000assistant\n".length());
    }

    @Test
    void textIsTheSameAloneAndBesideOthersAndOverHttp() {
        TestSocket socket = server.socket();
        List<String> alone = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            socket.create(null, "question " + i, GREEDY);
            alone.add(TestSocket.text(socket.untilEnd()));
        }
        for (int i = 0; i < 8; i++) {
            socket.create("lane" + i, "question " + i, GREEDY);
        }
        List<Received> events = new ArrayList<>();
        for (int ended = 0; ended < 8; ended++) {
            events.addAll(socket.untilEnd());
        }
        for (int i = 0; i < 8; i++) {
            String lane = "lane" + i;
            List<Received> own = events.stream()
                    .filter(received -> lane.equals(received.streamId()))
                    .toList();
            assertThat(TestSocket.text(own)).isEqualTo(alone.get(i));
            assertThat(own.getLast().sequenceNumber()).isEqualTo(own.size() - 1);
        }
        String body = server.post(
                        "/v1/responses",
                        "{\"input\":\"question 0\",\"temperature\":0,\"max_output_tokens\":40,\"ignore_eos\":true}")
                .body();
        assertThat(EventReader.response(body).text()).isEqualTo(alone.getFirst());
    }

    @Test
    void tokensGatherBetweenTwoDeltasButTheFirstAndTheLastAreSentAtOnce() {
        TestSocket socket = server.socket();
        socket.create(null, "Hello", GREEDY);
        String text = TestSocket.text(socket.untilEnd());
        server.close();
        server = new TestServer(
                TestServer.Size.SMALL.withLimits(ServerLimits.DEFAULT.withStreamInterval(Duration.ofHours(1))));
        socket = server.socket();
        socket.create(null, "Hello", GREEDY);
        List<Received> events = socket.untilEnd(); // which nobody would wait for if the last tokens rested for an hour
        assertThat(TestSocket.text(events)).isEqualTo(text);
        assertThat(events)
                .filteredOn(received -> received.event() instanceof ServerEvent.OutputTextDelta)
                .as("the first, one at half the window of 64 tokens, the last")
                .hasSizeBetween(1, 3);
    }

    @Test
    void responsesOfOneLaneRunOneAfterTheOtherAndLanesSideBySide() {
        server.model.hold();
        TestSocket socket = server.socket();
        socket.create("a", "first", GREEDY);
        socket.create("a", "second", GREEDY);
        socket.create("b", "third", GREEDY);
        List<Received> begun = socket.until(received -> "b".equals(received.streamId()));
        assertThat(begun.subList(0, 4)).extracting(Received::streamId).containsOnly("a");
        assertThat(begun).hasSize(5).last().extracting(Received::event).isInstanceOf(ServerEvent.Created.class);
        assertThat(server.services.admission().inFlight()).isEqualTo(2);
        server.model.release();
        List<String> firstLane = new ArrayList<>();
        for (int ended = 0; ended < 3; ended++) {
            socket.untilEnd().stream()
                    .filter(received -> "a".equals(received.streamId()))
                    .filter(received -> received.event() instanceof ServerEvent.Created || TestSocket.isEnd(received))
                    .forEach(received -> firstLane.add(received.event().type()));
        }
        assertThat(firstLane).containsExactly("response.incomplete", "response.created", "response.incomplete");
    }

    @Test
    void cancelledResponseEndsWithWhatWasWrittenAndFreesItsSlotWithinOneStep() {
        TestSocket socket = server.socket();
        server.model.hold();
        server.model.allow(6);
        socket.create("a", "cancel me", GREEDY.toBuilder().maxTokens(400).build());
        socket.until(received -> received.event() instanceof ServerEvent.OutputTextDelta);
        TestServer.await(() -> "six steps", () -> server.model.runs == 6);
        socket.send("{\"type\":\"response.cancel\",\"stream_id\":\"a\"}");
        List<Received> rest = socket.untilEnd();
        ServerEvent.Incomplete end = (ServerEvent.Incomplete) rest.getLast().event();
        assertThat(end.response().status()).isEqualTo(ResponseStatus.CANCELLED);
        assertThat(end.response().incompleteReason()).isNull();
        int tokens = Objects.requireNonNull(end.response().usage()).completionTokens();
        assertThat(tokens).isBetween(1, 6);
        server.model.allow(1); // the step that was already planned
        server.awaitIdle();
        assertThat(server.model.runs).isEqualTo(7);
    }

    @Test
    void responseIsCancelledByItsIdAndOthersGoOn() {
        TestSocket socket = server.socket();
        server.model.hold();
        socket.create("a", "one", GREEDY);
        socket.create("b", "two", GREEDY);
        List<Received> created = socket.until(received ->
                "b".equals(received.streamId()) && received.event() instanceof ServerEvent.ContentPartAdded);
        String id = created.stream()
                .filter(received -> "a".equals(received.streamId()))
                .map(Received::event)
                .filter(ServerEvent.Created.class::isInstance)
                .map(event -> ((ServerEvent.Created) event).response().id())
                .findFirst()
                .orElseThrow();
        socket.send("{\"type\":\"response.cancel\",\"response_id\":\"" + id + "\"}");
        assertThat(socket.untilEnd().getLast().streamId()).isEqualTo("a");
        server.model.release();
        Received end = socket.untilEnd().getLast();
        assertThat(end.streamId()).isEqualTo("b");
        assertThat(((ServerEvent.Incomplete) end.event()).response().status()).isEqualTo(ResponseStatus.INCOMPLETE);
        socket.send("{\"type\":\"response.cancel\",\"response_id\":\"" + id + "\",\"event_id\":\"e7\"}");
        ServerEvent.Refused error = socket.nextError();
        assertThat(error.error().code()).isEqualTo("response_not_found");
        assertThat(error.eventId()).isEqualTo("e7");
    }

    @Test
    void closedSocketCancelsItsGenerationsWithinOneStepWhereThereIsNoGrace() {
        server.close();
        server = new TestServer(TestServer.Size.SMALL.withLimits(
                ServerLimits.DEFAULT.withResume(new ResumeLimits(1 << 20, Duration.ofSeconds(5), Duration.ZERO))));
        server.model.hold();
        TestSocket socket = server.socket();
        for (int i = 0; i < 6; i++) {
            socket.create("lane" + i, "x", GREEDY.toBuilder().maxTokens(400).build());
            socket.create("lane" + i, "y", GREEDY.toBuilder().maxTokens(400).build());
        }
        TestServer.await(
                () -> "four running, two waiting",
                () -> server.services.admission().inFlight() == 6);
        server.model.allow(3);
        TestServer.await(() -> "three steps", () -> server.model.runs == 3);
        socket.socket.close();
        TestServer.await(() -> "no turns", () -> server.services.admission().inFlight() == 0);
        server.model.allow(1);
        server.awaitIdle();
        assertThat(server.model.runs).isEqualTo(4);
    }

    @Test
    void badEventsAreAnsweredByNameAndDisturbNothing() {
        TestSocket socket = server.socket();
        server.model.hold();
        socket.create("good", "go on", GREEDY);
        socket.until(received -> received.event() instanceof ServerEvent.ContentPartAdded);
        assertRefused(socket, "{\"type\":\"response.create\",", "invalid_json", null);
        assertRefused(
                socket,
                "{\"type\":\"response.pause\",\"stream_id\":\"s\",\"event_id\":\"e\"}",
                "invalid_value",
                "type");
        assertRefused(socket, "{\"type\":\"response.create\"}", "missing_required_parameter", "input");
        assertRefused(
                socket, "{\"type\":\"response.create\",\"input\":\"x\",\"model\":\"gpt\"}", "model_not_found", "model");
        assertRefused(
                socket,
                "{\"type\":\"response.create\",\"input\":\"x\",\"temperature\":3}",
                "decimal_above_max_value",
                "temperature");
        assertRefused(
                socket,
                "{\"type\":\"response.create\",\"input\":\"" + "x".repeat(600) + "\"}",
                "context_length_exceeded",
                "input");
        socket.socket.writeBinaryMessage(Buffer.buffer(new byte[] {1, 2, 3}));
        assertThat(socket.nextError().error().code()).isEqualTo("invalid_frame");
        server.model.release();
        assertThat(TestSocket.text(socket.untilEnd())).isEqualTo(expected("go on"));
    }

    @Test
    void laneAndEventIdComeBackInAnError() {
        TestSocket socket = server.socket();
        socket.send("{\"type\":\"response.create\",\"stream_id\":\"s.1\",\"event_id\":\"e-1\",\"input\":7}");
        Received received = socket.next();
        assertThat(received.streamId()).isEqualTo("s.1");
        assertThat(((ServerEvent.Refused) received.event()).eventId()).isEqualTo("e-1");
    }

    @Test
    void oversizedMessageClosesTheSocketWith1009() {
        for (boolean inOneFrame : new boolean[] {true, false}) {
            TestSocket socket = server.socket();
            String large = "x".repeat((1 << 20) + 1);
            if (inOneFrame) {
                socket.send(large);
            } else {
                socket.socket.writeFrame(WebSocketFrame.textFrame("x".repeat(1 << 20), false));
                socket.socket.writeFrame(WebSocketFrame.continuationFrame(Buffer.buffer("y"), true));
            }
            assertThat(socket.nextError().error().code()).isEqualTo("message_too_large");
            assertThat(socket.closed.orTimeout(10, TimeUnit.SECONDS).join()).isEqualTo((short) 1009);
        }
    }

    @Test
    void seventeenthResponseOfASocketIsRefusedAndTheSixteenGoOn() {
        server.close();
        server = new TestServer(TestServer.Size.SMALL.withSlots(4, 32));
        server.model.hold();
        TestSocket socket = server.socket();
        for (int i = 0; i < 17; i++) {
            socket.create("lane" + i, "x" + i, GREEDY);
        }
        Received refused = socket.until(received -> received.event() instanceof ServerEvent.Refused)
                .getLast();
        assertThat(refused.streamId()).isEqualTo("lane16");
        assertThat(((ServerEvent.Refused) refused.event()).error().message()).contains("16 responses");
        assertThat(((ServerEvent.Refused) refused.event()).error().code())
                .isEqualTo("websocket_in_flight_limit_reached");
        server.model.release();
        for (int ended = 0; ended < 16; ended++) {
            assertThat(socket.untilEnd().getLast().event()).isInstanceOf(ServerEvent.Incomplete.class);
        }
    }

    @Test
    void thirtyThirdNamedLaneIsRefusedAndTheOthersGoOn() {
        TestSocket socket = server.socket();
        server.model.hold();
        socket.create("lane0", "go on", GREEDY);
        socket.until(received -> received.event() instanceof ServerEvent.ContentPartAdded);
        for (int i = 1; i < 32; i++) {
            assertRefused(
                    socket,
                    "{\"type\":\"response.resume\",\"response_id\":\"resp_none\",\"stream_id\":\"lane" + i + "\"}",
                    "response_not_found",
                    "response_id");
        }
        socket.create("lane32", "too many", GREEDY);
        ServerEvent.Refused refused = socket.nextError();
        assertThat(refused.error().code()).isEqualTo("websocket_stream_limit_reached");
        assertThat(refused.error().param()).isEqualTo("stream_id");
        assertThat(refused.error().message()).contains("lane32", "32 others");
        server.model.release();
        assertThat(TestSocket.text(socket.untilEnd())).isEqualTo(expected("go on"));
        socket.create("lane31", "go on", GREEDY);
        assertThat(TestSocket.text(socket.untilEnd())).isEqualTo(expected("go on"));
    }

    @Test
    void responseIsNotSteeredAndGoesOn() {
        TestSocket socket = server.socket();
        server.model.hold();
        socket.create("a", "go on", GREEDY);
        socket.until(received -> received.event() instanceof ServerEvent.ContentPartAdded);
        socket.send(
                "{\"type\":\"response.steer\",\"previous_response_id\":\"resp_1\",\"input\":\"left\",\"stream_id\":\"a\"}");
        Received answer = socket.next();
        assertThat(answer.streamId()).isEqualTo("a");
        ServerEvent.SteerFailed failed = (ServerEvent.SteerFailed) answer.event();
        assertThat(failed.code()).isEqualTo("steering_not_supported");
        assertThat(failed.responseId()).isEqualTo("resp_1");
        assertThat(failed.input()).isEqualTo("\"left\"");
        server.model.release();
        assertThat(TestSocket.text(socket.untilEnd())).isEqualTo(expected("go on"));
    }

    @Test
    void fullQueueIsToldAtOnceWithTheTimeToWait() {
        server.model.hold();
        TestSocket socket = server.socket();
        for (int i = 0; i < 13; i++) {
            socket.create("lane" + i, "x" + i, GREEDY);
        }
        Received refused = socket.until(received -> received.event() instanceof ServerEvent.Refused)
                .getLast();
        ServerEvent.Refused error = (ServerEvent.Refused) refused.event();
        assertThat(refused.streamId()).isEqualTo("lane12");
        assertThat(error.error().status()).isEqualTo(429);
        assertThat(error.error().code()).isEqualTo("overloaded");
        assertThat(error.retryAfterSeconds()).isPositive();
        server.model.release();
        for (int ended = 0; ended < 12; ended++) {
            socket.untilEnd();
        }
        socket.create("lane12", "again", GREEDY);
        assertThat(socket.untilEnd().getLast().event()).isInstanceOf(ServerEvent.Incomplete.class);
    }

    @Test
    void failedStepFailsItsResponsesAndTheHealthShowsIt() {
        TestSocket socket = server.socket();
        server.model.hold();
        socket.create("a", "doomed", GREEDY);
        socket.until(received -> received.event() instanceof ServerEvent.ContentPartAdded);
        server.model.failsNext = true;
        server.model.release();
        ServerEvent end = socket.untilEnd().getLast().event();
        assertThat(end).isInstanceOf(ServerEvent.Failed.class);
        assertThat(Objects.requireNonNull(((ServerEvent.Failed) end).response().error())
                        .type())
                .isEqualTo("server_error");
        TestServer.await(() -> "ill health", () -> server.get("/health").statusCode() == 503);
        assertThat(server.get("/health/live").statusCode()).isEqualTo(200);
        assertThat(server.get("/health/ready").statusCode()).isEqualTo(503);
        socket.create("a", "more", GREEDY);
        assertThat(socket.untilEnd().getLast().event()).isInstanceOf(ServerEvent.Incomplete.class);
    }

    @Test
    void socketThatAnswersPingsStaysOpenAndOneThatDoesNotIsClosed() throws Exception {
        server.close();
        server = new TestServer(TestServer.Size.SMALL.withLimits(new ServerLimits(
                1 << 20,
                16,
                32,
                Duration.ofSeconds(5),
                Duration.ofMillis(100),
                Duration.ofSeconds(5),
                Duration.ZERO,
                Duration.ofMillis(500),
                ResumeLimits.DEFAULT)));
        CountDownLatch pings = new CountDownLatch(4);
        TestSocket alive = server.socket();
        alive.socket.frameHandler(frame -> {
            if (frame.isPing()) {
                pings.countDown();
            }
        });
        try (Socket dead = new Socket(InetAddress.getLoopbackAddress(), server.server.port())) {
            dead.setSoTimeout(20_000);
            dead.getOutputStream().write(TestServer.HANDSHAKE.getBytes(StandardCharsets.US_ASCII));
            byte[] all = dead.getInputStream().readAllBytes();
            assertThat(new String(all, StandardCharsets.ISO_8859_1))
                    .startsWith("HTTP/1.1 101")
                    .endsWith("two pings went unanswered");
        }
        assertThat(pings.await(20, TimeUnit.SECONDS)).isTrue();
        alive.create(null, "still here", GREEDY);
        assertThat(alive.untilEnd().getLast().event()).isInstanceOf(ServerEvent.Incomplete.class);
    }

    @Test
    void clientThatStopsReadingIsParkedAndGetsTheWholeTextWhenItReadsOn() {
        server.close();
        server = new TestServer(TestServer.Size.SMALL
                .withMaxTokens(20_000)
                .withLimits(ServerLimits.DEFAULT
                        .withStreamInterval(Duration.ZERO)
                        .withResume(new ResumeLimits(4096, Duration.ofSeconds(5), Duration.ofSeconds(5)))));
        SamplingFields longText = GREEDY.toBuilder().maxTokens(15_000).build();
        TestSocket steady = server.socket();
        steady.create(null, "a long story", longText);
        String expected = TestSocket.text(steady.untilEnd());
        TestSocket slow = server.socket();
        slow.create("slow", "a long story", longText);
        slow.next();
        slow.socket.pause();
        do { // a sequence is also parked for a moment whenever its event loop is behind
            TestServer.await(
                    () -> "a parked sequence",
                    () -> server.services.model().stats().parked() == 1);
            steady.create(null, "others go on", GREEDY);
            steady.untilEnd();
        } while (server.services.model().stats().parked() == 0);
        assertThat(server.services.admission().inFlight()).isEqualTo(1);
        slow.socket.resume();
        assertThat(TestSocket.text(slow.untilEnd())).isEqualTo(expected);
    }

    @Test
    void browsersSubprotocolIsAcceptedAndItsKeyIgnored() {
        WebSocketConnectOptions options = new WebSocketConnectOptions()
                .setHost("127.0.0.1")
                .setPort(server.server.port())
                .setURI("/v1/responses")
                .setSubProtocols(List.of("realtime", "openai-insecure-api-key.sk-1"));
        TestSocket socket = server.socket(options);
        assertThat(socket.socket.subProtocol()).isEqualTo("realtime");
        socket.create(null, "hi", GREEDY);
        assertThat(socket.untilEnd().getLast().event()).isInstanceOf(ServerEvent.Incomplete.class);
    }

    private String expected(String input) {
        TestSocket socket = server.socket();
        socket.create(null, input, GREEDY);
        return TestSocket.text(socket.untilEnd());
    }

    private static void assertRefused(TestSocket socket, String event, String code, @Nullable String param) {
        socket.send(event);
        ServerEvent.Refused error = socket.nextError();
        assertThat(error.error().code()).isEqualTo(code);
        assertThat(error.error().param()).isEqualTo(param);
    }

    @Test
    void nothingIsKeptOfSocketsThatAreClosed() {
        for (int i = 0; i < 20; i++) {
            TestSocket socket = server.socket();
            socket.socket.close();
            socket.closed.orTimeout(20, TimeUnit.SECONDS).join();
        }
        String one = "weir_http_connections{model_name=\"fake\"} 1.0"; // that which asks for the metrics
        TestServer.await(
                () -> one + ": " + server.get("/metrics").body(),
                () -> server.get("/metrics").body().contains(one));
    }
}
