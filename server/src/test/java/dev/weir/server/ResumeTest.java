package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.protocol.Chunk;
import dev.weir.protocol.ClientEvent;
import dev.weir.protocol.EventReader;
import dev.weir.protocol.EventReader.Received;
import dev.weir.protocol.EventWriter;
import dev.weir.protocol.RequestWriter;
import dev.weir.protocol.ResponseObject;
import dev.weir.protocol.ResponseRequest;
import dev.weir.protocol.ResponseStatus;
import dev.weir.protocol.SamplingFields;
import dev.weir.protocol.ServerEvent;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Responses that outlive the connections that asked for them. */
final class ResumeTest {
    private static final int CUTS = 250;
    private static final SamplingFields GREEDY = SamplingFields.builder()
            .temperature(0)
            .maxTokens(60)
            .ignoreEos(true)
            .build();
    private static final SamplingFields LONG = GREEDY.toBuilder().maxTokens(400).build();

    private final long seed = Long.getLong("tests.seed", System.nanoTime());
    private TestServer server;

    @AfterEach
    void stop() {
        server.close();
    }

    @ParameterizedTest
    @EnumSource
    void connectionThatIsCutAnywhereLosesAndRepeatsNothing(CutConnection.Transport transport) {
        System.out.println("ResumeTest runs with -Dtests.seed=" + seed);
        start(ResumeLimits.DEFAULT);
        Random random = new Random(seed);
        TestSocket socket = server.socket();
        CutConnection whole = new CutConnection(server.server.port(), transport, request(GREEDY), Integer.MAX_VALUE);
        String expected = TestSocket.text(read(whole.events()));
        int resumed = 0;
        for (int i = 0; i < CUTS; i++) {
            int cut = random.nextInt(whole.bytes());
            List<String> events = new CutConnection(server.server.port(), transport, request(GREEDY), cut).events();
            if (events.isEmpty()) {
                continue; // which response it was, nobody knows
            }
            String id = ((ServerEvent.Created)
                            EventReader.read(events.getFirst()).event())
                    .response()
                    .id();
            List<Received> received = new ArrayList<>(read(events));
            if (transport == CutConnection.Transport.SERVER_SENT_EVENTS) {
                events.addAll(replay(id, received.size() - 1));
                received = read(events);
                assertThat(replay(id, -1)).isEqualTo(events);
            } else if (!TestSocket.isEnd(
                    received.getLast())) { // fewer deltas than in the whole one, so the end came too
                socket.send(RequestWriter.clientEvent(new ClientEvent.Resume(null, "r", id, received.size() - 1)));
                received.addAll(socket.untilEnd());
            }
            assertThat(received)
                    .as("cut after %d bytes", cut)
                    .extracting(Received::sequenceNumber)
                    .containsExactlyElementsOf(
                            IntStream.range(0, received.size()).boxed().toList());
            assertThat(TestSocket.text(received)).isEqualTo(expected);
            assertThat(received.getLast().event()).isInstanceOf(ServerEvent.Incomplete.class);
            resumed++;
        }
        assertThat(resumed).isGreaterThan(CUTS / 2);
        server.awaitIdle();
    }

    @Test
    void eventsAreTheSameBytesOnEveryConnectionButForTheLane() {
        start(ResumeLimits.DEFAULT);
        List<String> first = new CutConnection(
                        server.server.port(),
                        CutConnection.Transport.SERVER_SENT_EVENTS,
                        request(GREEDY),
                        Integer.MAX_VALUE)
                .events();
        String id = ((ServerEvent.Created) EventReader.read(first.getFirst()).event())
                .response()
                .id();
        assertThat(replay(id, -1)).isEqualTo(first);
        assertThat(replay(id, 5)).isEqualTo(first.subList(6, first.size()));
        assertThat(replay(id, first.size() - 1)).isEmpty();
        TestSocket socket = server.socket();
        List<String> inLane = new ArrayList<>();
        socket.socket.textMessageHandler(inLane::add);
        socket.send("{\"type\":\"response.resume\",\"response_id\":\"" + id + "\",\"stream_id\":\"a\"}");
        TestServer.await(() -> "all events", () -> inLane.size() == first.size());
        assertThat(inLane)
                .isEqualTo(first.stream()
                        .map(event -> EventWriter.inLane(event, "a"))
                        .toList());
        assertThat(server.get("/metrics").body()).contains("weir_resumes_total{model_name=\"fake\"} 4.0");
    }

    /** One slot, two places behind it, and a millisecond for each token. */
    private void startSlow() {
        server = new TestServer(TestServer.Size.SMALL
                .withSlots(1, 2)
                .withMaxTokens(4096)
                .withStepNanos(1_000_000)
                .withLimits(ServerLimits.DEFAULT.withStreamInterval(Duration.ZERO)));
    }

