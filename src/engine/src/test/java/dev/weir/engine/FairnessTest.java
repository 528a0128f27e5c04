package dev.weir.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What tenants get of an engine that has less than they ask for. */
@Timeout(60)
class FairnessTest {
    private static final int CONTEXT = 64;
    private static final int SLOTS = 4;
    private static final int CHUNK = 16;
    private static final EngineConfig CONFIG = new EngineConfig(5_000, 100_000, 40, CHUNK, 3);

    private final SplittableRandom random = new SplittableRandom(11);
    private final ConcurrentLinkedQueue<String> firstTokens = new ConcurrentLinkedQueue<>();
    private final AtomicInteger interruptions = new AtomicInteger();
    private final EngineListener listener = new EngineListener() {
        @Override
        public void firstToken(GenerationRequest request, long nanos) {
            firstTokens.add(request.id());
        }

        @Override
        public void interrupted(long nanos) {
            interruptions.incrementAndGet();
        }
    };

    private GenerationRequest request(String id, String tenant, int priority) {
        int[] prompt = random.ints(1 + random.nextInt(40), 0, 90).toArray();
        SamplingParams sampling = SamplingParams.greedyExactly(1 + random.nextInt(20));
        return new GenerationRequest(id, prompt, sampling).of(tenant, priority);
    }

    private static RecordingSubscriber start(Engine engine, GenerationRequest request) {
        RecordingSubscriber subscriber = new RecordingSubscriber();
        engine.generate(request).subscribe(subscriber);
        return subscriber;
    }

    /** Holds the first step until everything is submitted, so that a test's order of events is the engine's. */
    private static CompletableFuture<Void> gate(FakeModelRunner model) {
        CompletableFuture<Void> open = new CompletableFuture<>();
        model.onRun = _ -> open.join();
        return open;
    }

    /** The paper's bound for two that always have something waiting, 2 max(w_p L, w_q M), with a prompt of L tokens and M tokens in the slots. */
    @Test
    void tenantsThatAlwaysWaitGetTheSameWithinABatchsWorth() throws Exception {
        FakeModelRunner model = new FakeModelRunner(SLOTS, CONTEXT);
        CompletableFuture<Void> open = gate(model);
        AtomicReference<Engine> handle = new AtomicReference<>();
        List<Long> gaps = new ArrayList<>();
        int bound = 2 * TenantCounters.GENERATED_TOKEN * SLOTS * CONTEXT;
        CompletableFuture<String> unfair = new CompletableFuture<>();
        try (Engine engine = Engine.start(model, CONFIG, listener)) {
            handle.set(engine);
            List<RecordingSubscriber> few = new ArrayList<>();
            List<RecordingSubscriber> all = new ArrayList<>();
            for (int i = 0; i < 2_000; i++) { // twenty of the flood for each of the others
                boolean flood = i % 21 != 0;
                RecordingSubscriber subscriber = start(engine, request("r" + i, flood ? "flood" : "few", 0));
                all.add(subscriber);
                if (!flood) {
                    few.add(subscriber);
                }
            }
            model.onRun = _ -> {
                TenantCounters counters = handle.get().scheduler().counters();
                boolean bothWait = few.stream().anyMatch(subscriber -> !subscriber.hasEnded());
                long gap = Math.abs(counters.served("flood") - counters.served("few"));
                gaps.add(gap);
                if (bothWait && few.getLast().tokens().isEmpty() && gap > bound) {
                    unfair.complete("after " + gaps.size() + " steps they are " + gap + " apart");
                }
            };
            open.complete(null);
            for (RecordingSubscriber subscriber : all) {
                subscriber.awaitEnd();
            }
        }
        assertThat(unfair.getNow("")).isEmpty();
        assertThat(gaps).hasSizeGreaterThan(100);
        List<String> order = List.copyOf(firstTokens);
        int lastOfFew = order.indexOf("r" + 1995); // 1995 = 95 * 21
        assertThat(lastOfFew)
                .as("requests begun when the last of the few begins")
                .isLessThan(4 * 96);
    }

    @Test
    void aLoneRequestIsServedBeforeTheRestOfAFlood() throws Exception {
        FakeModelRunner model = new FakeModelRunner(SLOTS, CONTEXT);
        CompletableFuture<Void> open = gate(model);
        try (Engine engine = Engine.start(model, CONFIG, listener)) {
            for (int i = 0; i < 400; i++) {
                start(engine, request("flood-" + i, "flood", 0));
            }
            RecordingSubscriber lone = start(engine, request("lone", "other", 0));
            open.complete(null);
            lone.awaitEnd();
        }
        assertThat(List.copyOf(firstTokens).indexOf("lone")).isBetween(0, 2 * SLOTS);
    }

