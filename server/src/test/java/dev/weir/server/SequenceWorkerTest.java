package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

final class SequenceWorkerTest {
    private final CountDownLatch isBusy = new CountDownLatch(1);
    private final CountDownLatch mayGoOn = new CountDownLatch(1);
    private final AtomicInteger computed = new AtomicInteger();

    private float[] slow(int[] sequence) {
        isBusy.countDown();
        try {
            mayGoOn.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        computed.incrementAndGet();
        return new float[] {sequence[0]};
    }

    private static List<int[]> of(int... ids) {
        List<int[]> sequences = new ArrayList<>();
        for (int id : ids) {
            sequences.add(new int[] {id});
        }
        return sequences;
    }

    @Test
    void moreThanMayWaitAreRefusedAtOnce() throws InterruptedException {
        try (SequenceWorker worker = new SequenceWorker("test", this::slow, 2)) {
            CompletableFuture<List<float[]>> first = worker.run(of(1, 2), said -> said, () -> false);
            isBusy.await();
            CompletableFuture<List<float[]>> second = worker.run(of(3), said -> said, () -> false);
            CompletableFuture<List<float[]>> third = worker.run(of(4), said -> said, () -> false);
            assertThatThrownBy(() -> worker.run(of(5), said -> said, () -> false))
                    .isInstanceOfSatisfying(RetryLaterException.class, refusal -> {
                        assertThat(refusal.error().status()).isEqualTo(429);
                        assertThat(refusal.error().message()).contains("2 requests", "try again in 1 s");
                        assertThat(refusal.retryAfterSeconds()).isEqualTo(1);
                    });
            mayGoOn.countDown();
            assertThat(first.join()).extracting(said -> said[0]).containsExactly(1f, 2f);
            assertThat(second.join()).extracting(said -> said[0]).containsExactly(3f);
            assertThat(third.join()).extracting(said -> said[0]).containsExactly(4f);
        }
    }

    @Test
    void nothingIsComputedForThoseWhoLeft() {
        mayGoOn.countDown();
        try (SequenceWorker worker = new SequenceWorker("test", this::slow, 2)) {
            assertThatThrownBy(() -> worker.run(of(1), said -> said, () -> true).join())
                    .isInstanceOf(CancellationException.class);
            assertThatThrownBy(() -> worker.run(of(1, 2, 3), said -> said, () -> computed.get() == 1)
                            .join())
                    .isInstanceOf(CancellationException.class);
            assertThat(computed).hasValue(1);
        }
    }

    @Test
    void afterItsEndItRefuses() {
        SequenceWorker worker = new SequenceWorker("test", this::slow, 2);
        worker.close();
        assertThatThrownBy(() -> worker.run(of(1), said -> said, () -> false))
                .isInstanceOfSatisfying(RetryLaterException.class, refusal -> {
                    assertThat(refusal.error().status()).isEqualTo(503);
                    assertThat(refusal.error().code()).isEqualTo("stopping");
                    assertThat(refusal.retryAfterSeconds()).isPositive();
                });
    }
}
