package dev.weir.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.BaseSubscriber;

/** Where slots take memory block by block as they fill, more sequences fit than whole contexts, and some give way at times. */
class CacheBlocksTest {
    private static final int CONTEXT = 64;
    private static final int BLOCK = 8;
    private static final int SLOTS = 32;

    private KvCacheManager cache = new KvCacheManager(1, new CacheBlocks(1, 1));
    private ModelShape shape = new ModelShape(100, 1, CONTEXT, new int[0], PrefixPool.NONE);
    private Scheduler scheduler = schedulerWith(CONTEXT / BLOCK);
    private StepPlan plan = new StepPlan(SLOTS);

    private Scheduler schedulerWith(int blocks) {
        CacheBlocks memory = new CacheBlocks(blocks, BLOCK);
        shape = new ModelShape(100, SLOTS, CONTEXT, new int[0], PrefixPool.NONE).withCacheBlocks(memory);
        cache = new KvCacheManager(SLOTS, memory);
        plan = new StepPlan(SLOTS);
        scheduler = new Scheduler(
                new EngineConfig(1000, 1 << 20, 4096, 64, 64),
                0,
                false,
                cache,
                new PrefixCache(new PrefixPool(0, 1, true)));
        return scheduler;
    }

    private Sequence submit(String tenant, int promptTokens, int newTokens) {
        TokenSubscription stream = new TokenSubscription(new BaseSubscriber<>() {}, command -> {});
        stream.request(Long.MAX_VALUE);
        GenerationRequest request = new GenerationRequest(
                        "r", new int[promptTokens], SamplingParams.greedyExactly(newTokens))
                .of(tenant, 0);
        Sequence sequence = new Sequence(request, stream, shape, 0, null);
        stream.bind(sequence);
        scheduler.submit(sequence);
        return sequence;
    }

    /** Plans, computes and commits so many steps. */
    private void steps(int count) {
        for (int i = 0; i < count; i++) {
            scheduler.schedule(plan, new ArrayList<>());
            for (PrefillChunk chunk : plan.chunks()) {
                Sequence sequence = scheduler.owner(chunk.slot());
                sequence.computed(chunk.length());
                if (chunk.wantsLogits()) {
                    commit(sequence);
                }
            }
            for (int row = 0; row < plan.decodeRows(); row++) {
                if (plan.isActive(row)) {
                    Sequence sequence = scheduler.owner(row);
                    sequence.computed(1);
                    commit(sequence);
                }
            }
            assertThat(EngineInvariants.violations(scheduler, CONTEXT)).isEmpty();
        }
    }

    private void commit(Sequence sequence) {
        sequence.append(1, 0);
        scheduler.generated(sequence);
        FinishReason reason = sequence.finishReason();
        if (reason != null) {
            scheduler.finish(sequence, reason);
        }
    }

    private static long running(List<Sequence> sequences) {
        return sequences.stream()
                .filter(sequence -> sequence.status() == Sequence.Status.RUNNING)
                .count();
    }

    @Test
    void shortSequencesRunTogetherWhereFewWholeContextsWouldFit() {
        schedulerWith(3 * CONTEXT / BLOCK); // 24 blocks
        List<Sequence> all = new ArrayList<>();
        for (int i = 0; i < 24; i++) {
            all.add(submit("a", 4, 4)); // seven tokens in the cache at most
        }
        steps(1);
        assertThat(running(all)).isEqualTo(24);
        steps(3);
        assertThat(running(all)).isZero();
        assertThat(scheduler.preemption().count()).isZero();
        assertThat(cache.freeBlocks()).isEqualTo(24);
    }

    @Test
    void aPromptWaitsUntilThereIsMemoryForItAndNobodyOvertakesIt() {
        schedulerWith(8);
        Sequence first = submit("a", 40, 8); // six blocks
        Sequence large = submit("a", 30, 2); // four
        Sequence small = submit("a", 4, 2);
        steps(1);
        assertThat(first.status()).isEqualTo(Sequence.Status.RUNNING);
        assertThat(large.status()).isEqualTo(Sequence.Status.WAITING);
        assertThat(small.status()).isEqualTo(Sequence.Status.WAITING);
        steps(8);
        assertThat(first.isFinished()).isTrue();
        assertThat(running(List.of(large, small))).isEqualTo(2);
    }