    @Test
    void whoFloodsLeavesSlotsForTenantsThatAskNowAndThen() throws Exception {
        int slots = 32;
        FakeModelRunner model = new FakeModelRunner(slots, CONTEXT);
        AtomicReference<Engine> handle = new AtomicReference<>();
        try (Engine engine = Engine.start(model, CONFIG, listener)) {
            handle.set(engine);
            start(engine, request("early", "other", 0)).awaitEnd();
            CompletableFuture<Void> open = gate(model);
            for (int i = 0; i < 200; i++) {
                int[] prompt = {i % 90};
                start(
                        engine,
                        new GenerationRequest("flood-" + i, prompt, SamplingParams.greedyExactly(60)).of("flood", 0));
            }
            CompletableFuture<RecordingSubscriber> lone = new CompletableFuture<>();
            AtomicInteger steps = new AtomicInteger();
            model.onRun = _ -> {
                open.join();
                if (steps.incrementAndGet() == 20) { // before any of the flood ends
                    assertThat(handle.get().scheduler().running()).isEqualTo(slots - slots / 16);
                    lone.complete(start(engine, request("lone", "other", 0)));
                }
            };
            open.complete(null);
            lone.join().awaitEnd();
        }
        List<String> order = List.copyOf(firstTokens);
        assertThat(order.indexOf("lone")).isEqualTo(1 + slots - slots / 16);
    }

    @Test
    void whoFloodsDoesNotMakeStepsLongForOthers() throws Exception {
        int slots = 2 * SchedulingPolicy.FULL_BATCH;
        FakeModelRunner model = new FakeModelRunner(slots, CONTEXT);
        AtomicReference<Engine> handle = new AtomicReference<>();
        CompletableFuture<Integer> running = new CompletableFuture<>();
        CompletableFuture<Integer> few = new CompletableFuture<>();
        CompletableFuture<Void> open = new CompletableFuture<>();
        try (Engine engine = Engine.start(model, CONFIG, listener)) {
            handle.set(engine);
            model.onRun = _ -> handle.get().scheduler().pace().observe(0, 1, 8_000_000);
            for (String tenant : List.of("first", "second", "third")) {
                start(engine, request(tenant, tenant, 0)).awaitEnd();
            }
            AtomicInteger steps = new AtomicInteger();
            model.onRun = _ -> {
                open.join();
                if (steps.incrementAndGet() == 20) { // before any of the flood ends
                    running.complete(handle.get().scheduler().running());
                    few.complete(handle.get().scheduler().shareUnderFlood());
                }
            };
            for (int i = 0; i < 2 * slots; i++) {
                int[] prompt = {i % 90};
                start(
                        engine,
                        new GenerationRequest("flood-" + i, prompt, SamplingParams.greedyExactly(60)).of("flood", 0));
            }
            open.complete(null);
            assertThat(running.get(20, TimeUnit.SECONDS))
                    .isEqualTo(
                            SchedulingPolicy.FULL_BATCH - SchedulingPolicy.reservedSlots(SchedulingPolicy.FULL_BATCH));
            assertThat(few.get(20, TimeUnit.SECONDS)).isEqualTo(SchedulingPolicy.FULL_BATCH / 4);
        }
    }

    @Test
    void slotsAreTakenBackForATenantThatHoldsLessThanItsShareAndNothingIsLost() throws Exception {
        int slots = 32;
        FakeModelRunner model = new FakeModelRunner(slots, CONTEXT);
        AtomicReference<Engine> handle = new AtomicReference<>();
        List<GenerationRequest> flood = new ArrayList<>();
        List<RecordingSubscriber> flooding = new ArrayList<>();
        try (Engine engine = Engine.start(model, CONFIG, listener)) {
            handle.set(engine);
            CompletableFuture<Void> open = gate(model);
            for (int i = 0; i < 64; i++) {
                int[] prompt = {i % 90, 7};
                flood.add(new GenerationRequest("flood-" + i, prompt, SamplingParams.greedyExactly(60)).of("flood", 0));
                flooding.add(start(engine, flood.get(i)));
            }
            List<RecordingSubscriber> others = new ArrayList<>();
            AtomicInteger steps = new AtomicInteger();
            CompletableFuture<Integer> held = new CompletableFuture<>();
            model.onRun = _ -> {
                open.join();
                int step = steps.incrementAndGet();
                for (int i = 0; step == 20 && i < slots; i++) {
                    others.add(start(engine, request("other-" + i, "other", 0)));
                }
                if (step == 20 + slots / 4) { // two a step are taken back, until each tenant has half
                    held.complete(handle.get().scheduler().counters().running("flood"));
                }
            };
            open.complete(null);
            assertThat(held.get(20, TimeUnit.SECONDS)).isBetween(slots / 2, slots / 2 + 4);
            assertThat(engine.stats().preemptions()).isGreaterThanOrEqualTo(slots / 2 - 4);
            for (RecordingSubscriber subscriber : flooding) {
                subscriber.awaitEnd();
            }
            for (RecordingSubscriber subscriber : others) {
                subscriber.awaitEnd();
            }
        }
        for (int i = 0; i < flooding.size(); i++) {
            assertThat(flooding.get(i).tokens()).isEqualTo(FakeModelRunner.reference(flood.get(i), CONTEXT));
        }
    }

