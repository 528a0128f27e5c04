package dev.weir.onnx;

import dev.weir.engine.Engine;
import dev.weir.engine.EngineConfig;
import dev.weir.engine.EngineListener;
import dev.weir.engine.EngineStats;
import dev.weir.engine.GenerationRequest;
import dev.weir.engine.SamplingParams;
import dev.weir.engine.StepOutput;
import java.io.PrintStream;
import java.util.Arrays;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.SignalType;

/**
 * Many requests of all kinds, several times as many at once as there are slots: greedy and drawn, with beginnings in common,
 * cancelled at any token, read by readers that stall until somebody else has ended, in a cache with one block for each slot, so that
 * sequences lose their slots and compute them again. Afterwards nothing may be held, and the device's memory is what it was. Static functions.
 */
final class ChurnCheck {
    private static final int SLOTS = 48;
    private static final int AT_ONCE = 160;
    private static final int NEW_TOKENS = 24;
    /** What the driver's own bookkeeping may come to. */
    private static final long SLACK = 32L << 20;

    private ChurnCheck() {}

    static boolean run(ModelFolder cuda, int requests, int maxTokens, CudaPlatform platform, PrintStream out) {
        long blockBytes = 2L * Short.BYTES * cuda.layers() * cuda.blockSize() * cuda.kvHeads() * cuda.headSize();
        long cacheBytes = Math.max(Math.ceilDiv(maxTokens, cuda.blockSize()), SLOTS) * blockBytes;
        PagedModelRunner runner = PagedModelRunner.open(
                cuda, new RunnerOptions(SLOTS, cacheBytes, maxTokens, 0, 1L << 30), CudaOptions.DEFAULT, platform);
        try (Engine engine = Engine.start(
                runner, new EngineConfig(2 * AT_ONCE, Integer.MAX_VALUE, 4096, 1024, 32), EngineListener.NONE)) {
            Load load = new Load(engine);
            int warmUp = Math.max(1, requests / 2); // by then all sizes of steps have been seen
            load.run(warmUp);
            long before = runner.freeBytes();
            long start = System.nanoTime();
            load.run(requests - warmUp);
            double seconds = (System.nanoTime() - start) / 1e9;
            long after = runner.freeBytes();
            EngineStats stats = engine.stats();
            boolean isGood = stats.running() == 0
                    && stats.waiting() == 0
                    && stats.cachedTokens() == 0
                    && stats.isHealthy()
                    && stats.preemptions() > 0
                    && load.failed.get() == 0
                    && before - after < SLACK;
            out.printf(
                    "%s churn: %d requests (%d cancelled, %d stalled, %d failed, %d preemptions), %.0f a second; then %d"
                            + " running, %d waiting, %d tokens cached; free memory %d MiB, before %d%n",
                    isGood ? "ok    " : "FAILED",
                    requests,
                    load.cancelled.get(),
                    load.stalled.get(),
                    load.failed.get(),
                    stats.preemptions(),
                    (requests - warmUp) / seconds,
                    stats.running(),
                    stats.waiting(),
                    stats.cachedTokens(),
                    after >> 20,
                    before >> 20);
            return isGood;
        }
    }

    /** What keeps so many requests going; used by one thread, whose readers run on the engine's. */
    private static final class Load {
        private final Engine engine;
        private final Random random = new Random(3);
        private final Semaphore room = new Semaphore(AT_ONCE);
        private final Queue<Reader> waiting = new ConcurrentLinkedQueue<>();
        private final int[][] beginnings = new int[4][];
        private final AtomicInteger cancelled = new AtomicInteger();
        private final AtomicInteger stalled = new AtomicInteger();
        private final AtomicInteger failed = new AtomicInteger();

        Load(Engine engine) {
            this.engine = engine;
            int most = engine.shape().maxTokens() - 2 * NEW_TOKENS;
            for (int i = 0; i < beginnings.length; i++) {
                beginnings[i] = random.ints(
                                Math.min(600, most), 0, engine.shape().vocabularySize())
                        .toArray();
            }
        }

        void run(int requests) {
            for (int i = 0; i < requests; i++) {
                while (!room.tryAcquire()) {
                    resumeOne();
                    Thread.onSpinWait();
                }
                int[] beginning = beginnings[random.nextInt(beginnings.length)];
                int[] prompt = Arrays.copyOf(beginning, 1 + random.nextInt(beginning.length));
                prompt[prompt.length - 1] = random.nextInt(engine.shape().vocabularySize());
                int kind = random.nextInt(10);
                Reader reader = new Reader(kind < 3 ? 1 + random.nextInt(NEW_TOKENS) : 0, kind == 9);
                SamplingParams greedy = SamplingParams.greedyExactly(1 + random.nextInt(NEW_TOKENS));
                SamplingParams drawn = greedy.toBuilder()
                        .temperature(1)
                        .topK(0)
                        .topP(kind % 4 == 0 ? 0.9f : 1)
                        .build();
                engine.generate(new GenerationRequest("churn", prompt, kind % 2 == 0 ? drawn : greedy))
                        .subscribe(reader);
            }
            while (room.availablePermits() < AT_ONCE) {
                resumeOne();
                Thread.onSpinWait();
            }
        }

        private void resumeOne() {
            Reader reader = waiting.poll();
            if (reader != null) {
                reader.request(2);
                if (!reader.isDisposed()) {
                    waiting.add(reader);
                }
            }
        }

        /** Reads all, or cancels after so many tokens, or reads two whenever somebody else finds the time. */
        private final class Reader extends BaseSubscriber<StepOutput> {
            private final int cancelAfter;
            private final boolean isSlow;
            private int seen;

            Reader(int cancelAfter, boolean isSlow) {
                this.cancelAfter = cancelAfter;
                this.isSlow = isSlow;
            }

            @Override
            protected void hookOnSubscribe(Subscription subscription) {
                if (isSlow) {
                    stalled.incrementAndGet();
                    subscription.request(1);
                    waiting.add(this);
                } else {
                    subscription.request(Long.MAX_VALUE);
                }
            }

            @Override
            protected void hookOnNext(StepOutput output) {
                if (++seen == cancelAfter) {
                    cancelled.incrementAndGet();
                    cancel();
                }
            }

            @Override
            protected void hookOnError(Throwable error) {
                if (failed.getAndIncrement() == 0) {
                    System.getLogger(ChurnCheck.class.getName())
                            .log(System.Logger.Level.ERROR, "a request failed", error);
                }
            }

            @Override
            protected void hookFinally(SignalType type) {
                room.release();
            }
        }
    }
}