    @Test
    void aShortRequestIsComputedBesideOneThatHoldsMostOfTheMemory() {
        schedulerWith(8);
        Sequence large = submit("a", 40, 8); // six blocks
        steps(1);
        Sequence small = submit("a", 4, 4); // one of the two that are left
        steps(1);
        assertThat(running(List.of(large, small))).isEqualTo(2);
    }

    @Test
    void whoCameLastGivesItsMemoryToWhoCameFirstAndGoesOnLater() {
        schedulerWith(8);
        Sequence first = submit("a", 15, 49); // seven blocks in the end
        Sequence second = submit("a", 15, 49);
        steps(17); // both hold four blocks, all of them full
        assertThat(running(List.of(first, second))).isEqualTo(2);
        assertThat(cache.freeBlocks()).isZero();
        steps(2);
        assertThat(first.status()).isEqualTo(Sequence.Status.RUNNING);
        assertThat(second.status()).isEqualTo(Sequence.Status.WAITING);
        assertThat(plan.releases()).containsExactly(1);
        int had = second.generatedTokens();
        steps(32);
        assertThat(first.isFinished()).isTrue();
        steps(50 - had);
        assertThat(second.isFinished()).isTrue();
        assertThat(scheduler.preemption().count()).isOne();
        assertThat(cache.freeBlocks()).isEqualTo(8);
    }

    @Test
    void theTenantThatHoldsMostGivesWayForWantOfMemory() {
        schedulerWith(12);
        List<Sequence> many = new ArrayList<>();
        many.add(submit("many", 15, 33));
        many.add(submit("many", 15, 33));
        many.add(submit("many", 15, 33));
        steps(1);
        Sequence few = submit("few", 15, 33); // the last to come
        steps(12); // of the twelve blocks each needs a fourth
        assertThat(few.status()).isEqualTo(Sequence.Status.RUNNING);
        assertThat(running(many)).isEqualTo(2);
        assertThat(many.get(2).status()).isEqualTo(Sequence.Status.WAITING);
    }

    @Test
    void asMuchMemoryIsTakenBackAsATenantWithLessThanItsShareNeeds() {
        schedulerWith(16);
        List<Sequence> many = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            many.add(submit("many", 3, 20));
        }
        steps(1);
        assertThat(running(many)).isEqualTo(16);
        Sequence few = submit("few", 30, 2); // four blocks
        steps(1);
        assertThat(few.status()).isEqualTo(Sequence.Status.RUNNING);
        assertThat(running(many)).isEqualTo(12);
        assertThat(scheduler.preemption().count()).isEqualTo(4);
    }

    @Test
    void slotsAreToldToTheModelOnceAndOnlyWithAStepThatIsRun() {
        schedulerWith(8);
        Sequence only = submit("a", 4, 1);
        steps(1);
        assertThat(only.isFinished()).isTrue();
        steps(1);
        assertThat(plan.isEmpty()).isTrue();
        assertThat(plan.releases()).isEmpty();
        submit("a", 4, 2);
        steps(1);
        assertThat(plan.releases()).containsExactly(0);
        steps(1);
        assertThat(plan.releases()).isEmpty();
    }

    @Test
    void aCacheHoldsAtLeastOneWholeContext() {
        ModelShape whole = new ModelShape(100, SLOTS, CONTEXT, new int[0], PrefixPool.NONE);
        assertThatThrownBy(() -> whole.withCacheBlocks(new CacheBlocks(7, BLOCK)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("7 cache blocks of 8 tokens do not hold one sequence of maxTokens 64");
        assertThatThrownBy(() -> new CacheBlocks(0, BLOCK)).hasMessageContaining("count 0");
    }
}