    @Test
    void aSlotThatIsTakenBackGoesToWhomItIsTakenFor() throws Exception {
        FakeModelRunner model = new FakeModelRunner(SLOTS, CONTEXT);
        AtomicInteger steps = new AtomicInteger();
        AtomicReference<Engine> handle = new AtomicReference<>();
        List<RecordingSubscriber> all = new ArrayList<>();
        CompletableFuture<Long> preemptions = new CompletableFuture<>();
        SamplingParams sampling = SamplingParams.greedyExactly(60);
        model.onRun = _ -> {
            int step = steps.incrementAndGet();
            if (step == 20) { // the first tenant has had more by now, and asks for less than its share
                for (int i = 0; i < 6; i++) {
                    GenerationRequest request = new GenerationRequest("more-" + i, new int[] {i}, sampling);
                    all.add(start(handle.get(), request.of("more", 0)));
                }
                all.add(start(handle.get(), new GenerationRequest("second", new int[] {7}, sampling).of("first", 0)));
            }
            if (step == 40) {
                preemptions.complete(handle.get().scheduler().preemption().count());
            }
        };
        try (Engine engine = Engine.start(model, CONFIG, listener)) {
            handle.set(engine);
            all.add(start(engine, new GenerationRequest("first", new int[] {1}, sampling).of("first", 0)));
            assertThat(preemptions.get(20, TimeUnit.SECONDS)).isOne();
            for (RecordingSubscriber subscriber : List.copyOf(all)) {
                subscriber.awaitEnd();
            }
        }
        assertThat(List.copyOf(firstTokens).indexOf("second")).isLessThanOrEqualTo(SLOTS);
    }

