package dev.weir.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class PrefixCacheTest {
    private static final int CONTEXT = 128;
    private static final int BLOCK = 4;
    private static final PrefixPool POOL = new PrefixPool(200, BLOCK, true);
    private static final EngineConfig CONFIG = new EngineConfig(64, 100_000, 32, 8, 4);

    private static int[] block(int first) {
        return new int[] {first, 2, 3, 4};
    }

    private static PrefixCache cache(int blocks) {
        return new PrefixCache(new PrefixPool(blocks, BLOCK, true));
    }

    private static PrefixCache.Block add(PrefixCache cache, PrefixCache.Block parent, int first) {
        PrefixCache.Block block = cache.add(parent, block(first));
        assertThat(cache.violations()).isEmpty();
        assertThat(block).isNotNull();
        return block;
    }

    @Test
    void aBlockIsFoundByAllTokensUpToItsEnd() {
        PrefixCache cache = cache(8);
        PrefixCache.Block first = add(cache, null, 1);
        PrefixCache.Block second = add(cache, first, 7);
        PrefixCache.Block other = add(cache, null, 5);
        assertThat(cache.find(null, block(1))).isSameAs(first);
        assertThat(cache.find(first, block(7))).isSameAs(second);
        // The same tokens after another beginning are another text.
        assertThat(cache.find(other, block(7))).isNull();
        assertThat(cache.find(null, block(7))).isNull();
        // These arrays have the same hash.
        int[] one = {0, 31, 3, 4};
        int[] two = {1, 0, 3, 4};
        assertThat(Arrays.hashCode(one)).isEqualTo(Arrays.hashCode(two));
        cache.add(null, one);
        assertThat(cache.find(null, two)).isNull();
    }

    @Test
    void theLeastRecentlyUsedGoesAndTheEndOfATextBeforeItsBeginning() {
        PrefixCache cache = cache(4);
        PrefixCache.Block a = add(cache, null, 1);
        PrefixCache.Block ab = add(cache, a, 2);
        PrefixCache.Block c = add(cache, null, 3);
        PrefixCache.Block d = add(cache, null, 4);
        add(cache, null, 5);
        assertThat(cache.find(a, block(2))).isNull();
        assertThat(cache.find(null, block(1))).isSameAs(a);
        cache.touch(a);
        cache.touch(c);
        add(cache, null, 6);
        assertThat(cache.find(null, block(4))).isNull();
        assertThat(cache.find(null, block(1))).isSameAs(a);
        assertThat(cache.find(null, block(3))).isSameAs(c);
        assertThat(cache.add(ab, block(8))).as("a block after one that is gone").isNull();
        assertThat(cache.add(d, block(8))).isNull();
        assertThat(cache.usedBlocks()).isEqualTo(4);
    }

    @Test
    void aTextThatFillsThePoolDoesNotEvictItself() {
        PrefixCache cache = cache(2);
        PrefixCache.Block a = add(cache, null, 1);
        PrefixCache.Block ab = add(cache, a, 2);
        assertThat(cache.add(ab, block(3))).isNull();
        assertThat(cache.find(a, block(2))).isSameAs(ab);
        assertThat(cache.violations()).isEmpty();
    }

    @Test
    void randomUseKeepsTheBooksAndTheBudget() {
        long seed = Long.getLong("tests.seed", System.nanoTime());
        SplittableRandom random = new SplittableRandom(seed);
        PrefixCache cache = cache(20);
        List<PrefixCache.Block> seen = new ArrayList<>();
        for (int i = 0; i < 5_000; i++) {
            PrefixCache.Block parent =
                    seen.isEmpty() || random.nextInt(4) == 0 ? null : seen.get(random.nextInt(seen.size()));
            int[] tokens = block(random.nextInt(6));
            PrefixCache.Block found = cache.find(parent, tokens);
            if (found != null) {
                cache.touch(found);
            } else {
                PrefixCache.Block added = cache.add(parent, tokens);
                if (added != null) {
                    seen.add(added);
                    if (random.nextInt(10) == 0) {
                        cache.forget(added); // it has no successor yet
                    }
                }
            }
            assertThat(cache.violations()).as("seed %d", seed).isEmpty();
            assertThat(cache.usedBlocks()).isLessThanOrEqualTo(20);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "64, 99, 100, true, 64", // all that is cached
        "96, 95, 96, true, 92", // the last token is computed
        "96, 96, 96, true, 96", // unless its scores are known
        "96, 96, 97, true, 96",
        "96, 96, 97, false, 96", // token 96 begins a chunk and is alone in any case
        "92, 92, 93, true, 92",
        "92, 92, 93, false, 88", // here it would be one of five
        "0, 0, 1, false, 0"
    })
    void whatIsTakenOverLeavesTheChunksAsTheyWere(int cached, int most, int end, boolean alike, int reusable) {
        PrefixPool pool = new PrefixPool(9, 4, alike);
        assertThat(SchedulingPolicy.reusableTokens(cached, most, end, 32, pool)).isEqualTo(reusable);
    }

    // The cache in the engine

    private static int[] text(long seed, int length) {
        return new SplittableRandom(seed).ints(length, 0, 90).toArray();
    }

    private static int[] join(int[] first, int... second) {
        int[] all = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, all, first.length, second.length);
        return all;
    }

    private static int[] array(List<Integer> tokens) {
        return tokens.stream().mapToInt(token -> token).toArray();
    }

    private static SamplingParams sampled(long seed, int maxTokens) {
        return SamplingParams.builder(maxTokens).seed(seed).ignoreEos(true).build();
    }

    private static RecordingSubscriber start(Engine engine, int[] prompt, SamplingParams sampling) {
        RecordingSubscriber subscriber = new RecordingSubscriber();
        engine.generate(new GenerationRequest("r", prompt, sampling)).subscribe(subscriber);
        return subscriber;
    }

    private static int[] answer(Engine engine, int[] prompt, SamplingParams sampling) throws Exception {
        RecordingSubscriber subscriber = start(engine, prompt, sampling);
        subscriber.awaitEnd();
        return array(subscriber.tokens());
    }

    private static int[] reference(int[] prompt, SamplingParams sampling, PrefixPool pool) {
        return array(FakeModelRunner.reference(
                new GenerationRequest("r", prompt, sampling), CONTEXT, pool, CONFIG.prefillChunk()));
    }

    @Test
    void aSecondTurnComputesOnlyTheNewTokens() throws Exception {
        FakeModelRunner model = new FakeModelRunner(2, CONTEXT, POOL);
        try (Engine engine = Engine.start(model, CONFIG, EngineListener.NONE)) {
            int[] first = text(1, 41);
            int[] said = answer(engine, first, sampled(1, 20));
            assertThat(model.computedTokens).isEqualTo(41 + 19);

            // 60 tokens were computed, which is 15 blocks; the answer's last token never was.
            int[] second = join(join(first, said), 9, 8, 7);
            RecordingSubscriber turn = start(engine, second, sampled(2, 10));
            turn.awaitEnd();
            assertThat(array(turn.tokens())).isEqualTo(reference(second, sampled(2, 10), POOL));
            assertThat(turn.cachedTokens()).isEqualTo(60);
            assertThat(model.computedTokens).isEqualTo(60 + (64 - 60) + 9);
        }
    }

    @Test
    void aTextThatIsAskedForAgainComputesItsLastBlock() throws Exception {
        FakeModelRunner model = new FakeModelRunner(2, CONTEXT, POOL);
        try (Engine engine = Engine.start(model, CONFIG, EngineListener.NONE)) {
            int[] prompt = text(3, 40);
            int[] said = answer(engine, prompt, SamplingParams.greedy(1));
            RecordingSubscriber again = start(engine, prompt, SamplingParams.greedy(1));
            again.awaitEnd();
            assertThat(array(again.tokens())).isEqualTo(said);
            assertThat(again.cachedTokens()).isEqualTo(36);
            assertThat(model.computedTokens).isEqualTo(44);
        }
    }

    @Test
    void aModelWhoseSingleTokensDifferSharesPromptsAndRepeatsAnswers() throws Exception {
        PrefixPool pool = new PrefixPool(200, BLOCK, false);
        FakeModelRunner model = new FakeModelRunner(2, CONTEXT, pool);
        try (Engine engine = Engine.start(model, CONFIG, EngineListener.NONE)) {
            int[] prompt = text(4, 42);
            int[] said = answer(engine, prompt, sampled(1, 20));
            int[] second = join(join(prompt, said), 9);
            RecordingSubscriber turn = start(engine, second, sampled(2, 10));
            turn.awaitEnd();
            assertThat(array(turn.tokens())).isEqualTo(reference(second, sampled(2, 10), pool));
            assertThat(turn.cachedTokens()).isEqualTo(40);
        }
    }

    @Test
    void requestsThatComeTogetherShareOneSystemPrompt() throws Exception {
        FakeModelRunner model = new FakeModelRunner(8, CONTEXT, POOL);
        CountDownLatch allAsked = new CountDownLatch(1);
        model.onRun = plan -> {
            try {
                assertThat(allAsked.await(20, TimeUnit.SECONDS)).isTrue();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        };
        try (Engine engine = Engine.start(model, CONFIG, EngineListener.NONE)) {
            int[] system = text(5, 64);
            List<int[]> prompts = new ArrayList<>();
            List<RecordingSubscriber> turns = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                prompts.add(join(system, 50 + i, i));
                turns.add(start(engine, prompts.get(i), sampled(i, 5)));
            }
            allAsked.countDown();
            for (int i = 0; i < 8; i++) {
                turns.get(i).awaitEnd();
                assertThat(array(turns.get(i).tokens())).isEqualTo(reference(prompts.get(i), sampled(i, 5), POOL));
            }
            // The system prompt once, and each one's own two tokens and answer.
            assertThat(model.computedTokens).isEqualTo(64 + 8 * (2 + 4));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void samplesOfOnePromptThatComeTogetherComputeItOnceHoweverMuchAStepMayCompute(boolean alike) throws Exception {
        PrefixPool pool = new PrefixPool(200, BLOCK, alike);
        FakeModelRunner model = new FakeModelRunner(6, CONTEXT, pool);
        int[] prompt = text(12, 43);
        assertThat(computedBySamples(model, prompt, pool))
                .isEqualTo(43 + 5 * (43 - 40) + 6 * 9); // ten blocks are shared, the last three tokens are not
    }

    @Test
    void withoutACacheEachSampleComputesThePromptItself() throws Exception {
        FakeModelRunner model = new FakeModelRunner(6, CONTEXT);
        PrefixPool none = new PrefixPool(0, 1, true);
        assertThat(computedBySamples(model, text(12, 43), none)).isEqualTo(6 * (43 + 9));
    }

    /** Tokens computed for six samples of ten tokens each, whose answers are those that each would have got alone. */
    private static long computedBySamples(FakeModelRunner model, int[] prompt, PrefixPool pool) throws Exception {
        CountDownLatch allAsked = new CountDownLatch(1);
        model.onRun = plan -> {
            try {
                assertThat(allAsked.await(20, TimeUnit.SECONDS)).isTrue();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        };
        EngineConfig wide = new EngineConfig(64, 100_000, 1024, 8, 64);
        try (Engine engine = Engine.start(model, wide, EngineListener.NONE)) {
            List<RecordingSubscriber> samples = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                samples.add(start(engine, prompt, sampled(i, 10)));
            }
            allAsked.countDown();
            for (int i = 0; i < 6; i++) {
                samples.get(i).awaitEnd();
                assertThat(array(samples.get(i).tokens())).isEqualTo(reference(prompt, sampled(i, 10), pool));
            }
            return model.computedTokens;
        }
    }

    @Test
    void aParkedOrCancelledSequenceKeepsNobodyWaitingForItsBlocks() throws Exception {
        FakeModelRunner model = new FakeModelRunner(3, CONTEXT, POOL);
        try (Engine engine = Engine.start(model, new EngineConfig(64, 100_000, 8, 8, 1), EngineListener.NONE)) {
            int[] prompt = text(13, 80);
            RecordingSubscriber parked = new RecordingSubscriber(0);
            engine.generate(new GenerationRequest("parked", prompt, sampled(1, 5)))
                    .subscribe(parked);
            RecordingSubscriber cancelled = new RecordingSubscriber();
            AtomicInteger runs = new AtomicInteger();
            model.onRun = plan -> {
                if (runs.incrementAndGet() == 3) { // half of the prompt is computed
                    cancelled.subscription.cancel();
                }
            };
            engine.generate(new GenerationRequest("cancelled", prompt, sampled(2, 5)))
                    .subscribe(cancelled);
            assertThat(answer(engine, prompt, sampled(3, 5))).isEqualTo(reference(prompt, sampled(3, 5), POOL));
            parked.subscription.request(Long.MAX_VALUE);
            parked.awaitEnd();
            assertThat(array(parked.tokens())).isEqualTo(reference(prompt, sampled(1, 5), POOL));
        }
    }

    @Test
    void aPreemptedSequenceThatReturnsFindsWhatItHadComputed() throws Exception {
        for (boolean alike : new boolean[] {true, false}) {
            PrefixPool pool = new PrefixPool(200, BLOCK, alike);
            FakeModelRunner model = new FakeModelRunner(1, CONTEXT, pool);
            try (Engine engine = Engine.start(model, CONFIG, EngineListener.NONE)) {
                int[] prompt = text(6, 30);
                SamplingParams sampling = sampled(3, 40);
                RecordingSubscriber slow = new RecordingSubscriber(11);
                engine.generate(new GenerationRequest("slow", prompt, sampling)).subscribe(slow);
                slow.awaitTokens(11);
                answer(engine, text(7, 9), SamplingParams.greedyExactly(3));
                // The same tokens as a prompt are its own blocks only if it makes no difference who computed them.
                int[] same = join(prompt, array(slow.tokens()));
                RecordingSubscriber other = start(engine, same, sampled(4, 5));
                other.awaitEnd();
                assertThat(array(other.tokens())).isEqualTo(reference(same, sampled(4, 5), pool));
                assertThat(other.cachedTokens()).isEqualTo(alike ? 40 : 28);
                long before = model.computedTokens;
                slow.subscription.request(Long.MAX_VALUE);
                slow.awaitEnd();
                // 30 + 10 tokens were in the cache, all of them in whole blocks.
                assertThat(model.computedTokens - before).isEqualTo(40 - 11);
                assertThat(array(slow.tokens())).isEqualTo(reference(prompt, sampling, pool));
                assertThat(slow.cachedTokens()).isZero();
            }
        }
    }

    @Test
    void aLongHitIsCopiedOverSeveralStepsWhileOthersGoOn() throws Exception {
        FakeModelRunner model = new FakeModelRunner(2, CONTEXT, POOL);
        EngineConfig small = new EngineConfig(64, 100_000, 8, 8, 1); // four blocks a step
        try (Engine engine = Engine.start(model, small, EngineListener.NONE)) {
            int[] prompt = text(8, 100);
            answer(engine, prompt, SamplingParams.greedy(1));
            List<Integer> loads = new CopyOnWriteArrayList<>();
            model.onRun = plan -> {
                if (!plan.loads().isEmpty()) { // the first one's last blocks may still be saved in a step of its own
                    loads.add(plan.loads().size());
                }
            };
            RecordingSubscriber again = start(engine, prompt, SamplingParams.greedy(1));
            again.awaitEnd();
            assertThat(again.cachedTokens()).isEqualTo(96);
            assertThat(loads).containsExactly(4, 4, 4, 4, 4, 4);
        }
    }

    @Test
    void aFailedStepForgetsTheBlocksThatItShouldHaveSaved() throws Exception {
        FakeModelRunner model = new FakeModelRunner(2, CONTEXT, POOL);
        try (Engine engine = Engine.start(model, CONFIG, EngineListener.NONE)) {
            int[] prompt = text(9, 40);
            CountDownLatch failed = new CountDownLatch(1);
            model.onRun = plan -> {
                if (!plan.saves().isEmpty()) {
                    model.onRun = next -> {};
                    failed.countDown();
                    throw new IllegalStateException("the copy failed");
                }
            };
            RecordingSubscriber victim = start(engine, prompt, sampled(1, 20));
            assertThat(failed.await(20, TimeUnit.SECONDS)).isTrue();
            assertThatThrownBy(victim::awaitEnd).cause().isInstanceOf(EngineFailedException.class);
            assertThat(engine.stats().prefixBlocks()).isZero();
            for (int i = 0; i < 3; i++) {
                assertThat(answer(engine, prompt, sampled(i, 20))).isEqualTo(reference(prompt, sampled(i, 20), POOL));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 6})
    void chunksMustEndWhereBlocksDo(int chunk) {
        assertThatThrownBy(() -> Engine.start(
                        new FakeModelRunner(1, CONTEXT, POOL),
                        new EngineConfig(4, 100_000, 32, chunk, 4),
                        EngineListener.NONE))
                .hasMessage("prefill-chunk is " + chunk
                        + " but must be a multiple of the prefix cache's blocks of 4 tokens");
    }

    @Test
    void withoutAPoolNothingIsCopiedOrReported() throws Exception {
        FakeModelRunner model = new FakeModelRunner(2, CONTEXT);
        List<Integer> lookups = new ArrayList<>();
        EngineListener listener = new EngineListener() {
            @Override
            public void prefixLookedUp(GenerationRequest request, int cachedTokens) {
                lookups.add(cachedTokens);
            }
        };
        try (Engine engine = Engine.start(model, CONFIG, listener)) {
            int[] prompt = text(10, 40);
            answer(engine, prompt, SamplingParams.greedy(9));
            answer(engine, prompt, SamplingParams.greedy(9));
            assertThat(engine.stats().prefixCacheUsage()).isZero();
        }
        assertThat(model.savedBlocks + model.loadedBlocks).isZero();
        assertThat(lookups).isEmpty();
    }
}
