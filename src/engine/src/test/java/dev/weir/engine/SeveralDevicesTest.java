package dev.weir.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;

/** An engine with a thread for each of several devices. */
@Timeout(60)
class SeveralDevicesTest {
    private static final int CONTEXT = 64;
    private static final int PROMPT = 5;
    private static final int ANSWER = 20;
    private static final int PROMISED = PROMPT + ANSWER;

    private final CompletableFuture<Void> open = new CompletableFuture<>();
    private final List<FakeModelRunner> models = new ArrayList<>();

    @AfterEach
    void nobodyIsHeldForGood() {
        open.complete(null);
    }

    /** An engine over models with so many slots each. */
    private Engine start(EngineConfig config, EngineListener listener, int... slots) {
        for (int count : slots) {
            models.add(new FakeModelRunner(count, CONTEXT));
        }
        return Engine.start(models, config, listener);
    }

    /** The same, whose models compute nothing until they are let. */
    private Engine hold(int queued, int... slots) {
        Engine engine = start(
                EngineConfig.DEFAULT.withMaxQueuedRequests(queued).withDraftTokens(0), EngineListener.NONE, slots);
        models.forEach(model -> model.onRun = _ -> open.join());
        return engine;
    }

    private static GenerationRequest request(String id) {
        return request(id, PROMPT, ANSWER);
    }

    private static GenerationRequest request(String id, int promptTokens, int answerTokens) {
        int[] prompt = IntStream.range(0, promptTokens)
                .map(i -> Math.floorMod(id.hashCode() + 7 * i, 90))
                .toArray();
        return new GenerationRequest(id, prompt, SamplingParams.greedyExactly(answerTokens));
    }

    private static RecordingSubscriber ask(Engine engine, GenerationRequest request) {
        RecordingSubscriber subscriber = new RecordingSubscriber();
        engine.generate(request).subscribe(subscriber);
        return subscriber;
    }

    private static void assertAnswered(RecordingSubscriber subscriber, GenerationRequest request) throws Exception {
        subscriber.awaitEnd();
        assertThat(subscriber.tokens()).as(request.id()).isEqualTo(FakeModelRunner.reference(request, CONTEXT));
    }

    @Test
    void theirAnswersAreThoseOfOneAlone() throws Exception {
        List<GenerationRequest> requests = IntStream.range(0, 40)
                .mapToObj(i -> request("request " + i, 1 + i % 30, 3 + i % 25))
                .toList();
        try (Engine engine = start(EngineConfig.DEFAULT, EngineListener.NONE, 2, 3, 1)) {
            List<RecordingSubscriber> subscribers =
                    requests.stream().map(request -> ask(engine, request)).toList();
            for (int i = 0; i < requests.size(); i++) {
                assertAnswered(subscribers.get(i), requests.get(i));
            }
            assertThat(models).allMatch(model -> model.computedTokens > 0);
        }
    }

    @Test
    void aBurstOfEqualRequestsIsSpreadEvenlyBeforeAnyStepIsDone() throws Exception {
        try (Engine engine = hold(100, 4, 4, 4)) {
            List<RecordingSubscriber> all = IntStream.range(0, 30)
                    .mapToObj(i -> ask(engine, request("request " + i)))
                    .toList();
            assertThat(engine.promisedTokens()).containsOnly(10L * PROMISED);
            open.complete(null);
            for (RecordingSubscriber subscriber : all) {
                subscriber.awaitEnd();
            }
            assertThat(models).allMatch(model -> model.computedTokens == 10 * (PROMISED - 1));
        }
    }

    @Test
    void aBurstFromSeveralThreadsIsSpreadEvenlyButForWhatTheyAskAtTheSameMoment() throws Exception {
        int threads = 4;
        try (Engine engine = hold(200, 4, 4)) {
            List<Thread> askers = IntStream.range(0, threads)
                    .mapToObj(thread -> Thread.ofPlatform().start(() -> {
                        for (int i = 0; i < 50; i++) {
                            ask(engine, request(thread + "." + i));
                        }
                    }))
                    .toList();
            for (Thread asker : askers) {
                asker.join();
            }
            List<Long> promised = engine.promisedTokens();
            assertThat(promised.getFirst() + promised.getLast()).isEqualTo(200L * PROMISED);
            assertThat(Math.abs(promised.getFirst() - promised.getLast()))
                    .isLessThanOrEqualTo((long) threads * PROMISED);
            open.complete(null);
        }
    }