    /** The model computes chunks and rows one after the other, a chunk in longer than a step's rows. */
    @Test
    void thePromptOfATenantWithFewSlotsIsNextAndThoseOfAFloodComeOneBetweenRows() throws Exception {
        int slots = 32;
        FakeModelRunner model = new FakeModelRunner(slots, CONTEXT);
        model.computesApart = true;
        AtomicReference<Engine> handle = new AtomicReference<>();
        List<String> steps = new ArrayList<>();
        CompletableFuture<Integer> arrival = new CompletableFuture<>();
        EngineConfig roomy = new EngineConfig(5_000, 100_000, 512, CHUNK, 8);
        try (Engine engine = Engine.start(model, roomy, listener)) {
            handle.set(engine);
            start(engine, request("early", "few", 0)).awaitEnd();
            CompletableFuture<Void> open = new CompletableFuture<>();
            model.onRun = plan -> {
                open.join();
                Scheduler scheduler = handle.get().scheduler();
                scheduler.pace().observe(CHUNK, 0, 1_000_000_000);
                scheduler.pace().observe(0, slots, 250_000_000);
                steps.add(
                        plan.chunks().isEmpty()
                                ? "rows"
                                : scheduler
                                        .owner(plan.chunks().getFirst().slot())
                                        .request
                                        .tenant());
                boolean isCrowded = scheduler.counters().running("flood") > slots / 2 + 4;
                if (isCrowded && !arrival.isDone() && steps.getLast().equals("flood")) {
                    for (int i = 0; i < 2; i++) {
                        int[] prompt = {i, 1, 2};
                        start(engine, new GenerationRequest("f" + i, prompt, SamplingParams.greedy(4)).of("few", 0));
                    }
                    arrival.complete(steps.size());
                }
            };
            List<RecordingSubscriber> flood = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                int[] prompt = random.ints(CHUNK, 0, 90).toArray();
                GenerationRequest request =
                        new GenerationRequest("flood-" + i, prompt, SamplingParams.greedyExactly(40));
                flood.add(start(engine, request.of("flood", 0)));
            }
            open.complete(null);
            for (RecordingSubscriber subscriber : flood) {
                subscriber.awaitEnd();
            }
        }
        assertThat(arrival).as("the flood came to hold more than its share").isCompleted();
        int next = arrival.join();
        assertThat(steps.subList(next, next + 4)).containsExactly("few", "few", "rows", "flood");
    }

    /** Rows take 300 ms each time, of which next to none has passed when the other request comes. */
    @Test
    void aRequestOfATenantWithFewSlotsInterruptsTheRowsOfAFloodAndNothingIsLost() throws Exception {
        FakeModelRunner model = new FakeModelRunner(SLOTS, CONTEXT);
        model.computesApart = true;
        AtomicReference<Engine> handle = new AtomicReference<>();
        CompletableFuture<RecordingSubscriber> arrival = new CompletableFuture<>();
        GenerationRequest few = new GenerationRequest("few", new int[] {7}, SamplingParams.greedyExactly(9));
        List<GenerationRequest> flood = new ArrayList<>();
        for (int i = 0; i < SLOTS - 1; i++) {
            GenerationRequest request =
                    new GenerationRequest("flood-" + i, new int[] {i}, SamplingParams.greedyExactly(50));
            flood.add(request.of("flood", 0));
        }
        AtomicInteger fullSteps = new AtomicInteger();
        CompletableFuture<Integer> chunkAfter = new CompletableFuture<>();
        try (Engine engine = Engine.start(model, CONFIG, listener)) {
            handle.set(engine);
            start(engine, request("early", "few", 0)).awaitEnd();
            CompletableFuture<Void> open = new CompletableFuture<>();
            model.onRun = plan -> {
                open.join();
                if (arrival.isDone()) {
                    if (!plan.chunks().isEmpty()) {
                        chunkAfter.complete(model.runs - fullSteps.get());
                    }
                } else if (plan.activeRows() == SLOTS - 1 && fullSteps.getAndSet(model.runs) > 0) {
                    arrival.complete(start(handle.get(), few.of("few", 0)));
                } else if (plan.activeRows() == SLOTS - 1) {
                    long end = System.nanoTime() + 300_000_000;
                    while (System.nanoTime() < end) {
                        Thread.onSpinWait();
                    }
                }
            };
            List<RecordingSubscriber> flooding = new ArrayList<>();
            for (GenerationRequest request : flood) {
                flooding.add(start(engine, request));
            }
            open.complete(null);
            for (int i = 0; i < flooding.size(); i++) {
                flooding.get(i).awaitEnd();
                assertThat(flooding.get(i).tokens()).isEqualTo(FakeModelRunner.reference(flood.get(i), CONTEXT));
            }
            arrival.get(20, TimeUnit.SECONDS).awaitEnd();
            assertThat(arrival.join().tokens()).isEqualTo(FakeModelRunner.reference(few, CONTEXT));
        }
        assertThat(model.interruptions).isOne();
        assertThat(interruptions).hasValue(1);
        assertThat(chunkAfter).as("the very next step computes its prompt").isCompletedWithValue(1);
    }

    @Test
    void lowerPriorityNumbersGoFirstWithinATenantAndChangeNothingBetweenTenants() throws Exception {
        FakeModelRunner model = new FakeModelRunner(1, CONTEXT);
        CompletableFuture<Void> open = gate(model);
        List<RecordingSubscriber> all = new ArrayList<>();
        try (Engine engine = Engine.start(model, CONFIG, listener)) {
            RecordingSubscriber running = start(engine, request("running", "c", 0));
            waitForRun(model);
            for (int priority : new int[] {2, -1, 1, 1, 0}) {
                all.add(start(engine, request("a" + priority, "a", priority)));
            }
            all.add(start(engine, request("b9", "b", 9)));
            open.complete(null);
            running.awaitEnd();
            for (RecordingSubscriber subscriber : all) {
                subscriber.awaitEnd();
            }
        }
        List<String> order = List.copyOf(firstTokens);
        assertThat(order.stream().filter(id -> id.startsWith("a"))).containsExactly("a-1", "a0", "a1", "a1", "a2");
        assertThat(order.indexOf("b9")).isLessThanOrEqualTo(2);
    }

    private static void waitForRun(FakeModelRunner model) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (model.runs == 0) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("no step began");
            }
            Thread.onSpinWait();
        }
    }
}
