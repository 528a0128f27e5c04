package dev.weir.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import reactor.core.publisher.BaseSubscriber;

/**
 * A step's planning and bookkeeping with 256 sequences, without model and sampler. Sequences end after 64 tokens and new ones
 * with prompts of 64 take their places, so that a step has decode rows and prefill chunks as under load.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class SchedulerBenchmark {
    private static final int SEQUENCES = 256;
    private static final ModelShape SHAPE = new ModelShape(50257, SEQUENCES, 128, new int[0], PrefixPool.NONE);
    private static final GenerationRequest REQUEST =
            new GenerationRequest("bench", new int[64], SamplingParams.greedyExactly(64));

    private final Places places = new Places(2 * SEQUENCES, 1 << 20);
    private final Scheduler scheduler =
            new Scheduler(EngineConfig.DEFAULT, 0, true, new KvCacheManager(SEQUENCES, SHAPE.cacheBlocks()), new PrefixCache(PrefixPool.NONE));
    private final StepPlan plan = new StepPlan(SEQUENCES);
    private final List<Sequence> admitted = new ArrayList<>();

    @Setup
    public void fill() {
        for (int i = 0; i < SEQUENCES; i++) {
            submit();
        }
        for (int i = 0; i < 1000; i++) { // until their ends lie apart
            step();
        }
    }

    @Benchmark
    public int step() {
        admitted.clear();
        scheduler.schedule(plan, admitted);
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
        return plan.decodeRows();
    }

    private void commit(Sequence sequence) {
        sequence.append(1, 0);
        scheduler.generated(sequence);
        FinishReason reason = sequence.finishReason();
        if (reason != null) {
            scheduler.finish(sequence, reason);
            submit();
        }
    }

    private void submit() {
        Places.Place place = places.take(GenerationRequest.NO_TENANT, 64, 128);
        TokenSubscription stream = new TokenSubscription(new BaseSubscriber<>() {}, command -> {});
        stream.request(Long.MAX_VALUE);
        Sequence sequence = new Sequence(REQUEST, stream, SHAPE, 0, place);
        stream.bind(sequence);
        scheduler.submit(sequence);
    }
}