    @Test
    void devicesOfUnequalCacheAreFilledInProportionToIt() {
        try (Engine engine = hold(100, 2, 6, 4)) {
            for (int i = 0; i < 24; i++) {
                ask(engine, request("request " + i));
            }
            assertThat(engine.promisedTokens()).containsExactly(4L * PROMISED, 12L * PROMISED, 8L * PROMISED);
            open.complete(null);
        }
    }

    @Test
    void longRequestsCountForMoreAndNoneForMoreThanTheContext() {
        try (Engine engine = hold(100, 4, 4)) {
            ask(engine, request("endless", PROMPT, Integer.MAX_VALUE));
            ask(engine, request("short", 1, 15));
            ask(engine, request("short too", 1, 15));
            ask(engine, request("another", 1, 15));
            assertThat(engine.promisedTokens()).containsExactly((long) CONTEXT, 48L);
            open.complete(null);
        }
    }

    @Test
    void oneThatIsFullPassesARequestOnAndOnlyIfAllAreIsItRefused() throws Exception {
        try (Engine engine = hold(1, 1, 3)) { // room for 2 and for 4
            List<GenerationRequest> requests = new ArrayList<>(List.of(request("long", 4, 60)));
            for (int i = 0; i < 5; i++) {
                requests.add(request("short " + i, 1, 1));
            }
            List<RecordingSubscriber> all =
                    requests.stream().map(request -> ask(engine, request)).toList();
            assertThat(engine.promisedTokens()).containsExactly(CONTEXT + 2L, 4 * 2L);
            assertThat(engine.maxInFlight()).isEqualTo(6);

            Throwable refusal = ask(engine, request("refused", 1, 1)).awaitOutcome();
            assertThat(refusal).isInstanceOf(OverloadedException.class);
            assertThat(engine.promisedTokens()).containsExactly(CONTEXT + 2L, 4 * 2L);
            open.complete(null);
            for (int i = 0; i < all.size(); i++) {
                assertAnswered(all.get(i), requests.get(i));
            }
        }
    }

    @Test
    void ofSeveralRefusalsTheOneWithTheShortestPatienceIsHeard() {
        OverloadedException late = new OverloadedException(9, 90, Duration.ofSeconds(5));
        OverloadedException soon = new OverloadedException(3, 30, Duration.ofSeconds(2));
        assertThat(late.orSooner(soon)).isSameAs(soon);
        assertThat(soon.orSooner(late)).isSameAs(soon);
        assertThat(late.orSooner(null)).isSameAs(late);
    }

    @Test
    void oneThatHasFailedIsPassedOverWhileAnotherIsWellAndDisturbsNobodyElse() throws Exception {
        try (Engine engine = hold(100, 2, 2)) {
            FakeModelRunner broken = models.getFirst();
            Consumer<StepPlan> fails = _ -> {
                open.join();
                throw new IllegalStateException("the kernel failed");
            };
            broken.onRun = fails;
            RecordingSubscriber victim = ask(engine, request("victim"));
            RecordingSubscriber other = ask(engine, request("other"));
            open.complete(null);
            assertThat(victim.awaitOutcome()).isInstanceOf(EngineFailedException.class);
            assertThat(engine.stats().isHealthy()).isFalse();
            int runs = broken.runs;
            for (int i = 0; i < 10; i++) {
                assertAnswered(ask(engine, request("later " + i)), request("later " + i));
            }
            assertAnswered(other, request("other"));
            assertThat(broken.runs).isEqualTo(runs);
            assertThat(engine.promisedTokens()).containsExactly(0L, 0L);

            models.getLast().onRun = fails;
            assertThat(ask(engine, request("second victim")).awaitOutcome()).isInstanceOf(EngineFailedException.class);
            CompletableFuture<Void> again = new CompletableFuture<>();
            models.forEach(model -> model.onRun = _ -> again.join());
            List<RecordingSubscriber> all = IntStream.range(0, 6)
                    .mapToObj(i -> ask(engine, request("spread " + i)))
                    .toList();
            assertThat(engine.promisedTokens()).containsOnly(3L * PROMISED);
            again.complete(null);
            for (int i = 0; i < all.size(); i++) {
                assertAnswered(all.get(i), request("spread " + i));
            }
        }
    }

