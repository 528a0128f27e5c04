package dev.weir.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Thousands of submits, cancels, pauses and finishes at random moments; repeat one with {@code -Dtests.seed=N}. */
@Timeout(120)
class RandomScheduleTest {
    private static final int CONTEXT = 48;
    private static final int SUBMITS = 10_000;

    private final long seed = Long.getLong("tests.seed", System.nanoTime());
    private final SplittableRandom random = new SplittableRandom(seed);
    private final Map<String, GenerationRequest> requests = new HashMap<>();
    private final Map<String, RecordingSubscriber> live = new HashMap<>();
    private final Set<String> cancelled = new HashSet<>();
    private final List<String> paused = new ArrayList<>();

    @Test
    void randomSchedulesKeepEveryInvariantAndStarveNobody() throws Exception {
        System.out.println("RandomScheduleTest runs with -Dtests.seed=" + seed);
        FakeModelRunner model = new FakeModelRunner(7, CONTEXT);
        Counting listener = new Counting();
        AtomicReference<Engine> handle = new AtomicReference<>();
        CompletableFuture<String> broken = new CompletableFuture<>();
        Engine engine = Engine.start(model, new EngineConfig(SUBMITS, 24, 8, 3), listener);
        handle.set(engine);
        model.onRun = plan -> {
            List<String> violations = EngineInvariants.violations(handle.get().scheduler(), CONTEXT);
            if (!violations.isEmpty()) {
                broken.complete(violations.toString());
            }
        };
        try (engine) {
            for (int i = 0; i < SUBMITS; i++) {
                submit(engine, "r" + i);
                if (random.nextInt(4) == 0) {
                    cancelOne();
                }
                if (random.nextInt(3) == 0) {
                    resumeOne();
                }
                if (live.size() > 60) {
                    settle(30);
                }
            }
            settle(0);
            assertThat(broken.getNow("")).as("seed %d", seed).isEmpty();
            CompletableFuture<EngineStats> quiet = new CompletableFuture<>();
            listener.whenFinished(SUBMITS, () -> quiet.complete(engine.stats()));
            quiet.get(20, TimeUnit.SECONDS);
            assertThat(listener.finished).as("seed %d", seed).isEqualTo(SUBMITS);
        }
        assertThat(engine.scheduler().cache().usedSlots()).isZero();
        assertThat(engine.scheduler().unfinished()).isEmpty();
        assertThat(model.movedTokens).isPositive();
    }

    private void submit(Engine engine, String id) {
        int[] prompt = random.ints(1 + random.nextInt(30), 0, 90).toArray();
        SamplingParams sampling = new SamplingParams(
                random.nextBoolean() ? 0 : 1,
                0,
                1,
                0,
                OptionalLong.of(random.nextLong()),
                1 + random.nextInt(16),
                0,
                List.of(),
                random.nextBoolean());
        GenerationRequest request = new GenerationRequest(id, prompt, sampling);
        boolean pauses = random.nextInt(5) == 0;
        RecordingSubscriber subscriber = new RecordingSubscriber(pauses ? 1 + random.nextInt(4) : Long.MAX_VALUE);
        if (pauses) {
            paused.add(id);
        }
        requests.put(id, request);
        live.put(id, subscriber);
        engine.generate(request).subscribe(subscriber);
    }

    private void cancelOne() {
        if (!live.isEmpty()) {
            List<String> ids = List.copyOf(live.keySet());
            String id = ids.get(random.nextInt(ids.size()));
            cancelled.add(id);
            paused.remove(id);
            live.get(id).subscription.cancel();
        }
    }

    private void resumeOne() {
        if (!paused.isEmpty()) {
            String id = paused.remove(random.nextInt(paused.size()));
            live.get(id).subscription.request(Long.MAX_VALUE);
        }
    }

    /** Waits until at most so many are left, checking the text of every one that ends. */
    private void settle(int left) throws Exception {
        for (String id : List.copyOf(live.keySet())) {
            if (live.size() <= left) {
                return;
            }
            RecordingSubscriber subscriber = live.remove(id);
            List<Integer> expected = FakeModelRunner.reference(requests.remove(id), CONTEXT);
            if (cancelled.remove(id)) {
                List<Integer> seen = subscriber.tokens();
                assertThat(expected.subList(0, seen.size()))
                        .as("%s, seed %d", id, seed)
                        .isEqualTo(seen);
            } else {
                if (paused.remove(id)) {
                    subscriber.subscription.request(Long.MAX_VALUE);
                }
                subscriber.awaitEnd();
                assertThat(subscriber.tokens()).as("%s, seed %d", id, seed).isEqualTo(expected);
            }
        }
    }

    private static final class Counting implements EngineListener {
        private int finished;
        private int awaited = Integer.MAX_VALUE;
        private Runnable action = () -> {};

        synchronized void whenFinished(int count, Runnable then) {
            awaited = count;
            action = then;
            if (finished >= awaited) {
                action.run();
            }
        }

        @Override
        public synchronized void finished(GenerationRequest request, FinishReason reason, int tokens, long nanos) {
            finished++;
            if (finished == awaited) {
                action.run();
            }
        }
    }
}
