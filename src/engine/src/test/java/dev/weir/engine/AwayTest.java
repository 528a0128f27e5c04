package dev.weir.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Generations that nobody reads. */
@Timeout(60)
class AwayTest {
    private static final int CONTEXT = 64;

    private final ConcurrentLinkedQueue<String> firstTokens = new ConcurrentLinkedQueue<>();
    private final EngineListener listener = new EngineListener() {
        @Override
        public void firstToken(GenerationRequest request, long nanos) {
            firstTokens.add(request.id());
        }
    };

    private static GenerationRequest request(String id, String tenant) {
        int[] prompt = {id.length(), 7, 8, 9, 3};
        return new GenerationRequest(id, prompt, SamplingParams.greedyExactly(20)).of(tenant, 0);
    }

    private static RecordingSubscriber start(Engine engine, String id, String tenant) {
        RecordingSubscriber subscriber = new RecordingSubscriber();
        engine.generate(request(id, tenant)).subscribe(subscriber);
        return subscriber;
    }

    @Test
    void theyWaitBehindAllThatSomebodyReadsInTheOrderInWhichTheyCame() throws Exception {
        FakeModelRunner model = new FakeModelRunner(1, CONTEXT);
        CompletableFuture<Void> open = new CompletableFuture<>();
        model.onRun = _ -> open.join();
        List<RecordingSubscriber> all = new ArrayList<>();
        try (Engine engine = Engine.start(model, EngineConfig.DEFAULT, listener)) {
            all.add(start(engine, "running", "a"));
            for (String id : List.of("1st", "2nd", "3rd", "4th")) {
                all.add(start(engine, id, "a"));
            }
            all.get(1).away(true);
            all.get(2).away(true);
            all.get(4).away(true);
            all.get(2).away(false);
            all.add(start(engine, "other", "b"));
            all.getLast().away(true);
            all.add(start(engine, "last", "a"));
            open.complete(null);
            for (RecordingSubscriber subscriber : all) {
                subscriber.awaitEnd();
            }
        }
        List<String> order = new ArrayList<>(firstTokens);
        assertThat(order.subList(0, 4)).containsExactly("running", "2nd", "3rd", "last");
        order.remove("other"); // its tenant has had less than the other
        assertThat(order.subList(4, 6)).containsExactly("1st", "4th");
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 8})
    void theyGiveUpTheirSlotsWhileSomethingIsReadEvenIfOthersAreFreeAndLoseNothing(int slots) throws Exception {
        FakeModelRunner model = new FakeModelRunner(slots, CONTEXT);
        AtomicReference<Engine> handle = new AtomicReference<>();
        CompletableFuture<Void> open = new CompletableFuture<>();
        AtomicInteger steps = new AtomicInteger();
        List<RecordingSubscriber> away = new ArrayList<>();
        CompletableFuture<List<RecordingSubscriber>> present = new CompletableFuture<>();
        CompletableFuture<EngineStats> later = new CompletableFuture<>();
        model.onRun = _ -> {
            open.join();
            int step = steps.incrementAndGet();
            if (step == 5) {
                away.forEach(subscriber -> subscriber.away(true));
            } else if (step == 8) {
                present.complete(List.of(start(handle.get(), "one", "a"), start(handle.get(), "another", "b")));
            } else if (step == 15) {
                later.complete(handle.get().stats());
            }
        };
        try (Engine engine = Engine.start(model, EngineConfig.DEFAULT, listener)) {
            handle.set(engine);
            away.add(start(engine, "away", "a"));
            away.add(start(engine, "away too", "a"));
            open.complete(null);
            for (RecordingSubscriber subscriber : present.join()) {
                subscriber.awaitEnd();
            }
            assertThat(later.join().preemptions()).isEqualTo(2);
            assertThat(later.join().waiting()).isEqualTo(2);
            for (RecordingSubscriber subscriber : away) {
                subscriber.awaitEnd();
            }
        }
        assertThat(away.getFirst().tokens()).isEqualTo(FakeModelRunner.reference(request("away", "a"), CONTEXT));
        assertThat(away.getLast().tokens()).isEqualTo(FakeModelRunner.reference(request("away too", "a"), CONTEXT));
    }

    @Test
    void theyGoOnWhileNobodyWaits() throws Exception {
        try (Engine engine = Engine.start(new FakeModelRunner(1, CONTEXT), EngineConfig.DEFAULT, listener)) {
            RecordingSubscriber away = start(engine, "away", "a");
            away.away(true);
            assertThat(away.awaitEnd()).isEqualTo(FinishReason.LENGTH);
        }
    }

    @Test
    void theyLeaveTheirRoomInTheQueueToOthers() throws Exception {
        FakeModelRunner model = new FakeModelRunner(1, CONTEXT);
        CompletableFuture<Void> open = new CompletableFuture<>();
        model.onRun = _ -> open.join();
        List<RecordingSubscriber> all = new ArrayList<>();
        EngineConfig two = new EngineConfig(2, 1_000, 40, 16, 3);
        try (Engine engine = Engine.start(model, two, listener)) {
            for (int i = 0; i < 3; i++) {
                all.add(start(engine, "request " + i, "a"));
            }
            RecordingSubscriber refused = start(engine, "refused", "a");
            assertThat(refused.awaitOutcome()).isInstanceOf(OverloadedException.class);
            all.forEach(subscriber -> subscriber.away(true));
            CompletableFuture<Void> known = new CompletableFuture<>();
            model.onRun = _ -> known.complete(null); // the engine applies commands before it
            open.complete(null);
            known.join();
            for (int i = 0; i < 3; i++) {
                all.add(start(engine, "present " + i, "a"));
            }
            for (RecordingSubscriber subscriber : all) {
                assertThat(subscriber.awaitEnd()).isEqualTo(FinishReason.LENGTH);
            }
        }
    }
}
