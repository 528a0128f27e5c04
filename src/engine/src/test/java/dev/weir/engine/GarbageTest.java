package dev.weir.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;

/** A step of decoding makes a handful of objects, however many sequences it decodes. */
@Timeout(60)
class GarbageTest {
    private static final int STEPS = 400;
    private static final int SMALLEST_OBJECT = 16;

    @ParameterizedTest
    @ValueSource(strings = {"greedy", "top-p", "min-p", "penalties", "bias"})
    void garbageOfAStepDoesNotGrowWithTheSequences(String way) {
        SamplingParams.Builder sampling =
                SamplingParams.builder(STEPS).ignoreEos(true).seed(1);
        switch (way) {
            case "top-p" -> sampling.temperature(1).topP(0.9f);
            case "min-p" -> sampling.temperature(1).minP(0.05f);
            case "penalties" -> sampling.temperature(1).frequencyPenalty(0.5f).repetitionPenalty(1.1f);
            case "bias" -> sampling.temperature(0).logitBias(Map.of(7, 2f));
            default -> sampling.temperature(0);
        }
        long more = bytesOfAStep(64, sampling.build()) - bytesOfAStep(2, sampling.build());
        assertThat(more).as("bytes that 62 more sequences leave").isLessThan(62 * SMALLEST_OBJECT);
    }

    /** What the engine thread allocates from one step of nothing but rows to the next, the median. */
    private static long bytesOfAStep(int sequences, SamplingParams sampling) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        FakeModelRunner runner = new FakeModelRunner(sequences, STEPS + 8);
        List<Long> allocated = Collections.synchronizedList(new ArrayList<>(STEPS + sequences));
        CountDownLatch areThere = new CountDownLatch(1);
        runner.onRun = plan -> {
            await(areThere);
            if (plan.activeRows() == sequences) {
                allocated.add(threads.getCurrentThreadAllocatedBytes());
            }
        };
        List<Counting> readers = new ArrayList<>();
        try (Engine engine = Engine.start(runner, EngineConfig.DEFAULT, EngineListener.NONE)) {
            for (int i = 0; i < sequences; i++) {
                Counting reader = new Counting();
                readers.add(reader);
                engine.generate(new GenerationRequest("r" + i, new int[] {i}, sampling))
                        .subscribe(reader);
            }
            areThere.countDown();
            readers.forEach(reader -> await(reader.end));
        }
        List<Long> bytes = new ArrayList<>();
        for (int i = 1; i < allocated.size(); i++) {
            bytes.add(allocated.get(i) - allocated.get(i - 1));
        }
        Collections.sort(bytes);
        return bytes.get(bytes.size() / 2);
    }

    private static final class Counting implements CoreSubscriber<StepOutput> {
        private final CountDownLatch end = new CountDownLatch(1);

        @Override
        public void onSubscribe(Subscription subscription) {
            subscription.request(Long.MAX_VALUE);
        }

        @Override
        public void onNext(StepOutput output) {}

        @Override
        public void onError(Throwable cause) {
            end.countDown();
        }

        @Override
        public void onComplete() {
            end.countDown();
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
