package dev.weir.peers;

import dev.weir.onnx.TokenClock;
import dev.weir.onnx.TokenTimes;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Starts sequences at the same moment, a thread for each, and waits for all. Static functions. */
final class Together {
    private Together() {}

    /** Generates one sequence and tells the clock of each of its tokens. */
    interface Generation {
        void generate(int sequence, TokenClock clock);
    }

    /**
     * Runs the sequences.
     *
     * @throws IllegalStateException if one failed
     */
    static TokenTimes run(int sequences, int newTokens, Generation generation) {
        CountDownLatch begin = new CountDownLatch(1);
        AtomicReference<@Nullable TokenClock> started = new AtomicReference<>();
        AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
        Thread[] threads = IntStream.range(0, sequences)
                .mapToObj(sequence -> Thread.ofPlatform()
                        .name("bench-" + sequence)
                        .start(() -> {
                            try {
                                begin.await();
                                TokenClock clock = started.get();
                                if (clock != null) {
                                    generation.generate(sequence, clock);
                                }
                            } catch (InterruptedException | RuntimeException | Error e) {
                                failure.compareAndSet(null, e);
                            }
                        }))
                .toArray(Thread[]::new);
        TokenClock clock = new TokenClock(sequences, newTokens);
        started.set(clock);
        begin.countDown();
        try {
            for (Thread thread : threads) {
                thread.join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("the generation was interrupted", e);
        }
        Throwable thrown = failure.get();
        if (thrown != null) {
            throw new IllegalStateException("a peer failed: " + thrown.getMessage(), thrown);
        }
        return clock.stop();
    }
}