    @Test
    void absenceReachesTheSchedulerOfTheDevice() throws Exception {
        try (Engine engine = hold(100, 1, 1)) {
            CompletableFuture<Void> begun = new CompletableFuture<>();
            models.getFirst().onRun = _ -> {
                begun.complete(null);
                open.join();
            };
            RecordingSubscriber away = ask(engine, request("away"));
            RecordingSubscriber elsewhere = ask(engine, request("elsewhere"));
            begun.join();
            away.away(true);
            RecordingSubscriber present = ask(engine, request("present"));
            open.complete(null);
            assertAnswered(present, request("present"));
            assertAnswered(elsewhere, request("elsewhere"));
            assertAnswered(away, request("away"));
            assertThat(engine.stats().preemptions()).isEqualTo(1);
        }
    }

    @Test
    void demandReachesTheSchedulerOfTheDevice() throws Exception {
        try (Engine engine = hold(100, 2, 2)) {
            RecordingSubscriber first = ask(engine, request("first"));
            RecordingSubscriber slow = new RecordingSubscriber(2);
            engine.generate(request("slow")).subscribe(slow);
            RecordingSubscriber third = ask(engine, request("third"));
            RecordingSubscriber besideSlow = ask(engine, request("beside slow"));
            open.complete(null);
            assertAnswered(first, request("first"));
            assertAnswered(third, request("third"));
            assertAnswered(besideSlow, request("beside slow"));
            assertThat(slow.tokens()).hasSize(2);
            slow.subscription.request(Long.MAX_VALUE);
            assertAnswered(slow, request("slow"));
        }
    }

