package dev.weir.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Thousands of submits, cancels, pauses, absences and finishes at random moments, of which many go on from an earlier text; repeat one
 * with {@code -Dtests.seed=N}.
 */
@Timeout(120)
class RandomScheduleTest {
    private static final int CONTEXT = 48;
    private static final int SUBMITS = 10_000;
    private static final int CHUNK = 8;
    private static final int BLOCK = 4;

    private final long seed = Long.getLong("tests.seed", System.nanoTime());
    private final SplittableRandom random = new SplittableRandom(seed);
    private final Map<String, GenerationRequest> requests = new HashMap<>();
    private final Map<String, RecordingSubscriber> live = new HashMap<>();
    private final Set<String> cancelled = new HashSet<>();
    private final List<String> paused = new ArrayList<>();
    /** Prompts with their answers, from which later prompts go on. */
    private final List<int[]> texts = new ArrayList<>();

    private PrefixPool pool = PrefixPool.NONE;
    private boolean pauses = true;
    private int tooLate;

    /**
     * With few slots, or with more of which one is kept for tenants that hold less than their share; without a prefix cache, with one
     * too small for a single text, one that must evict, and one that holds nearly all; with memory for whole contexts in all slots, or
     * for so few blocks that who decodes must take some from others. On models whose single tokens differ nobody
     * is paused or away: who is preempted computes its answer again, and differently.
     */
    @ParameterizedTest
    @CsvSource({
        "7, 0, true, true, true, 84",
        "7, 5, true, true, false, 84",
        "20, 60, true, true, true, 240",
        "20, 60, true, true, false, 240",
        "7, 3000, true, true, true, 84",
        "7, 5, false, false, true, 84",
        "20, 60, false, false, false, 240",
        "7, 3000, false, false, true, 84",
        "20, 60, true, true, false, 70",
        "20, 0, true, true, false, 40",
        "7, 5, true, false, true, 20",
        "40, 3000, true, true, false, 12"
    })
    void randomSchedulesKeepEveryInvariantAndStarveNobody(
            int slots,
            int blocks,
            boolean decodesLikePrefill,
            boolean someArePaused,
            boolean computesApart,
            int cacheBlocks)
            throws Exception {
        System.out.println("RandomScheduleTest runs with -Dtests.seed=" + seed);
        pool = new PrefixPool(blocks, BLOCK, decodesLikePrefill);
        pauses = someArePaused;
        FakeModelRunner model = new FakeModelRunner(slots, CONTEXT, pool, decodesLikePrefill ? 15 : 0)
                .with(new CacheBlocks(cacheBlocks, BLOCK));
        SplittableRandom times = random.split(); // prompts are cut into whatever pieces these ask for
        model.computesApart = computesApart;
        SplittableRandom interruptions = random.split();
        model.isGivenUp = () -> interruptions.nextInt(8) == 0;
        Counting listener = new Counting();
        AtomicReference<Engine> handle = new AtomicReference<>();
        CompletableFuture<String> broken = new CompletableFuture<>();
        Engine engine = Engine.start(model, new EngineConfig(SUBMITS, 100_000, 24, CHUNK, 3, 5), listener);
        handle.set(engine);
        model.onRun = plan -> {
            StepPace pace = handle.get().scheduler().pace();
            pace.observe(1, 0, 1_000);
            pace.observe(0, 1, times.nextBoolean() ? 1 : times.nextLong(1, 200_000));
            boolean isMixed = plan.chunks().size() > 1 || (!plan.chunks().isEmpty() && plan.decodeRows() > 0);
            if (computesApart && isMixed) {
                broken.complete("a step has " + plan.chunks() + " beside " + plan.decodeRows() + " rows");
            }
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
                if (pauses && !live.isEmpty()) {
                    live.get(anyOf(live.keySet())).away(random.nextBoolean());
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
        assertThat(engine.scheduler().cache().freeBlocks()).isEqualTo(cacheBlocks);
        if (cacheBlocks < slots * CONTEXT / BLOCK) {
            assertThat(engine.stats().preemptions()).isPositive();
            assertThat(model.mostTokens).isBetween(cacheBlocks * BLOCK * 9 / 10, cacheBlocks * BLOCK);
        }
        assertThat(engine.scheduler().unfinished()).isEmpty();
        assertThat(engine.scheduler().counters().tenants()).isZero();
        assertThat(engine.scheduler().sharing().cache().violations()).isEmpty();
        assertThat(tooLate).isPositive();
        assertThat(model.interruptions).isPositive();
        if (cacheBlocks > CONTEXT / BLOCK) {
            assertThat(model.movedTokens).isPositive();
        }
        if (blocks > 0) {
            assertThat(model.loadedBlocks).isPositive();
        } else {
            assertThat(model.savedBlocks).isZero();
        }
    }

    private void submit(Engine engine, String id) {
        int[] prompt = prompt();
        GenerationRequest request =
                new GenerationRequest(id, prompt, sampling()).of("tenant-" + random.nextInt(4), random.nextInt(3));
        if (random.nextInt(10) == 0) {
            request = request.within(Duration.ofNanos(random.nextLong(1, 20_000_000)));
        }
        boolean isPaused = pauses && random.nextInt(5) == 0;
        RecordingSubscriber subscriber = new RecordingSubscriber(isPaused ? 1 + random.nextInt(4) : Long.MAX_VALUE);
        if (isPaused) {
            paused.add(id);
        }
        requests.put(id, request);
        live.put(id, subscriber);
        engine.generate(request).subscribe(subscriber);
    }

    /** Greedy or not, with or without what changes the logits by what was said before. */
    private SamplingParams sampling() {
        SamplingParams.Builder sampling = SamplingParams.builder(1 + random.nextInt(16))
                .temperature(random.nextBoolean() ? 0 : 1)
                .seed(random.nextLong())
                .ignoreEos(random.nextBoolean());
        if (random.nextInt(3) == 0) {
            sampling.frequencyPenalty(random.nextFloat(-2, 2)).presencePenalty(random.nextFloat(-2, 2));
        }
        if (random.nextInt(3) == 0) {
            sampling.repetitionPenalty(random.nextFloat(0.5f, 2));
        }
        if (random.nextInt(3) == 0) {
            int token = random.nextInt(90);
            sampling.logitBias(Map.of(token, 3f)).badWords(List.of(List.of(token, token), List.of(3)));
        }
        return sampling.build();
    }

    /** A new text, an old one, or some of an old one and more. */
    private int[] prompt() {
        int[] fresh = random.ints(1 + random.nextInt(30), 0, 90).toArray();
        if (texts.isEmpty() || random.nextInt(3) == 0) {
            return fresh;
        }
        int[] old = texts.get(random.nextInt(texts.size()));
        int kept = 1 + random.nextInt(Math.min(old.length, CONTEXT - 2));
        int added = Math.min(random.nextInt(8), CONTEXT - 1 - kept);
        int[] prompt = Arrays.copyOf(old, kept + added);
        System.arraycopy(random.ints(added, 0, 90).toArray(), 0, prompt, kept, added);
        return prompt;
    }

    private void remember(int[] prompt, List<Integer> answer) {
        int[] text = Arrays.copyOf(prompt, prompt.length + answer.size());
        for (int i = 0; i < answer.size(); i++) {
            text[prompt.length + i] = answer.get(i);
        }
        if (texts.size() < 40) {
            texts.add(text);
        } else {
            texts.set(random.nextInt(texts.size()), text);
        }
    }

    private void cancelOne() {
        if (!live.isEmpty()) {
            String id = anyOf(live.keySet());
            cancelled.add(id);
            paused.remove(id);
            live.get(id).subscription.cancel();
        }
    }

    private String anyOf(Set<String> ids) {
        return List.copyOf(ids).get(random.nextInt(ids.size()));
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
            GenerationRequest request = requests.remove(id);
            List<Integer> expected = FakeModelRunner.reference(request, CONTEXT, pool, CHUNK);
            remember(request.promptTokens(), expected);
            if (cancelled.remove(id)) {
                List<Integer> seen = subscriber.tokens();
                assertThat(expected.subList(0, seen.size()))
                        .as("%s, seed %d", id, seed)
                        .isEqualTo(seen);
            } else {
                if (paused.remove(id)) {
                    subscriber.subscription.request(Long.MAX_VALUE);
                }
                if (request.timeLimit() != null && subscriber.awaitOutcome() instanceof DeadlineExceededException) {
                    tooLate++;
                    expected = expected.subList(0, subscriber.tokens().size());
                } else {
                    subscriber.awaitEnd();
                }
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