    @Test
    void whoIsGoneIsNotDecodedWhileOthersWaitAndMissesNothing() {
        startSlow();
        SamplingFields much = GREEDY.toBuilder().maxTokens(2000).build();
        TestSocket whole = server.socket();
        whole.create(null, "Hello", much);
        String expected = TestSocket.text(whole.untilEnd());
        TestSocket gone = server.socket();
        gone.create(null, "Hello", much);
        String id = ((ServerEvent.Created) gone.next().event()).response().id();
        gone.until(received -> received.event() instanceof ServerEvent.OutputTextDelta);
        gone.socket.close();
        TestSocket other = server.socket();
        other.create(null, "Hello", GREEDY);
        other.untilEnd();
        assertThat(EventReader.response(server.get("/v1/responses/" + id).body())
                        .status())
                .isEqualTo(ResponseStatus.IN_PROGRESS);
        assertThat(TestSocket.text(read(replay(id, -1)))).isEqualTo(expected);
        server.awaitIdle();
    }

    @Test
    void whoIsGoneIsDecodedAgainOnceNobodyWaits() {
        startSlow();
        TestSocket gone = server.socket();
        gone.create(null, "Hello", LONG);
        String id = ((ServerEvent.Created) gone.next().event()).response().id();
        gone.socket.close();
        TestSocket other = server.socket();
        other.create(null, "Hello", GREEDY);
        other.untilEnd();
        TestServer.await(
                () -> "the end",
                () -> EventReader.response(server.get("/v1/responses/" + id).body())
                                .status()
                        == ResponseStatus.INCOMPLETE);
    }

    @Test
    void thoseWhoAreGoneKeepNobodyOutOfAFullQueue() {
        startSlow();
        TestSocket gone = server.socket();
        for (int i = 0; i < 3; i++) {
            gone.create("gone" + i, "Hello", GREEDY.toBuilder().maxTokens(1000).build());
        }
        Received last = gone.until(received ->
                        received.event() instanceof ServerEvent.Created && "gone2".equals(received.streamId()))
                .getLast();
        String id = ((ServerEvent.Created) last.event()).response().id();
        TestSocket other = server.socket();
        other.create(null, "Hello", GREEDY);
        assertThat(other.next().event()).isInstanceOf(ServerEvent.Refused.class);
        gone.socket.close();
        TestServer.await(() -> "room", () -> {
            other.create(null, "Hello", GREEDY);
            return other.untilEnd().getLast().event() instanceof ServerEvent.Incomplete;
        });
        assertThat(EventReader.response(server.get("/v1/responses/" + id).body())
                        .status())
                .isEqualTo(ResponseStatus.IN_PROGRESS);
        assertThat(read(replay(id, -1)).getLast().event()).isInstanceOf(ServerEvent.Incomplete.class);
    }

    @Test
    void whatIsUnknownOrNotHeldIsRefusedByName() {
        start(new ResumeLimits(4096, Duration.ofSeconds(60), Duration.ofSeconds(60)));
        assertThat(refusal("resp_none?stream=true", 404)).isEqualTo("response_not_found");
        assertThat(refusal("resp_none", 404)).isEqualTo("response_not_found");
        TestSocket socket = server.socket();
        socket.create(null, "Hello", LONG);
        List<Received> events = socket.untilEnd();
        String id = ((ServerEvent.Created) events.getFirst().event()).response().id();
        assertThat(refusal(id + "?stream=true&starting_after=x", 400)).isEqualTo("invalid_value");
        assertThat(refusal(id + "?stream=maybe", 400)).isEqualTo("invalid_value");
        assertThat(refusal(id + "?stream=true&starting_after=99999", 400)).isEqualTo("invalid_value");
        assertThat(refusal(id + "?stream=true", 400)).isEqualTo("events_not_held");
        socket.send(
                "{\"type\":\"response.resume\",\"event_id\":\"e\",\"stream_id\":\"s\",\"response_id\":\"" + id + "\"}");
        Received refused = socket.next();
        assertThat(refused.streamId()).isEqualTo("s");
        String message = ((ServerEvent.Refused) refused.event()).error().message();
        int after = Integer.parseInt(message.replaceAll(".*ask for those after ", ""));
        assertThat(message).contains("first event that is still held of " + id + " is " + (after + 1));
        assertThat(replay(id, after)).hasSize(events.size() - 1 - after);
        assertThat(refusal(id + "?stream=true&starting_after=" + (after - 1), 400))
                .isEqualTo("events_not_held");
        socket.send("{\"type\":\"response.resume\",\"response_id\":\"resp_none\"}");
        assertThat(socket.nextError().error().code()).isEqualTo("response_not_found");
    }