    /** Repeat one with {@code -Dtests.seed=N}. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatIsPromisedIsGivenBackHoweverRequestsEnd(boolean someStepsFail) throws Exception {
        long seed = Long.getLong("tests.seed", System.nanoTime());
        System.out.println("SeveralDevicesTest runs with -Dtests.seed=" + seed);
        SplittableRandom random = new SplittableRandom(seed);
        int requests = 3_000;
        CountDownLatch left = new CountDownLatch(requests);
        EngineListener listener = new EngineListener() {
            @Override
            public void finished(GenerationRequest request, FinishReason reason, int tokens, long nanos) {
                left.countDown();
            }
        };
        try (Engine engine = start(EngineConfig.DEFAULT.withMaxQueuedRequests(requests), listener, 3, 1, 5)) {
            int failingRun = someStepsFail ? random.nextInt(5, 30) : -1;
            models.forEach(model -> model.onRun = _ -> {
                if (model.runs == failingRun) {
                    throw new IllegalStateException("the kernel failed");
                }
            });
            List<RecordingSubscriber> live = new ArrayList<>();
            for (int i = 0; i < requests; i++) {
                GenerationRequest request = request("request " + i, random.nextInt(1, 40), random.nextInt(1, 30));
                if (random.nextInt(8) == 0) {
                    engine.generate(request).subscribe(new BaseSubscriber<>() {
                        @Override
                        protected void hookOnSubscribe(Subscription subscription) {
                            subscription.cancel();
                        }
                    });
                } else {
                    live.add(ask(engine, request));
                }
                if (!live.isEmpty() && random.nextInt(3) == 0) {
                    live.get(random.nextInt(live.size())).subscription.cancel();
                }
                if (!live.isEmpty() && random.nextInt(5) == 0) {
                    live.get(random.nextInt(live.size())).away(random.nextBoolean());
                }
                assertThat(engine.promisedTokens()).as("seed %d", seed).allMatch(tokens -> tokens >= 0);
            }
            assertThat(left.await(30, TimeUnit.SECONDS)).as("seed %d", seed).isTrue();
            assertThat(engine.promisedTokens()).as("seed %d", seed).containsOnly(0L);
            assertThat(engine.stats().isHealthy()).as("seed %d", seed).isEqualTo(!someStepsFail);
        }
    }

    @Test
    void figuresAreSumsAndTheContextIsTheShortest() throws Exception {
        models.add(new FakeModelRunner(2, CONTEXT));
        models.add(new FakeModelRunner(3, 48));
        try (Engine engine = Engine.start(models, EngineConfig.DEFAULT.withMaxQueuedRequests(7), EngineListener.NONE)) {
            EngineStats stats = engine.stats();
            assertThat(stats.slots()).isEqualTo(5);
            assertThat(stats.cacheCapacity()).isEqualTo(2 * CONTEXT + 3 * 48);
            assertThat(engine.maxInFlight()).isEqualTo(2 + 7 + 3 + 7);
            assertThat(engine.shape().maxTokens()).isEqualTo(48);
            assertThat(engine.shape().slots()).isEqualTo(5);
            for (int i = 0; i < 4; i++) {
                RecordingSubscriber cut = ask(engine, request("cut " + i, 40, 100));
                cut.awaitEnd();
                assertThat(cut.tokens()).hasSize(8);
            }
            assertThat(ask(engine, request("too long", 48, 1)).awaitOutcome())
                    .isInstanceOf(ContextLengthExceededException.class);
        }
    }

    @Test
    void anotherModelOnOneOfThemIsRefused() {
        ModelShape shape = new ModelShape(50, 4, 128, new int[0], PrefixPool.NONE);
        assertThatThrownBy(() -> shape.and(new ModelShape(51, 4, 128, new int[0], PrefixPool.NONE)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("50 and 51 tokens");
    }

    @Test
    void theirThreadsHaveNumbersAndOneAloneHasNone() throws Exception {
        Queue<String> names = new ConcurrentLinkedQueue<>();
        try (Engine engine = start(EngineConfig.DEFAULT, EngineListener.NONE, 1, 1)) {
            models.forEach(
                    model -> model.onRun = _ -> names.add(Thread.currentThread().getName()));
            RecordingSubscriber first =
                    new RecordingSubscriber(1); // of two tokens, so that it is there when the second comes
            engine.generate(request("first", 1, 2)).subscribe(first);
            first.awaitTokens(1);
            ask(engine, request("second", 1, 1)).awaitEnd();
        }
        FakeModelRunner alone = new FakeModelRunner(1, CONTEXT);
        alone.onRun = _ -> names.add(Thread.currentThread().getName());
        try (Engine engine = Engine.start(alone, EngineConfig.DEFAULT, EngineListener.NONE)) {
            ask(engine, request("alone", 1, 1)).awaitEnd();
        }
        assertThat(names).containsExactlyInAnyOrder("weir-engine-0", "weir-engine-1", "weir-engine");
    }

    @Test
    void allAreClosedEvenIfOneOfThemHasBrokenDown() throws Exception {
        Engine engine = start(EngineConfig.DEFAULT, EngineListener.NONE, 1, 1, 1);
        models.getFirst().onRun = _ -> {
            throw new StackOverflowError("which no step survives");
        };
        RecordingSubscriber victim = ask(engine, request("victim"));
        RecordingSubscriber other = new RecordingSubscriber(2);
        engine.generate(request("other")).subscribe(other);
        assertThat(victim.awaitOutcome()).isInstanceOf(EngineFailedException.class);
        other.awaitTokens(2);
        engine.close();
        assertThat(models).allMatch(model -> model.isClosed);
        assertThat(other.awaitOutcome()).isInstanceOf(EngineFailedException.class);
        assertThat(ask(engine, request("late")).awaitOutcome()).isInstanceOf(EngineFailedException.class);
        assertThat(engine.promisedTokens()).containsOnly(0L);
    }

    @Test
    void sharesOfSumsAreThoseOfAll() {
        EngineStats busy = new EngineStats(3, 1, 2, 4, 90, 100, 5, 10, 7, true);
        EngineStats idle = new EngineStats(0, 0, 0, 4, 0, 200, 0, 10, 1, true);
        EngineStats sum = busy.plus(idle);
        assertThat(sum).isEqualTo(new EngineStats(3, 1, 2, 8, 90, 300, 5, 20, 8, true));
        assertThat(sum.cacheUsage()).isEqualTo(0.3);
        EngineStats ill = new EngineStats(0, 0, 0, 4, 0, 200, 0, 10, 1, false);
        assertThat(LongStream.of(1, 2).mapToObj(i -> i == 1 ? busy.plus(ill) : ill.plus(busy)))
                .noneMatch(EngineStats::isHealthy);
    }
}