    @Test
    void responseThatNobodyReadsGoesOnForItsGraceAndIsThenCancelled() {
        start(new ResumeLimits(1 << 20, Duration.ofSeconds(60), Duration.ofMillis(300)));
        server.model.hold();
        TestSocket socket = server.socket();
        socket.create(null, "Hello", LONG);
        String id = ((ServerEvent.Created) socket.next().event()).response().id();
        socket.socket.close();
        server.model.allow(20);
        TestServer.await(() -> "twenty steps without a reader", () -> server.model.runs == 20);
        TestServer.await(
                () -> "the end of the grace", () -> server.services.admission().inFlight() == 0);
        server.model.release();
        ServerEvent end = read(replay(id, 0)).getLast().event();
        assertThat(((ServerEvent.Incomplete) end).response().status()).isEqualTo(ResponseStatus.CANCELLED);
        server.awaitIdle();
    }

    @Test
    void responseThatNobodyReadsWaitsWhenItsBufferIsFullAndGoesOnForAReader() {
        start(new ResumeLimits(8192, Duration.ofSeconds(60), Duration.ofSeconds(60)));
        // However many tokens come in one delta, which are a window at most, they fill the buffer.
        SamplingFields longer = GREEDY.toBuilder().maxTokens(3000).build();
        TestSocket reader = server.socket();
        reader.create(null, "Hello", longer);
        String expected = TestSocket.text(reader.untilEnd());
        server.model.hold();
        TestSocket socket = server.socket();
        socket.create(null, "Hello", longer);
        String id = ((ServerEvent.Created) socket.next().event()).response().id();
        socket.socket.close();
        TestServer.await(
                () -> "no socket but one",
                () -> server.get("/metrics").body().contains("weir_websockets{model_name=\"fake\"} 1.0"));
        server.model.release();
        TestServer.await(
                () -> "a parked sequence", () -> server.services.model().stats().parked() == 1);
        assertThat(server.services.responses().bufferedBytes()).isBetween(8192L, 40_000L);
        reader.send("{\"type\":\"response.resume\",\"response_id\":\"" + id + "\",\"starting_after\":3}");
        assertThat(TestSocket.text(reader.untilEnd())).isEqualTo(expected);
        server.awaitIdle();
    }

    @Test
    void clientThatDoesNotReadIsToldAndLeftBehindAndTakesTheResponseUpAgain() {
        ServerLimits limits = ServerLimits.DEFAULT
                .withStallTimeout(Duration.ofMillis(1500)) // the kernel waits twice as long
                .withResume(new ResumeLimits(128 << 10, Duration.ofSeconds(60), Duration.ofSeconds(60)));
        server = new TestServer(TestServer.Size.SMALL.withMaxTokens(4096).withLimits(limits));
        ResponseRequest story =
                request(GREEDY.toBuilder().maxTokens(3000).logprobs(4).build());
        List<String> events = new CutConnection(
                        server.server.port(),
                        CutConnection.Transport.SERVER_SENT_EVENTS,
                        story,
                        Integer.MAX_VALUE,
                        () -> TestServer.await(
                                () -> "a slow consumer",
                                () -> server.get("/metrics")
                                        .body()
                                        .contains("weir_slow_consumers_total{model_name=\"fake\"} 1.0")))
                .events();
        Received told = EventReader.read(events.removeLast());
        assertThat(((ServerEvent.Refused) told.event()).error().code()).isEqualTo("slow_consumer");
        assertThat(told.streamId()).isNull();
        String id = ((ServerEvent.Created) EventReader.read(events.getFirst()).event())
                .response()
                .id();
        events.addAll(replay(id, events.size() - 1));
        List<Received> received = read(events);
        assertThat(received.getLast().sequenceNumber()).isEqualTo(received.size() - 1);
        ResponseObject whole = ((ServerEvent.Incomplete) received.getLast().event()).response();
        assertThat(TestSocket.text(received)).isEqualTo(whole.text()).hasSizeGreaterThan(1500);
    }

    private void start(ResumeLimits limits) {
        server = new TestServer(TestServer.Size.SMALL
                .withMaxTokens(4096)
                .withLimits(
                        ServerLimits.DEFAULT.withStreamInterval(Duration.ZERO).withResume(limits)));
    }

    private static ResponseRequest request(SamplingFields sampling) {
        return ResponseRequest.of(null, "Hello, is anybody there?", sampling);
    }

    private List<String> replay(String id, int after) {
        String path = "/v1/responses/" + id + "?stream=true" + (after < 0 ? "" : "&starting_after=" + after);
        HttpResponse<String> reply = server.get(path);
        assertThat(reply.statusCode()).as(reply.body()).isEqualTo(200);
        return CutConnection.data(reply.body());
    }

    private String refusal(String path, int status) {
        HttpResponse<String> reply = server.get("/v1/responses/" + path);
        assertThat(reply.statusCode()).as(reply.body()).isEqualTo(status);
        return Objects.requireNonNull(Chunk.read(reply.body()).error()).code();
    }

    private static List<Received> read(List<String> events) {
        return events.stream().map(EventReader::read).toList();
    }
}
